"""The overview computed from counts."""

import pytest

from admin_api.graphql.overview import Overview, StateCount, overview_of
from admin_api.roles import Caller, Role
from lobby.domain.states import State
from lobby.ledger.lists.counts import Bucket, Tally
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
    return {item.state: item.count for item in overview.states}


def targets(overview: Overview) -> list[tuple[str, int, dict[str, int]]]:
    return [
        (f"{item.account}/{item.region}", item.count, {each.state: each.count for each in item.states})
        for item in overview.targets
    ]


def test_an_empty_ledger_has_a_zero_count_for_every_state() -> None:
    empty = overview_of((), OPERATOR)
    assert (empty.total, empty.targets, empty.reasons) == (0, [], [])
    assert empty.states == [StateCount(state=state.value, count=0) for state in State]


def test_states_are_counted_across_targets_and_reasons() -> None:
    overview = overview_of(TALLIES, OPERATOR)
    assert states(overview) == {
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
        "quarantined": 0,
        "transferred": 0,
    }
    assert overview.total == 31


def test_an_unknown_state_is_listed_last() -> None:
    overview = overview_of((*TALLIES, tally(2, "future", HERE, "NEW")), OPERATOR)
    assert [item.state for item in overview.states] == [*State, "future"]
    assert (overview.total, states(overview)["future"]) == (33, 2)
    assert targets(overview)[0][2] == {"claimed": 2, "arrived": 3, "failed": 1, "refused": 4, "future": 2}
    assert ("future", "NEW", 2) in [(item.state, item.reason, item.count) for item in overview.reasons]


def test_targets_are_sorted_by_count_without_empty_states() -> None:
    assert targets(overview_of(TALLIES, OPERATOR)) == [
        (str(HERE), 10, {"claimed": 2, "arrived": 3, "failed": 1, "refused": 4}),
        (str(THERE), 5, {"arrived": 5}),
        (str(FAR), 5, {"failed": 5}),
    ]


def test_reasons_are_sorted_by_count() -> None:
    assert [(item.state, item.reason, item.count) for item in overview_of(TALLIES, OPERATOR).reasons] == [
        ("failed", "TARGET_ROLE_DENIED", 6),
        ("refused", "CRL_STALE", 4),
        ("refused", "EXPIRED", 4),
    ]


@pytest.mark.parametrize(
    ("caller", "listed"),
    [
        (Caller("v", Role.VIEWER), [HERE, THERE, FAR]),
        (Caller("a", Role.ADMIN), [HERE, THERE, FAR]),
        (Caller("o", Role.OPERATOR, frozenset({THERE})), [HERE, THERE, FAR]),
        (Caller("t", Role.TECHNICIAN, frozenset({THERE})), [THERE]),
        (Caller("t", Role.TECHNICIAN), []),
    ],
    ids=["viewer", "admin", "operator with a target group", "technician", "technician without targets"],
)
def test_a_technician_gets_their_targets_and_all_states(caller: Caller, listed: list[Target]) -> None:
    overview = overview_of(TALLIES, caller)
    assert [target for target, _, _ in targets(overview)] == [str(target) for target in listed]
    assert overview.total == 31
