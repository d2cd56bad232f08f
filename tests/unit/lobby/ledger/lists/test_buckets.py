"""Buckets: which one counts a device, which counts an event changes, and their keys."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobby.domain.device import Device
from lobby.domain.states import TRANSITIONS, Event, State
from lobby.ledger import bulk, recount
from lobby.ledger.items import attributes_of, device_of_image
from lobby.ledger.lists import counts
from lobby.ledger.lists.counts import Bucket, bucket_of, shard_of, shift, totals
from lobby.ledger.models import LedgerRow
from lobby.ledger.transaction import change_of
from lobby.names import Fingerprint, Target, parse_target

CERTID = Fingerprint("ab" * 32)
A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
T = "2026-11-22T12:00:00.000Z"
KEYS = {
    State.EXPECTED: "expected|111111111111/eu-west-1|",
    State.KNOCKING: "knocking||",
    State.INLOBBY: "inlobby||",
    State.PROVING: "proving|111111111111/eu-west-1|",
    State.CLAIMED: "claimed|111111111111/eu-west-1|",
    State.COMMISSIONED: "commissioned|111111111111/eu-west-1|",
    State.ARRIVED: "arrived|111111111111/eu-west-1|",
    State.FAILED: "failed|111111111111/eu-west-1|TARGET_LIMIT",
    State.REFUSED: "refused|111111111111/eu-west-1|TARGET_LIMIT",
    State.REVOKED: "revoked|111111111111/eu-west-1|",
    State.QUARANTINED: "quarantined|111111111111/eu-west-1|TARGET_LIMIT",
    State.TRANSFERRED: "transferred|111111111111/eu-west-1|",
}


def device(state: State) -> Device:
    """Return a device with a reason. Any state can have one, because a target may not have been cleared."""
    target = None if state in (State.KNOCKING, State.INLOBBY) else A
    return Device(CERTID, state, T, target=target, reason="TARGET_LIMIT")


def written(before: Device | None, event: Event, after: Device | None) -> dict[tuple[str, str], int]:
    """Return the changes of the counts by an event of an existing row."""
    seen = replace(before, counted=bucket_of(before).key) if before else None
    change = change_of(CERTID, event, seen, after, actor="user:ann", at=T)
    return shift([(change.before, change.after)])


@pytest.mark.parametrize("state", State)
def test_the_bucket_is_the_state_the_target_and_the_reason_if_it_is_counted(
    state: State,
) -> None:
    assert bucket_of(device(state)).key == KEYS[state]


@pytest.mark.parametrize(("state", "event"), sorted(TRANSITIONS, key=str), ids=str)
def test_each_transition_counts_one_device_that_goes_from_a_bucket_to_another(
    state: State | None, event: Event
) -> None:
    after = TRANSITIONS[state, event]
    moved = written(device(state) if state else None, event, device(after) if after else None)
    left, entered = KEYS[state] if state else "", KEYS[after] if after else ""
    assert moved == ({} if left == entered else {(left, entered): 1})


def test_another_target_or_another_reason_is_another_bucket() -> None:
    failed = device(State.FAILED)
    for other in (replace(failed, target=B), replace(failed, reason="UNKNOWN_TARGET")):
        assert written(failed, Event.RETIRE, other) == {(bucket_of(failed).key, bucket_of(other).key): 1}


def test_an_unchanged_bucket_is_not_updated() -> None:
    waiting = device(State.INLOBBY)
    other = replace(waiting, reason="UNKNOWN_TARGET", lastseen=T, needs_commissioner=True, targets_to_clear=(A,))
    assert written(waiting, Event.RETIRE, other) == {}


def test_the_bucket_that_counts_the_row_is_left() -> None:
    behind = replace(device(State.CLAIMED), counted=KEYS[State.INLOBBY])
    older = replace(device(State.CLAIMED), counted=None)
    for seen, left in ((behind, KEYS[State.INLOBBY]), (older, "")):
        change = change_of(CERTID, Event.ARRIVE, seen, device(State.ARRIVED), actor="user:ann", at=T)
        assert shift([(change.before, change.after)]) == {(left, KEYS[State.ARRIVED]): 1}


def test_devices_are_summed_for_each_pair_of_buckets() -> None:
    waiting, claimed = (replace(device(state), counted=KEYS[state]) for state in (State.INLOBBY, State.CLAIMED))
    many = [(waiting, claimed)] * 3 + [(None, waiting), (claimed, None), (waiting, waiting)]
    inlobby, lane = KEYS[State.INLOBBY], KEYS[State.CLAIMED]
    assert shift(many) == {(inlobby, lane): 3, ("", inlobby): 1, (lane, ""): 1}


def test_a_count_is_what_went_in_minus_what_went_out_and_what_an_earlier_version_counted() -> None:
    waiting, claimed = KEYS[State.INLOBBY], KEYS[State.CLAIMED]
    shards = [
        shard_of((left, entered), number)
        for number, (left, entered) in enumerate([("", waiting), ("", waiting), (waiting, claimed), (claimed, "")])
    ]
    rows = [(shard.bucket, 2) for shard in shards]
    assert totals([*rows, (f"{waiting}|3", 7), (f"{waiting}|4", -1)]) == {waiting: 2 + 2 - 2 + 7 - 1, claimed: 0}


@given(
    st.sampled_from(State),
    st.none() | st.sampled_from([A, B]),
    st.none() | st.from_regex(r"\A[A-Z][A-Z0-9_|]{0,20}\Z"),
)
def test_a_bucket_key_parses_to_the_same_bucket(state: State, target: Target | None, reason: str | None) -> None:
    bucket = Bucket(state, target, reason)
    assert counts._bucket(bucket.key) == bucket
    assert totals([(shard_of(("", bucket.key), 7).bucket, 1)]) == {bucket.key: 1}


def test_the_shards_of_a_pair_are_spread_over_the_partitions() -> None:
    rows = [shard_of(("inlobby||", KEYS[State.CLAIMED]), shard) for shard in range(counts.SHARDS)]
    assert len({(row.kind, row.bucket) for row in rows}) == counts.SHARDS
    spread = Counter(row.kind for row in rows)
    assert set(spread.values()) == {counts.SHARDS // counts.PARTITIONS}


def test_a_shard_is_random() -> None:
    assert {counts.any_shard() for _ in range(1000)} == set(range(counts.SHARDS))


def test_a_row_contains_its_bucket_key_and_its_fingerprint_key() -> None:
    counted = replace(device(State.CLAIMED), counted=KEYS[State.CLAIMED])
    image = LedgerRow(**attributes_of(counted)).serialize()
    assert (image["counted"], image["printhead"]) == ({"S": KEYS[State.CLAIMED]}, {"S": "abab"})
    assert device_of_image(image) == counted


@pytest.mark.parametrize("targets", [1, 7, 200])
def test_changes_are_grouped_so_that_a_transaction_has_at_most_100_items(targets: int) -> None:
    """Devices that leave many targets change many counts."""
    left = [parse_target(f"{number % targets:012}", "eu-west-1") for number in range(200)]
    some = [replace(device(State.ARRIVED), certid=Fingerprint(f"{n:064x}"), target=each) for n, each in enumerate(left)]
    moves = [
        change_of(
            before.certid,
            Event.MOVE,
            replace(before, counted=bucket_of(before).key),
            replace(before, devstate=State.CLAIMED, target=B),
            actor="user:ann",
            at=T,
        )
        for before in some
    ]
    groups = list(bulk.transactions(moves))
    assert [change for group in groups for change in group] == moves
    sizes = [2 * len(group) + len(shift((each.before, each.after) for each in group)) for group in groups]
    assert max(sizes) <= 100
    assert max(map(len, groups)) <= bulk.BATCH_SIZE
    assert len(groups) == {1: 5, 7: 5, 200: 7}[targets]


def test_no_change_is_no_transaction() -> None:
    assert list(bulk.transactions([])) == []


def test_a_batch_of_a_recount_fits_a_transaction() -> None:
    assert 2 * recount.BATCH_SIZE <= 100
