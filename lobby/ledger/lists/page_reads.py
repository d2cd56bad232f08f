"""Reads one page of a list: from the partitions of an index, merged by time, or from the keys of an index.

Every query is bounded. A page can have fewer devices than requested although the list continues.
"""

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from heapq import merge
from typing import Any, Final

from pynamodb.expressions.condition import Condition

from lobby.domain.device import Device
from lobby.ledger.items import device_of
from lobby.ledger.lists.device_filter import LAST, Filter, conditions
from lobby.ledger.lists.filter_match import matches
from lobby.ledger.lists.index_plan import IndexPlan, ListPosition
from lobby.ledger.lists.selectivity import ONE_REQUEST
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint

_KEYS: Final = 100
"""Rows that are read from the table with one call."""


@dataclass(frozen=True)
class Chunk:
    """The result of a query of a partition, in order. `end` is how far the partition was read: the range key and
    the fingerprint of the last row that was evaluated. None: to its end."""

    devices: Sequence[Device]
    end: tuple[str, Fingerprint] | None


def read_page(
    plan: IndexPlan, wanted: Filter, count: int, start: ListPosition | None, *, oldest_first: bool = False
) -> tuple[list[Device], ListPosition | None]:
    """Return at most `count` devices, and where the list continues (None: nowhere). With an index that has only keys,
    devices are in the order of the keys."""
    if plan.keys_only:
        return _page_of_keys(plan, wanted, count, start)
    partitions = start.after if start else plan.partitions(wanted)
    chunks = {each: _chunk(plan, wanted, count, each, start, oldest_first=oldest_first) for each in partitions}
    return merged(chunks, count, start, oldest_first=oldest_first)


def merged(
    chunks: Mapping[str, Chunk], count: int, start: ListPosition | None, *, oldest_first: bool = False
) -> tuple[list[Device], ListPosition | None]:
    """Merge the chunks of the partitions that begin at `start`, newest or oldest first. Devices that come after a row
    that was not evaluated yet are not returned."""
    found: list[Device] = []
    taken = dict.fromkeys(chunks, 0)
    ends = [chunk.end[0] for chunk in chunks.values() if chunk.end]
    read_until = min(ends, default=LAST) if oldest_first else max(ends, default="")
    is_beyond = operator.gt if oldest_first else operator.lt
    streams = [[(device.enteredat, partition, device) for device in chunks[partition].devices] for partition in chunks]
    for at, partition, device in merge(*streams, key=operator.itemgetter(0), reverse=not oldest_first):
        if len(found) == count or is_beyond(at, read_until):
            break
        found.append(device)
        taken[partition] += 1
    rest = [each for each, chunk in chunks.items() if chunk.end or taken[each] < len(chunk.devices)]
    if not rest:
        return found, None
    until = found[-1].enteredat if len(found) == count else read_until
    earlier = start.after if start and start.value == until else {}
    return found, ListPosition(
        until, {each: _last(chunks[each], taken[each], until) or earlier.get(each) for each in rest}
    )


def _last(chunk: Chunk, taken: int, until: str) -> Fingerprint | None:
    """Return the last row of a chunk that was used, if it has the time `until`."""
    if taken == len(chunk.devices) and chunk.end and chunk.end[0] == until:
        return chunk.end[1]
    device = chunk.devices[taken - 1] if taken else None
    return device.certid if device and device.enteredat == until else None


def _chunk(
    plan: IndexPlan, wanted: Filter, count: int, partition: str, start: ListPosition | None, *, oldest_first: bool
) -> Chunk:
    rest = conditions(wanted)
    rest.pop(plan.range_field, None)
    rest.pop(plan.field or "", None)
    filtered = reduce(operator.and_, rest.values()) if rest else None
    query = plan.index.query(
        partition,
        _range(wanted.entered_before, start, oldest_first=oldest_first),
        filter_condition=filtered,
        page_size=count if filtered is None else ONE_REQUEST,
        last_evaluated_key=plan.start_key(partition, start) if start else None,
        scan_index_forward=oldest_first,
    )
    response: dict[str, Any] = next(query.page_iter)
    last = response.get("LastEvaluatedKey")
    devices = [device_of(LedgerRow.from_raw_data(item)) for item in response["Items"]]
    end = plan.position_of(last) if last else None
    if oldest_first and wanted.entered_before is not None:  # a range with two ends includes both
        devices = [device for device in devices if device.enteredat < str(wanted.entered_before)]
        end = end if end and end[0] < wanted.entered_before else None
    return Chunk(devices, end)


def _range(before: str | None, start: ListPosition | None, *, oldest_first: bool) -> Condition | None:
    """Return the condition of the range key. A position is earlier than `before`."""
    found: Condition | None = None if before is None else LedgerRow.enteredat < before
    if start and oldest_first:
        found = LedgerRow.enteredat.between(start.value, before or LAST)
    elif start:
        found = LedgerRow.enteredat <= start.value
    return found


def _page_of_keys(
    plan: IndexPlan, wanted: Filter, count: int, start: ListPosition | None
) -> tuple[list[Device], ListPosition | None]:
    """Read keys and their rows until the page is full, or `ONE_REQUEST` rows were evaluated."""
    [partition] = plan.partitions(wanted)
    is_exact = set(conditions(wanted)) == {plan.field}
    found: list[Device] = []
    for _ in range(ONE_REQUEST // _KEYS):
        keys, more = _keys(plan, wanted, count - len(found) if is_exact else _KEYS, partition, start)
        for number, (value, device) in enumerate(_rows(keys), 1):
            if device is not None and matches(wanted, device):
                found.append(device)
            start = ListPosition(value[0], {partition: value[1]})
            if len(found) == count:
                return found, start if more or number < len(keys) else None
        if not more:
            return found, None
    return found, start


def _keys(
    plan: IndexPlan, wanted: Filter, count: int, partition: str, start: ListPosition | None
) -> tuple[list[tuple[str, Fingerprint]], bool]:
    """Return the next keys, and whether there are more."""
    query = plan.index.query(
        partition,
        conditions(wanted)[plan.range_field],
        page_size=count,
        last_evaluated_key=plan.start_key(partition, start) if start else None,
    )
    response: dict[str, Any] = next(query.page_iter)
    return [plan.position_of(item) for item in response["Items"]], "LastEvaluatedKey" in response


def _rows(keys: list[tuple[str, Fingerprint]]) -> Iterator[tuple[tuple[str, Fingerprint], Device | None]]:
    """Yield each key with its device; None if the row was removed."""
    rows = rows_of([certid for _, certid in keys])
    for key in keys:
        yield key, rows.get(key[1])


def rows_of(keys: Sequence[Fingerprint]) -> Mapping[Fingerprint, Device]:
    """Return the devices that still have a row."""
    return {Fingerprint(row.certid): device_of(row) for row in LedgerRow.batch_get(keys)} if keys else {}
