"""`lobby-pki register` and `publish-crl` behind a captive portal, a proxy or another server: one line, no traceback."""

import gzip
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest

from tests.functional.pki.command_line import Run

Answer = tuple[int, Mapping[str, str], bytes]
_XML: Final = {"content-type": "text/xml"}
_JSON: Final = {"content-type": "application/json"}
_HTML: Final = {"content-type": "text/html; charset=utf-8"}
_STS: Final = "https://sts.amazonaws.com/doc/2011-06-15/"


def _sts(content: str) -> bytes:
    return (
        f'<GetCallerIdentityResponse xmlns="{_STS}">{content}'
        "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    ).encode()


_CALLER: Final = _sts("<GetCallerIdentityResult><Account>100000000001</Account></GetCallerIdentityResult>")
_BOMB: Final = (
    b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + each, b"&%c;" % (97 + each) * 10) for each in range(7))
    + b"]><GetCallerIdentityResponse>&h;</GetCallerIdentityResponse>"
)
OTHERS: Final[dict[str, Answer]] = {
    "the page of a captive portal": (200, _HTML, b"<html><body>Sign in to the network</body></html>"),
    "a page that claims to be XML": (200, _XML, b"<html><body>Sign in</body></html>"),
    "the page of a proxy": (407, _HTML, b"<html>Proxy Authentication Required</html>"),
    "the page of a gateway": (503, _HTML, b"<h1>Service unavailable</h1>"),
    "text": (200, {"content-type": "text/plain"}, b"ok"),
    "nothing": (200, {}, b""),
    "no content": (204, {}, b""),
    "JSON of another shape": (200, _JSON, b"[1, 2]"),
    "JSON null": (200, _JSON, b"null"),
    "an empty object": (200, _JSON, b"{}"),
    "deep JSON": (200, _JSON, b"[" * 50_000),
    "invalid UTF-8": (200, _JSON, b'{"a": "\xff\xfe"}'),
    "XML in invalid UTF-8": (200, _XML, b"<?xml version='1.0'?><a>\xff\xfe</a>"),
    "XML of another shape": (200, _XML, b"<a><b/></a>"),
    "XML without an account": (200, _XML, _sts("<GetCallerIdentityResult/>")),
    "entities that grow": (200, _XML, _BOMB),
    "a compressed answer that is none": (200, {**_JSON, "content-encoding": "gzip"}, b"\x1f\x8bnone"),
    "a compressed page": (200, {**_HTML, "content-encoding": "gzip"}, gzip.compress(b"<html></html>")),
    "a redirect": (302, {"location": "https://portal.example/"}, b""),
    "a redirect to itself": (307, {"location": "/"}, b""),
    "an error without a code": (500, _XML, b"<a/>"),
}
LATER: Final[dict[str, Answer]] = {
    name: OTHERS[name]
    for name in (
        *("the page of a captive portal", "the page of a gateway", "JSON of another shape", "JSON null"),
        *("an empty object", "invalid UTF-8", "a redirect to itself"),
    )
}
"""What another server answers after STS was answered by AWS: a network that changes."""


@contextmanager
def _answering(first: Answer, later: Answer) -> Iterator[str]:
    """A server that gives the first answer to STS, and the other one to everything else."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, headers, body = first if b"GetCallerIdentity" in sent else later
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body if self.command != "HEAD" else b"")

        do_GET = do_POST = do_PUT = do_HEAD = handle_any  # noqa: N815  # names of http.server

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002  # as in the base class

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def attempt(run: Run, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call a command against an address and return the only line of its error."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "100000000001",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)
    run("init", "acme", "--organization", "Acme")

    def call(command: str, url: str) -> str:
        result = run(command, "acme", "--endpoint-url", url, "--region", "eu-west-1", "--yes", status=1)
        [line] = [each for each in result.stderr.splitlines() if not each.startswith("note: ")]
        assert line.isprintable()
        return str(line)

    return call


@pytest.mark.parametrize("command", ["register", "publish-crl"])
@pytest.mark.parametrize("name", OTHERS)
def test_an_answer_that_is_not_of_aws_is_reported_in_one_line(attempt: Any, name: str, command: str) -> None:
    with _answering(OTHERS[name], OTHERS[name]) as url:
        assert attempt(command, url).startswith(("error: NOT_AWS: got ", "error: NO_AWS: got "))


@pytest.mark.parametrize("command", ["register", "publish-crl", "unregister"])
@pytest.mark.parametrize("name", LATER)
def test_a_network_that_changes_after_the_first_answer_is_reported(attempt: Any, name: str, command: str) -> None:
    with _answering((200, _XML, _CALLER), LATER[name]) as url:
        assert attempt(command, url).startswith(("error: NOT_AWS: got ", "error: NO_AWS: got "))


def test_an_error_cannot_control_the_terminal(attempt: Any) -> None:
    body = "<ErrorResponse><Error><Code>Denied</Code><Message>\u202e\u009b2J no</Message></Error></ErrorResponse>"
    answer = (403, _XML, body.encode())
    with _answering(answer, answer) as url:
        assert attempt("register", url) == r"error: AWS_REFUSED: got Denied from GetCallerIdentity: \u202e\x9b2J no"


@pytest.mark.parametrize(
    ("name", "value"), [("AWS_MAX_ATTEMPTS", "x"), ("AWS_RETRY_MODE", "x"), ("AWS_ENDPOINT_URL_IOT", "no address")]
)
def test_a_setting_of_aws_that_cannot_be_used_is_reported(
    attempt: Any, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with _answering((200, _XML, _CALLER), (500, _HTML, b"")) as url:
        assert attempt("register", url).startswith(("error: NO_AWS: got ", "error: NOT_AWS: got "))


@pytest.mark.parametrize("url", ["x", "http://", "http://[::1", "ftp://127.0.0.1", "http://127.0.0.1:99999"])
def test_an_address_that_cannot_be_used_is_reported(attempt: Any, url: str) -> None:
    assert attempt("register", url).startswith("error: NO_AWS: got ")
