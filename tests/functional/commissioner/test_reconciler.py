"""The reconciler's Lambda: pages for the API, and the daily round; and how it asks the inspector."""

import io
import json
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ReadTimeoutError
from moto.iot.models import iot_backends

from commissioner.daily_reconciliation import DailyRound
from commissioner.inspector_client import Inquiry, TargetRefused, by_lambda
from commissioner.lambdas.inspector import Inspector
from commissioner.lambdas.reconciler import ROUND, Reconciler, handler
from commissioner.reconciliation import Reconciliation
from lobby.invocation import Request, decode_response
from lobby.ledger.progress import read_progress, save_progress
from lobby.ledger.targets import Targets
from tests import aws
from tests.aws import Calls
from tests.functional.commissioner.workshop import ANN, ONE, A, B, Workshop

R = TypeVar("R")
IN_TIME = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)
NO_TIME = SimpleNamespace(get_remaining_time_in_millis=lambda: 59_000)


class Bureau:
    """A reconciler, and one device in its place in A that is no longer as it should be."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        shop.begin_settled()
        iot_backends[A.account][A.region].certificates[ONE].status = "INACTIVE"
        self.unreachable: set[str] = set()
        self.asked: list[str] = []
        inspector = Inspector(Targets.read_only(), aws.client("sts"))

        def send(request: Request[R]) -> R:
            event = request.encode()
            self.asked.append(event["account"])
            if event["account"] in self.unreachable:
                raise TargetRefused("TARGET_UNREACHABLE", "silence")
            return decode_response(request, inspector.answer(event))

        reconciliation = Reconciliation(shop.ledger, Inquiry(send))
        self.reconciler = Reconciler(reconciliation, DailyRound(reconciliation, Targets.read_only(), shop.clock))

    def page(self, **event: Any) -> dict[str, Any]:
        return handler({"account": A.account, "region": A.region, **event}, IN_TIME, self.reconciler)

    def run(self, context: Any = IN_TIME) -> dict[str, int]:
        told = handler(dict(ROUND), context, self.reconciler)
        return {name: number for name, number in told.items() if number}


@pytest.fixture
def bureau(shop: Workshop) -> Bureau:
    return Bureau(shop)


def test_a_page_tells_what_differs_and_where_to_go_on(bureau: Bureau) -> None:
    page = bureau.page()
    [difference] = page["differences"]
    assert (page["compared"], difference["code"], difference["repair"], difference["repaired"]) == (
        1,
        "CERTIFICATE_INACTIVE",
        "retry",
        False,
    )
    last = bureau.page(cursor=page["cursor"])
    assert last == {"compared": 0, "differences": [], "cursor": None}
    assert json.loads(json.dumps(page)) == page


def test_a_page_in_somebody_s_name_mends(bureau: Bureau) -> None:
    [difference] = bureau.page(repair_as=ANN)["differences"]
    assert difference["repaired"]
    assert bureau.shop.ledger.history(ONE)[-1].actor == ANN


@pytest.mark.parametrize(("event", "code"), [({"cursor": "x"}, "INVALID_CURSOR"), ({}, "TARGET_UNREACHABLE")])
def test_a_page_that_cannot_be_had_is_said_so(bureau: Bureau, event: dict[str, Any], code: str) -> None:
    bureau.unreachable = {A.account}
    assert bureau.page(**event)["refused"]["code"] == code


@pytest.mark.parametrize("event", [{"account": "1"}, {"region": None}, {"account": "*", "region": "*"}])
def test_a_target_that_is_none_is_refused(bureau: Bureau, event: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="INVALID_"):
        bureau.page(**event)
    assert bureau.asked == []


def test_a_round_compares_every_target_once_a_day_and_changes_nothing(
    bureau: Bureau, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    before = aws.registry(A), aws.registry(B), aws.tables() | {"device-lobby-rounds": []}
    assert bureau.run() == {"DevicesCompared": 1, "DifferencesFound": 1}
    assert set(bureau.asked) == {A.account, B.account}
    assert (aws.registry(A), aws.registry(B), aws.tables() | {"device-lobby-rounds": []}) == before
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["DifferencesFound"] for line in lines if "_aws" in line] == [[1.0]]
    [told] = [record for record in caplog.records if record.message == "differs"]
    assert (vars(told)["certid"], vars(told)["code"]) == (ONE, "CERTIFICATE_INACTIVE")
    bureau.shop.clock.advance(hours=23)
    assert bureau.run() == {}
    bureau.shop.clock.advance(hours=1)
    assert bureau.run() == {"DevicesCompared": 1, "DifferencesFound": 1}


def test_a_round_goes_on_where_time_was_up(bureau: Bureau) -> None:
    assert bureau.run(NO_TIME) == {}
    assert read_progress("reconciler")["left"] == [str(A), str(B)]
    left = iter([900_000, 59_000])
    assert bureau.run(SimpleNamespace(get_remaining_time_in_millis=lambda: next(left)))["DevicesCompared"] == 1
    assert read_progress("reconciler")["cursor"]
    bureau.asked.clear()
    assert bureau.run() == {}
    assert bureau.asked == [A.account, B.account]
    assert read_progress("reconciler")["left"] == []


def test_a_target_that_cannot_be_looked_at_is_told_and_holds_up_no_other(bureau: Bureau) -> None:
    bureau.unreachable = {A.account}
    assert bureau.run() == {"TargetsNotCompared": 1}
    assert bureau.asked[-1] == B.account


def test_a_note_that_another_version_left_is_begun_anew(bureau: Bureau) -> None:
    save_progress("reconciler", {"began": "2026-11-22T12:00:00.000Z", "left": [str(A)], "cursor": "of another version"})
    assert bureau.run() == {"DevicesCompared": 1, "DifferencesFound": 1}


class Answers:
    """What Lambda's Invoke gives."""

    def __init__(self, body: object, **more: Any) -> None:
        self._answer = {"Payload": io.BytesIO(json.dumps(body).encode()), **more}

    def __call__(self, _params: object, _call: object) -> dict[str, Any]:
        return self._answer


def test_the_inspector_is_asked_by_its_name(calls: Calls) -> None:
    calls.instead["Invoke"] = Answers({"things": [{"name": "a", "certid": "b"}], "token": None})
    things, token = Inquiry(by_lambda("device-lobby-inspector")).things(A, "more")
    assert ([(each.name, each.certid) for each in things], token) == ([("a", "b")], None)
    [call] = calls.of("Invoke")
    assert call.params["FunctionName"] == "device-lobby-inspector"
    assert json.loads(call.params["Payload"]) == {
        "account": A.account,
        "region": A.region,
        "ask": "things",
        "token": "more",
    }


def test_an_inspector_that_fails_or_keeps_silent_is_a_target_that_cannot_be_looked_at(calls: Calls) -> None:
    inquiry = Inquiry(by_lambda("device-lobby-inspector"))
    calls.instead["Invoke"] = Answers({"errorMessage": "Task timed out"}, FunctionError="Unhandled")
    with pytest.raises(TargetRefused, match=r"TARGET_UNREACHABLE.*timed out"):
        inquiry.things(A, None)
    calls.fails["Invoke"] = ReadTimeoutError(endpoint_url="x")
    with pytest.raises(TargetRefused, match="TARGET_UNREACHABLE"):
        inquiry.deactivate(A, ONE)
    assert calls.count()["Invoke"] == 2
