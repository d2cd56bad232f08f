"""`lobbyctl move`, `configure`, `release`, `revoke` and `retry` of many devices: lists, filters, results."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from admin_api.cli.api.client import Client
from admin_api.cli.documents import Document
from admin_api.cli.documents import devices as documents
from lobby.domain.states import Event, State
from lobby.text.label import encode_label
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.device_steps import arrived, claimed, fail, state
from tests.functional.admin_api.lobby_over_http import JSON, LobbyServer, Terminal, error_of


def listed(path: Path, *certids: str, header: str = "fingerprint") -> str:
    path.write_text("\n".join([header, *certids]) + "\n")
    return str(path)


def changed(server: LobbyServer) -> list[list[dict[str, Any]]]:
    """Return the devices in each `changeDevices` request."""
    return [each["variables"]["devices"] for each in server.requests if "changeDevices" in each["query"]]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_releasing_many_asks_once_with_a_table(terminal: Terminal, lobby: Lobby, server: LobbyServer) -> None:
    certids = [claimed(lobby, number) for number in range(1, 26)]
    waiting = lobby.waiting(30)
    questions: list[str] = []

    def agree(question: str) -> bool:
        questions.append(question)
        return True

    result = terminal.run("release", *certids, waiting, confirm=agree)
    assert (result.exit_code, questions) == (5, ["Continue?"])
    assert "25 of 26 devices will be changed; 1 refused (1 NOT_ALLOWED)" in result.stderr
    assert ["✓", "25", "claimed", str(HERE), "→", "inlobby"] in [line.split() for line in result.stderr.splitlines()]
    assert "25 succeeded (25 inlobby); 1 failed (1 NOT_ALLOWED)" in result.stdout
    assert [state(lobby, certid) for certid in certids] == [State.INLOBBY] * 25
    assert [len(each) for each in changed(server)] == [25]


def test_a_few_devices_are_listed_one_by_one_before_the_question(terminal: Terminal, lobby: Lobby) -> None:
    one, two = claimed(lobby, 1), claimed(lobby, 2)
    lobby.ledger.revoke(two, "lost", "user:bob")
    refused = terminal.run("move", one, two, "-t", "There", confirm=lambda _question: False)
    assert (refused.exit_code, state(lobby, one)) == (1, State.CLAIMED)
    lines = [line.split() for line in refused.stderr.splitlines()]
    assert ["✓", "sensor-1", one[:12], "claimed", str(HERE), "1", "→", "claimed"] in lines
    assert "REVOKED: " in refused.stderr


def test_nothing_is_changed_without_an_answer(terminal: Terminal, lobby: Lobby) -> None:
    certids = [claimed(lobby, number) for number in range(1, 4)]
    result = terminal.run("--json", "release", *certids)
    assert (result.exit_code, error_of(result)["code"]) == (2, "CONFIRMATION_NEEDED")
    assert {state(lobby, certid) for certid in certids} == {State.CLAIMED}


def test_a_list_is_changed_with_the_generation_that_was_shown(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path
) -> None:
    one, two = claimed(lobby, 1), claimed(lobby, 2)
    path = listed(tmp_path / "list.csv", encode_label(one), two, one, header="label")

    def meanwhile(_question: str) -> bool:
        lobby.ledger.retry(two, "user:bob")
        return True

    result = terminal.run("move", "--file", path, "-t", "There", confirm=meanwhile)
    assert result.exit_code == 5
    seen = {"generation": 1, "devstate": "claimed"}
    assert changed(server) == [[{"certid": one, **seen}, {"certid": two, **seen}]]
    assert "CHANGED_MEANWHILE: " in result.stdout
    device = lobby.ledger.get(two)
    assert device is not None
    assert device.target == HERE


@pytest.mark.parametrize("content", ["{a}\n{b}\n", "certid;note\n{a};x\n{b};\n", '"=""{a}"""\n"=""{b}"""\n'])
def test_a_list_may_have_no_header_and_other_columns(
    terminal: Terminal, lobby: Lobby, content: str, tmp_path: Path
) -> None:
    one, two = claimed(lobby, 1), claimed(lobby, 2)
    path = tmp_path / "list.csv"
    path.write_text(content.format(a=one, b=two))
    assert terminal.run("release", "--file", str(path), "--yes").exit_code == 0
    assert {state(lobby, each) for each in (one, two)} == {State.INLOBBY}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "UNREADABLE_FILE"),
        (b"fingerprint\n", "UNREADABLE_FILE"),
        (b"name;site\nsensor-1;x\n", "UNREADABLE_FILE"),
        (b"certid,certid\na,b\n", "UNREADABLE_FILE"),
        (b"PK\x03\x04zip", "UNREADABLE_FILE"),
        (b"fingerprint\nzz\n", "BAD_ROWS"),
        (b"fingerprint\n1.23457E+11\n", "BAD_ROWS"),
        (b"fingerprint;x\n" + b"a" * 64 + b"\n", "BAD_ROWS"),
    ],
)
def test_an_invalid_list_changes_nothing(
    terminal: Terminal, server: LobbyServer, content: bytes, code: str, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    result = terminal.run("--json", "release", "--file", str(path), "--yes")
    assert (result.exit_code, error_of(result)["code"]) == (2, code)
    assert server.requests == []


def test_a_filter_selects_devices_once_and_shows_them_before_anything_changes(
    terminal: Terminal, lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin_api.cli.commands.changing.PAGE", 2)
    here = [claimed(lobby, number) for number in range(1, 6)]
    there = claimed(lobby, 9, THERE)
    records = terminal.records("release", "--from", "Here", "--state", "claimed", "--dry-run")
    assert {each["certid"] for each in records} == set(here)
    assert {(each["dryRun"], each["changes"], each["state"], each["generation"]) for each in records} == {
        (True, True, "inlobby", 1)
    }
    assert {state(lobby, certid) for certid in here} == {State.CLAIMED}
    assert terminal.run("release", "--from", "Here").exit_code == 2
    result = terminal.run("release", "--from", "Here", "--state", "claimed", "--yes")
    assert (result.exit_code, "5 succeeded (5 inlobby)" in result.stdout) == (0, True)
    assert (state(lobby, here[0]), state(lobby, there)) == (State.INLOBBY, State.CLAIMED)
    again = terminal.run("release", "--from", "Here", "--yes")
    assert (again.exit_code, again.stderr.strip()) == (0, "no matching devices")


def test_failed_devices_are_retried_by_reason(terminal: Terminal, lobby: Lobby) -> None:
    one, two = claimed(lobby, 1), claimed(lobby, 2)
    fail(lobby, one)
    records = terminal.records("retry", "--state", "failed", "--reason", "TARGET_ROLE_DENIED", "--yes")
    assert [(each["certid"], each["devstate"]) for each in records] == [(one, "claimed")]
    assert lobby.ledger.history(two)[-1].event is Event.CLAIM


def test_the_configuration_of_many_is_changed(terminal: Terminal, lobby: Lobby) -> None:
    one, two = arrived(lobby, 1), claimed(lobby, 2)
    assert terminal.run("configure", one, two, "--config", '{"interval": 5}', "--yes").exit_code == 0
    for certid in (one, two):
        device = lobby.ledger.get(certid)
        assert device is not None
        assert (device.config, device.target, device.profile) == ({"interval": 5}, HERE, "default")
        assert lobby.ledger.history(certid)[-1].event is Event.CONFIGURE
    nothing = terminal.run("--json", "configure", one)
    assert (nothing.exit_code, error_of(nothing)["code"]) == (2, "WRONG_USE")
    assert terminal.run("--json", "configure", one, "--profile", "submarine", "--yes").exit_code == 1


def test_a_device_that_already_is_as_requested_is_not_sent(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    certids = [claimed(lobby, number) for number in (1, 2)]
    for _ in range(2):
        assert terminal.run("revoke", *certids, "--why", "lost", "--yes").exit_code == 0
    assert len(changed(server)) == 1
    again = terminal.run("revoke", certids[0], "--why", "lost")
    assert (again.exit_code, again.stdout.strip()) == (
        0,
        f"sensor-1 ({certids[0][:12]}): revoked, already as requested",
    )


def test_the_results_are_written_and_an_interrupted_run_continues(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin_api.cli.commands.changing.CHUNK", 2)
    certids = [claimed(lobby, number) for number in range(1, 7)]
    path, out = listed(tmp_path / "list.csv", *certids), tmp_path / "results.csv"

    arguments = ("retry", "--file", path, "--yes", "--out", str(out))
    original = Client.execute

    def execute(client: Client, document: Document, **variables: Any) -> Any:
        if document is documents.CHANGE and len(changed(server)) == 2:
            raise KeyboardInterrupt
        return original(client, document, **variables)

    monkeypatch.setattr(Client, "execute", execute)
    stopped = terminal.run(*arguments)
    assert (stopped.exit_code, "4 of 6 devices sent" in stopped.stderr) == (130, True)
    assert [(row["certid"], row["ok"], row["devstate"]) for row in rows_of(out)] == [
        (certid, "yes", "claimed") for certid in certids[:4]
    ]
    monkeypatch.setattr(Client, "execute", original)
    resumed = terminal.run(*arguments, "--resume")
    assert (resumed.exit_code, "skipping 4 devices" in resumed.stderr) == (0, True)
    assert [row["certid"] for row in rows_of(out)] == certids
    assert [lobby.ledger.history(certid)[-1].generation for certid in certids] == [2] * 6
    finished = terminal.run(*arguments, "--resume")
    assert (finished.exit_code, "nothing left to change" in finished.stderr) == (0, True)


def test_a_refused_device_is_in_the_results_with_its_reason(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    one, waiting = claimed(lobby, 1), lobby.waiting(2)
    out = tmp_path / "results.csv"
    result = terminal.run("release", one, waiting, fingerprint(9), "--yes", "--out", str(out))
    assert result.exit_code == 5
    assert [(row["certid"], row["ok"], row["code"], row["devstate"]) for row in rows_of(out)] == [
        (waiting, "no", "NOT_ALLOWED", "inlobby"),
        (fingerprint(9), "no", "UNKNOWN_DEVICE", ""),
        (one, "yes", "", "inlobby"),
    ]
    assert all(row["message"] for row in rows_of(out)[:2])


def test_when_the_connection_is_lost_the_rest_is_not_tried(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin_api.cli.commands.changing.CHUNK", 1)
    certids = [claimed(lobby, number) for number in range(1, 4)]
    out = tmp_path / "results.csv"

    def lose(_number: int) -> None:
        if len(changed(server)) == 2:
            server.canned = [(0, {}, "")] * 20

    server.before_request = lose
    result = terminal.run("--json", "release", *certids, "--yes", "--out", str(out))
    assert (result.exit_code, error_of(result)["code"]) == (4, "UNREACHABLE")
    assert [row["code"] for row in rows_of(out)] == ["", "UNREACHABLE", "NOT_TRIED"]
    server.canned, server.before_request = [], lambda _number: None
    assert terminal.run("release", *certids, "--yes", "--out", str(out), "--resume").exit_code == 0
    assert {state(lobby, certid) for certid in certids} == {State.INLOBBY}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("sensor-1", "--from", "Here"),
        ("sensor-1", "--file", "-"),
        ("--file", "-", "--state", "failed"),
        ("sensor-1", "--resume"),
        ("--older-than", "2h"),
        ("--state", "asleep"),
        ("--state", "failed", "--older-than", "soon"),
    ],
)
def test_options_that_conflict_are_a_usage_error(
    terminal: Terminal, server: LobbyServer, arguments: tuple[str, ...]
) -> None:
    assert terminal.run("release", *arguments, "--yes").exit_code == 2
    assert changed(server) == []


@pytest.mark.parametrize("results", ["line,certid\n1,aa\n", "\x00"])
def test_a_file_of_other_results_is_not_resumed(terminal: Terminal, lobby: Lobby, results: str, tmp_path: Path) -> None:
    certid, out = claimed(lobby, 1), tmp_path / "results.csv"
    out.write_text(results)
    result = terminal.run("--json", "release", certid, "--yes", "--out", str(out), "--resume")
    assert (result.exit_code, error_of(result)["code"]) == (2, "UNREADABLE_FILE")
    assert (out.read_text(), state(lobby, certid)) == (results, State.CLAIMED)


def test_the_api_is_given_at_most_a_hundred_devices_at_once(terminal: Terminal, server: LobbyServer) -> None:
    """Answers that are shorter than the list are an error, not a traceback."""
    nodes = [
        {"certid": fingerprint(n), "ok": True, "changes": True, "code": None, "message": None, "generation": 1}
        | {"state": "inlobby", "device": None}
        for n in range(150)
    ]
    page = {"devices": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}
    server.canned = [
        (200, JSON, json.dumps({"data": {"previewChange": page}})),
        *[(200, JSON, json.dumps({"data": {"changeDevices": {"results": []}}}))] * 2,
    ]
    content = "certid\n" + "\n".join(fingerprint(n) for n in range(150))
    result = terminal.run("release", "--file", "-", "--yes", stdin=content.encode())
    assert result.exit_code == 4
    assert len(changed(server)[0]) == 100
