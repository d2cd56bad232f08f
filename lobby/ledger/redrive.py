"""What a redrive asks of the ledger: who waits for the commissioner while nothing tells it so any more, and whose a
thing name is.

A row says itself that it is the commissioner's turn, or that a target is left and nothing says why it is not cleared;
the record that said so to the commissioner may be gone, in time or past its tries. To ask again is a retry: one entry
of the history, one new record. Reads the whole of an index, so it is for people to start, and no Lambda may.
"""

from collections.abc import Iterator
from typing import Final

from pynamodb.exceptions import DoesNotExist

from lobby.errors import Conflict, NotFound
from lobby.ledger.device import Device
from lobby.ledger.models import KIND, LedgerRow, NameRow, device_of
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint

ACTOR: Final = "service:redrive"
_LEFT: Final = LedgerRow.previous.exists() & LedgerRow.reason.does_not_exist()


def unserved() -> Iterator[Device]:
    """As the index shows them; those that the commissioner is at just now are among them."""
    for row in LedgerRow.by_time.query(KIND, filter_condition=LedgerRow.turn.exists() | _LEFT):
        yield device_of(row)


def ask_again(ledger: Ledger, seen: Device) -> str:
    """What was done. Only where the row is still as it was seen, so that nobody is overtaken."""
    now = ledger.get(seen.certid)
    if now is None or now.version != seen.version:
        return "served meanwhile"
    try:
        ledger.retry(seen.certid, ACTOR)
    except (Conflict, NotFound) as refused:
        return f"left as it is: {refused.code}"
    return "asked again"


def holder_of(name: str) -> Fingerprint | None:
    """The certificate that holds a thing name, if any does."""
    try:
        return Fingerprint(NameRow.get(name, consistent_read=True).certid)
    except DoesNotExist:
        return None
