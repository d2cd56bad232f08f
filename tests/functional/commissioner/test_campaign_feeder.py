"""The feeder of campaigns: pages, backlog, pause, cancellation, canary, automatic stop, approval."""

from commissioner.token_messages import DELETE, Verdict
from lobby.domain.campaigns import campaign_transitions as transitions
from lobby.domain.campaigns.campaign import Author, Source, SourceKind
from lobby.domain.device import Priority
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.clock import timestamp
from lobby.ledger.targets.target_administration import TargetAdministration
from lobby.names import CampaignName
from tests.aws import Calls, Clock
from tests.functional.commissioner.campaign_lobby import IN_A, NAME, RELEASE, CampaignLobby, E, S, campaign_fixture
from tests.functional.lobby.ledger.bulk_claims import ANN, A, B, fingerprints, is_valid

lobby, large = campaign_fixture(12), campaign_fixture(130)


def test_a_campaign_moves_every_device_of_its_filter_and_each_history_names_it(lobby: CampaignLobby) -> None:
    lobby.create()
    done = lobby.run_until(S.DONE)
    assert (lobby.moved(), lobby.outcomes()) == (12, {"done": 12})
    assert (done.prepared.total, done.prepared.changing, done.prepared.work) == (12, 12, {str(A): 12, str(B): 12})
    for certid in lobby.devices:
        entries = [each for each in lobby.ledger.history(certid) if each.event is Event.MOVE]
        assert [each.actor for each in entries] == ["campaign:to-b"]
        assert lobby.device(certid).campaign == NAME
        assert is_valid(lobby.ledger, certid)
    events = [each.event for each in lobby.campaigns.history(NAME)]
    assert events == [E.CREATED, E.PREPARED, E.FINISHED]
    assert lobby.run() == DELETE
    assert lobby.campaigns.active() == []


def test_devices_keep_profile_and_configuration_and_wait_behind_single_claims(lobby: CampaignLobby) -> None:
    lobby.create()
    lobby.run()
    device = lobby.device(lobby.devices[0])
    assert (device.devstate, device.profile, device.config) == (State.CLAIMED, "camera", {"led": 1})
    assert device.priority is Priority.BULK


def test_the_devices_are_fixed_at_the_start(lobby: CampaignLobby) -> None:
    lobby.create()
    late = fingerprints(1, 500)[0]
    lobby.clock.advance(seconds=1)
    lobby.ledger.claim(late, ClaimRequest(A), ANN)
    changed = lobby.devices[3]
    lobby.ledger.retry(changed, ANN)
    done = lobby.run_until(S.DONE)
    assert (done.prepared.total, lobby.device(late).target, lobby.device(changed).target) == (11, A, A)


def test_a_device_that_is_changed_meanwhile_is_left_unchanged(lobby: CampaignLobby) -> None:
    one, two = lobby.devices[:2]
    lobby.create_list(lobby.devices)
    lobby.ledger.release(one, "user:bob")
    lobby.run()
    lobby.ledger.release(two, "user:bob")
    lobby.run_until(S.DONE)
    assert lobby.outcomes() == {"done": 10, "superseded": 2}
    assert (lobby.device(one).target, lobby.device(two).campaign) == (None, None)


def test_pages_are_fed_while_the_lane_has_room(large: CampaignLobby) -> None:
    large.targets.register(B, f"Plant in {B.region}", (), ANN, rate=1.0)
    large.create()
    verdict = large.run()
    assert (large.moved(), large.get().progress.fed, verdict) == (100, 1, Verdict(hide=3))
    large.clock.advance(seconds=5)
    assert (large.run(), large.moved()) == (Verdict(hide=3), 100)
    large.settle()
    large.clock.advance(seconds=5)
    large.run()
    assert large.moved() == 130
    large.run_until(S.DONE)
    assert large.outcomes() == {"done": 130}


def test_a_pause_takes_effect_after_the_page_in_progress(large: CampaignLobby) -> None:
    large.create(canary=5)
    large.run()
    large.settle()
    large.clock.advance(seconds=16)

    def pause_at_the_second_page(_seconds: int) -> None:
        campaign = large.get()
        if campaign.progress.looked_at == timestamp(large.clock()) and campaign.state is S.RUNNING:
            large.pause()

    assert large.new_feeder().run(NAME, pause_at_the_second_page).hide is not None
    assert (large.moved(), large.get().state) == (100, S.PAUSED)
    large.settle()
    large.clock.advance(seconds=16)
    assert large.run() == DELETE
    assert large.outcomes() == {"done": 100}
    large.resume()
    assert large.campaigns.active() == [NAME]
    large.run_until(S.DONE)
    assert large.outcomes() == {"done": 130}


def test_a_cancelled_campaign_changes_no_further_device_and_follows_those_that_it_has_changed(
    large: CampaignLobby,
) -> None:
    large.create(canary=5)
    large.run()
    large.cancel()
    assert large.run_until(S.CANCELLED, settle=False).ended_at is not None
    assert large.moved() == 5
    large.settle()
    large.clock.advance(seconds=16)
    assert large.run() == DELETE
    assert large.outcomes() == {"done": 5}


def test_the_canary_must_arrive_before_the_other_devices_are_changed(large: CampaignLobby) -> None:
    large.create(canary=3)
    large.run()
    large.clock.advance(seconds=20)
    large.run()
    first = [certid for certid in large.devices if large.device(certid).target == B]
    assert len(first) == 3
    large.settle(*first[:2])
    large.settle(first[2], arrive=False)
    large.clock.advance(seconds=20)
    large.run()
    assert (large.moved(), large.outcomes()) == (3, {"awaited": 1, "done": 2})
    large.settle()
    large.run_until(S.DONE)
    assert large.outcomes() == {"done": 130}


def test_a_canary_that_fails_stops_the_campaign_until_a_user_resumes_it(lobby: CampaignLobby) -> None:
    lobby.create(canary=2)
    lobby.run()
    [one, two] = [certid for certid in lobby.devices if lobby.device(certid).target == B]
    lobby.fail(one)
    lobby.settle(two)
    stopped = lobby.run_until(S.STOPPED, settle=False)
    assert (stopped.why, lobby.moved()) == ("CANARY_FAILED", 2)
    lobby.resume()
    lobby.run_until(S.DONE)
    assert lobby.outcomes() == {"done": 11, "failed": 1}


def test_a_campaign_stops_above_its_failure_rate(large: CampaignLobby) -> None:
    large.targets.register(B, f"Plant in {B.region}", (), ANN, rate=1.0)
    large.create(tolerance=0.1)
    large.run()
    moved = [certid for certid in large.devices if large.device(certid).target == B]
    large.fail(*moved[:11])
    large.settle(*moved[11:])
    stopped = large.run_until(S.STOPPED, settle=False)
    assert (stopped.why, stopped.progress.reasons, large.moved()) == ("FAILURE_RATE", {"TARGET_LIMIT": 11}, 100)
    assert [each.detail for each in large.campaigns.history(NAME)][-1] == "FAILURE_RATE"


def test_a_second_user_approves_before_any_device_is_changed(calls: Calls, clock: Clock) -> None:
    with calls.uncounted():
        lobby = CampaignLobby(calls, clock, 3, above=2)
    lobby.create()
    lobby.run_until(S.APPROVAL)
    assert (lobby.run(), lobby.moved()) == (DELETE, 0)
    lobby.change(E.APPROVED, lambda c, at: transitions.approved(c, "user:bob", at), actor="user:bob")
    lobby.run_until(S.DONE)
    assert lobby.moved() == 3


def test_a_device_in_a_target_of_others_is_refused_when_it_is_changed(lobby: CampaignLobby) -> None:
    lobby.create_list(lobby.devices, RELEASE, author=Author(ANN, frozenset({B})))
    lobby.run()
    assert lobby.outcomes() == {"refused": 12}
    assert lobby.get().progress.reasons == {"FORBIDDEN": 12}
    assert lobby.moved() == 0


def test_a_target_that_is_archived_meanwhile_is_the_reason_of_each_device(lobby: CampaignLobby) -> None:
    lobby.create_list(lobby.devices, tolerance=1.0)
    lobby.targets.register(B, f"Plant in {B.region}", (), ANN)
    TargetAdministration(lobby.targets).archive(B, ANN)
    lobby.run_until(S.DONE)
    assert lobby.get().progress.reasons == {"TARGET_ARCHIVED": 12}


def test_a_run_ends_after_its_slice_and_hands_over(large: CampaignLobby) -> None:
    large.create()
    assert large.new_feeder().run(NAME, lambda _s: large.clock.advance(seconds=11)) == Verdict(hand_over=True)
    large.run_until(S.DONE)
    assert large.outcomes() == {"done": 130}


def test_an_unknown_campaign_needs_no_feeder(lobby: CampaignLobby) -> None:
    assert lobby.run(CampaignName("unknown")) == DELETE


def test_an_empty_filter_is_done_immediately(lobby: CampaignLobby) -> None:
    lobby.create(source=Source(SourceKind.FILTER, None, {"state": "refused"}))
    assert lobby.run_until(S.DONE).prepared.total == 0


def test_attributes_that_no_index_has_select_devices(lobby: CampaignLobby) -> None:
    other = fingerprints(1, 700)[0]
    lobby.ledger.claim(other, ClaimRequest(A), ANN)
    lobby.clock.advance(seconds=1)
    lobby.create(RELEASE, Source(SourceKind.FILTER, None, {**IN_A.filter, "profile": "default"}))
    lobby.run_until(S.DONE)
    assert lobby.ledger.get(other) is None
    assert lobby.outcomes() == {"done": 1}


def test_a_page_of_a_hundred_devices_costs_a_few_calls(large: CampaignLobby) -> None:
    large.create_list(large.devices[:100])
    large.calls.forget()
    large.run()
    counts = large.calls.count()
    assert {name: counts[name] for name in ("GetItem", "BatchGetItem", "TransactWriteItems", "GetObject", "Query")} == {
        "GetItem": 7,  # one of them for the block of the author
        "BatchGetItem": 4,
        "TransactWriteItems": 5,
        "GetObject": 1,
        "Query": 1,
    }
