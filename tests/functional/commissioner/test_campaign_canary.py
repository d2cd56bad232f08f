"""The canary of a campaign: which devices belong to it, and a pause while it is awaited. Dismissals of suspicions."""

from commissioner.token_messages import DELETE
from lobby.domain.change_requests import ChangeRequest
from lobby.domain.changes import Chosen, Move, Retry
from lobby.domain.clones import ClonePolicy, Evidence, Signal
from tests.functional.commissioner.campaign_lobby import CampaignLobby, O, S, campaign_fixture
from tests.functional.lobby.ledger.bulk_claims import ANN, B, never

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
