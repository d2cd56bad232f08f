"""Devices are prepared in a standby, evacuated to it and returned; the certificate is active only where it may be."""

from typing import Any

import pytest
from moto.iot.models import iot_backends

from commissioner.lanes.serving import Result
from lobby.domain.change_requests import ChangeOperation
from lobby.domain.changes import Configure
from lobby.domain.device import Device
from lobby.domain.lanes.lane import main_lane
from lobby.domain.renewals.renewal_transitions import has_work_in_target
from lobby.domain.standby.standby import StandbyMode, StandbyStatus
from lobby.domain.states import State
from lobby.domain.targets.thing_claim import Progress, parse_claim
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.standby.standbys import Standbys
from lobby.names import Target
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.commissioner.lobby_with_targets import ANN, RESET, A, B, LobbyWithTargets, statuses
from tests.functional.commissioner.standby_lobby import ACTIVE, INACTIVE, StandbyLobby, cut_off


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> StandbyLobby:
    return StandbyLobby(calls, clock)


@pytest.fixture
def inactive(calls: Calls, clock: Clock) -> StandbyLobby:
    return StandbyLobby(calls, clock, INACTIVE)


def claim_in(target: Target) -> Any:
    found = parse_claim(aws.registry(target)["things"]["sensor-1"]["claim"])
    assert found is not None
    return found


def remove_policies(target: Target) -> None:
    """Remove what the target's stack has deployed."""
    iot_backends[target.account][target.region].policies.clear()


def place_of(device: Device) -> tuple[Target | None, State, Any]:
    standby = device.standby
    return device.target, device.devstate, standby and (standby.target, standby.status, standby.home, standby.wanted)


def test_a_commissioned_device_is_prepared_after_it_has_its_route(lobby: StandbyLobby) -> None:
    assert lobby.deliver(lobby.claim()) == []
    assert place_of(lobby.device()) == (A, State.COMMISSIONED, (B, StandbyStatus.ACTIVE, False, False))
    assert not lobby.device().needs_commissioner
    assert statuses() == ("ACTIVE", "ACTIVE", "ACTIVE")
    names = lobby.calls.names()
    assert names.index("Publish") < names.index("AssumeRole", names.index("AssumeRole") + 1)
    assert [event for event, _, _ in lobby.events()][-2:] == ["commission", "prepared"]
    claim = claim_in(B)
    assert (claim.generation, claim.progress) == (lobby.device().generation + 1, Progress.AWAITED)
    assert lobby.counts() == (1, 1, 0, 1)


def test_a_target_without_a_standby_costs_nothing(calls: Calls, clock: Clock) -> None:
    plain = LobbyWithTargets(calls, clock)
    assert plain.deliver(plain.claim()) == []
    assert plain.calls.names().count("TransactWriteItems") == 1
    assert plain.device().standby is None


def test_inactive_certificates_are_activated_by_the_evacuation_only(inactive: StandbyLobby) -> None:
    inactive.place()
    assert statuses() == ("ACTIVE", "ACTIVE", "INACTIVE")
    assert inactive.counts() == (1, 1, 0, 1)
    record = inactive.evacuate()
    assert place_of(inactive.device())[:2] == (B, State.CLAIMED)
    assert inactive.device().route() is None
    assert inactive.deliver(record) == []
    assert statuses() == ("ACTIVE", "ACTIVE", "ACTIVE")
    device = inactive.device()
    assert device.devstate is State.COMMISSIONED
    assert device.route() is not None


def test_an_active_device_has_its_route_with_the_row(lobby: StandbyLobby) -> None:
    lobby.place()
    before = lobby.device()
    promised = before.standby_route()
    lobby.evacuate()
    device = lobby.device()
    assert place_of(device) == (B, State.COMMISSIONED, (A, StandbyStatus.ACTIVE, True, True))
    assert device.route() == promised
    assert promised is not None
    assert promised != before.route()
    assert lobby.events()[-1] == ("evacuate", "Region down", str(B))
    assert lobby.counts() == (0, 0, 1, 0)
    assert statuses() == ("ACTIVE", "ACTIVE", "ACTIVE")


def test_a_device_that_is_still_in_the_evacuated_target_is_asked_to_leave(lobby: StandbyLobby) -> None:
    lobby.place()
    assert lobby.deliver(lobby.evacuate()) == []
    assert RESET in aws.published(A)
    assert place_of(lobby.device())[2] == (A, StandbyStatus.ACTIVE, True, False)
    assert statuses() == ("ACTIVE", "ACTIVE", "ACTIVE")


def test_a_device_that_is_evacuated_and_returned_while_it_is_configured_is_asked_to_leave(lobby: StandbyLobby) -> None:
    lobby.place()
    assert lobby.change(Configure({}, config={"a": 1})) is not None
    assert lobby.deliver(lobby.evacuate()) == []
    assert RESET in aws.published(A)
    lobby.arrive()
    assert lobby.change(Configure({}, config={"a": 2})) is not None
    assert lobby.deliver(lobby.come_back()) == []
    assert RESET in aws.published(B)
    assert statuses() == ("ACTIVE", "ACTIVE", "ACTIVE")


def test_a_device_that_has_arrived_in_the_standby_is_not_asked_to_leave(lobby: StandbyLobby) -> None:
    lobby.place()
    aws.published(A).clear()
    record = lobby.evacuate()
    lobby.arrive()
    assert not lobby.device().needs_commissioner
    assert lobby.deliver(record) == []
    assert aws.published(A) == []


@pytest.mark.parametrize(("mode", "afterwards"), [(ACTIVE, "ACTIVE"), (INACTIVE, "INACTIVE")])
def test_a_return_registers_the_device_again_and_then_prepares_it(
    calls: Calls, clock: Clock, mode: StandbyMode, afterwards: str
) -> None:
    lobby = StandbyLobby(calls, clock, mode)
    lobby.place()
    assert lobby.deliver(lobby.evacuate()) == []
    lobby.arrive()
    generation = lobby.device().generation
    assert lobby.deliver(lobby.come_back()) == []
    device = lobby.device()
    assert (device.target, device.devstate, device.generation) == (A, State.COMMISSIONED, generation + 1)
    assert device.standby is not None
    assert (device.standby.target, device.standby.is_prepared, device.standby.wanted) == (B, True, False)
    assert statuses() == ("ACTIVE", "ACTIVE", afterwards)
    assert RESET in aws.published(B)
    assert claim_in(A).progress is Progress.AWAITED
    assert lobby.counts() == (1, 1, 0, 1)


@pytest.mark.parametrize("leave", ["release", "revoke"])
def test_a_device_that_leaves_is_cleared_in_the_standby_too(lobby: StandbyLobby, leave: str) -> None:
    lobby.place()
    assert lobby.deliver(getattr(lobby, leave)()) == []
    assert statuses()[1:] == ("INACTIVE", "INACTIVE")
    assert lobby.device().standby is None
    assert lobby.counts() == (0, 0, 0, 0)


def test_a_move_to_the_standby_is_no_evacuation(lobby: StandbyLobby) -> None:
    lobby.place()
    assert lobby.deliver(lobby.move()) == []
    assert place_of(lobby.device()) == (B, State.COMMISSIONED, None)
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")


def test_an_evacuated_device_can_be_released(lobby: StandbyLobby) -> None:
    lobby.place()
    assert lobby.deliver(lobby.evacuate()) == []
    assert lobby.deliver(lobby.release()) == []
    assert statuses()[1:] == ("INACTIVE", "INACTIVE")


def test_removing_the_standby_clears_its_devices_there(lobby: StandbyLobby) -> None:
    lobby.place()
    with lobby.calls.uncounted():
        lobby.standbys.set(A, None, ACTIVE, ANN)
    assert lobby.deliver(lobby.prepare()) == []
    assert statuses() == ("ACTIVE", "ACTIVE", "INACTIVE")
    assert place_of(lobby.device()) == (A, State.ARRIVED, None)


def test_a_device_from_before_the_standby_is_prepared_once(calls: Calls, clock: Clock) -> None:
    plain = LobbyWithTargets(calls, clock)
    plain.place()
    lobby = StandbyLobby.__new__(StandbyLobby)
    lobby.__dict__.update(plain.__dict__)
    with calls.uncounted():
        lobby.standbys = Standbys(lobby.targets, Campaigns(clock), 1000, clock)
        lobby.standbys.set(A, B, ACTIVE, ANN)
    lobby.server = lobby.new_server()
    assert lobby.deliver(lobby.prepare()) == []
    assert statuses() == ("ACTIVE", "ACTIVE", "ACTIVE")
    assert lobby.device().devstate is State.ARRIVED
    assert lobby.prepare() is None
    done = [("prepared", f"active in {B}", str(A)), ("prepared", f"announced in {A}", str(A))]
    assert lobby.events()[-3:] == [("prepare", None, str(A)), *done]


def test_another_mode_applies_to_a_commissioner_that_has_read_the_target_before(lobby: StandbyLobby) -> None:
    lobby.place()
    lobby.standbys.set(A, B, INACTIVE, ANN)
    assert lobby.deliver(lobby.prepare()) == []
    assert statuses() == ("ACTIVE", "ACTIVE", "INACTIVE")
    assert place_of(lobby.device()) == (A, State.ARRIVED, (B, StandbyStatus.INACTIVE, False, False))


def test_a_mode_that_changes_while_a_device_is_prepared_is_not_lost(lobby: StandbyLobby) -> None:
    lobby.place()
    lobby.standbys.set(A, B, INACTIVE, ANN)
    record = lobby.prepare()
    lobby.clock.advance(seconds=1)

    def change_again() -> None:
        lobby.standbys.set(A, B, ACTIVE, ANN)
        assert lobby.prepare() is not None, "the row is wanted already"

    lobby.calls.meanwhile["TransactWriteItems"] = change_again
    assert lobby.deliver(record) == []
    assert [(event, why) for event, why, _ in lobby.events()][-4:] == [
        ("prepared", f"inactive in {B}"),
        ("prepare", None),
        ("prepared", f"active in {B}"),
        ("prepared", f"announced in {A}"),
    ]
    assert statuses() == ("ACTIVE", "ACTIVE", "ACTIVE")
    assert not lobby.device().needs_commissioner


def test_a_standby_that_refuses_a_device_changes_nothing_in_its_target(lobby: StandbyLobby) -> None:
    remove_policies(B)
    lobby.place()
    device = lobby.device()
    assert (device.devstate, device.reason) == (State.ARRIVED, None)
    assert device.standby is not None
    assert (device.standby.status, device.standby.code) == (StandbyStatus.REFUSED, "TARGET_POLICY_MISSING")
    assert lobby.counts() == (1, 0, 0, 1)
    lobby.deploy_policy(B)
    assert lobby.deliver(lobby.prepare()) == []
    assert lobby.counts() == (1, 1, 0, 1)


def test_a_device_that_was_not_prepared_is_evacuated_like_a_moved_one(lobby: StandbyLobby) -> None:
    remove_policies(B)
    lobby.place()
    lobby.deploy_policy(B)
    assert lobby.deliver(lobby.evacuate()) == []
    assert place_of(lobby.device())[:2] == (B, State.COMMISSIONED)
    assert statuses() == ("ACTIVE", "ACTIVE", "ACTIVE")


def test_repeating_changes_nothing(lobby: StandbyLobby) -> None:
    lobby.place()
    lobby.evacuate()
    before = lobby.device()
    lobby.evacuate()
    assert lobby.device() == before
    lobby.come_back()
    before = lobby.device()
    lobby.come_back()
    assert lobby.device() == before
    assert ChangeOperation.RETURN.is_of_targets
    assert not has_work_in_target(before)


@pytest.mark.parametrize("mode", StandbyMode)
def test_an_evacuation_needs_no_answer_of_the_target(calls: Calls, clock: Clock, mode: StandbyMode) -> None:
    lobby = StandbyLobby(calls, clock, mode)
    lobby.place()
    cut_off(lobby, A)
    assert lobby.deliver(lobby.evacuate()) == [0]
    assert lobby.results[-1] in (Result.NO_ANSWER, Result.FAILED)
    device = lobby.device()
    assert place_of(device)[:2] == (B, State.COMMISSIONED)
    assert device.route() is not None
    assert statuses()[2] == "ACTIVE"
    assert main_lane(device) == str(A)
    lobby.arrive()
    assert not lobby.device().needs_commissioner


def test_a_target_that_answers_again_asks_the_devices_that_stayed_to_leave(lobby: StandbyLobby) -> None:
    lobby.place()
    cut_off(lobby, A)
    record = lobby.evacuate()
    assert lobby.deliver(record) == [0]
    del lobby.calls.instead["AssumeRole"]
    lobby.server = lobby.new_server()
    assert lobby.deliver(record) == []
    assert RESET in aws.published(A)
