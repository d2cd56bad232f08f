"""The canary of a campaign: which devices belong to it, and a pause while it is awaited. Dismissals of suspicions."""

from commissioner.token_messages import DELETE
from lobby.domain.campaigns import campaign_transitions as transitions
from lobby.domain.campaigns.campaign import CampaignEvent, Source, SourceKind
from lobby.domain.campaigns.campaign_rules import canary_arrived
from lobby.domain.change_requests import ChangeRequest
from lobby.domain.changes import Chosen, Move, Retry
from lobby.domain.connections.clones import ClonePolicy, Evidence, Signal
from lobby.ledger.campaigns.campaign_preparation import Candidate
from lobby.ledger.models import LedgerRow
from tests.functional.commissioner.campaign_lobby import CampaignLobby, O, S, campaign_fixture
from tests.functional.lobby.ledger.bulk_claims import ANN, A, B, never

lobby, large = campaign_fixture(12), campaign_fixture(130)


def move(lobby: CampaignLobby, count: int) -> None:
    """Move the first devices to B."""
    chosen = [Chosen(certid) for certid in lobby.devices[:count]]
    lobby.ledger.change_many(chosen, Move(lobby.targets.get(B)), ANN, never)
    lobby.settle(*lobby.devices[:count])


def wait_for_canary(lobby: CampaignLobby) -> None:
    """Run a campaign until only the arrival of its canary is left."""
    lobby.create(canary=3)
    lobby.run()
    lobby.settle(arrive=False)
    lobby.clock.advance(seconds=20)
    lobby.run()
    assert lobby.outcomes() == {"awaited": 3}


def test_a_canary_that_arrives_during_a_long_pause_does_not_stop_the_campaign(large: CampaignLobby) -> None:
    wait_for_canary(large)
    large.pause()
    assert large.run() == DELETE
    large.settle()
    large.clock.advance(seconds=1200)
    large.resume()
    large.run()
    assert (large.get().state, large.moved()) == (S.RUNNING, 130)


def test_a_canary_that_is_missing_after_a_long_pause_stops_the_campaign(large: CampaignLobby) -> None:
    wait_for_canary(large)
    large.pause()
    large.clock.advance(seconds=1200)
    large.resume()
    large.run()
    assert (large.get().state, large.get().why) == (S.STOPPED, "CANARY_NOT_ARRIVED")


def test_devices_that_are_already_as_requested_do_not_count_as_canary(large: CampaignLobby) -> None:
    move(large, 5)
    large.create_list(large.devices, canary=3)
    large.run()
    assert (large.outcomes(), large.moved()) == ({"unchanged": 5, "waiting": 3}, 8)
    large.run_until(S.DONE)
    assert large.outcomes() == {"unchanged": 5, "done": 125}


def test_a_campaign_stops_if_too_few_devices_of_its_canary_can_arrive(large: CampaignLobby) -> None:
    move(large, 98)
    large.create_list(large.devices, canary=3)
    stopped = large.run_until(S.STOPPED)
    assert (stopped.why, large.outcomes()) == ("CANARY_NOT_ARRIVED", {"unchanged": 98, "done": 2})
    large.resume()
    large.run_until(S.DONE)
    assert large.outcomes() == {"unchanged": 98, "done": 32}


def test_the_canary_of_a_list_in_parts_is_complete_before_other_devices_are_changed(large: CampaignLobby) -> None:
    move(large, 1)
    created = large.create(source=Source(SourceKind.LIST), canary=5)
    for part in (slice(0, 3), slice(3, 5), slice(5, 130)):
        added = large.preparation.add(created, [Candidate(Chosen(each)) for each in large.devices[part]])
        assert added is not None
        created = added
    assert (created.prepared.canary_pages, created.prepared.pages) == (3, 5)
    large.preparation.add(created, [], complete=True)
    large.change(CampaignEvent.PREPARED, lambda found, at: transitions.prepared(found, large.above, at))
    large.run()
    large.run()
    assert large.outcomes() == {"unchanged": 1, "waiting": 5}
    large.run_until(S.DONE)
    assert (canary_arrived(large.get()), large.outcomes()) == (5, {"unchanged": 1, "done": 129})


def test_the_canary_of_a_filter_with_few_matches_is_complete(large: CampaignLobby) -> None:
    with large.calls.uncounted():
        for certid in (large.devices[place] for place in (0, 1, 30, 60, 90, 128, 129)):
            LedgerRow.get(certid).update(actions=[LedgerRow.model.set("x-1")])
    large.create(source=Source(SourceKind.FILTER, None, {"target": str(A), "model": "x-1"}), canary=6)
    large.run()
    canary = large.get()
    assert (canary.prepared.total, canary.prepared.canary_pages, canary.prepared.pages) == (7, 2, 3)
    assert large.outcomes() == {"waiting": 6}
    large.run_until(S.DONE)
    assert large.outcomes() == {"done": 7}


def test_a_dismissal_is_done_immediately_whatever_the_state_of_the_device(lobby: CampaignLobby) -> None:
    evidence = Evidence(Signal.TAKEOVERS, str(B), ("192.0.2.1", "192.0.2.2"))
    move(lobby, 12)
    for certid in lobby.devices:
        lobby.ledger.suspect(lobby.device(certid), evidence, ClonePolicy.FLAG, 0, "service:clones")
    unarrived, failing = lobby.devices[:2]
    lobby.ledger.change_many([Chosen(unarrived), Chosen(failing)], Retry(), ANN, never)
    lobby.settle(unarrived, arrive=False)
    lobby.fail(failing)
    lobby.create_list(lobby.devices, ChangeRequest(O.DISMISS, why="one device"))
    lobby.run_until(S.DONE, settle=False)
    assert lobby.outcomes() == {"done": 12}
    assert not any(lobby.device(certid).is_suspected for certid in lobby.devices)
