"""Proxies and certificates in the environment that prevent an HTTP client are named in the error, without their
values."""

import pytest

from admin_api.cli.api import http
from admin_api.cli.exits import Status, status_of
from lobby.errors import InvalidInput

UNUSABLE: dict[str, tuple[str, str]] = {
    "a proxy of an unknown kind": ("HTTPS_PROXY", "ftp://user:secret@127.0.0.1:1"),  # pragma: allowlist secret
    "a SOCKS proxy": ("ALL_PROXY", "socks5://127.0.0.1:1"),
    "a proxy in lower case": ("https_proxy", "socks5h://127.0.0.1:1"),
    "a proxy with an incomplete address": ("HTTPS_PROXY", "http://[::1"),
    "an address in brackets": ("NO_PROXY", "localhost,[::1]"),
    "a missing file of certificates": ("SSL_CERT_FILE", "/does/not/exist"),
    "a folder as file of certificates": ("SSL_CERT_FILE", "/"),
    "a file without certificates": ("SSL_CERT_FILE", __file__),
    "a log of keys that cannot be written": ("SSLKEYLOGFILE", "/does/not/exist"),
}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in http._VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(http, "_tls", http._tls.__wrapped__)


@pytest.mark.parametrize("case", UNUSABLE.values(), ids=UNUSABLE)
def test_a_variable_that_cannot_be_used_is_named(case: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    name, value = case
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput) as refused:
        http.open_http("https://lobby.example.com")
    assert refused.value.code == "INVALID_ENVIRONMENT"
    assert status_of(refused.value.code) is Status.USAGE_ERROR
    assert refused.value.message.startswith(f"got {name} that cannot be used")
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("case", [case for case in UNUSABLE.values() if case[0] != "SSLKEYLOGFILE"], ids=str)
def test_it_does_not_matter_for_a_lobby_on_this_machine(case: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    name, value = case
    monkeypatch.setenv(name, value)
    http.open_http("http://127.0.0.1:8443").close()
