"""`lobbyctl history verify`: what people and programs are told, and the exit status."""

import pytest

from admin_api.cli import verification
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.models import HistoryRow, LedgerRow
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import HERE, Lobby, fingerprint
from tests.functional.admin_api.lobby_over_http import Terminal, error_of


def anchored(lobby: Lobby, number: int, upto: int = 3) -> Fingerprint:
    """A device with three entries, the first `upto` of them anchored."""
    certid = lobby.waiting(number)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    for entry in lobby.ledger.history(certid)[:upto]:
        lobby.anchors.put(certid, entry.seq, entry.hash)
    return certid


def altered(certid: Fingerprint) -> None:
    HistoryRow(certid, 2).update(actions=[HistoryRow.actor.set("user:\x1b[31mmallory")])


def taken_out(certid: Fingerprint) -> None:
    for seq in (1, 2, 3):
        HistoryRow(certid, seq).delete()
    LedgerRow(certid).delete()


def test_a_whole_history_is_said_to_be(terminal: Terminal, lobby: Lobby) -> None:
    certid = anchored(lobby, 7)
    done = terminal.run("history", "verify", "thing-007")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [f"✓  {certid}  3 entries, 3 anchored", "1 histories, all whole"]
    (told,) = terminal.records("history", "verify", certid)
    assert told == {
        "certid": certid,
        "ok": True,
        "entries": 3,
        "anchored": 3,
        "pending": 0,
        "seq": None,
        "code": None,
        "message": None,
    }


def test_what_is_not_anchored_yet_is_said_and_is_no_fault(terminal: Terminal, lobby: Lobby) -> None:
    done = terminal.run("history", "verify", anchored(lobby, 7, upto=1))
    assert (done.exit_code, "3 entries, 1 anchored, 2 not yet" in done.stdout) == (0, True)
    assert done.stdout.splitlines()[-1] == "1 histories, all whole; 2 new entries are not anchored yet"


def test_tampering_is_told_with_its_entry_and_by_the_exit_status(terminal: Terminal, lobby: Lobby) -> None:
    good, bad = anchored(lobby, 1), anchored(lobby, 2)
    altered(bad)
    done = terminal.run("history", "verify", good, bad)
    assert done.exit_code == 1
    assert f"✗  {bad}  entry 2: ALTERED: entry 2 (hello by user:" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stdout.splitlines()[-1] == "1 of 2 histories NOT WHOLE"
    told = terminal.records("history", "verify", good, bad, exit_code=1)
    assert [(each["certid"], each["ok"], each["seq"], each["code"]) for each in told] == [
        (good, True, None, None),
        (bad, False, 2, "ALTERED"),
    ]


def test_all_are_verified_also_those_that_were_taken_out_of_the_tables(
    terminal: Terminal, lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "MOST_ALIASES", 3)
    monkeypatch.setattr(verification, "_PAGE", 4)
    certids = [anchored(lobby, number) for number in range(1, 8)]
    fresh = lobby.waiting(30)
    taken_out(certids[3])
    altered(certids[5])
    told = terminal.records("history", "verify", "--all", "--as", "viewer", exit_code=1)
    assert {each["certid"] for each in told} == {*certids, fresh}
    assert len(told) == 8
    assert {each["certid"]: (each["seq"], each["code"]) for each in told if not each["ok"]} == {
        certids[3]: (1, "MISSING"),
        certids[5]: (2, "ALTERED"),
    }
    done = terminal.run("history", "verify", "--all", "--as", "viewer")
    assert done.exit_code == 1
    assert [line.split()[1] for line in done.stdout.splitlines()[:-1]] == [certids[3], certids[5]]
    assert done.stdout.splitlines()[-1] == "2 of 8 histories NOT WHOLE; 2 new entries are not anchored yet"


def test_of_all_whole_ones_there_is_one_line(terminal: Terminal, lobby: Lobby) -> None:
    for number in range(1, 4):
        anchored(lobby, number)
    done = terminal.run("history", "verify", "--all")
    assert (done.exit_code, done.stdout) == (0, "3 histories, all whole\n")


def test_a_lobby_without_devices_has_nothing_to_verify(terminal: Terminal) -> None:
    assert terminal.run("history", "verify", "--all").stdout == "0 histories, all whole\n"


def test_one_that_was_never_here_is_told_and_keeps_the_others_from_nothing(terminal: Terminal, lobby: Lobby) -> None:
    certid = anchored(lobby, 1)
    told = terminal.records("history", "verify", fingerprint(9), certid, exit_code=1)
    assert [(each["ok"], each["code"]) for each in told] == [(False, "UNKNOWN_DEVICE"), (True, None)]


@pytest.mark.parametrize("words", [[], ["--all", "ab" * 32]])
def test_devices_or_all_have_to_be_named_and_not_both(terminal: Terminal, words: list[str]) -> None:
    done = terminal.run("--json", "history", "verify", *words)
    assert (done.exit_code, error_of(done)["code"], done.stdout) == (2, "WRONG_USE", "")


def test_a_history_is_shown_as_it_always_was(terminal: Terminal, lobby: Lobby) -> None:
    certid = anchored(lobby, 1)
    assert [each["event"] for each in terminal.records("history", certid)] == ["admit", "hello", "claim"]
    assert "verify" in terminal.run("history", "--help").stdout
