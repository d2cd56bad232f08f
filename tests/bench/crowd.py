"""The budget of a list: 20 waiting devices of very many, by the very query that the API runs.

The deployed ledger is filled with rows like those of devices that have arrived. What the query read is billed by the
sizes of the index's entries; what the emulator says it consumed is shown beside it, with how far it can be believed.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.ledger.items import attributes_of
from lobby.ledger.listing import Filter, devices
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, Region, ThingName, parse_target
from tests.bench.capacity import item_bytes, query_units
from tests.bench.dynamodb import Consumption, counted
from tests.bench.report import Row
from tests.bench.stage import TABLE, Stage

WAITING: Final = 20
_BATCH: Final = 25
_SHOWN_EVERY: Final = 200
_AT: Final = "2026-01-01T00:00:00.000Z"


def row(stage: Stage, count: int, pem: str, progress: Any) -> Row:
    """Fills the ledger up to `count` rows and asks. `progress` is told (done, wanted) now and then."""
    have = _count(stage)
    wanted = max(0, count - have - WAITING)
    _put(stage, _crowd(range(have, have + wanted), State.ARRIVED, pem), wanted, progress)
    _put(stage, _crowd(range(WAITING), State.INLOBBY, pem), WAITING, lambda _done, _wanted: None)
    with counted(stage) as consumption:
        page = devices(Filter(state=State.INLOBBY), WAITING)
        listed = consumption.last()
        devices(Filter(state=State.ARRIVED), 100)
        bigger = consumption.last()
    if len(page.devices) != WAITING or {device.devstate for device in page.devices} != {State.INLOBBY}:
        raise ValueError(f"got {len(page.devices)} devices, want the {WAITING} that wait")
    units = query_units(listed.items)
    return Row(
        f"{WAITING} waiting devices of {_count(stage):,}",
        "RCU",
        "8,625 RCU (scan)",
        8625,
        1,
        units,
        f"1 query of by-state, {sum(map(item_bytes, listed.items)):,} bytes read, {units:g} RCU by their sizes; "
        f"the emulator says {listed.units:g}. {_trust(bigger)}",
    )


def _count(stage: Stage) -> int:
    pages = stage.tables.get_paginator("scan").paginate(TableName=TABLE, Select="COUNT")
    return sum(page["Count"] for page in pages)


def _trust(bigger: Consumption) -> str:
    size, units = sum(map(item_bytes, bigger.items)), query_units(bigger.items)
    said = f"For {size:,} bytes, which are {units:g} RCU, it says {bigger.units:g}"
    return f"{said}: so its reads can be believed." if bigger.units == units else f"{said}: it does not weigh reads."


def _crowd(numbers: range, state: State, pem: str) -> Iterator[dict[str, Any]]:
    target = parse_target("200000000002", "eu-west-1")
    for number in numbers:
        claimed = state is not State.INLOBBY
        device = Device(
            certid=Fingerprint(hashlib.sha256(f"{state} {number}".encode()).hexdigest()),
            devstate=state,
            enteredat=_AT,
            version=5 if claimed else 2,
            generation=int(claimed),
            devicename=ThingName(f"crowd-{state}-{number:06}"),
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


def _put(stage: Stage, rows: Iterable[dict[str, Any]], wanted: int, progress: Any) -> None:
    rows = iter(rows)
    done = 0
    while batch := list(islice(rows, _BATCH)):
        requests: dict[str, Any] = {TABLE: [{"PutRequest": {"Item": item}} for item in batch]}
        while requests:
            requests = stage.tables.batch_write_item(RequestItems=requests).get("UnprocessedItems", {})
        done += len(batch)
        if done // _BATCH % _SHOWN_EVERY == 0 or done == wanted:
            progress(done, wanted)
