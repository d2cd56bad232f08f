"""The overview: tallies in, lines for people out."""

import pytest

from admin_api.graphql.overview import Overview, StateCount, overview_of
from admin_api.roles import Caller, Role
from lobby.domain.states import State
from lobby.ledger.counts import Bucket, Tally
from lobby.names import Target, parse_target

HERE = parse_target("111111111111", "eu-west-1")
THERE = parse_target("222222222222", "us-east-1")
FAR = parse_target("333333333333", "ap-southeast-2")
OPERATOR = Caller("alice", Role.OPERATOR)


def tally(count: int, state: State | str, target: Target | None = None, reason: str | None = None) -> Tally:
    return Tally(Bucket(state, target, reason), count)


TALLIES = (
    tally(7, State.INLOBBY),
    tally(3, State.ARRIVED, HERE),
    tally(2, State.CLAIMED, HERE),
    tally(5, State.ARRIVED, THERE),
    tally(5, State.FAILED, FAR, "TARGET_ROLE_DENIED"),
    tally(1, State.FAILED, HERE, "TARGET_ROLE_DENIED"),
    tally(4, State.REFUSED, None, "CRL_STALE"),
    tally(4, State.REFUSED, HERE, "EXPIRED"),
)


def states(overview: Overview) -> dict[str, int]:
    return {line.state: line.count for line in overview.states}


def places(overview: Overview) -> list[tuple[str, int, dict[str, int]]]:
    return [
        (f"{line.account}/{line.region}", line.count, {each.state: each.count for each in line.states})
        for line in overview.targets
    ]


def test_an_empty_ledger_has_every_state_with_nobody_in_it() -> None:
    empty = overview_of((), OPERATOR)
    assert (empty.total, empty.targets, empty.reasons) == (0, [], [])
    assert empty.states == [StateCount(state=state.value, count=0) for state in State]


def test_states_are_counted_whatever_the_target_and_the_reason() -> None:
    found = overview_of(TALLIES, OPERATOR)
    assert states(found) == {
        "expected": 0,
        "knocking": 0,
        "inlobby": 7,
        "proving": 0,
        "claimed": 2,
        "commissioned": 0,
        "arrived": 8,
        "failed": 6,
        "refused": 8,
        "revoked": 0,
    }
    assert found.total == 31


def test_a_state_that_this_version_does_not_know_is_told_after_the_others() -> None:
    found = overview_of((*TALLIES, tally(2, "resting", HERE, "TIRED")), OPERATOR)
    assert [line.state for line in found.states] == [*State, "resting"]
    assert (found.total, states(found)["resting"]) == (33, 2)
    assert places(found)[0][2] == {"claimed": 2, "arrived": 3, "failed": 1, "refused": 4, "resting": 2}
    assert ("resting", "TIRED", 2) in [(line.state, line.reason, line.count) for line in found.reasons]


def test_targets_come_with_most_devices_first_and_without_empty_states() -> None:
    assert places(overview_of(TALLIES, OPERATOR)) == [
        (str(HERE), 10, {"claimed": 2, "arrived": 3, "failed": 1, "refused": 4}),
        (str(THERE), 5, {"arrived": 5}),
        (str(FAR), 5, {"failed": 5}),
    ]


def test_reasons_come_with_the_most_frequent_first() -> None:
    assert [(line.state, line.reason, line.count) for line in overview_of(TALLIES, OPERATOR).reasons] == [
        ("failed", "TARGET_ROLE_DENIED", 6),
        ("refused", "CRL_STALE", 4),
        ("refused", "EXPIRED", 4),
    ]


@pytest.mark.parametrize(
    ("caller", "seen"),
    [
        (Caller("v", Role.VIEWER), [HERE, THERE, FAR]),
        (Caller("a", Role.ADMIN), [HERE, THERE, FAR]),
        (Caller("o", Role.OPERATOR, frozenset({THERE})), [HERE, THERE, FAR]),
        (Caller("t", Role.TECHNICIAN, frozenset({THERE})), [THERE]),
        (Caller("t", Role.TECHNICIAN), []),
    ],
    ids=["viewer", "admin", "operator with a group too many", "technician", "technician of nowhere"],
)
def test_a_technician_sees_the_targets_they_may_claim_for_and_all_states(caller: Caller, seen: list[Target]) -> None:
    found = overview_of(TALLIES, caller)
    assert [place for place, _, _ in places(found)] == [str(target) for target in seen]
    assert found.total == 31
