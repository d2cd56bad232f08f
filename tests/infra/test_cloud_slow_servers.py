"""The deployment's commands with a server in place of AWS that never completes a response, or sends one without end:
an error within the limits."""

from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cloud import __main__ as commands
from infra.cloud import limited_session
from infra.cloud.limited_session import LimitedSession, NoCompleteResponse, ResponseTooLarge
from lobby.limited_requests import Limits
from tests.slow_server import sending

HEADERS = b"HTTP/1.1 200 OK\r\n"
WHERE = ["--account", "1" * 12, "--region", "eu-west-1"]
LOBBY = ["--lobby-account", "2" * 12, "--lobby-region", "eu-west-1", "--external-id", "abc"]


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # pragma: allowlist secret
        "AWS_REGION": "eu-west-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(limited_session, "LIMITS", Limits(seconds=0.2, size=200_000))


@pytest.mark.parametrize(
    "command",
    [
        ["aws"],
        ["aws", "--regions", "eu-west-1,eu-north-1"],
        ["target", *WHERE, *LOBBY],
        ["redrive"],
        ["destroy", "aws"],
        ["destroy", "target"],
    ],
)
def test_a_command_ends_if_a_response_is_never_complete(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    with sending(HEADERS, b"x: y\r\n", 0.01) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        done = CliRunner().invoke(commands.app, [*command, "--yes"])
    assert done.exit_code == 1, done.output
    assert f"no complete response from {url[7:]} within 0.2 s" in done.stderr


@pytest.mark.parametrize("service", ["cloudformation", "lambda"])
def test_the_limits_hold_for_each_service_and_region(service: str) -> None:
    calls: dict[str, Any] = {
        "cloudformation": lambda client: client.list_stacks(),
        "lambda": lambda client: client.list_functions(),
    }
    with sending(HEADERS, b"x: y\r\n", 0.01) as url, pytest.raises(NoCompleteResponse):
        calls[service](
            LimitedSession(region_name="eu-west-1").client(service, region_name="eu-north-1", endpoint_url=url)
        )
    with sending(HEADERS + b"\r\n", b"x" * 0x8000, 0) as url, pytest.raises(ResponseTooLarge, match="200,000 bytes"):
        calls[service](LimitedSession(region_name="eu-west-1").client(service, endpoint_url=url))


def test_a_request_that_was_too_late_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    with sending(HEADERS, b"x: y\r\n", 0.01) as url:
        client = LimitedSession(region_name="eu-west-1").client("iot", endpoint_url=url)
        limited, sent = client._endpoint.http_session, []

        def send(request: Any) -> Any:
            sent.append(request.url)
            return limited.send(request)

        client._endpoint.http_session = type("Counted", (), {"send": staticmethod(send)})
        with pytest.raises(NoCompleteResponse):
            client.describe_endpoint()
    assert len(sent) == 2
