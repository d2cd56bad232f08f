"""Reads of many rows together, with `BatchGetItem`, consistent by default.

DynamoDB may return only some of the rows; the others are requested again. If capacity or time runs out, a row is
missing from the result, so that it is not mistaken for a device without a row.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from lobby.domain.device import Device
from lobby.ledger.connection import connection_of
from lobby.ledger.items import device_of
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint

READ_SIZE: Final = 96
"""Rows per call, of DynamoDB's 100 items and 16 MB."""
_ATTEMPTS: Final = 4


def read_rows(
    certids: Sequence[Fingerprint],
    pause: Callable[[int], None],
    deadline: Callable[[], bool],
    *,
    consistent: bool = True,
) -> dict[Fingerprint, Device | None]:
    """Return the current rows of at most `READ_SIZE` devices, with None for a device without one. `pause` waits before
    the next attempt; `deadline` returns whether time is up."""
    table = LedgerRow.Meta.table_name
    devices: dict[Fingerprint, Device] = {}
    keys: list[Any] = [{"certid": {"S": certid}} for certid in certids]
    for attempt in range(_ATTEMPTS):
        if deadline():
            return {}
        response = connection_of().batch_get_item(table, keys, consistent_read=consistent)
        rows = (device_of(LedgerRow.from_raw_data(item)) for item in response["Responses"].get(table, []))
        devices |= {row.certid: row for row in rows}
        keys = response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        if not keys:
            break
        pause(attempt)
    unread = {key["certid"]["S"] for key in keys}
    return {certid: devices.get(certid) for certid in certids if certid not in unread}
