"""The lists of serial numbers of enrolments. A device's serial number is its thing name.

Each serial number is one item, so a list has any length and a lookup is one read. A serial number is in one list only.
Each transaction adds serial numbers and updates the length of the list; adding a number again changes nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from pynamodb.exceptions import DoesNotExist, TransactWriteError
from pynamodb.transactions import TransactWrite

from lobby.chunks import chunks
from lobby.domain.enrolments.enrolment import EnrolmentEntry, EnrolmentEvent
from lobby.errors import Conflict
from lobby.ledger.clock import now, timestamp
from lobby.ledger.connection import connection_of
from lobby.ledger.dynamodb_errors import CONFLICTS, reasons_of
from lobby.ledger.enrolments.enrolment_register import entry_row
from lobby.ledger.enrolments.enrolment_rows import LIST, EnrolmentNumberRow, EnrolmentRow, SerialRow, serial_key
from lobby.names import EnrolmentName, ThingName

_BATCH: Final = 96
"""Serial numbers in a transaction, of DynamoDB's 100 items."""
_ATTEMPTS: Final = 4


def enrolment_listing(serial: ThingName) -> EnrolmentName | None:
    """Return the enrolment whose list has the serial number, or None."""
    try:
        return EnrolmentName(SerialRow.get(serial_key(serial), LIST, consistent_read=True).enrolment)
    except DoesNotExist:
        return None


class SerialLists:
    """The lists. `clock` returns the time."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock

    @staticmethod
    def lengths() -> dict[EnrolmentName, int]:
        """Return the number of serial numbers in each list that is not empty."""
        return {EnrolmentName(row.name): int(row.number) for row in EnrolmentNumberRow.query(LIST)}

    def add(self, enrolment: EnrolmentName, serials: Sequence[ThingName], actor: str) -> int:
        """Add serial numbers to a list and return how many are new. If one is in another list, nothing is added:
        `Conflict` SERIAL_LISTED. If this is detected late, or after a crash, some may already be added; then repeat the
        request. Raise `Conflict` CHANGED_MEANWHILE if others keep changing the list."""
        added = 0
        missing = self._missing(enrolment, serials)
        for batch in chunks(missing, _BATCH):
            added += self._add_batch(enrolment, batch, actor)
        return added

    def _add_batch(self, enrolment: EnrolmentName, batch: list[ThingName], actor: str) -> int:
        for _ in range(_ATTEMPTS):
            if not batch:
                return 0
            entry = EnrolmentEntry(
                timestamp(self._clock()), actor, EnrolmentEvent.LISTED, f"{len(batch)} from {batch[0]} to {batch[-1]}"
            )
            connection, token = connection_of(EnrolmentRow), str(uuid4())
            try:
                with TransactWrite(connection=connection, client_request_token=token) as transaction:
                    for serial in batch:
                        row = SerialRow(serial_key(serial), LIST, enrolment=enrolment)
                        transaction.save(row, condition=SerialRow.kind.does_not_exist())
                    count = EnrolmentNumberRow.number.add(len(batch))
                    transaction.update(EnrolmentNumberRow(LIST, enrolment), [count])
                    transaction.save(entry_row(enrolment, entry))
            except TransactWriteError as error:
                if not set(reasons_of(error)) & CONFLICTS:
                    raise
                batch = self._missing(enrolment, batch)
            else:
                return len(batch)
        raise Conflict(
            "CHANGED_MEANWHILE", f"got serial numbers for {enrolment} while others change its list; try again"
        )

    @staticmethod
    def _missing(enrolment: EnrolmentName, serials: Sequence[ThingName]) -> list[ThingName]:
        """Return the serial numbers that are in no list, in order. Raise `Conflict` SERIAL_LISTED if one is in another
        list."""
        keys = [(serial_key(serial), LIST) for serial in serials]
        found = {row.kind: row.enrolment for row in SerialRow.batch_get(keys, consistent_read=True)}
        others = [serial for serial in serials if found.get(serial_key(serial), enrolment) != enrolment]
        if others:
            holders = ", ".join(f"{serial} ({found[serial_key(serial)]})" for serial in others[:5])
            message = f"got {len(others)} serial numbers of other enrolments' lists: {holders}; want each in one list"
            raise Conflict("SERIAL_LISTED", message)
        return [serial for serial in serials if serial_key(serial) not in found]
