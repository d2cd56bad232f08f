"""Which types of events the rules of a bus can match: an unneeded type costs little, but events of a missing type are
lost."""

import json
from typing import Any

import pytest

from lobby.domain.events.wanted_events import ALL, wanted_types


def rule(pattern: Any, **more: str) -> dict[str, str]:
    text = pattern if isinstance(pattern, str) else json.dumps(pattern)
    return {"Name": "r", "State": "ENABLED", "EventPattern": text, **more}


CLAIM = {"source": ["device-lobby"], "detail-type": ["device.claim"]}


@pytest.mark.parametrize(
    ("rules", "types"),
    [
        ([], set()),
        ([rule(CLAIM)], {"device.claim"}),
        ([rule(CLAIM | {"detail": {"after": ["inlobby"]}})], {"device.claim"}),
        (
            [rule(CLAIM), rule({"detail-type": ["device.fail", "device.admit"]})],
            {"device.claim", "device.fail", "device.admit"},
        ),
        ([rule({"detail-type": ["device.fail", "another type"]})], {"device.fail"}),
        ([rule(CLAIM, State="DISABLED")], set()),
        ([rule(CLAIM, State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")], {"device.claim"}),
        ([{"Name": "schedule", "State": "ENABLED", "ScheduleExpression": "rate(1 hour)"}], set()),
    ],
    ids=["none", "one", "narrower", "two", "other types", "disabled", "another state", "schedule"],
)
def test_the_types_that_rules_name_are_wanted(rules: list[dict[str, str]], types: set[str]) -> None:
    assert wanted_types(rules) == types


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["device-lobby"]},
        {"detail": {"after": ["inlobby"]}},
        {"detail-type": [{"prefix": "device."}]},
        {"detail-type": ["device.claim", {"anything-but": "device.admit"}]},
        {"detail-type": "device.claim"},
        {"detail-type": None},
        {"$or": [CLAIM, {"source": ["device-lobby"]}]},
        {"replay-name": [{"exists": False}]},
        {},
        [],
        "{",
        "[" * 100_000,
    ],
)
def test_a_pattern_that_selects_types_in_another_way_matches_all(pattern: Any) -> None:
    assert wanted_types([rule(CLAIM), rule(pattern)]) == ALL
