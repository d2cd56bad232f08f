"""A web page of another local origin, in a real Chromium, can neither change nor read the local cloud."""

import base64
import hashlib
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, Final

import httpx
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from playwright.sync_api import Page

from tests.e2e.browser import Visit
from tests.e2e.deployment import Deployment, until

Visiting = Callable[..., Visit]
FUNCTION: Final = "made-by-a-page"
FUNCTIONS: Final = "/2015-03-31/functions"

TRY: Final = """async ([url, options]) => {
    try {
        const answer = await fetch(url, options);
        return answer.type === "opaque" ? "opaque" : `read: ${await answer.text()}`;
    } catch (error) { return "blocked"; }
}"""
FORM: Final = """([url, method]) => {
    const form = Object.assign(document.createElement("form"), {action: url, method, target: "_blank"});
    form.append(Object.assign(document.createElement("input"), {name: "Action", value: "CreateTopic"}));
    document.body.append(form);
    form.submit();
}"""
SOCKET: Final = """(url) => new Promise((done) => {
    const socket = new WebSocket(url, "mqtt");
    socket.onopen = () => done("open");
    socket.onerror = () => done("refused");
})"""


class _EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>another page</title><body>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
        """Log nothing."""


@pytest.fixture
def foreign() -> Iterator[str]:
    """The origin of another local server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _EmptyPage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


class _BodySigner(SigV4QueryAuth):
    """Signs the body as well; botocore moves it into the query string."""

    def __init__(self, body: str, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._body = body

    def payload(self, request: AWSRequest) -> str:  # noqa: ARG002  # botocore's signature
        return hashlib.sha256(self._body.encode()).hexdigest()


def _signed(deployed: Deployment, method: str, path: str, secret: str, body: str = "") -> str:
    """Return a URL with a signature of the lobby's root user, which a page can compute too."""
    request = AWSRequest(method, f"{deployed.layout.endpoint_url}{path}")
    lobby = deployed.lobby
    _BodySigner(body, Credentials(lobby.account, secret), "lambda", lobby.region).add_auth(request)
    return str(request.url)


def _functions(deployed: Deployment) -> set[str]:
    functions = deployed.client(deployed.lobby, "lambda").list_functions()["Functions"]
    return {function["FunctionName"] for function in functions}


def _function(deployed: Deployment) -> str:
    """Return the body of a valid CreateFunction request, with the role of an existing function."""
    code = BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): ...")
    role = deployed.client(deployed.lobby, "lambda").list_functions()["Functions"][0]["Role"]
    zipped = {"ZipFile": base64.b64encode(code.getvalue()).decode()}
    names = {"FunctionName": FUNCTION, "Role": role, "Runtime": "python3.13", "Handler": "index.handler"}
    return json.dumps(names | {"Code": zipped})


def _refused_since(deployed: Deployment, before: int) -> bool:
    return _refusals(deployed) > before


def _refusals(deployed: Deployment) -> int:
    return deployed.layout.log_path.read_text(errors="replace").count(" refused: got ")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_page_of_another_origin_has_no_effect(visit: Visiting, deployed: Deployment, foreign: str, name: str) -> None:
    page: Page = visit().page
    page.goto(f"http://{foreign.replace('127.0.0.1', name)}/")
    before, body, simple = _functions(deployed), _function(deployed), {"content-type": "text/plain"}
    attempts: list[tuple[str, dict[str, Any]]] = []
    for secret in ("test", deployed.emulator.secret):  # even a page with the secret
        for path in (FUNCTIONS, f"{FUNCTIONS}/{FUNCTION}/invocations"):
            url = _signed(deployed, "POST", path, secret, body)
            attempts += [(url, {"method": "POST", "mode": mode, "body": body, "headers": simple}) for mode in _MODES]
        attempts += [(_signed(deployed, "GET", FUNCTIONS, secret), {"mode": mode}) for mode in _MODES]
    gateway, console = deployed.layout.endpoint_url, deployed.file.console_url
    attempts += [(f"{gateway}/_ministack/reset", {"method": "POST", "mode": mode}) for mode in _MODES]
    attempts += [(f"{console}{path}", {"mode": mode}) for path in ("sign-in.json", "") for mode in _MODES]
    attempts += [(f"{gateway}{path}", {"mode": "cors"}) for path in ("/_ministack/health", "/oauth2/token")]
    refused = _refusals(deployed)
    results = [page.evaluate(TRY, [url, options]) for url, options in attempts]
    assert [result for result in results if result not in ("opaque", "blocked")] == []
    assert _refusals(deployed) >= refused + len(attempts), "an opaque response is a refusal"
    assert _functions(deployed) == before
    # The same request of another program is accepted, so only the guard's rules for pages have prevented it.
    url = _signed(deployed, "POST", FUNCTIONS, deployed.emulator.secret, body)
    assert httpx.post(url, content=body, headers=simple).status_code == 201
    assert _functions(deployed) == before | {FUNCTION}
    deployed.client(deployed.lobby, "lambda").delete_function(FunctionName=FUNCTION)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_form_of_another_origin_has_no_effect(
    visit: Visiting, deployed: Deployment, foreign: str, method: str
) -> None:
    page: Page = visit().page
    page.goto(f"http://{foreign}/")
    topics = deployed.client(deployed.lobby, "sns").list_topics()["Topics"]
    for url in (deployed.layout.endpoint_url, _signed(deployed, method.upper(), "/", deployed.emulator.secret)):
        refused = _refusals(deployed)
        page.evaluate(FORM, [url, method])
        until(partial(_refused_since, deployed, refused))
    assert deployed.client(deployed.lobby, "sns").list_topics()["Topics"] == topics


def test_a_page_of_another_origin_opens_no_websocket(visit: Visiting, deployed: Deployment, foreign: str) -> None:
    page: Page = visit().page
    page.goto(f"http://{foreign}/")
    for port in (deployed.layout.gateway_port, deployed.layout.console_port):
        assert page.evaluate(SOCKET, f"ws://127.0.0.1:{port}/mqtt") == "refused"


_MODES: Final = ("no-cors", "cors")
