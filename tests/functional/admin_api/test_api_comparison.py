"""Comparing a target with the ledger: in whose name it is mended, and what of the reconciler's answer is told."""

import io
import json
from typing import Any
from unittest.mock import Mock

import pytest

from admin_api.errors import ComparisonFailed
from admin_api.invocations import compare
from lobby.contracts import Comparison, ReportedDifference
from lobby.errors import Conflict, InvalidInput
from tests.functional.admin_api.api_on_moto import HERE, Lobby, at, fingerprint

RECONCILE = """
query($account: String!, $region: String!, $after: String) {
  reconcileTarget(account: $account, region: $region, after: $after) {
    account region compared next differences { certid devicename code message repair repaired }
  }
}"""
MEND = RECONCILE.replace("query", "mutation").replace("reconcileTarget", "repairTarget")
ORPHAN = ReportedDifference(fingerprint(7), "thing-007", "ORPHANED", "got it, want it not", "deactivate", False)
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


def test_a_comparison_is_told_page_by_page_in_nobody_s_name(lobby: Lobby) -> None:
    lobby.comparisons[HERE, None] = Comparison(3, (ORPHAN,), "more")
    assert lobby.ask(RECONCILE, at(HERE)).data["reconcileTarget"] == {
        **at(HERE),
        "compared": 3,
        "next": "more",
        "differences": [
            {
                "certid": ORPHAN.certid,
                "devicename": "thing-007",
                "code": "ORPHANED",
                "message": ORPHAN.message,
                "repair": "deactivate",
                "repaired": False,
            }
        ],
    }
    assert lobby.ask(RECONCILE, at(HERE) | {"after": "more"}).data["reconcileTarget"]["next"] is None
    assert lobby.compared == [(HERE, None, None), (HERE, "more", None)]


def test_it_is_mended_in_the_name_of_who_asked(lobby: Lobby) -> None:
    lobby.ask(MEND, at(HERE))
    assert lobby.compared == [(HERE, None, "user:alice")]


def test_a_target_that_is_not_registered_is_not_compared(lobby: Lobby) -> None:
    assert lobby.ask(RECONCILE, at("333333333333/eu-west-1")).code == "UNKNOWN_TARGET"
    assert lobby.compared == []


def test_one_page_in_a_request(lobby: Lobby) -> None:
    page = f'reconcileTarget(account: "{HERE.account}", region: "{HERE.region}") {{ compared }}'
    assert lobby.ask(f"{{ a: {page} b: {page} }}").codes == ["INVALID_COUNT"]
    assert len(lobby.compared) == 1


def asked(body: object, **more: Any) -> Mock:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Mock(invoke=Mock(return_value={"Payload": io.BytesIO(payload), **more}))


def test_the_reconciler_is_asked_and_its_answer_read() -> None:
    client = asked(BODY)
    assert compare(client, "reconciler", HERE, "from", "user:ann") == Comparison(3, (ORPHAN,), "more")
    said = client.invoke.call_args.kwargs
    assert said["FunctionName"] == "reconciler"
    assert json.loads(said["Payload"]) == {**at(HERE), "cursor": "from", "repair_as": "user:ann"}


@pytest.mark.parametrize(
    ("code", "kind"), [("INVALID_CURSOR", InvalidInput), ("TARGET_ROLE_DENIED", Conflict), ("UNKNOWN_TARGET", Conflict)]
)
def test_what_the_reconciler_refuses_is_told(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=code):
        compare(asked({"refused": {"code": code, "message": "because"}}), "reconciler", HERE, None, None)


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
def test_an_answer_of_another_shape_is_ours_to_mend(body: object) -> None:
    with pytest.raises(ComparisonFailed):
        compare(asked(body), "reconciler", HERE, None, None)


def test_a_reconciler_that_crashed_is_ours_to_mend() -> None:
    with pytest.raises(ComparisonFailed, match="Task timed out"):
        compare(asked({"errorMessage": "Task timed out"}, FunctionError="Unhandled"), "reconciler", HERE, None, None)
