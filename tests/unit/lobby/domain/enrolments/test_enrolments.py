"""Refusals of enrolments, users' input, and the choice of a target by weights."""

from collections import Counter
from typing import Any

import pytest

from lobby.domain.enrolments.allocation import Allocation, Share, share_for
from lobby.domain.enrolments.enrolment import EnrolmentState, Match, changes_of, refusal_of
from lobby.domain.enrolments.enrolment_rules import (
    AllocationInput,
    MatchInput,
    parse_allocation,
    parse_limit,
    parse_match,
    parse_period,
    parse_serials,
    parse_text,
)
from lobby.errors import InvalidInput
from lobby.names import ThingName, parse_enrolment_name, parse_target
from tests.unit.lobby.domain.sample_enrolments import AT, CA, EARLIER, LATER, enrolment

A, B, C = (parse_target(str(n) * 12, "eu-west-1") for n in (1, 2, 3))

REFUSALS: dict[str, tuple[dict[str, Any], str | None]] = {
    "active": ({}, None),
    "revoked": ({"state": EnrolmentState.REVOKED}, "ENROLMENT_REVOKED"),
    "revoked before anything else": ({"state": EnrolmentState.REVOKED, "ends": EARLIER}, "ENROLMENT_REVOKED"),
    "paused": ({"state": EnrolmentState.PAUSED}, "ENROLMENT_PAUSED"),
    "starts now": ({"starts": AT}, None),
    "not started": ({"starts": LATER}, "ENROLMENT_NOT_STARTED"),
    "ends now": ({"ends": AT}, "ENROLMENT_EXPIRED"),
    "still valid": ({"ends": LATER}, None),
    "full": ({"limit": 3, "admitted": 3}, "ENROLMENT_FULL"),
    "one left": ({"limit": 3, "admitted": 2}, None),
    "over a limit that was lowered": ({"limit": 1, "admitted": 2}, "ENROLMENT_FULL"),
}


@pytest.mark.parametrize(("definition", "code"), REFUSALS.values(), ids=REFUSALS)
def test_an_enrolment_refuses_with_its_own_reason(definition: dict[str, Any], code: str | None) -> None:
    refusal = refusal_of(enrolment(**definition), AT)
    assert (refusal.code if refusal else None) == code
    assert refusal is None or "enrolment pumps" in refusal.message


def test_the_limit_does_not_apply_to_a_device_that_was_counted() -> None:
    full = enrolment(limit=1, admitted=1)
    assert refusal_of(full, AT, counted=True) is None
    paused = enrolment(limit=1, admitted=1, state=EnrolmentState.PAUSED)
    assert refusal_of(paused, AT, counted=True) is not None


def test_a_change_states_what_it_changes() -> None:
    assert changes_of(enrolment(limit=5), enrolment(ends=AT)) == f"limit: 5 → none; ends: none → {AT}"


def test_conditions_are_read() -> None:
    entered = MatchInput(":".join(["CA"] * 32), [("O", "Acme, Inc."), ("serialNumber", "7")], "pump-**")
    match = parse_match(entered)
    assert match == Match(CA, {"O": "Acme, Inc.", "serialNumber": "7"}, match.name_pattern)
    assert match.name_pattern == "pump-*"


@pytest.mark.parametrize(
    ("entered", "code"),
    [
        (MatchInput(), "INVALID_MATCH: got no condition"),
        (MatchInput(name_pattern="a*", listed=True), "INVALID_MATCH: got a list"),
        (MatchInput(ca="ca"), "INVALID_FINGERPRINT"),
        (MatchInput(name_pattern="a/b"), "INVALID_NAME_PATTERN"),
        (MatchInput(subject=[("CN", "a")]), "INVALID_MATCH: got subject field 'CN'"),
        (MatchInput(subject=[("O", "a"), ("O", "b")]), "INVALID_MATCH: got subject field O twice"),
        (MatchInput(subject=[("O", "")]), "INVALID_MATCH"),
        (MatchInput(subject=[("O", "a\u202eb")]), "INVALID_MATCH"),
    ],
)
def test_wrong_conditions_are_rejected(entered: MatchInput, code: str) -> None:
    with pytest.raises(InvalidInput, match=code):
        parse_match(entered)


@pytest.mark.parametrize(
    ("entered", "code"),
    [
        (AllocationInput(), "INVALID_ALLOCATION: got no value"),
        (AllocationInput([Share(A)], "device-lobby-allocation-x"), "INVALID_ALLOCATION"),
        (AllocationInput([Share(A), Share(A, 2)]), "INVALID_ALLOCATION"),
        (AllocationInput([Share(A, 0)]), "INVALID_ALLOCATION: got weight 0"),
        (AllocationInput([Share(A, 1001)]), "INVALID_ALLOCATION"),
        (AllocationInput(function="device-lobby-commissioner"), "INVALID_ALLOCATION"),
        (AllocationInput(function="device-lobby-allocation-"), "INVALID_ALLOCATION"),
        (AllocationInput(function="device-lobby-allocation-a:1"), "INVALID_ALLOCATION"),
        (AllocationInput([Share(A)], profile="No"), "INVALID_PROFILE"),
        (AllocationInput([Share(A)], config="factory reset"), "INVALID_CONFIG"),
        (AllocationInput(profile="No"), "INVALID_PROFILE"),
        (AllocationInput(config="factory reset"), "INVALID_CONFIG"),
    ],
)
def test_wrong_allocations_are_rejected(entered: AllocationInput, code: str) -> None:
    with pytest.raises(InvalidInput, match=code):
        parse_allocation(entered)


def test_an_allocation_is_read() -> None:
    entered = AllocationInput([Share(A, 3), Share(B)], None, "camera", {"period": 5}, True)
    assert parse_allocation(entered) == Allocation((Share(A, 3), Share(B)), None, "camera", {"period": 5}, True)


@pytest.mark.parametrize(
    "entered", [AllocationInput(profile="camera"), AllocationInput(config={}), AllocationInput(presence=True)]
)
def test_an_allocation_without_a_target_has_the_defaults_of_claims(entered: AllocationInput) -> None:
    allocation = parse_allocation(entered)
    assert not allocation.chooses
    assert (allocation.profile, allocation.presence) == (entered.profile, entered.presence)
    assert allocation.config == ("default" if entered.config is None else entered.config)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-31", "2026-12-31T00:00:00.000Z"),
        ("2026-12-31T23:00:00+02:00", "2026-12-31T21:00:00.000Z"),
        ("2026-12-31T23:00:00.999Z", "2026-12-31T23:00:00.000Z"),
    ],
)
def test_times_are_read_as_utc(text: str, expected: str) -> None:
    assert parse_period(None, text) == (None, expected)


@pytest.mark.parametrize("text", ["", "2026-12-31T23:00:00", "tomorrow", "2026-02-30", "0001-01-01T00:00:00+10:00"])
def test_other_times_are_rejected(text: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_TIME"):
        parse_period(text, None)


def test_a_period_ends_after_it_starts() -> None:
    with pytest.raises(InvalidInput, match="INVALID_TIME"):
        parse_period("2026-12-31", "2026-12-31")


@pytest.mark.parametrize("limit", [0, -1, 1_000_000_001])
def test_other_limits_are_rejected(limit: int) -> None:
    with pytest.raises(InvalidInput, match="INVALID_LIMIT"):
        parse_limit(limit)


@pytest.mark.parametrize("text", [" a", "", "a\tb", "x" * 129])
def test_other_texts_are_rejected(text: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_MODEL"):
        parse_text(text, "the model", "INVALID_MODEL")


def test_serial_numbers_are_thing_names_each_once() -> None:
    assert parse_serials(["a", "b", "a"]) == ["a", "b"]
    for wrong, code in ((["a", "b c"], "INVALID_THING_NAME"), ([], "INVALID_COUNT"), (["a"] * 1001, "INVALID_COUNT")):
        with pytest.raises(InvalidInput, match=code):
            parse_serials(wrong)


@pytest.mark.parametrize("name", ["", "-a", "A", "a" * 33, "a#b", None])
def test_other_names_are_rejected(name: object) -> None:
    with pytest.raises(InvalidInput, match="INVALID_ENROLMENT"):
        parse_enrolment_name(name)


def names(count: int) -> list[ThingName]:
    return [ThingName(f"pump-{number}") for number in range(count)]


def test_devices_are_spread_by_weight() -> None:
    shares = (Share(A, 1), Share(B, 3))
    found = Counter(share_for(shares, name) for name in names(4000))
    assert 900 < found[A] < 1100


def test_a_further_target_takes_devices_only_for_itself() -> None:
    before, after = (Share(A), Share(B)), (Share(A), Share(B), Share(C))
    moved = [name for name in names(600) if share_for(before, name) != share_for(after, name)]
    assert 130 < len(moved) < 270
    assert {share_for(after, name) for name in moved} == {C}


def test_the_order_of_the_targets_does_not_matter() -> None:
    assert all(share_for((Share(A), Share(B, 2)), n) == share_for((Share(B, 2), Share(A)), n) for n in names(200))
