"""`lobbyctl targets standby`, `evacuate`, `return` and `drill`: what each shows, and its exit status."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lobby.domain.campaigns import campaign_transitions as transitions
from lobby.domain.campaigns.campaign import CampaignEvent, CampaignState
from lobby.domain.standby.standby import StandbyStatus
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.standby.standbys import Standbys
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby
from tests.functional.admin_api.campaign_feeding import US, feed
from tests.functional.admin_api.lobby_over_http import LobbyServer, Terminal, error_of

ADMIN = ("--as", "admin")


@pytest.fixture
def there(lobby: Lobby) -> Lobby:
    """The second target has every profile of the first."""
    lobby.targets.register(THERE, "There", lobby.targets.get(HERE).profiles, "user:alice")
    return lobby


def place(lobby: Lobby, number: int) -> Fingerprint:
    """Let a device arrive, prepared."""
    certid = lobby.waiting(number, f"sensor-{number}")
    claimed = lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    ready = lobby.ledger.commission(claimed, "a.example", US, THERE)
    prepared = lobby.ledger.prepared(ready, THERE, StandbyStatus.ACTIVE, US, "b.example")
    lobby.ledger.arrive(prepared, US)
    return certid


def settle(lobby: Lobby, certid: Fingerprint) -> None:
    device = lobby.ledger.get(certid)
    if device is not None and device.devstate is State.COMMISSIONED:
        lobby.ledger.arrive(device, US)


def test_a_standby_is_set_used_and_left(terminal: Terminal, there: Lobby) -> None:
    result = terminal.run(*ADMIN, "targets", "standby", "Here", "There")
    assert (result.exit_code, f"{THERE} is the standby of {HERE}, with active certificates" in result.stdout) == (
        0,
        True,
    )
    assert "campaigns show prepare-" in result.stderr
    certid = place(there, 1)
    assert f"{THERE}: active" in terminal.run("devices", "show", certid).stdout
    assert "1 of 1 active" in terminal.run(*ADMIN, "targets", "list").stdout
    evacuated = terminal.run(*ADMIN, "targets", "evacuate", "Here", "--why", "Region down", "--yes")
    assert (evacuated.exit_code, "has been evacuated since" in evacuated.stdout) == (0, True)
    assert "evacuated, 0 there, 1 left" in terminal.run(*ADMIN, "targets", "list").stdout
    returned = terminal.run("--json", *ADMIN, "targets", "return", "Here", "--yes")
    assert json.loads(returned.stdout)["standby"]["evacuatedAt"] is None
    none = terminal.run(*ADMIN, "targets", "standby", "Here", "--none")
    assert (none.exit_code, "has no standby now" in none.stdout) == (0, True)


def test_an_evacuation_asks_first(terminal: Terminal, there: Lobby) -> None:
    terminal.run(*ADMIN, "targets", "standby", "Here", "There")
    refused = terminal.run("--json", *ADMIN, "targets", "evacuate", "Here")
    assert (refused.exit_code, error_of(refused)["code"]) == (2, "CONFIRMATION_NEEDED")
    assert there.targets.get(HERE).evacuated_at is None


def test_an_operator_may_not_evacuate(terminal: Terminal, there: Lobby) -> None:
    refused = terminal.run("--json", "--as", "operator", "targets", "evacuate", "Here", "--yes")
    assert error_of(refused)["code"] == "FORBIDDEN"


def test_wrong_use_sends_nothing(terminal: Terminal, server: LobbyServer) -> None:
    for arguments in (
        ("standby", "Here"),
        ("standby", "Here", "There", "--none"),
        ("standby", "Here", "There", "--certificates", "green"),
        ("drill", "Here", "--share", "0%", "--yes"),
        ("drill", "Here", "--share", "101%", "--yes"),
        ("drill", "Here", "--share", "half", "--yes"),
    ):
        assert terminal.run(*ADMIN, "targets", *arguments).exit_code == 2
    assert not [each for each in server.requests if "mutation" in each["query"]]


def drill(terminal: Terminal, lobby: Lobby, settle: Callable[[Lobby, Fingerprint], None], *options: str) -> Any:
    """Run a drill with all devices; the campaign advances while the command waits."""

    def sleep(seconds: float) -> None:
        terminal.sleeps.append(seconds)
        if len(terminal.sleeps) == 1:
            feed(lobby, lobby.started[-1], CampaignState.DONE, settle=settle)

    return terminal.run(*ADMIN, "--json", "targets", "drill", "Here", "--share", "100%", "--yes", *options, sleep=sleep)


def test_a_drill_reports_arrivals_and_returns_the_devices(terminal: Terminal, there: Lobby) -> None:
    terminal.run(*ADMIN, "targets", "standby", "Here", "There")
    certids = [place(there, number) for number in (1, 2)]
    result = drill(terminal, there, settle)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["devices"], report["arrived"], report["missing"]) == (0, 2, 2, [])
    assert report["first"] <= report["median"] <= report["last"]
    assert there.targets.get(HERE).evacuated_at is None
    assert there.started[-1].startswith("return-")
    feed(there, there.started[-1], CampaignState.DONE)
    rows = [there.ledger.get(certid) for certid in certids]
    assert {row.target for row in rows if row} == {HERE}


def test_a_drill_names_the_devices_that_did_not_arrive(terminal: Terminal, there: Lobby) -> None:
    terminal.run(*ADMIN, "targets", "standby", "Here", "There")
    late = place(there, 1)
    result = drill(terminal, there, lambda _lobby, _certid: None, "--timeout", "2", "--keep")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["arrived"], report["first"]) == (1, 0, None)
    assert [(each["certid"], each["devicename"]) for each in report["missing"]] == [(late, "sensor-1")]
    assert there.started[-1].startswith("drill-")
    again = terminal.run(*ADMIN, "--json", "targets", "drill", "Here", "--share", "1%", "--yes")
    assert error_of(again)["code"] == "STANDBY_IN_USE"


def test_a_drill_that_has_not_started_in_time_is_reported_and_ended(terminal: Terminal, there: Lobby) -> None:
    terminal.run(*ADMIN, "targets", "standby", "Here", "There")
    place(there, 1)
    result = terminal.run(*ADMIN, "--json", "targets", "drill", "Here", "--share", "100%", "--yes", "--timeout", "0")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["state"], report["arrived"], report["first"]) == (1, "preparing", 0, None)
    assert there.started[-1].startswith("return-")


def test_a_drill_whose_campaign_is_stopped_returns_the_devices(terminal: Terminal, there: Lobby) -> None:
    terminal.run(*ADMIN, "targets", "standby", "Here", "There")
    certid = place(there, 1)

    def sleep(seconds: float) -> None:
        terminal.sleeps.append(seconds)
        if len(terminal.sleeps) > 1:
            return
        campaign = feed(there, there.started[-1], CampaignState.RUNNING, settle=lambda _lobby, _certid: None)
        why = lambda found, _at: transitions.stopped(found, "TOO_MANY_FAILURES")  # noqa: E731
        there.campaigns.change(campaign.name, CampaignEvent.STOPPED, US, why)

    drilling = ("targets", "drill", "Here", "--share", "100%", "--yes")
    result = terminal.run(*ADMIN, "--json", *drilling, sleep=sleep)
    assert error_of(result)["code"] == "CAMPAIGN_STOPPED"
    assert there.started[-1].startswith("return-")
    feed(there, there.started[-1], CampaignState.DONE)
    row = there.ledger.get(certid)
    assert row is not None
    assert row.target == HERE


def test_a_drill_does_not_end_an_evacuation_that_began_during_it(terminal: Terminal, there: Lobby) -> None:
    terminal.run(*ADMIN, "targets", "standby", "Here", "There")
    place(there, 1)

    def evacuate(lobby: Lobby, certid: Fingerprint) -> None:
        settle(lobby, certid)
        if lobby.targets.get(HERE).evacuated_at is None:
            Standbys(lobby.targets, lobby.campaigns, 1000).evacuate(HERE, "user:bob", "Region down")

    result = drill(terminal, there, evacuate)
    assert (result.exit_code, json.loads(result.stdout)["arrived"]) == (0, 1)
    assert "evacuated during the drill" in result.stderr
    assert there.targets.get(HERE).evacuated_at is not None
    assert there.started[-1].startswith("drill-")


def test_a_drill_of_no_device_is_not_a_success(terminal: Terminal, there: Lobby) -> None:
    terminal.run(*ADMIN, "targets", "standby", "Here", "There")
    sleep = lambda _seconds: feed(there, there.started[-1], CampaignState.DONE)  # noqa: E731
    result = terminal.run(*ADMIN, "targets", "drill", "Here", "--share", "5%", "--yes", sleep=sleep)
    assert (result.exit_code, "the share contains no device" in result.stdout) == (1, True)


@pytest.mark.parametrize(
    ("lost", "note"), [("drillTarget", "whether the drill has started"), ("drillOnly", "whether the devices return")]
)
def test_a_lost_answer_names_the_command_that_returns_the_devices(
    terminal: Terminal, there: Lobby, server: LobbyServer, lost: str, note: str
) -> None:
    terminal.run(*ADMIN, "targets", "standby", "Here", "There")
    place(there, 1)

    def lose(_number: int) -> None:
        if lost in server.requests[-1]["query"]:
            server.canned.append((0, {}, ""))

    server.before_request = lose
    result = terminal.run(*ADMIN, "targets", "drill", "Here", "--share", "100%", "--yes", "--timeout", "0")
    assert result.exit_code == 4
    assert note in result.stderr
    assert f"lobbyctl targets return {HERE}" in result.stderr
