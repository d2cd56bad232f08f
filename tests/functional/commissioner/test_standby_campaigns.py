"""Preparing, evacuating and returning all devices of a target: campaigns that follow from the target's record."""

from dataclasses import replace
from typing import Any, cast

import pytest

from commissioner.sweeping.standby_watch import StandbyWatch
from lobby.domain.campaigns.campaign import CampaignEvent
from lobby.domain.campaigns.campaign_transitions import cancelling
from lobby.domain.changes import Chosen
from lobby.domain.standby.standby import StandbyMode, StandbyStatus
from lobby.domain.standby.standby_changes import Prepare
from lobby.domain.standby.standby_rules import ASKED_FOR
from lobby.domain.states import Event, State
from lobby.domain.targets.target import TargetEvent
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, InvalidInput, LobbyError, NotFound
from lobby.ledger.lists.counts import read_counts
from lobby.ledger.standby.standbys import StandbyCounts, counts_of
from lobby.ledger.targets.target_administration import TargetAdministration
from lobby.names import CampaignName, Target, parse_target
from tests.aws import Calls
from tests.functional.commissioner.campaign_lobby import US, CampaignLobby, campaign_fixture
from tests.functional.commissioner.lane_environment import RecordingQueue
from tests.functional.commissioner.standby_campaigns import ACTIVE, INACTIVE, counts, prepared, settle, standbys, work
from tests.functional.lobby.ledger.bulk_claims import ANN, A, B, is_valid

BOB = "user:bob"
lobby = campaign_fixture(12)


def test_every_device_of_a_target_is_prepared_and_counted(lobby: CampaignLobby) -> None:
    campaign = work(lobby, standbys(lobby).set(A, B, ACTIVE, ANN))
    assert campaign.progress.outcomes == {"done": 12}
    assert counts(lobby) == StandbyCounts(12, 12, 0, 12)
    for certid in lobby.devices:
        device = lobby.device(certid)
        assert (device.target, device.devstate, device.generation) == (A, State.ARRIVED, 1)
        assert is_valid(lobby.ledger, certid)


def test_a_preparation_that_was_cancelled_is_continued_by_repeating_it(lobby: CampaignLobby) -> None:
    registered = standbys(lobby).set(A, B, ACTIVE, ANN)
    campaign = standbys(lobby).follow(registered)
    assert campaign is not None
    assert standbys(lobby).set(A, B, ACTIVE, BOB) == registered
    lobby.change(CampaignEvent.CANCEL, cancelling, campaign.name)
    lobby.run(campaign.name)
    lobby.clock.advance(seconds=5)
    work(lobby, standbys(lobby).set(A, B, ACTIVE, BOB))
    assert counts(lobby).prepared == 12


def test_a_repeated_preparation_finds_devices_that_are_prepared_in_another_mode(lobby: CampaignLobby) -> None:
    prepared(lobby)
    campaign = work(lobby, standbys(lobby).set(A, B, INACTIVE, ANN))
    assert campaign.progress.outcomes == {"done": 12}
    lobby.clock.advance(seconds=1)
    certid = lobby.devices[0]
    wanted = lobby.ledger.change(Chosen(certid), Prepare(replace(lobby.targets.get(A), standby_mode=ACTIVE)), US)
    assert wanted is not None
    lobby.ledger.prepared(wanted, B, StandbyStatus.ACTIVE, US, "b.example")
    again = work(lobby, standbys(lobby).set(A, B, INACTIVE, ANN))
    assert again.progress.outcomes == {"done": 1, "unchanged": 11}


@pytest.mark.parametrize("mode", StandbyMode)
def test_an_evacuation_is_one_write_and_the_rows_follow(lobby: CampaignLobby, calls: Calls, mode: StandbyMode) -> None:
    prepared(lobby, mode)
    calls.forget()
    evacuated = standbys(lobby).evacuate(A, ANN, "Region down")
    assert [name for name in calls.names() if name not in ("GetItem", "Query")] == ["TransactWriteItems"]
    assert lobby.device(lobby.devices[0]).target == A
    campaign = work(lobby, evacuated)
    assert campaign.progress.outcomes == {"done": 12}
    assert counts(lobby) == StandbyCounts(0, 0, 12, 0)
    for certid in lobby.devices:
        assert lobby.device(certid).target == B
        assert is_valid(lobby.ledger, certid)
        entry = next(each for each in lobby.ledger.history(certid) if each.event is Event.EVACUATE)
        assert (entry.actor, entry.reason) == (campaign.actor, "Region down")


def test_a_return_brings_back_only_the_devices_that_were_evacuated(lobby: CampaignLobby) -> None:
    prepared(lobby)
    work(lobby, standbys(lobby).evacuate(A, ANN))
    native = lobby.devices[0]
    lobby.clock.advance(seconds=1)
    row = lobby.ledger.release(native, ANN)
    assert row is not None
    lobby.ledger.claim(native, ClaimRequest(B), ANN)
    settle(lobby)
    lobby.clock.advance(seconds=1)
    campaign = work(lobby, standbys(lobby).come_back(A, ANN))
    assert campaign.prepared.total == 11
    assert lobby.device(native).target == B
    assert all(lobby.device(certid).target == A for certid in lobby.devices[1:])
    assert counts(lobby) == StandbyCounts(11, 11, 0, 11)


def test_a_device_that_falls_back_while_the_evacuation_begins_is_evacuated(lobby: CampaignLobby) -> None:
    prepared(lobby)
    evacuated = standbys(lobby).evacuate(A, ANN)
    lobby.clock.advance(minutes=5)
    lobby.ledger.hello(lobby.device(lobby.devices[4]), None, "service:receptionist")
    work(lobby, evacuated)
    assert counts(lobby).left == 0


def test_a_return_stops_the_rows_that_have_not_followed(lobby: CampaignLobby) -> None:
    prepared(lobby)
    evacuation = standbys(lobby).follow(standbys(lobby).evacuate(A, ANN))
    assert evacuation is not None
    lobby.clock.advance(seconds=1)
    standbys(lobby).come_back(A, ANN)
    for _ in range(5):
        lobby.run(evacuation.name)
        lobby.clock.advance(seconds=16)
    assert counts(lobby) == StandbyCounts(12, 12, 0, 12)
    assert set(lobby.campaigns.get(evacuation.name).progress.reasons) == {"NOT_EVACUATED"}


def test_many_devices_need_a_second_user(lobby: CampaignLobby) -> None:
    prepared(lobby)
    strict = standbys(lobby, above=11)
    assert strict.evacuate(A, ANN).evacuated_at is None
    with pytest.raises(Conflict, match="SECOND_PERSON_REQUIRED"):
        strict.evacuate(A, ANN)
    lobby.clock.advance(seconds=ASKED_FOR.total_seconds() + 1)
    assert strict.evacuate(A, BOB).evacuated_at is None
    lobby.clock.advance(seconds=1)
    assert strict.evacuate(A, ANN).evacuated_at is not None
    last = TargetAdministration(lobby.targets).history(A)[-1]
    assert (last.event, last.actor) == (TargetEvent.EVACUATED, ANN)
    assert "asked for by user:bob" in last.detail


def test_repeating_an_evacuation_or_a_return_changes_nothing(lobby: CampaignLobby) -> None:
    prepared(lobby)
    evacuated = standbys(lobby).evacuate(A, ANN)
    assert standbys(lobby).evacuate(A, BOB) == evacuated
    work(lobby, evacuated)
    assert standbys(lobby).evacuate(A, BOB) == evacuated
    lobby.clock.advance(seconds=1)
    returned = standbys(lobby).come_back(A, ANN)
    assert standbys(lobby).come_back(A, BOB) == returned
    work(lobby, returned)
    assert standbys(lobby).come_back(A, BOB) == returned


def test_a_standby_can_neither_be_archived_nor_removed(lobby: CampaignLobby) -> None:
    standbys(lobby).set(A, B, ACTIVE, ANN)
    administration = TargetAdministration(lobby.targets, lobby.clock)
    with pytest.raises(Conflict, match="TARGET_IS_STANDBY"):
        administration.archive(B, ANN)
    standbys(lobby).set(A, None, ACTIVE, ANN)
    lobby.clock.advance(seconds=1)
    administration.archive(B, ANN)
    with pytest.raises(Conflict, match="TARGET_ARCHIVED"):
        standbys(lobby).set(A, B, ACTIVE, ANN)


def test_an_evacuated_target_takes_no_claims_and_keeps_its_standby(lobby: CampaignLobby) -> None:
    prepared(lobby)
    work(lobby, standbys(lobby).evacuate(A, ANN))
    with pytest.raises(Conflict, match="TARGET_EVACUATED"):
        standbys(lobby).set(A, None, ACTIVE, ANN)
    with pytest.raises(Conflict, match="TARGET_EVACUATED"):
        standbys(lobby).set(B, A, ACTIVE, ANN)
    with pytest.raises(Conflict, match="TARGET_EVACUATED"):
        TargetAdministration(lobby.targets, lobby.clock).archive(A, ANN)
    lobby.clock.advance(seconds=1)
    standbys(lobby).come_back(A, ANN)
    with pytest.raises(Conflict, match="STANDBY_IN_USE"):
        standbys(lobby).set(A, None, ACTIVE, ANN)


def test_two_targets_can_be_each_others_standby_and_only_one_is_evacuated(lobby: CampaignLobby) -> None:
    prepared(lobby)
    standbys(lobby).set(B, A, ACTIVE, ANN)
    standbys(lobby).evacuate(A, ANN)
    with pytest.raises(Conflict, match="TARGET_EVACUATED"):
        standbys(lobby).evacuate(B, ANN)


def test_of_two_targets_that_are_evacuated_at_the_same_moment_one_is(lobby: CampaignLobby, calls: Calls) -> None:
    prepared(lobby)
    standbys(lobby).set(B, A, ACTIVE, ANN)
    calls.meanwhile["TransactWriteItems"] = lambda: standbys(lobby).evacuate(B, BOB)
    with pytest.raises(Conflict, match=f"CHANGED_MEANWHILE: got {A}, which \\(or {B}\\) was changed"):
        standbys(lobby).evacuate(A, ANN)
    assert (lobby.targets.get(A).evacuated_at, lobby.targets.get(B).evacuated_at is None) == (None, False)


@pytest.mark.parametrize("begin", ["set", "drill"])
def test_a_standby_that_is_archived_or_evacuated_at_the_same_moment_is_not_used(
    lobby: CampaignLobby, calls: Calls, begin: str
) -> None:
    if begin == "set":
        administration = TargetAdministration(lobby.targets, lobby.clock)
        calls.meanwhile["TransactWriteItems"] = lambda: administration.archive(B, BOB)
        with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
            standbys(lobby).set(A, B, ACTIVE, ANN)
        return
    prepared(lobby)
    standbys(lobby).set(B, A, ACTIVE, ANN)
    calls.meanwhile["TransactWriteItems"] = lambda: standbys(lobby).evacuate(B, BOB)
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        standbys(lobby).drill(A, 1.0, ANN)


@pytest.mark.parametrize("setting", [{"presence": True}, {"rate": 2.5}])
def test_a_setting_that_changes_during_an_evacuation_is_kept(
    lobby: CampaignLobby, calls: Calls, setting: dict[str, Any]
) -> None:
    prepared(lobby)
    name = lobby.targets.get(A).name
    calls.meanwhile["TransactWriteItems"] = lambda: lobby.targets.register(A, name, (), BOB, **setting)
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        standbys(lobby).evacuate(A, ANN)
    [(key, value)] = setting.items()
    assert getattr(lobby.targets.get(A), key) == value
    assert standbys(lobby).evacuate(A, ANN).evacuated_at is not None


def test_devices_that_were_evacuated_to_a_target_are_not_counted_as_its_own(lobby: CampaignLobby) -> None:
    prepared(lobby)
    standbys(lobby).set(B, A, ACTIVE, ANN)
    work(lobby, standbys(lobby).evacuate(A, ANN))
    assert counts_of(A, read_counts()) == StandbyCounts(0, 0, 12, 0)
    assert counts_of(B, read_counts()) == StandbyCounts()
    watch = StandbyWatch(lobby.targets, standbys(lobby), cast(Any, RecordingQueue()), "queue", US, lobby.clock)
    assert watch.check(lambda: False).unprepared == 0


@pytest.mark.parametrize(
    ("standby", "error", "code"),
    [
        (A, InvalidInput, "INVALID_STANDBY"),
        (parse_target("3" * 12, "eu-west-1"), NotFound, "UNKNOWN_TARGET"),
    ],
)
def test_a_standby_is_another_registered_target(
    lobby: CampaignLobby, standby: Target, error: type[LobbyError], code: str
) -> None:
    with pytest.raises(error, match=code):
        standbys(lobby).set(A, standby, ACTIVE, ANN)
    assert lobby.targets.get(A).standby is None


def test_a_standby_has_every_profile_and_asks_for_no_presence(lobby: CampaignLobby) -> None:
    third = parse_target("3" * 12, "eu-west-1")
    lobby.targets.register(third, "Third", ("default",), ANN)
    with pytest.raises(NotFound, match="UNKNOWN_PROFILE"):
        standbys(lobby).set(A, third, ACTIVE, ANN)
    lobby.targets.register(third, "Third", ("default", "camera"), ANN, presence=True)
    with pytest.raises(Conflict, match="PRESENCE_REQUIRED"):
        standbys(lobby).set(A, third, ACTIVE, ANN)
    with pytest.raises(Conflict, match="NO_STANDBY"):
        standbys(lobby).evacuate(A, ANN)


def test_the_name_of_its_campaign_fits(lobby: CampaignLobby) -> None:
    far = parse_target("3" * 12, "ap-southeast-2")
    lobby.targets.register(far, "Far", ("default", "camera"), ANN)
    campaign = standbys(lobby).follow(standbys(lobby).set(far, B, ACTIVE, ANN))
    assert campaign is not None
    assert CampaignName(campaign.name).startswith("prepare-333333333333-ap-southeast-2-")
