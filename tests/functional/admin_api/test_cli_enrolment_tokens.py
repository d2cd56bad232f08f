"""`lobbyctl enrolments tokens`: a token is shown once, alone on standard output."""

import json

import pytest

from lobby.domain.enrolments.enrolment_token import digest_of, parse_authorization
from lobby.ledger.enrolments.enrolment_tokens import EnrolmentTokens
from lobby.names import EnrolmentName
from tests.functional.admin_api.lobby_over_http import Terminal, error_of

PUMPS = EnrolmentName("pumps")


def run(terminal: Terminal, *arguments: str) -> str:
    result = terminal.run("--as", "admin", "enrolments", *arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture
def admin(terminal: Terminal) -> Terminal:
    run(terminal, "create", "pumps", "--door", "token", "--names", "pump-*")
    return terminal


def test_a_new_token_is_alone_on_standard_output(admin: Terminal) -> None:
    printed = run(admin, "tokens", "create", "pumps", "--uses", "3", "--name", "pump-1")
    credentials = parse_authorization(printed.rstrip("\n"))
    assert credentials is not None
    [token] = EnrolmentTokens.of_enrolment(PUMPS)
    assert (token.id, token.digest) == (credentials.id, digest_of(credentials.secret))
    assert (token.limit, token.name) == (3, "pump-1")


def test_a_list_shows_identifiers_and_no_secret(admin: Terminal) -> None:
    secret = run(admin, "tokens", "create", "pumps").split()[1]
    [token] = EnrolmentTokens.of_enrolment(PUMPS)
    listed = " ".join(run(admin, "tokens", "list", "pumps").split())
    assert f"{token.id} active 0 of 1 any name" in listed
    assert secret not in listed
    assert secret not in run(admin, "show", "pumps")
    assert token.id in run(admin, "show", "pumps")


def test_a_token_is_revoked(admin: Terminal) -> None:
    identifier = run(admin, "tokens", "create", "pumps").split()[0]
    result = admin.run("--as", "admin", "enrolments", "tokens", "revoke", identifier)
    assert error_of(admin.run("--as", "admin", "--json", "enrolments", "tokens", "revoke", identifier))["code"] == (
        "CONFIRMATION_NEEDED"
    )
    assert result.exit_code == 2
    run(admin, "tokens", "revoke", identifier, "--yes")
    [token] = EnrolmentTokens.of_enrolment(PUMPS)
    assert token.revokedat is not None


def test_json_has_the_parts_of_a_token(admin: Terminal) -> None:
    result = admin.run("--as", "admin", "--json", "enrolments", "tokens", "create", "pumps")
    created = json.loads(result.stdout)
    assert created["authorization"] == f"{created['token']['identifier']} {created['secret']}"
    listed = json.loads(admin.run("--as", "admin", "--json", "enrolments", "tokens", "list", "pumps").stdout)
    assert listed["identifier"] == created["token"]["identifier"]
    assert "secret" not in listed
