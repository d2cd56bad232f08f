"""The sweeper's check of standbys: it continues preparations and evacuations of targets."""

from typing import Any, cast

import pytest

from commissioner.sweeping.standby_watch import EVACUATED_AGAIN, PREPARED_AGAIN, PREPARED_SOON, StandbyWatch
from lobby.domain.campaigns.campaign import CampaignEvent
from lobby.domain.campaigns.campaign_transitions import cancelling
from lobby.domain.standby.standby import StandbyMode
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict
from lobby.ledger.standby.standbys import StandbyCounts
from tests.functional.commissioner.campaign_lobby import US, CampaignLobby, campaign_fixture
from tests.functional.commissioner.lane_environment import RecordingQueue
from tests.functional.commissioner.standby_campaigns import counts, prepared, settle, standbys, work
from tests.functional.lobby.ledger.bulk_claims import ANN, A, B

lobby = campaign_fixture(12)


def test_the_sweeper_continues_an_evacuation_that_was_killed_after_its_write(lobby: CampaignLobby) -> None:
    prepared(lobby)
    queue = RecordingQueue()
    watch = StandbyWatch(lobby.targets, standbys(lobby), cast(Any, queue), "queue", US, lobby.clock)
    evacuated = standbys(lobby).evacuate(A, ANN)
    assert watch.check(lambda: False).started == 1
    assert watch.check(lambda: False).started == 0
    assert len(queue.sent) == 1
    assert work(lobby, evacuated).author.actor == ANN
    assert counts(lobby).left == 0


def commission_without_standby(lobby: CampaignLobby) -> None:
    """Commission a device by a Lambda that does not know the standby yet."""
    device = lobby.ledger.retry(lobby.devices[0], ANN)
    lobby.ledger.commission(device, "a.example", US)


def test_the_sweeper_prepares_what_is_missing_soon_after_a_users_change_and_then_once_a_day(
    lobby: CampaignLobby,
) -> None:
    prepared(lobby)
    commission_without_standby(lobby)
    watch = StandbyWatch(lobby.targets, standbys(lobby), cast(Any, RecordingQueue()), "queue", US, lobby.clock)
    assert (watch.check(lambda: False).started, watch.check(lambda: False).unprepared) == (0, 0 + 1)
    for pauses in ((PREPARED_SOON,), (PREPARED_SOON, PREPARED_AGAIN)):
        for number, pause in enumerate(pauses, start=1):
            lobby.clock.advance(seconds=pause.total_seconds() + 1)
            assert watch.check(lambda: False).started == int(number == len(pauses))
        work(lobby, lobby.targets.get(A))
        assert counts(lobby).prepared == 12
        commission_without_standby(lobby)


def test_the_sweeper_prepares_nothing_again_while_the_users_preparation_is_at_work(lobby: CampaignLobby) -> None:
    standbys(lobby).set(A, B, StandbyMode.ACTIVE, ANN)
    standbys(lobby).follow(lobby.targets.get(A))
    watch = StandbyWatch(lobby.targets, standbys(lobby), cast(Any, RecordingQueue()), "queue", US, lobby.clock)
    lobby.clock.advance(seconds=PREPARED_SOON.total_seconds() + 1)
    assert (watch.check(lambda: False).started, watch.check(lambda: False).unprepared) == (0, 12)


def test_the_sweeper_continues_an_evacuation_whose_campaign_has_left_devices(lobby: CampaignLobby) -> None:
    prepared(lobby)
    late = lobby.devices[0]
    row = lobby.ledger.release(late, ANN)
    assert row is not None
    settle(lobby)
    work(lobby, standbys(lobby).evacuate(A, ANN, "Region down"))
    lobby.ledger.claim(late, ClaimRequest(A, "camera"), ANN)  # its target was read before the evacuation
    assert counts(lobby) == StandbyCounts(0, 0, 11, 1)
    queue = RecordingQueue()
    watch = StandbyWatch(lobby.targets, standbys(lobby), cast(Any, queue), "queue", US, lobby.clock)
    lobby.clock.advance(seconds=EVACUATED_AGAIN.total_seconds() + 1)
    assert watch.check(lambda: False).started == 1
    assert (watch.check(lambda: False).started, len(queue.sent)) == (0, 1)
    again = work(lobby, lobby.targets.get(A))
    assert (again.author.actor, again.request.why) == (US, "Region down")
    assert counts(lobby) == StandbyCounts(0, 0, 12, 0)
    lobby.clock.advance(seconds=EVACUATED_AGAIN.total_seconds() + 1)
    assert watch.check(lambda: False).started == 0


@pytest.fixture
def left(lobby: CampaignLobby) -> CampaignLobby:
    """A lobby whose evacuation has changed all its devices, which do not arrive, except one that was claimed later."""
    prepared(lobby)
    late = lobby.devices[0]
    lobby.ledger.release(late, ANN)
    settle(lobby)
    evacuation = standbys(lobby).follow(standbys(lobby).evacuate(A, ANN, "Region down"))
    assert evacuation is not None
    lobby.run(evacuation.name)
    lobby.ledger.claim(late, ClaimRequest(A, "camera"), ANN)
    settle(lobby, arrive=False)
    lobby.clock.advance(seconds=16)
    lobby.run(evacuation.name)
    assert lobby.outcomes(evacuation.name) == {"awaited": 11}
    assert counts(lobby) == StandbyCounts(1, 1, 11, 1)
    return lobby


def test_the_sweeper_continues_an_evacuation_before_its_devices_arrive(left: CampaignLobby) -> None:
    watch = StandbyWatch(left.targets, standbys(left), cast(Any, RecordingQueue()), "queue", US, left.clock)
    left.clock.advance(seconds=EVACUATED_AGAIN.total_seconds() + 1)
    assert watch.check(lambda: False).started == 1
    work(left, left.targets.get(A))
    assert counts(left) == StandbyCounts(0, 0, 12, 0)


def test_a_user_continues_an_evacuation_before_its_devices_arrive(left: CampaignLobby) -> None:
    again = standbys(left).evacuate(A, ANN, "Region down")
    assert standbys(left).evacuate(A, ANN, "Region down") == again
    work(left, again)
    assert counts(left) == StandbyCounts(0, 0, 12, 0)


def test_the_sweeper_does_not_continue_an_evacuation_that_was_cancelled(lobby: CampaignLobby) -> None:
    prepared(lobby)
    evacuation = standbys(lobby).follow(standbys(lobby).evacuate(A, ANN))
    assert evacuation is not None
    lobby.change(CampaignEvent.CANCEL, cancelling, evacuation.name)
    lobby.run(evacuation.name)
    watch = StandbyWatch(lobby.targets, standbys(lobby), cast(Any, RecordingQueue()), "queue", US, lobby.clock)
    lobby.clock.advance(seconds=EVACUATED_AGAIN.total_seconds() + 1)
    assert watch.check(lambda: False).started == 0
    assert counts(lobby).left == 12


def test_the_sweeper_does_not_evacuate_a_target_that_was_returned_meanwhile(lobby: CampaignLobby) -> None:
    prepared(lobby)
    work(lobby, standbys(lobby).evacuate(A, ANN))
    evacuated = lobby.targets.get(A)
    lobby.ledger.release(lobby.devices[0], ANN)
    lobby.ledger.claim(lobby.devices[0], ClaimRequest(A, "camera"), ANN)
    lobby.clock.advance(seconds=1)
    returned = standbys(lobby).come_back(A, ANN)
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        standbys(lobby).continue_evacuation(evacuated, US)
    assert lobby.targets.get(A) == returned
