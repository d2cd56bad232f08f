"""Stores the connections of devices whose certificates may be in use twice (`lobby.domain.connections.clones`).

One item per device in the table of connections holds the latest sightings. It is written on condition that it is
unchanged, and expires a day after the last sighting, like AWS IoT's own records of connections.
"""

from collections.abc import Callable
from typing import Any, Final

from pynamodb.exceptions import DoesNotExist, PutError

from lobby.domain.connections.clones import KEPT_MS, Sighting, added
from lobby.errors import Conflict
from lobby.ledger.clock import pause
from lobby.ledger.connections.connection_rows import ConnectionRow
from lobby.ledger.dynamodb_errors import is_condition_unmet
from lobby.names import Fingerprint

_KIND: Final = "sightings"
_ATTEMPTS: Final = 8


class Sightings:
    """The sightings of all devices. `pause` waits before a retry."""

    def __init__(self, pause: Callable[[int], None] = pause) -> None:
        self._pause = pause

    def of(self, certid: Fingerprint) -> tuple[Sighting, ...]:
        """Return the latest sightings of a device, in the order of their times."""
        return _sightings_of(_read(certid))

    def add(self, certid: Fingerprint, *new: Sighting) -> tuple[Sighting, ...]:
        """Record connections of a device, and return its latest sightings, including the new ones. Raise `Conflict`
        CHANGED_MEANWHILE if other connections are recorded at the same time again and again."""
        for attempt in range(_ATTEMPTS):
            row = _read(certid)
            before = after = _sightings_of(row)
            for each in new:
                after = added(after, each)
            if after == before:
                return before
            try:
                _row_of(certid, after, row).save(condition=_unchanged(row))
            except PutError as error:
                if not is_condition_unmet(error):
                    raise
                self._pause(attempt)
            else:
                return after
        raise Conflict("CHANGED_MEANWHILE", f"got a connection of {certid}, whose connections keep changing; try again")


def _read(certid: Fingerprint) -> ConnectionRow | None:
    try:
        return ConnectionRow.get(certid, _KIND, consistent_read=True)
    except DoesNotExist:
        return None


def _unchanged(row: ConnectionRow | None) -> Any:
    return ConnectionRow.certid.does_not_exist() if row is None else ConnectionRow.number == row.number


def _sightings_of(row: ConnectionRow | None) -> tuple[Sighting, ...]:
    return tuple(Sighting(*each) for each in row.seen or ()) if row is not None else ()


def _row_of(certid: Fingerprint, sightings: tuple[Sighting, ...], before: ConnectionRow | None) -> ConnectionRow:
    last = sightings[-1]
    return ConnectionRow(
        certid,
        _KIND,
        session=last.session,
        number=int(before.number or 0) + 1 if before is not None else 1,
        seen=[[each.place, each.version, each.session, each.at, each.address] for each in sightings],
        expires=(last.at + KEPT_MS) // 1000,
    )
