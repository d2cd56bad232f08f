"""`lobbyctl campaigns`: preview, create from a list or filter, follow, control, results as CSV, and undo."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from admin_api.cli.commands import campaign_creation
from lobby.domain.campaigns.campaign import CampaignState
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby
from tests.functional.admin_api.campaign_feeding import feed
from tests.functional.admin_api.device_steps import arrived, claimed, commission
from tests.functional.admin_api.lobby_over_http import LobbyServer, Terminal, error_of

S = CampaignState
MOVE = ("--do", "move", "-t", "There")


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_preview_states_what_would_happen_and_changes_nothing(terminal: Terminal, lobby: Lobby) -> None:
    certids = [claimed(lobby, number) for number in range(1, 4)]
    waiting = lobby.waiting(9)
    result = terminal.run("campaigns", "preview", *MOVE, *certids, waiting)
    assert result.exit_code == 0
    assert "3 of 4 devices will be changed; refused: 1 NOT_ALLOWED; takes at least 0:00:00" in result.stdout
    assert terminal.run("campaigns", "list").stdout == ""


def test_a_campaign_is_created_followed_and_undone(terminal: Terminal, lobby: Lobby) -> None:
    one, two = arrived(lobby, 1), arrived(lobby, 2)
    questions: list[str] = []

    def agree(question: str) -> bool:
        questions.append(question)
        return True

    created = terminal.run("campaigns", "create", "to-there", *MOVE, "--from", "Here", "--canary", "1", confirm=agree)
    assert (created.exit_code, questions) == (0, ["Continue?"])
    assert "to-there is preparing" in created.stderr
    feed(lobby, "to-there", S.DONE)
    shown = terminal.run("campaigns", "show", "to-there", "--wait")
    assert (shown.exit_code, shown.stdout) == (0, "done: 2 done\n")
    details = terminal.run("campaigns", "show", "to-there").stdout
    assert "1 of 1 arrived" in details
    found = list(csv.DictReader(terminal.run("campaigns", "results", "to-there", "--csv").stdout.splitlines()))
    assert {each["certid"] for each in found} == {one, two}
    assert {(each["outcome"], each["from"], each["target"]) for each in found} == {("done", str(HERE), str(THERE))}
    assert terminal.run("campaigns", "undo", "to-there", "--yes").exit_code == 0
    feed(lobby, "to-there-undo", S.DONE)
    [newest, _] = records(terminal.run("--json", "campaigns", "list").stdout)
    assert (newest["name"], newest["undoes"], newest["counts"]["done"]) == ("to-there-undo", "to-there", 2)


def test_a_campaign_quarantines_devices_and_another_lifts_the_quarantine(terminal: Terminal, lobby: Lobby) -> None:
    certid = arrived(lobby, 1)
    for operation, state in (("quarantine", "quarantined"), ("lift", "arrived")):
        run = ("campaigns", "create", f"to-{operation}", "--do", operation, "--why", "a copy", certid, "--yes")
        assert terminal.run(*run).exit_code == 0
        feed(lobby, f"to-{operation}", S.DONE)
        [campaign] = records(terminal.run("--json", "campaigns", "show", f"to-{operation}").stdout)
        assert campaign["counts"]["done"] == 1
        [device] = records(terminal.run("--json", "devices", "show", certid).stdout)
        assert device["devstate"] == state


def test_a_long_list_is_sent_in_parts_and_an_interrupted_command_continues(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_text("\n".join(f"{number:064x}" for number in range(1, 1203)))
    run = ("campaigns", "create", "many", "--do", "claim", "-t", "There", "--file", str(path), "--yes")
    assert terminal.run(*run).exit_code == 0
    mutations = [each["variables"] for each in server.requests if "mutation" in each["query"]]
    assert [(len(each["devices"]), each["complete"]) for each in mutations] == [(1000, False), (202, True)]
    campaign = records(terminal.run("--json", "campaigns", "show", "many").stdout)[0]
    assert (campaign["total"], campaign["state"]) == (1202, "approval")
    assert terminal.run(*run).exit_code == 0
    assert records(terminal.run("--json", "campaigns", "show", "many").stdout)[0]["total"] == 1202
    assert lobby.started[-1] == "many"


def test_a_preview_in_parts_states_the_approval_of_the_whole_list(
    terminal: Terminal, lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_creation, "PART", 2)
    lobby.approval_above = 2
    lobby.__post_init__()
    result = terminal.run("campaigns", "preview", "--do", "claim", "-t", "There", *(f"{n:064x}" for n in range(1, 4)))
    assert "3 of 3 devices will be changed" in result.stdout
    assert "a second user must approve it" in result.stdout


def test_a_preview_in_parts_states_the_time_of_the_slowest_target(
    terminal: Terminal, lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Targets work in parallel. Here, the first part takes 20 s in one target, the others 10 s each in another one."""
    monkeypatch.setattr(campaign_creation, "PART", 2)
    lobby.targets.register(HERE, "Here", (), "user:alice", rate=0.1)
    lobby.targets.register(THERE, "There", (), "user:alice", rate=0.1)
    devices = [*(claimed(lobby, n) for n in (1, 2)), claimed(lobby, 3, THERE), *(lobby.waiting(n) for n in (4, 5))]
    devices.append(claimed(lobby, 6, THERE))
    for certid in (devices[n] for n in (0, 1, 2, 5)):
        commission(lobby, certid)
    result = terminal.run("--json", "campaigns", "preview", "--do", "retry", *devices)
    [found] = records(result.stdout)
    assert (found["changing"], found["seconds"]) == (4, 20)


def test_a_name_of_another_campaign_is_not_reported_as_created(
    terminal: Terminal, lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_creation, "PART", 2)
    certids = [claimed(lobby, number) for number in range(1, 6)]

    def create(*arguments: str) -> str:
        result = terminal.run("--json", "campaigns", "create", "many", *arguments, "--yes")
        return str(error_of(result)["code"]) if result.exit_code else "created"

    assert create(*MOVE, *certids) == "created"
    assert create(*MOVE, *certids) == "created"
    assert create("--do", "release", *certids) == "CAMPAIGN_EXISTS"
    assert create(*MOVE, *certids[:2]) == "CAMPAIGN_EXISTS"
    assert create(*MOVE, *certids[:4]) == "CHANGED_MEANWHILE"


def test_a_campaign_that_has_ended_is_not_reported_as_new(terminal: Terminal, lobby: Lobby) -> None:
    creating = ("campaigns", "create", "nightly", "--do", "retry", "--state", "failed", "--yes")
    assert "created before" not in terminal.run(*creating).stderr
    feed(lobby, "nightly", S.DONE)
    assert "nightly was created before, at 20" in terminal.run(*creating).stderr


def test_a_campaign_is_paused_resumed_and_cancelled(terminal: Terminal, lobby: Lobby) -> None:
    terminal.run("campaigns", "create", "to-there", *MOVE, claimed(lobby, 1), "--yes")
    for arguments, text in (
        (("pause", "to-there"), "to-there is paused"),
        (("resume", "to-there"), "to-there is running"),
        (("cancel", "to-there", "--yes"), "to-there is stopping"),
    ):
        result = terminal.run("campaigns", *arguments)
        assert (result.exit_code, text in result.stderr) == (0, True)
    refused = terminal.run("--json", "campaigns", "resume", "to-there")
    assert (refused.exit_code, error_of(refused)["code"]) == (1, "NOT_ALLOWED")


def test_its_author_cannot_approve_a_revocation(terminal: Terminal, lobby: Lobby) -> None:
    created = terminal.run(
        "campaigns", "create", "stolen", "--do", "revoke", "--why", "stolen", claimed(lobby, 1), "--yes"
    )
    assert "next, another user: lobbyctl campaigns approve stolen" in created.stderr
    refused = terminal.run("--json", "campaigns", "approve", "stolen", "--yes")
    assert error_of(refused)["code"] == "SECOND_PERSON_REQUIRED"


def test_wrong_use_sends_nothing(terminal: Terminal, lobby: Lobby, server: LobbyServer) -> None:
    one = claimed(lobby, 1)
    for arguments in (
        ("create", "x", *MOVE),
        ("create", "x", *MOVE, one, "--state", "failed"),
        ("create", "x", "--do", "paint", one),
        ("create", "Not a name", *MOVE, one),
        ("create", "x", *MOVE, "--failed-of", "y", "--model", "z"),
    ):
        assert terminal.run("campaigns", *arguments, "--yes").exit_code == 2
    assert not [each for each in server.requests if "Campaign" in each["query"]]


def test_an_unknown_campaign_is_reported(terminal: Terminal) -> None:
    refused = terminal.run("--json", "campaigns", "show", "none")
    assert (refused.exit_code, error_of(refused)["code"]) == (1, "UNKNOWN_CAMPAIGN")
