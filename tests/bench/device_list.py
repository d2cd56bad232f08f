"""The budget of a list: 20 waiting devices among many, with the query that the API runs.

The deployed ledger is filled with rows like those of arrived devices. The result contains the read units computed from
the sizes of the index entries that the query read, and the units that the emulator reports. A larger query shows
whether the emulator computes read units from sizes.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final

from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.ledger.items import attributes_of
from lobby.ledger.lists.listing import Filter, devices
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, Region, ThingName, parse_target
from tests.bench.capacity import item_bytes, query_units
from tests.bench.deployment import TABLE, LobbyUnderTest
from tests.bench.dynamodb import Consumption, recorded_consumption
from tests.bench.report import Row

WAITING: Final = 20
_BATCH: Final = 25
_BATCHES_PER_PROGRESS: Final = 200
_AT: Final = "2026-01-01T00:00:00.000Z"
Progress = Callable[[int, int], None]


def row(lobby: LobbyUnderTest, count: int, pem: str, progress: Progress) -> Row:
    """Fill the ledger up to `count` rows, run the query and return its row. Call `progress` with the rows written and
    the rows to write every 200 batches."""
    existing = _count(lobby)
    missing = max(0, count - existing - WAITING)
    _put(lobby, _rows(range(existing, existing + missing), State.ARRIVED, pem), missing, progress)
    _put(lobby, _rows(range(WAITING), State.INLOBBY, pem), WAITING, lambda _written, _total: None)
    with recorded_consumption(lobby) as recording:
        page = devices(Filter(state=State.INLOBBY), WAITING)
        query = recording.last()
        devices(Filter(state=State.ARRIVED), 100)
        larger = recording.last()
    if len(page.devices) != WAITING or {device.devstate for device in page.devices} != {State.INLOBBY}:
        raise ValueError(f"got {len(page.devices)} devices, want the {WAITING} waiting devices")
    units = query_units(query.items)
    return Row(
        f"{WAITING} waiting devices of {_count(lobby):,}",
        "RCU",
        "8,625 RCU (scan)",
        8625,
        1,
        units,
        f"1 query of by-state, {sum(map(item_bytes, query.items)):,} bytes read, {units:g} RCU by their sizes; "
        f"the emulator reports {query.units:g}. {_read_accounting(larger)}",
    )


def _count(lobby: LobbyUnderTest) -> int:
    pages = lobby.tables.get_paginator("scan").paginate(TableName=TABLE, Select="COUNT")
    return sum(page["Count"] for page in pages)


def _read_accounting(larger: Consumption) -> str:
    """Return whether the emulator computes the units of a larger query from its size."""
    size, units = sum(map(item_bytes, larger.items)), query_units(larger.items)
    report = f"For {size:,} bytes, which cost {units:g} RCU, it reports {larger.units:g}"
    if larger.units == units:
        return f"{report}: its read units depend on sizes."
    return f"{report}: its read units do not depend on sizes."


def _rows(numbers: range, state: State, pem: str) -> Iterator[dict[str, Any]]:
    target = parse_target("200000000002", "eu-west-1")
    for number in numbers:
        claimed = state is not State.INLOBBY
        device = Device(
            certid=Fingerprint(hashlib.sha256(f"{state} {number}".encode()).hexdigest()),
            devstate=state,
            enteredat=_AT,
            version=5 if claimed else 2,
            generation=int(claimed),
            devicename=ThingName(f"bench-{state}-{number:06}"),
            devicecert=pem,
            target=target if claimed else None,
            iotep="127.65.0.1" if claimed else None,
            claimedby="user:operator" if claimed else None,
            claimedat=_AT if claimed else None,
            firstseen=_AT,
            lastseen=_AT,
            lobbyregion=Region("us-east-1"),
            clientversion="1.0.0",
        )
        yield LedgerRow(**attributes_of(device)).serialize()


def _put(lobby: LobbyUnderTest, rows: Iterable[dict[str, Any]], total: int, progress: Progress) -> None:
    rows = iter(rows)
    written = 0
    while batch := list(islice(rows, _BATCH)):
        requests: dict[str, Any] = {TABLE: [{"PutRequest": {"Item": item}} for item in batch]}
        while requests:
            requests = lobby.tables.batch_write_item(RequestItems=requests).get("UnprocessedItems", {})
        written += len(batch)
        if written // _BATCH % _BATCHES_PER_PROGRESS == 0 or written == total:
            progress(written, total)
