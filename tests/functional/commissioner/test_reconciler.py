"""The reconciler's Lambda: pages for the API, the daily round, and its requests to the inspector."""

import io
import json
from collections import Counter
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto.iot.models import iot_backends

from commissioner.errors import TargetRefusal
from commissioner.lambdas.reconciler import ROUND, handler, reconciler_of
from commissioner.reconciliation import target_comparison
from commissioner.reconciliation.daily_round import MOST_RUNS
from commissioner.reconciliation.inspector_client import InspectorClient, by_lambda
from lobby.contracts.invocation import MalformedMessage, Request, decode_response
from lobby.domain.targets.comparison_state import ComparisonState, Work
from lobby.ledger.progress import read_progress, save_progress
from lobby.ledger.targets.comparisons import read_state, read_states, save_state
from lobby.ledger.targets.target_registry import Targets
from lobby.names import Target
from tests import aws
from tests.aws import Calls
from tests.functional.commissioner.lobby_with_targets import (
    ANN,
    KEY,
    ONE,
    PROFILES,
    A,
    B,
    LobbyWithTargets,
    new_inspector,
)

R = TypeVar("R")
IN_TIME = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)
NO_TIME = SimpleNamespace(get_remaining_time_in_millis=lambda: 59_000)


class ReconcilerWithDifference:
    """A reconciler, and one device placed in A whose certificate is inactive there."""

    def __init__(self, lobby: LobbyWithTargets) -> None:
        self.lobby = lobby
        lobby.start_placed()
        iot_backends[A.account][A.region].certificates[ONE].status = "INACTIVE"
        self.unreachable: set[str] = set()
        self.requested: list[str] = []
        inspector = new_inspector()

        def send(request: Request[R]) -> R:
            event = request.encode()
            self.requested.append(event["account"])
            if event["account"] in self.unreachable:
                raise TargetRefusal("TARGET_UNREACHABLE", "no answer")
            return decode_response(request, inspector.answer(event))

        client, targets = InspectorClient(send), Targets.read_only()
        self.reconciler = reconciler_of(lobby.ledger, client, PROFILES, targets, KEY, lobby.clock)

    def page(self, **event: Any) -> dict[str, Any]:
        return handler({"account": A.account, "region": A.region, **event}, IN_TIME, self.reconciler)

    def run(self, context: Any = IN_TIME) -> dict[str, int]:
        counts = handler(dict(ROUND), context, self.reconciler)
        return {name: number for name, number in counts.items() if number}


@pytest.fixture
def reconciler(lobby: LobbyWithTargets) -> ReconcilerWithDifference:
    return ReconcilerWithDifference(lobby)


def test_a_page_contains_differences_and_a_cursor(reconciler: ReconcilerWithDifference) -> None:
    page = reconciler.page()
    [difference] = page["differences"]
    assert (page["compared"], difference["code"], difference["repair"], difference["repaired"]) == (
        1,
        "CERTIFICATE_INACTIVE",
        "retry",
        False,
    )
    last = reconciler.page(cursor=page["cursor"])
    assert last == {"compared": 0, "differences": [], "cursor": None}
    assert json.loads(json.dumps(page)) == page


def test_a_page_with_an_actor_repairs(reconciler: ReconcilerWithDifference) -> None:
    [difference] = reconciler.page(repair_as=ANN)["differences"]
    assert difference["repaired"]
    assert reconciler.lobby.ledger.history(ONE)[-1].actor == ANN


@pytest.mark.parametrize(("event", "code"), [({"cursor": "x"}, "INVALID_CURSOR"), ({}, "TARGET_UNREACHABLE")])
def test_a_page_that_cannot_be_read_is_refused_with_its_reason(
    reconciler: ReconcilerWithDifference, event: dict[str, Any], code: str
) -> None:
    reconciler.unreachable = {A.account}
    assert reconciler.page(**event)["refused"]["code"] == code


@pytest.mark.parametrize("event", [{"account": "1"}, {"region": None}, {"account": "*", "region": "*"}])
def test_an_invalid_target_is_rejected(reconciler: ReconcilerWithDifference, event: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="INVALID_"):
        reconciler.page(**event)
    assert reconciler.requested == []


def test_a_round_compares_every_target_once_a_day_and_changes_nothing(
    reconciler: ReconcilerWithDifference, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    before = aws.registry(A), aws.registry(B), aws.tables() | {"device-lobby-rounds": []}
    assert reconciler.run() == {"DevicesCompared": 1, "DevicesExamined": 1, "DifferencesFound": 1}
    assert set(reconciler.requested) == {A.account, B.account}
    assert (aws.registry(A), aws.registry(B), aws.tables() | {"device-lobby-rounds": []}) == before
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["DifferencesFound"] for line in lines if "_aws" in line] == [[1.0]]
    [logged] = [record for record in caplog.records if record.message == "differs"]
    assert (vars(logged)["certid"], vars(logged)["code"]) == (ONE, "CERTIFICATE_INACTIVE")
    reconciler.lobby.clock.advance(hours=23)
    assert reconciler.run() == {}
    reconciler.lobby.clock.advance(hours=1)
    assert reconciler.run() == {"DevicesCompared": 1, "DevicesExamined": 1, "DifferencesFound": 1}


def context_with(*steps: int) -> SimpleNamespace:
    """Return a context in which there is time for so many steps of the comparisons, after the two times at which the
    round of renewals looks at it, and then none."""
    left = iter([900_000] * (steps[0] + 2)) if steps else iter(())
    return SimpleNamespace(get_remaining_time_in_millis=lambda: next(left, 59_000))


def test_a_round_continues_where_time_was_up(reconciler: ReconcilerWithDifference) -> None:
    assert reconciler.run(NO_TIME) == {}
    assert read_progress("reconciler")["left"] == [str(A), str(B)]
    found: Counter[str] = Counter()
    for _ in range(40):
        found.update(reconciler.run(context_with(3)))
        if not read_progress("reconciler")["left"]:
            break
    assert read_progress("reconciler")["left"] == []
    assert found == {"DevicesCompared": 1, "DevicesExamined": 1, "DifferencesFound": 1}
    assert read_state(A).last == read_states([A, B])[A].last
    assert read_state(A).last is not None
    assert read_state(B).work is None


def test_a_target_that_is_not_done_goes_to_the_end(reconciler: ReconcilerWithDifference) -> None:
    reconciler.run(context_with(2))
    assert read_progress("reconciler")["left"] == [str(B), str(A)]
    work = read_state(A).work
    assert work is not None
    assert (work.runs, read_state(A).last) == (1, None)


def test_a_target_that_refuses_is_reported_immediately_and_delays_no_other(
    reconciler: ReconcilerWithDifference,
) -> None:
    fails = reconciler.lobby.calls.fails
    fails["AssumeRole"] = ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")
    assert reconciler.run() == {"TargetsNotCompared": 2}
    failure = read_state(A).failure
    assert failure is not None
    assert (failure.code, read_state(A).last, read_state(A).work) == ("TARGET_ROLE_DENIED", None, None)


def test_a_target_that_does_not_answer_is_tried_again_and_then_reported(reconciler: ReconcilerWithDifference) -> None:
    reconciler.run()
    last = read_state(A).last
    reconciler.lobby.clock.advance(hours=24)
    reconciler.unreachable = {A.account}
    assert [reconciler.run(), reconciler.run()] == [{}, {}]
    assert reconciler.requested[-1] == A.account
    assert read_state(A).failure is None
    assert reconciler.run() == {"TargetsNotCompared": 1}
    failure = read_state(A).failure
    assert failure is not None
    assert (failure.code, read_state(A).last) == ("TARGET_UNREACHABLE", last)
    reconciler.unreachable = set()
    reconciler.lobby.clock.advance(hours=24)
    reconciler.run()
    assert read_state(A).failure is None


def test_an_unexpected_error_delays_no_other_target_and_is_reported(
    reconciler: ReconcilerWithDifference, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original = InspectorClient.certificates

    def malformed(client: InspectorClient, target: Target, *arguments: Any) -> Any:
        if target == A:
            raise MalformedMessage("got no certids, want them")
        return original(client, target, *arguments)

    monkeypatch.setattr(InspectorClient, "certificates", malformed)
    assert [reconciler.run() for _ in range(3)] == [{}, {}, {"TargetsNotCompared": 1}]
    assert (read_state(A).last, read_state(B).last is not None) == (None, True)
    failure = read_state(A).failure
    assert failure is not None
    assert (failure.code, "MalformedMessage" in failure.message) == ("INTERNAL", True)
    assert [record.message for record in caplog.records].count("comparison failed") == 3


def test_a_comparison_without_an_end_is_stopped_and_reported(reconciler: ReconcilerWithDifference) -> None:
    reconciler.run(NO_TIME)
    save_state(A, ComparisonState(work=Work("2026-11-22T12:00:00.000Z", runs=MOST_RUNS - 1)))
    assert reconciler.run(context_with(2)) == {"TargetsNotCompared": 1}
    failure = read_state(A).failure
    assert failure is not None
    assert failure.code == "NOT_FINISHED"


def test_a_target_with_devices_that_were_left_out_is_reported_and_continued_with_them(
    reconciler: ReconcilerWithDifference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_comparison, "MOST_SUSPECTS", 0)
    assert reconciler.run() == {"DevicesCompared": 1, "DifferencesNotExamined": 1, "TargetsNotCompared": 1}
    last = read_state(A).last
    assert last is not None
    assert (last.unexamined, last.resumes) == (1, int(ONE[:2], 16))
    monkeypatch.undo()
    reconciler.lobby.clock.advance(hours=24)
    reconciler.run(context_with(1))
    work = read_state(A).work
    assert work is not None
    assert work.first == int(ONE[:2], 16)


def test_a_state_written_by_another_version_restarts_the_target(reconciler: ReconcilerWithDifference) -> None:
    save_progress("reconciler", {"began": "2026-11-22T12:00:00.000Z", "left": [str(A)], "cursor": "of another version"})
    save_progress(f"reconciler/{A}", {"work": {"cursor": "of another version"}, "last": [], "failure": None})
    assert reconciler.run() == {"DevicesCompared": 1, "DevicesExamined": 1, "DifferencesFound": 1}


class InvokeResponse:
    """A response of Lambda's Invoke."""

    def __init__(self, body: object, **more: Any) -> None:
        self._answer = {"Payload": io.BytesIO(json.dumps(body).encode()), **more}

    def __call__(self, _params: object, _call: object) -> dict[str, Any]:
        return self._answer


def test_the_inspector_is_invoked_by_its_name(calls: Calls) -> None:
    thing = {"name": "a", "certid": "b", "attributes": {}}
    calls.instead["Invoke"] = InvokeResponse({"things": [thing], "token": None})
    things, token = InspectorClient(by_lambda("device-lobby-inspector")).things(A, "more")
    assert ([(each.name, each.certid) for each in things], token) == ([("a", "b")], None)
    [call] = calls.of("Invoke")
    assert call.params["FunctionName"] == "device-lobby-inspector"
    assert json.loads(call.params["Payload"]) == {
        "account": A.account,
        "region": A.region,
        "ask": "things",
        "token": "more",
        "pages": 1,
    }


def test_an_inspector_that_fails_or_does_not_answer_makes_the_target_unreachable(calls: Calls) -> None:
    inspector = InspectorClient(by_lambda("device-lobby-inspector"))
    calls.instead["Invoke"] = InvokeResponse({"errorMessage": "Task timed out"}, FunctionError="Unhandled")
    with pytest.raises(TargetRefusal, match=r"TARGET_UNREACHABLE.*timed out"):
        inspector.things(A, None)
    calls.fails["Invoke"] = ReadTimeoutError(endpoint_url="x")
    with pytest.raises(TargetRefusal, match="TARGET_UNREACHABLE"):
        inspector.deactivate(A, ONE)
    assert calls.count()["Invoke"] == 2
