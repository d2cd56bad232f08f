"""Invocations of the surveyor and the reconciler: requests, responses, and failures."""

import io
import json
from typing import Any
from unittest.mock import Mock

import pytest

from admin_api.errors import ComparisonFailed, SurveyFailed
from admin_api.invocations import compare, run_survey
from lobby.contracts.targets import Comparison, ReportedDifference, Survey, SurveyFinding
from lobby.errors import Conflict, InvalidInput
from lobby.names import parse_target

TARGET = parse_target("111111111111", "eu-west-1")
ADDRESS = {"account": "111111111111", "region": "eu-west-1"}
ORPHAN = ReportedDifference("07" * 32, "thing-007", "ORPHANED", "got it, want it not", "deactivate", False)
BODY: dict[str, Any] = {
    "compared": 3,
    "cursor": "more",
    "differences": [
        {
            "certid": ORPHAN.certid,
            "name": "thing-007",
            "code": "ORPHANED",
            "message": "got it, want it not",
            "repair": "deactivate",
            "repaired": False,
        },
    ],
}


def client_of(body: object, **more: Any) -> Mock:
    """A Lambda client that returns `body`."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Mock(invoke=Mock(return_value={"Payload": io.BytesIO(payload), **more}))


def test_a_survey_invokes_the_surveyor_and_decodes_its_response() -> None:
    findings = [{"step": "sts:AssumeRole", "ok": False, "message": "denied"}]
    client = client_of(json.dumps({"findings": findings, "endpoint": None}).encode())
    survey = run_survey(client, "surveyor", TARGET)
    assert survey == Survey((SurveyFinding("sts:AssumeRole", False, "denied"),), None)
    assert survey.ok is False
    request = client.invoke.call_args.kwargs
    assert (request["FunctionName"], json.loads(request["Payload"])) == (
        "surveyor",
        {"account": "111111111111", "region": "eu-west-1"},
    )


def test_a_survey_without_findings_is_not_ok() -> None:
    assert run_survey(client_of(b'{"findings": []}'), "surveyor", TARGET).ok is False


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"findings": 5}',
        b'{"findings": [5]}',
        b'{"findings": [{"step": "a", "ok": 1}]}',
        b'{"findings": [{"step": "a", "ok": "yes", "message": ""}]}',
        b'{"findings": [], "endpoint": 5}',
    ],
)
def test_a_malformed_survey_is_a_fault(payload: bytes) -> None:
    with pytest.raises(SurveyFailed):
        run_survey(client_of(payload), "surveyor", TARGET)


def test_a_crashed_surveyor_is_a_fault() -> None:
    with pytest.raises(SurveyFailed):
        run_survey(client_of(b'{"errorMessage": "x"}', FunctionError="Unhandled"), "surveyor", TARGET)


def test_a_comparison_invokes_the_reconciler_and_decodes_its_response() -> None:
    client = client_of(BODY)
    assert compare(client, "reconciler", TARGET, "from", "user:ann") == Comparison(3, (ORPHAN,), "more")
    request = client.invoke.call_args.kwargs
    assert request["FunctionName"] == "reconciler"
    assert json.loads(request["Payload"]) == {**ADDRESS, "cursor": "from", "repair_as": "user:ann"}


@pytest.mark.parametrize(
    ("code", "kind"), [("INVALID_CURSOR", InvalidInput), ("TARGET_ROLE_DENIED", Conflict), ("UNKNOWN_TARGET", Conflict)]
)
def test_a_refusal_of_the_reconciler_is_raised_with_its_code(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=code):
        compare(client_of({"refused": {"code": code, "message": "because"}}), "reconciler", TARGET, None, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        {"refused": {}},
        {"refused": {"code": 1, "message": "x"}},
        BODY | {"compared": "3"},
        BODY | {"compared": True},
        BODY | {"cursor": 5},
        BODY | {"differences": None},
        BODY | {"differences": [{}]},
        *(BODY | {"differences": [BODY["differences"][0] | {key: 5}]} for key in BODY["differences"][0]),
    ],
)
def test_a_malformed_response_of_the_reconciler_is_a_fault(body: object) -> None:
    with pytest.raises(ComparisonFailed):
        compare(client_of(body), "reconciler", TARGET, None, None)


def test_a_crashed_reconciler_is_a_fault() -> None:
    with pytest.raises(ComparisonFailed, match="Task timed out"):
        compare(
            client_of({"errorMessage": "Task timed out"}, FunctionError="Unhandled"), "reconciler", TARGET, None, None
        )
