"""Stored sign-ins: tokens are renewed, protected, revoked and deleted."""

import json
import stat
from datetime import timedelta

import pytest

from tests.functional.admin_api.browser_sign_in import Browser, login, stored_file
from tests.functional.admin_api.lobby_over_http import Terminal, error_of


def test_an_access_token_is_renewed_before_it_expires_and_stored(signed_out: Terminal) -> None:
    login(signed_out, Browser())
    before = json.loads(stored_file(signed_out).read_text())
    signed_out.clock_offset = timedelta(seconds=3550)
    assert signed_out.run("whoami").exit_code == 0
    after = json.loads(stored_file(signed_out).read_text())
    assert signed_out.server.refresh_count == 1
    assert after["expires_at"] > before["expires_at"]
    assert after["refresh_token"] == before["refresh_token"]
    assert stat.S_IMODE(stored_file(signed_out).stat().st_mode) == 0o600
    assert signed_out.run("whoami").exit_code == 0
    assert signed_out.server.refresh_count == 1


def test_a_refused_token_is_renewed_once(signed_out: Terminal) -> None:
    login(signed_out, Browser())
    signed_out.server.canned = [(401, {"content-type": "application/json"}, '{"message": "Unauthorized"}')]
    assert signed_out.run("whoami").exit_code == 0
    assert signed_out.server.refresh_count == 1


def test_an_expired_sign_in_prints_how_to_sign_in_again(signed_out: Terminal) -> None:
    login(signed_out, Browser())
    signed_out.server.accepts_refresh = False
    signed_out.clock_offset = timedelta(hours=13)
    result = signed_out.run("--json", "whoami")
    assert (result.exit_code, error_of(result)["code"]) == (3, "NOT_SIGNED_IN")
    assert f"lobbyctl login --url {signed_out.server.url}" in error_of(result)["message"]
    assert login(signed_out, Browser()).exit_code == 0


@pytest.mark.parametrize(
    ("damage", "code"), [("mode", "TOKENS_EXPOSED"), ("text", "TOKENS_BROKEN"), ("url", "TOKENS_BROKEN")]
)
def test_exposed_or_damaged_tokens_are_not_used(signed_out: Terminal, damage: str, code: str) -> None:
    login(signed_out, Browser())
    path = stored_file(signed_out)
    if damage == "mode":
        path.chmod(0o644)
    elif damage == "text":
        path.write_text("{}")
    else:
        path.write_text(path.read_text().replace(signed_out.server.url, "https://elsewhere.example"))
    result = signed_out.run("--json", "whoami", "--url", signed_out.server.url)
    assert (result.exit_code, error_of(result)["code"]) == (3, code)


def test_a_sign_out_revokes_the_tokens_and_deletes_them(signed_out: Terminal) -> None:
    login(signed_out, Browser())
    refresh = json.loads(stored_file(signed_out).read_text())["refresh_token"]
    result = signed_out.run("logout")
    assert result.exit_code == 0
    assert signed_out.server.revoked == [refresh]
    assert not list((signed_out.directory / "config" / "lobbies").iterdir())
    assert signed_out.run("whoami").exit_code == 3
    assert signed_out.run("logout").exit_code == 0


def test_a_sign_out_that_fails_at_the_pool_still_deletes_the_tokens(
    signed_out: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    login(signed_out, Browser())
    monkeypatch.setattr(signed_out.server, "revoke", lambda _body: (500, {}, ""))
    assert signed_out.run("logout").exit_code == 3
    assert not list((signed_out.directory / "config" / "lobbies").iterdir())


def test_a_role_can_be_chosen_for_local_deployments_only(signed_out: Terminal) -> None:
    login(signed_out, Browser())
    result = signed_out.run("--json", "whoami", "--as", "admin")
    assert (result.exit_code, error_of(result)["code"]) == (2, "WRONG_USE")


def test_tokens_that_cannot_be_stored_are_reported(signed_out: Terminal) -> None:
    (signed_out.directory / "config").write_text("a file where a directory should be")
    result = login(signed_out, Browser(), "--json")
    assert (result.exit_code, error_of(result)["code"]) == (1, "FILE_SYSTEM")


def test_the_last_of_several_sign_ins_is_used(signed_out: Terminal) -> None:
    login(signed_out, Browser())
    other = json.loads(stored_file(signed_out).read_text()) | {"url": "https://old.example", "signed_in_at": 5.0}
    path = stored_file(signed_out).with_name("old.example.json")
    path.write_text(json.dumps(other))
    path.chmod(0o600)
    assert signed_out.records("whoami")[0]["graphqlUrl"] == f"{signed_out.server.url}/graphql"
