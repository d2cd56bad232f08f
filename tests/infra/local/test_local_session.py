"""Sessions of the local cloud reach it with any AWS settings and proxies of the user."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from infra.local.emulator import LocalSession
from lobby.names import parse_account, parse_region
from pki.lobby_account.account import ConnectionOptions, connect

ACCOUNT = "111111111111"
_IDENTITY = f"""<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{ACCOUNT}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>""".encode()
ELSEWHERE = "http://127.0.0.1:9"
SETTINGS = {
    "a profile that does not exist": {"AWS_PROFILE": "nobody", "AWS_DEFAULT_PROFILE": "nobody"},
    "another endpoint": {"AWS_ENDPOINT_URL": ELSEWHERE, "AWS_ENDPOINT_URL_STS": ELSEWHERE},
    "another Region": {"AWS_REGION": "nowhere", "AWS_DEFAULT_REGION": "nowhere"},
    "a CA bundle that does not exist": {"AWS_CA_BUNDLE": "/nowhere", "REQUESTS_CA_BUNDLE": "/nowhere"},
    "a damaged configuration": {"AWS_CONFIG_FILE": "{damaged}", "AWS_SHARED_CREDENTIALS_FILE": "{damaged}"},
    "invalid options": {"AWS_MAX_ATTEMPTS": "many", "AWS_RETRY_MODE": "never", "AWS_DEFAULTS_MODE": "none"},
    "other kinds of endpoints": {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
    "credentials of another account": {
        "AWS_ACCESS_KEY_ID": "other",
        "AWS_SECRET_ACCESS_KEY": "other",  # pragma: allowlist secret
    },
    "a proxy": dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"), ELSEWHERE),
}


class _Sts(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer GetCallerIdentity, if the root user of the account has signed it for the right Region."""
        is_root = f"Credential={ACCOUNT}/" in self.headers["authorization"]
        self.send_response(200 if is_root and "/eu-west-1/sts/" in self.headers["authorization"] else 403)
        self.send_header("content-length", str(len(_IDENTITY)))
        self.end_headers()
        self.wfile.write(_IDENTITY)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Sts) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def unusual(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "damaged").write_text("[profile\x00\n= =")
    for name, value in SETTINGS[request.param].items():
        monkeypatch.setenv(name, value.format(damaged=tmp_path / "damaged"))


@pytest.mark.usefixtures("unusual")
@pytest.mark.parametrize("unusual", SETTINGS, indirect=True)
def test_the_local_session_reaches_the_local_cloud(endpoint: str) -> None:
    session = LocalSession(endpoint, "secret", parse_account(ACCOUNT), parse_region("eu-west-1"))
    assert session.client("sts").get_caller_identity()["Account"] == ACCOUNT


@pytest.mark.usefixtures("unusual")
@pytest.mark.parametrize("unusual", SETTINGS, indirect=True)
def test_lobby_pki_reaches_the_local_cloud(endpoint: str) -> None:
    options = ConnectionOptions(region="eu-west-1", endpoint_url=endpoint, access_key=ACCOUNT, secret="secret")
    assert connect(options).account == ACCOUNT
