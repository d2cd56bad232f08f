"""A device's history and whether it is whole, read so that a change made meanwhile is not taken for a fault."""

from collections.abc import Sequence
from dataclasses import dataclass

from lobby.domain.device import Device, Entry
from lobby.domain.history_audit import first_broken_entry
from lobby.ledger.store import Ledger

_TRIES = 3


@dataclass(frozen=True)
class Chain:
    """`intact`: every entry is there, in its place and unaltered, and the last is the one the device's row names.
    What is no entry any more is not among `entries`."""

    entries: Sequence[Entry]
    intact: bool


def chain_of(ledger: Ledger, device: Device) -> Chain:
    """The history of `device`. Row and history are two reads: where they differ, the row is read again, and they
    are held to differ only if it has not changed in between."""
    entries: Sequence[Entry] = ()
    row: Device | None = device
    for _ in range(_TRIES):
        found = ledger.entries(device.certid)
        entries = [each for each in found if isinstance(each, Entry)]
        if len(entries) < len(found):
            break
        if row is not None and first_broken_entry(entries, version=row.version, head=row.head) is None:
            return Chain(entries, intact=True)
        before, row = row, ledger.get(device.certid)
        if row is None:
            return Chain(entries, intact=first_broken_entry(entries) is None)
        if before is not None and before.version == row.version:
            break
    return Chain(entries, intact=False)
