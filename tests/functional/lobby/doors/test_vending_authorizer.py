"""The authorizer of tokens: accepted requests, counters, and the limits for wrong tokens."""

import pytest

from lobby.ledger.enrolments.token_failures import PER_SOURCE, PER_TOKEN
from lobby.ledger.store import Ledger
from tests.aws import Calls, Clock
from tests.functional.lobby.vending_door import VendingLobby

WRONG = "A" * 43


@pytest.fixture
def lobby(calls: Calls, clock: Clock, ledger: Ledger) -> VendingLobby:
    lobby = VendingLobby(calls, clock, ledger)
    lobby.enrol_pumps()
    return lobby


def header(lobby: VendingLobby, days: float = 7) -> str:
    token = lobby.token(days=days)
    return f"{token.id} {token.secret}"


def test_the_right_token_is_let_through_with_two_reads(lobby: VendingLobby) -> None:
    right = header(lobby)
    lobby.calls.forget()
    assert lobby.authorize(right)
    assert lobby.calls.names() == ["BatchGetItem", "GetItem"]


def test_a_wrong_unknown_or_missing_token_is_refused_and_counted(lobby: VendingLobby) -> None:
    right = header(lobby)
    identifier = right.split()[0]
    for refused in (f"{identifier} {WRONG}", f"pumps.aaaaaaaaaa {WRONG}", right.replace(" ", "  "), None):
        assert not lobby.authorize(refused)
    assert lobby.refusals() == {"TOKEN_WRONG": 1}
    assert lobby.authorize(right)


def test_a_token_ends_with_its_time_and_with_its_revocation(lobby: VendingLobby) -> None:
    short, long = header(lobby, days=1), header(lobby)
    lobby.clock.advance(days=1)
    assert not lobby.authorize(short)
    assert lobby.authorize(long)
    lobby.tokens.revoke(long.split()[0], "user:ann")  # type: ignore[arg-type]
    assert not lobby.authorize(long)
    assert lobby.refusals() == {"TOKEN_EXPIRED": 1, "TOKEN_REVOKED": 1}


def test_a_token_without_uses_is_let_through_because_its_device_may_repeat(lobby: VendingLobby) -> None:
    token = lobby.token()
    lobby.register(token)
    assert lobby.authorize(f"{token.id} {token.secret}")


def test_wrong_secrets_of_a_token_are_limited_by_source_and_minute(lobby: VendingLobby) -> None:
    right = header(lobby)
    wrong = f"{right.split()[0]} {WRONG}"
    for _ in range(PER_TOKEN + 5):
        assert not lobby.authorize(wrong)
    assert lobby.refusals() == {"TOKEN_WRONG": PER_TOKEN}
    assert not lobby.authorize(right)
    assert lobby.authorize(right, source="192.0.2.8")
    assert lobby.authorize(header(lobby))
    lobby.clock.advance(minutes=1)
    assert lobby.authorize(right)


def test_a_source_that_tries_many_tokens_is_limited(lobby: VendingLobby) -> None:
    right = header(lobby)
    for number in range(PER_SOURCE):
        assert not lobby.authorize(f"pumps.aaaaaaaa{chr(97 + number % 26)}{chr(97 + number // 26)} {WRONG}")
    assert not lobby.authorize(right)
    assert lobby.authorize(right, source="192.0.2.8")


def test_addresses_of_one_subscriber_count_together(lobby: VendingLobby) -> None:
    right = header(lobby)
    wrong = f"{right.split()[0]} {WRONG}"
    for number in range(PER_TOKEN):
        assert not lobby.authorize(wrong, source=f"2001:db8::{number + 1:x}")
    assert not lobby.authorize(right, source="2001:db8::ffff:1")
    assert lobby.authorize(right, source="2001:db8:0:1::1")


def test_a_limited_request_reads_no_token_and_writes_nothing(lobby: VendingLobby) -> None:
    wrong = f"{header(lobby).split()[0]} {WRONG}"
    for _ in range(PER_TOKEN):
        lobby.authorize(wrong)
    lobby.calls.forget()
    assert not lobby.authorize(wrong)
    assert lobby.calls.names() == ["BatchGetItem"]


def test_the_log_and_the_metric_name_the_reason_and_no_secret(
    lobby: VendingLobby, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    right = header(lobby)
    identifier, secret = right.split()
    lobby.authorize(right)
    lobby.authorize(f"{identifier} {WRONG}")
    lobby.authorize(f"{identifier}{secret}")
    logged = [vars(each) for each in caplog.records]
    assert [each["code"] for each in logged] == ["TOKEN_WRONG", "TOKEN_MALFORMED"]
    output = capsys.readouterr().out
    assert output.count('"TokensRefused":[1.0]') == 2
    for text in (secret, WRONG):
        assert text not in str(logged) + output
