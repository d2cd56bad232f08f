"""Pages merged from several partitions: complete, in order and without duplicates, for any results of the queries."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.ledger.lists.index_plan import ListPosition
from lobby.ledger.lists.page_reads import Chunk, merged
from lobby.names import Fingerprint

STATES = (State.INLOBBY, State.CLAIMED, State.ARRIVED)


def device(number: int, state: State, second: int) -> Device:
    return Device(Fingerprint(f"{number:064x}"), state, f"2026-11-22T12:00:{second:02}.000Z")


def query(
    rows: list[Device],
    position: ListPosition | None,
    partition: str,
    evaluated: int,
    wanted: set[int],
    *,
    oldest_first: bool,
) -> Chunk:
    """Act as DynamoDB's query of a partition: read at most `evaluated` rows, and return those in `wanted`."""
    if position is not None:
        rows = [
            row for row in rows if row.enteredat == position.value or (row.enteredat > position.value) is oldest_first
        ]
        after = position.after.get(partition)
        if after is not None:
            rows = rows[[row.certid for row in rows].index(after) + 1 :]
    read = rows[:evaluated]
    last = read[-1] if len(rows) > evaluated else None
    found = [row for row in read if int(row.certid, 16) in wanted]
    return Chunk(found, (last.enteredat, last.certid) if last else None)


def pages(
    partitions: dict[str, list[Device]], count: int, evaluated: int, wanted: set[int], *, oldest_first: bool
) -> Iterator[list[Device]]:
    position: ListPosition | None = None
    for _ in range(200):
        chunks = {
            name: query(rows, position, name, evaluated, wanted, oldest_first=oldest_first)
            for name, rows in partitions.items()
            if position is None or name in position.after
        }
        found, position = merged(chunks, count, position, oldest_first=oldest_first)
        yield found
        if position is None:
            return
    raise AssertionError("the list does not end")


@given(
    st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 9)), max_size=30),
    st.integers(1, 7),
    st.integers(1, 7),
    st.sets(st.integers(0, 29)),
    st.booleans(),
)
def test_all_pages_together_are_the_matching_devices_in_order(
    rows: list[tuple[State, int]], count: int, evaluated: int, unwanted: set[int], oldest_first: bool
) -> None:
    devices = [device(number, *row) for number, row in enumerate(rows)]
    partitions = {
        state.value: sorted((each for each in devices if each.devstate is state), key=lambda each: each.enteredat)[
            :: 1 if oldest_first else -1
        ]
        for state in STATES
    }
    wanted = set(range(len(rows))) - unwanted
    listed = list(pages(partitions, count, evaluated, wanted, oldest_first=oldest_first))
    found = [each for page in listed for each in page]
    assert all(len(page) <= count for page in listed)
    assert [each.enteredat for each in found] == sorted((each.enteredat for each in found), reverse=not oldest_first)
    assert sorted(int(each.certid, 16) for each in found) == sorted(wanted)


def test_a_partition_that_was_not_read_to_its_end_holds_back_older_devices() -> None:
    new, old = device(1, State.INLOBBY, 5), device(2, State.ARRIVED, 1)
    chunks = {
        "inlobby": Chunk([new], (device(3, State.INLOBBY, 3).enteredat, Fingerprint("c"))),
        "arrived": Chunk([old], None),
    }
    assert merged(chunks, 10, None) == (
        [new],
        ListPosition("2026-11-22T12:00:03.000Z", {"inlobby": Fingerprint("c"), "arrived": None}),
    )
