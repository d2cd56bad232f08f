"""Clients are created during Lambda's initialisation, and in other processes at the first use."""

import pytest

from lobby.aws.clients import at_init, data_plane


def test_in_lambda_the_factory_runs_immediately_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "device-lobby-bouncer")
    created: list[int] = []
    factory = at_init(lambda: created.append(1))
    assert created == [1]
    factory()
    assert created == [1]


def test_elsewhere_the_factory_runs_at_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    created: list[int] = []
    factory = at_init(lambda: created.append(1))
    assert created == []
    factory()
    factory()
    assert created == [1]


def test_an_error_during_initialisation_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "device-lobby-bouncer")

    def fail() -> None:
        raise ValueError("no settings")

    with pytest.raises(ValueError, match="no settings"):
        at_init(fail)


@pytest.mark.parametrize(
    ("host", "local", "endpoint"),
    [
        ("abc-ats.iot.eu-west-1.amazonaws.com", None, "https://abc-ats.iot.eu-west-1.amazonaws.com"),
        ("abc-ats.iot.eu-west-1.amazonaws.com", "http://127.0.0.1:4566", "http://127.0.0.1:4566"),
        (None, None, "https://data-ats.iot.eu-west-1.amazonaws.com"),
    ],
    ids=["own", "local cloud", "default"],
)
def test_messages_are_published_to_the_endpoint_of_the_account(
    monkeypatch: pytest.MonkeyPatch, host: str | None, local: str | None, endpoint: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    if local:
        monkeypatch.setenv("AWS_ENDPOINT_URL", local)
    credentials = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}  # pragma: allowlist secret
    assert data_plane(host, region_name="eu-west-1", **credentials).meta.endpoint_url == endpoint
