"""What a redrive asks of the ledger: to wake the commissioner for whoever it is its turn to serve, and whose a thing
name is.

The record that told it may be gone, in time or past its tries; the row says itself that it is still its turn. Reads an
index that holds those only. What a row of theirs cannot be read for, is told.
"""

from collections.abc import Iterator
from typing import Final

from pynamodb.exceptions import DoesNotExist

from lobby.errors import Conflict, LobbyError, NotFound
from lobby.ledger.models import COMMISSIONER, LedgerRow, NameRow
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint

ACTOR: Final = "service:redrive"


def unserved() -> Iterator[Fingerprint]:
    """As the index shows them; those that the commissioner is at just now are among them."""
    for row in LedgerRow.by_turn.query(COMMISSIONER):
        yield Fingerprint(row.certid)


def ask_again(ledger: Ledger, certid: Fingerprint) -> str:
    """What was done."""
    try:
        ledger.wake(certid, ACTOR)
    except (Conflict, NotFound) as refused:
        return f"served meanwhile ({refused.code})"
    except (LobbyError, ValueError) as unreadable:
        return f"left: its row cannot be read ({unreadable})"
    return "asked for again"


def holder_of(name: str) -> Fingerprint | None:
    """The certificate that holds a thing name, if any does."""
    try:
        return Fingerprint(NameRow.get(name, consistent_read=True).certid)
    except DoesNotExist:
        return None
