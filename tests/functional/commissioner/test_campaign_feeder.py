"""The feeder of campaigns: pages, backlog, pause, cancellation, canary, automatic stop, approval, interruptions."""

from collections.abc import Callable

import pytest
from botocore.exceptions import EndpointConnectionError

from commissioner.token_messages import DELETE, Verdict
from lobby.domain import campaign_transitions as transitions
from lobby.domain.campaign import Author, CampaignEvent, CampaignState, Source, SourceKind
from lobby.domain.change_requests import ChangeOperation, ChangeRequest
from lobby.domain.device import Priority
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.clock import timestamp
from lobby.ledger.manifests import key_of
from lobby.ledger.target_administration import TargetAdministration
from lobby.names import CampaignName
from tests import aws
from tests.aws import BUCKET, Calls, Clock, CutOff
from tests.functional.commissioner.campaign_lobby import IN_A, NAME, TO_B, CampaignLobby
from tests.functional.lobby.ledger.bulk_claims import ANN, A, B, fingerprints, is_valid

S, E, O = CampaignState, CampaignEvent, ChangeOperation  # noqa: E741
RELEASE = ChangeRequest(O.RELEASE)


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> CampaignLobby:
    with calls.uncounted():
        return CampaignLobby(calls, clock, 12)


@pytest.fixture
def large(calls: Calls, clock: Clock) -> CampaignLobby:
    with calls.uncounted():
        return CampaignLobby(calls, clock, 130)


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


def test_a_device_that_somebody_changes_meanwhile_is_left_as_it_is(lobby: CampaignLobby) -> None:
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


def test_what_a_killed_feeder_has_changed_is_recorded_when_the_campaign_is_cancelled(lobby: CampaignLobby) -> None:
    lobby.create_list(lobby.devices)
    lobby.calls.forget()
    _kill_at_the_record(lobby)
    assert (lobby.moved(), lobby.get().progress.fed) == (12, 0)
    lobby.cancel()
    lobby.run_until(S.CANCELLED, settle=False)
    assert lobby.outcomes() == {"waiting": 12}


def _kill_at_the_record(lobby: CampaignLobby) -> None:
    """Kill a feeder before the last call of its first page."""
    lobby.calls.instead["TransactWriteItems"] = _killing
    with pytest.raises(CutOff):
        lobby.run()
    lobby.calls.instead.clear()


def _killing(parameters: dict[str, object], call: Callable[[], object]) -> object:
    if "device-lobby-campaigns" in str(parameters):
        raise CutOff
    return call()


KILLED = [
    pytest.param(TO_B, id="move"),
    *(
        pytest.param(request, marks=pytest.mark.full, id=request.operation.value)
        for request in (
            RELEASE,
            ChangeRequest(O.RETRY),
            ChangeRequest(O.REVOKE, why="x"),
            ChangeRequest(O.CONFIGURE, config="z"),
        )
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("request_", KILLED)
@pytest.mark.parametrize("late", [False, True])
def test_a_feeder_that_is_killed_at_any_call_loses_and_repeats_nothing(
    calls: Calls, clock: Clock, request_: ChangeRequest, late: bool
) -> None:
    with calls.uncounted():
        lobby = CampaignLobby(calls, clock, 2, above=0)
        lobby.create(request_, canary=1)
        lobby.run_until(S.APPROVAL, settle=False)
        lobby.change(E.APPROVED, lambda c, at: transitions.approved(c, "user:bob", at))
        before = aws.snapshot()
    calls.forget()
    lobby.run()
    for cut in range(1, len(calls.made) + 1):
        with calls.uncounted():
            aws.restore(before)
        calls.forget()
        calls.cut_after, calls.cut_before = (cut, None) if late else (None, cut)
        with pytest.raises(CutOff):
            lobby.run()
        calls.cut_after = calls.cut_before = None
        lobby.run_until(S.DONE)
        assert lobby.outcomes() == {"done": 2}
        events = [each.actor for each in lobby.ledger.history(lobby.devices[0]) if each.actor == "campaign:to-b"]
        assert len(events) == 1, cut


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


def test_a_changed_manifest_stops_the_campaign(lobby: CampaignLobby) -> None:
    lobby.create_list(lobby.devices)
    aws.client("s3").put_object(
        Bucket=BUCKET, Key=key_of(NAME, 0), Body=b'{"certid":"' + b"a" * 64 + b'","generation":0}'
    )
    assert lobby.run_until(S.STOPPED, settle=False).why == "INVALID_MANIFEST"
    assert lobby.moved() == 0
    lobby.cancel()
    assert lobby.run_until(S.CANCELLED).why == "INVALID_MANIFEST"


def test_a_row_that_cannot_be_processed_does_not_stop_the_others(
    lobby: CampaignLobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    lobby.create_list(lobby.devices, tolerance=1.0)
    original, poison = lobby.ledger.change_many, lobby.devices[5]

    def change_many(chosen: object, *more: object) -> object:
        if poison in str(chosen):
            raise KeyError("poison")
        return original(chosen, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(lobby.ledger, "change_many", change_many)
    lobby.run_until(S.DONE)
    assert (lobby.outcomes(), lobby.get().progress.reasons) == ({"done": 11, "refused": 1}, {"INTERNAL": 1})


def test_a_failure_of_dynamodb_is_no_result_of_a_device(lobby: CampaignLobby, monkeypatch: pytest.MonkeyPatch) -> None:
    lobby.create_list(lobby.devices)
    with monkeypatch.context() as broken:
        broken.setattr(
            lobby.ledger, "change_many", lambda *_: (_ for _ in ()).throw(EndpointConnectionError(endpoint_url="x"))
        )
        with pytest.raises(EndpointConnectionError):
            lobby.run()
    assert lobby.get().progress.fed == 0
    lobby.run_until(S.DONE)
    assert lobby.outcomes() == {"done": 12}


def test_two_feeders_at_once_record_each_page_once(large: CampaignLobby) -> None:
    large.create()
    other = large.new_feeder()
    runs = iter([True])

    def meanwhile(_seconds: int) -> None:
        if next(runs, False):
            other.run(NAME, lambda _s: None)

    large.new_feeder().run(NAME, meanwhile)
    large.run_until(S.DONE)
    assert large.outcomes() == {"done": 130}


def test_a_run_ends_after_its_slice_and_hands_over(large: CampaignLobby) -> None:
    large.create()
    assert large.new_feeder().run(NAME, lambda _s: large.clock.advance(seconds=11)) == Verdict(hand_over=True)
    large.run_until(S.DONE)
    assert large.outcomes() == {"done": 130}


def test_an_unknown_campaign_needs_no_feeder(lobby: CampaignLobby) -> None:
    assert lobby.run(CampaignName("unknown")) == DELETE


def test_an_empty_filter_is_done_at_once(lobby: CampaignLobby) -> None:
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
        "GetItem": 8,
        "BatchGetItem": 4,
        "TransactWriteItems": 5,
        "GetObject": 1,
        "Query": 1,
    }
