"""Campaigns with faults: killed feeders, changed manifests, rows that fail, two feeders at the same time."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from pynamodb.exceptions import PynamoDBException

from lobby.domain.campaigns import campaign_transitions as transitions
from lobby.domain.campaigns.campaign import Source, SourceKind
from lobby.domain.change_requests import ChangeRequest
from lobby.domain.changes import Chosen
from lobby.errors import NotHome
from lobby.ledger.campaigns.campaign_preparation import Candidate
from lobby.ledger.campaigns.manifests import former_key_of, key_of
from tests import aws
from tests.aws import BUCKET, Calls, Clock, CutOff
from tests.functional.commissioner.campaign_lobby import NAME, RELEASE, TO_B, CampaignLobby, E, O, S, campaign_fixture

lobby, large = campaign_fixture(12), campaign_fixture(130)


def test_changes_of_a_killed_feeder_are_recorded_when_the_campaign_is_cancelled(lobby: CampaignLobby) -> None:
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


def test_a_changed_manifest_stops_the_campaign(lobby: CampaignLobby) -> None:
    lobby.create_list(lobby.devices)
    key = key_of(NAME, 0, lobby.campaigns.page(NAME, 0).digest)
    aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b'{"certid":"' + b"a" * 64 + b'","generation":0}')
    assert lobby.run_until(S.STOPPED, settle=False).why == "INVALID_MANIFEST"
    assert lobby.moved() == 0
    lobby.cancel()
    assert lobby.run_until(S.CANCELLED).why == "INVALID_MANIFEST"


def test_a_second_writer_of_the_list_does_not_change_it(lobby: CampaignLobby) -> None:
    """A request was sent again while the first one was still running, and a device has changed in between."""
    stale = lobby.create(source=Source(SourceKind.LIST))
    candidates = [Candidate(Chosen(each)) for each in lobby.devices]
    assert lobby.preparation.add(stale, candidates, complete=True) is not None
    lobby.ledger.release(lobby.devices[0], "user:bob")
    assert lobby.preparation.add(stale, candidates, complete=True) is None
    lobby.change(E.PREPARED, lambda c, at: transitions.prepared(c, 1000, at))
    lobby.run_until(S.DONE)
    assert lobby.outcomes() == {"done": 11, "superseded": 1}


def test_a_list_of_an_earlier_version_is_read(lobby: CampaignLobby) -> None:
    lobby.create_list(lobby.devices)
    s3, key = aws.client("s3"), key_of(NAME, 0, lobby.campaigns.page(NAME, 0).digest)
    s3.copy_object(Bucket=BUCKET, Key=former_key_of(NAME, 0), CopySource={"Bucket": BUCKET, "Key": key})
    s3.delete_object(Bucket=BUCKET, Key=key)
    lobby.run_until(S.DONE)
    assert lobby.outcomes() == {"done": 12}


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


@pytest.mark.parametrize(
    "error", [EndpointConnectionError(endpoint_url="x"), NotHome("LEASE_EXPIRED", "got a lease that has ended")]
)
def test_a_failure_of_dynamodb_or_of_the_home_is_no_result_of_a_device(
    lobby: CampaignLobby, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    lobby.create_list(lobby.devices)
    with monkeypatch.context() as broken:
        broken.setattr(lobby.ledger, "change_many", lambda *_: (_ for _ in ()).throw(error))
        with pytest.raises(type(error)):
            lobby.run()
    assert lobby.get().progress.fed == 0
    lobby.run_until(S.DONE)
    assert lobby.outcomes() == {"done": 12}


def test_two_concurrent_feeders_record_each_page_once(large: CampaignLobby) -> None:
    large.create()
    other = large.new_feeder()
    runs = iter([True])

    def meanwhile(_seconds: int) -> None:
        if next(runs, False):
            other.run(NAME, lambda _s: None)

    large.new_feeder().run(NAME, meanwhile)
    large.run_until(S.DONE)
    assert large.outcomes() == {"done": 130}


class _OneFails(dict[str, Any]):
    """For `Calls.instead`: the call of this number fails with `error`, with `late` after it took effect."""

    def __init__(self, number: int, error: Exception, *, late: bool) -> None:
        super().__init__()
        self.number, self.error, self.late, self.seen = number, error, late, 0

    def __contains__(self, _operation: object) -> bool:
        return True

    def __getitem__(self, _operation: str) -> Any:
        return self._call

    def _call(self, _parameters: dict[str, Any], call: Callable[[], Any]) -> Any:
        self.seen += 1
        if self.seen != self.number:
            return call()
        if self.late:
            call()
        raise self.error


THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "any")
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "any")
TIMED_OUT = ReadTimeoutError(endpoint_url="https://x")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "late"), [(THROTTLED, False), (DENIED, False), (TIMED_OUT, True)], ids=["throttled", "denied", "lost"]
)
def test_a_call_that_fails_once_changes_no_result(calls: Calls, clock: Clock, error: Exception, late: bool) -> None:
    with calls.uncounted():
        lobby = CampaignLobby(calls, clock, 2)
        lobby.create(canary=1)
        before = aws.snapshot()
    calls.forget()
    lobby.run()
    for number in range(1, len(calls.made) + 1):
        with calls.uncounted():
            aws.restore(before)
        calls.instead = _OneFails(number, error, late=late)
        with suppress(ClientError, ReadTimeoutError, PynamoDBException):
            lobby.run()
        calls.instead = {}
        lobby.run_until(S.DONE)
        assert lobby.outcomes() == {"done": 2}, number
        moves = [each.actor for each in lobby.ledger.history(lobby.devices[0]) if each.actor == "campaign:to-b"]
        assert len(moves) == 1, number
