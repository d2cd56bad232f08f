"""The epoch of the home Region in the rows of devices, for a lobby with several Regions.

Each write of a row sets the epoch and requires that no newer home has written the row, without an additional request.
The items of a transaction are replicated separately. So if the old home is lost in between, the new home can find a
history entry that the row does not reflect. The next entry then follows this entry. In a lobby with one Region, nothing
is added.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from lobby.domain.device import Device, Entry
from lobby.ledger.clock import timestamp
from lobby.ledger.models import LedgerRow
from lobby.ledger.regions.routing import epoch, epoch_began
from lobby.names import Fingerprint


def written_by_home() -> list[Action]:
    """Return the action that records the epoch of this write."""
    current = epoch()
    return [] if current is None else [LedgerRow.epoch.set(current)]


def by_no_newer_home() -> Condition | None:
    """Return the condition that no newer home has written the row."""
    current = epoch()
    return None if current is None else LedgerRow.epoch.does_not_exist() | (LedgerRow.epoch <= current)


def unreplicated(row: Device, last_entry: Callable[[Fingerprint], Entry | None]) -> Entry | None:
    """Return the last entry of a history if an earlier home has written it and the row was not replicated."""
    began = epoch_began()
    last = last_entry(row.certid) if began is not None else None
    if began is None or last is None or last.seq <= row.version:
        return None
    return last if last.at < timestamp(datetime.fromtimestamp(began / 1000, UTC)) else None
