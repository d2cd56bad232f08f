"""`lobby-pki` with a server that never completes a response, or sends one without end: an error within the limits."""

import io
import threading
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

import boto3
import pytest
from botocore.awsrequest import AWSResponse, HeadersDict

from lobby.limited_requests import Limits
from pki.errors import RegistrationError
from pki.lobby_account import account as lobby_account
from pki.lobby_account.isolated_session import isolated_session
from pki.lobby_account.limited_requests import limit_requests
from tests.functional.pki.command_line import Run
from tests.slow_server import sending

_LINE: Final = b"HTTP/1.1 200 OK\r\n"
_XML: Final = b"content-type: text/xml\r\n"
_KIND = tuple[bytes, bytes]
LATE: Final[dict[str, _KIND]] = {
    "silence": (b"", b""),
    "the status line, one character after the other": (b"HTTP/1.1 200 ", b"O"),
    "headers without end": (_LINE, b"x: y\r\n"),
    "one header without end": (_LINE + b"x: ", b"y"),
    "interim responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body, one character after the other": (_LINE + _XML + b"content-length: 90000\r\n\r\n", b"x"),
    "chunks, one character each": (_LINE + _XML + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "an error, one character after the other": (b"HTTP/1.1 503 Busy\r\ncontent-length: 90000\r\n\r\n", b"x"),
    "a redirect, one character after the other": (b"HTTP/1.1 307 Go\r\ncontent-length: 9000\r\n\r\n", b"x"),
}
"""What the server sends, and then repeats slowly."""
LARGE: Final[dict[str, bytes]] = {
    "a body without end": _LINE + _XML + b"\r\n",
    "chunks without end": _LINE + _XML + b"transfer-encoding: chunked\r\n\r\n",
    "a body of 10 GB": _LINE + _XML + b"content-length: 10000000000\r\n\r\n",
    "an error without end": b"HTTP/1.1 500 No\r\n\r\n",
}


def _client(service: str, url: str, limits: Limits) -> Any:
    session: Any = boto3.Session("100000000001", "x", region_name="eu-west-1", botocore_session=isolated_session())
    return limit_requests(session.client(service, endpoint_url=url), limits)


@pytest.mark.parametrize("name", LATE)
def test_a_response_that_is_not_complete_in_time_is_an_error(name: str) -> None:
    start, then = LATE[name]
    with sending(start, then, 0.01) as url, pytest.raises(RegistrationError) as late:
        _client("sts", url, Limits(seconds=0.4)).get_caller_identity()
    assert late.value.code == "NO_AWS"
    assert f"no complete response from {url[7:]} within 0.4 s" in late.value.message


@pytest.mark.parametrize("name", LARGE)
def test_a_response_that_is_too_large_is_an_error(name: str) -> None:
    then = b"8000\r\n" + b"x" * 0x8000 + b"\r\n" if "chunks" in name else b"x" * 0x8000
    with sending(LARGE[name], then, 0) as url, pytest.raises(RegistrationError) as large:
        _client("sts", url, Limits(size=200_000)).get_caller_identity()
    assert (large.value.code, large.value.message) == (
        "NOT_AWS",
        "got a response of more than 200,000 bytes, want fewer",
    )


@pytest.mark.parametrize(("then", "pause", "code"), [(b"x", 0.01, "NO_AWS"), (b"x" * 0x8000, 0, "NOT_AWS")])
def test_an_object_in_a_bucket_is_limited_too(then: bytes, pause: float, code: str) -> None:
    start = _LINE + b"content-length: 900000\r\n\r\n"
    with sending(start, then, pause) as url, pytest.raises(RegistrationError) as limited:
        _client("s3", url, Limits(seconds=0.1, size=10, object_seconds=0.4, object_size=200_000)).get_object(
            Bucket="bucket", Key="key"
        )["Body"].read()
    assert limited.value.code == code


def test_an_object_within_the_limits_is_read() -> None:
    with sending(_LINE + b"content-length: 5\r\n\r\nhello", b"", 0.01) as url:
        body = _client("s3", url, Limits(seconds=0.001, size=1)).get_object(Bucket="bucket", Key="key")["Body"]
        assert (body.read(2), body.read()) == (b"he", b"llo")


@pytest.mark.parametrize("command", ["register", "publish-crl", "unregister"])
def test_each_command_has_the_limits(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr(lobby_account, "limit_requests", partial(limit_requests, limits=Limits(seconds=0.4)))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "100000000001")
    run("init", "acme", "--organization", "Acme")
    with sending(_LINE, b"x: y\r\n", 0.01) as url:
        result = run(command, "acme", "--endpoint-url", url, "--region", "eu-west-1", "--yes", status=1)
    assert "error: NO_AWS: got no complete response" in result.stderr


@pytest.mark.parametrize("length", ["X-Amz-Decoded-Content-Length", "Content-Length"])
def test_a_large_list_has_the_time_that_sending_it_takes(length: str) -> None:
    answered = threading.Event()

    class Session:
        def send(self, _: object) -> AWSResponse:
            assert answered.wait(20)
            headers: Any = HeadersDict()
            return AWSResponse("http://a", 200, headers, io.BytesIO())

    def send(headers: dict[str, str]) -> None:
        client: Any = SimpleNamespace(_endpoint=SimpleNamespace(http_session=Session()))
        request = SimpleNamespace(url="http://a", headers=headers, stream_output=False)
        limit_requests(client, Limits(seconds=0.05))._endpoint.http_session.send(request)

    with pytest.raises(RegistrationError, match=r"within 0\.05 s"):
        send({})
    threading.Timer(0.3, answered.set).start()
    with pytest.raises(AttributeError, match="stream"):  # the response, of which BytesIO is only a part
        send({length: "1000000"})
