"""Tests of the benchmark's own computations: calls from the access log, DynamoDB units, budgets."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench import report
from tests.bench.calls import CallLog, summary
from tests.bench.capacity import item_bytes, query_units
from tests.bench.report import Row

SIZES = {
    "string in UTF-8": ({"ä": {"S": "ö"}}, 4),
    "number with five digits": ({"n": {"N": "12345"}}, 1 + 4),
    "number with trailing zeros": ({"n": {"N": "1000"}}, 1 + 2),
    "list of strings": ({"l": {"L": [{"S": "ab"}, {"S": "c"}]}}, 1 + 3 + 3 + 2),
    "bytes, also in base64": ({"b": {"B": b"abc"}, "c": {"B": "YWJj"}}, 2 + 6),
    "true and null": ({"b": {"BOOL": True}, "z": {"NULL": True}}, 2 + 2),
}


@pytest.mark.parametrize(("item", "size"), SIZES.values(), ids=SIZES.keys())
def test_an_item_has_the_size_that_dynamodb_bills(item: dict[str, Any], size: int) -> None:
    assert item_bytes(item) == size


def test_an_attribute_type_that_the_ledger_does_not_use_is_an_error() -> None:
    with pytest.raises(ValueError, match="got attribute type 'SS'"):
        item_bytes({"s": {"SS": ["a"]}})


@pytest.mark.parametrize(("size", "units"), [(1, 0.5), (4096, 0.5), (4097, 1.0), (8193, 1.5)])
def test_a_query_is_billed_for_the_sum_of_the_items_it_reads(size: int, units: float) -> None:
    halves = [{"a": {"S": "x" * (size // 2 - 1)}}, {"a": {"S": "x" * (size - size // 2 - 1)}}] if size > 1 else []
    assert query_units(halves) == units
    assert query_units(halves, consistent=True) == 2 * units


def _line(principal: str, action: str = "dynamodb:GetItem", at: float = 1.0) -> str:
    arn = f"arn:aws:sts::100000000001:assumed-role/{principal}"
    return json.dumps({"time": at, "principal": arn, "action": action, "status": 200}) + "\n"


def test_only_calls_of_lambdas_count_and_an_incomplete_line_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    path.write_text(_line("device-lobby-bouncer/x"))
    log = CallLog(path)
    position = log.position()
    with path.open("a") as out:
        out.write(_line("device-lobby-admin-api/x", at=3.0) + _line("lobby_commissioner_role/x", "iot:CreateThing"))
        out.write(_line("another-role/x") + json.dumps({"time": 1, "principal": "root", "action": "a:b"})[:-1])
        out.write("}\n" + _line("device-lobby-arrivals/x")[:-1])
    assert [call.by for call in log.since(position)] == ["commissioner in target", "admin-api"]
    assert summary(log.since(position)) == "commissioner in target 1 (CreateThing); admin-api 1 (GetItem)"


@pytest.mark.parametrize(("measured", "within"), [(17, True), (18, True), (19, False)])
def test_a_value_above_its_budget_is_marked_as_exceeded(measured: int, within: bool) -> None:
    row = Row("one onboarding", "calls", "49 calls", 49, 18, measured, "calls by Lambda")
    assert row.within_budget is within
    assert ("EXCEEDED" in report.table([row])) is not within
    assert json.loads(report.as_json([row], []))["within_budget"] is within
