"""`lobbyctl history verify`: output, records and exit status."""

import pytest

from admin_api.cli import verification
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.histories.anchor_runs import Run
from lobby.ledger.models import HistoryRow, LedgerRow
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import HERE, Lobby, fingerprint
from tests.functional.admin_api.lobby_over_http import Terminal, error_of


def anchored(lobby: Lobby, number: int, upto: int = 3) -> Fingerprint:
    """A device with three entries, the first `upto` of them anchored."""
    certid = lobby.waiting(number)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    for entry in lobby.ledger.history(certid)[:upto]:
        lobby.anchors.put(Run(certid, entry.seq, (entry.hash,)))
    return certid


def alter(certid: Fingerprint) -> None:
    HistoryRow(certid, 2).update(actions=[HistoryRow.actor.set("user:\x1b[31mmallory")])


def delete(certid: Fingerprint) -> None:
    for seq in (1, 2, 3):
        HistoryRow(certid, seq).delete()
    LedgerRow(certid).delete()


def test_a_valid_history_is_verified(terminal: Terminal, lobby: Lobby) -> None:
    certid = anchored(lobby, 7)
    result = terminal.run("history", "verify", "thing-007")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [f"✓  {certid}  History verified (3 of 3)", "1 history verified"]
    (record,) = terminal.records("history", "verify", certid)
    assert record == {
        "certid": certid,
        "ok": True,
        "entries": 3,
        "anchored": 3,
        "pending": 0,
        "seq": None,
        "code": None,
        "message": None,
    }


def test_entries_that_are_not_anchored_yet_are_reported_and_no_error(terminal: Terminal, lobby: Lobby) -> None:
    result = terminal.run("history", "verify", anchored(lobby, 7, upto=1))
    assert (result.exit_code, "History verified (1 of 3), 2 not anchored yet" in result.stdout) == (0, True)
    assert result.stdout.splitlines()[-1] == "1 history verified; 2 new entries are not anchored yet"


def test_tampering_is_reported_with_its_entry_and_exit_status_1(terminal: Terminal, lobby: Lobby) -> None:
    good, bad = anchored(lobby, 1), anchored(lobby, 2)
    alter(bad)
    result = terminal.run("history", "verify", good, bad)
    assert result.exit_code == 1
    assert f"✗  {bad}  entry 2: ALTERED: entry 2 (hello by user:" in result.stdout
    assert "\x1b" not in result.stdout
    assert result.stdout.splitlines()[-1] == "1 of 2 histories INVALID"
    records = terminal.records("history", "verify", good, bad, exit_code=1)
    assert [(each["certid"], each["ok"], each["seq"], each["code"]) for each in records] == [
        (good, True, None, None),
        (bad, False, 2, "ALTERED"),
    ]


def test_all_includes_devices_whose_rows_were_deleted(
    terminal: Terminal, lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "MAX_ALIASES", 3)
    monkeypatch.setattr(verification, "_PAGE", 4)
    certids = [anchored(lobby, number) for number in range(1, 8)]
    fresh = lobby.waiting(30)
    delete(certids[3])
    alter(certids[5])
    records = terminal.records("history", "verify", "--all", "--as", "viewer", exit_code=1)
    assert {each["certid"] for each in records} == {*certids, fresh}
    assert len(records) == 8
    assert {each["certid"]: (each["seq"], each["code"]) for each in records if not each["ok"]} == {
        certids[3]: (1, "MISSING"),
        certids[5]: (2, "ALTERED"),
    }
    result = terminal.run("history", "verify", "--all", "--as", "viewer")
    assert result.exit_code == 1
    assert [line.split()[1] for line in result.stdout.splitlines()[:-1]] == [certids[3], certids[5]]
    assert result.stdout.splitlines()[-1] == "2 of 8 histories INVALID; 2 new entries are not anchored yet"


def test_all_prints_one_line_for_valid_histories(terminal: Terminal, lobby: Lobby) -> None:
    for number in range(1, 4):
        anchored(lobby, number)
    result = terminal.run("history", "verify", "--all")
    assert (result.exit_code, result.stdout) == (0, "3 histories verified\n")


def test_a_lobby_without_devices_has_nothing_to_verify(terminal: Terminal) -> None:
    assert terminal.run("history", "verify", "--all").stdout == "0 histories verified\n"


def test_an_unknown_device_is_reported_and_does_not_stop_the_others(terminal: Terminal, lobby: Lobby) -> None:
    certid = anchored(lobby, 1)
    records = terminal.records("history", "verify", fingerprint(9), certid, exit_code=1)
    assert [(each["ok"], each["code"]) for each in records] == [(False, "UNKNOWN_DEVICE"), (True, None)]


@pytest.mark.parametrize("arguments", [[], ["--all", "ab" * 32]])
def test_verify_needs_devices_or_all(terminal: Terminal, arguments: list[str]) -> None:
    result = terminal.run("--json", "history", "verify", *arguments)
    assert (result.exit_code, error_of(result)["code"], result.stdout) == (2, "WRONG_USE", "")


def test_history_without_subcommand_shows_the_history(terminal: Terminal, lobby: Lobby) -> None:
    certid = anchored(lobby, 1)
    assert [each["event"] for each in terminal.records("history", certid)] == ["admit", "hello", "claim"]
    assert "verify" in terminal.run("history", "--help").stdout
