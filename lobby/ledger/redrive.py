"""What a redrive needs from the ledger: the rows that need the commissioner, and the holder of a thing name.

The stream record that started the commissioner may have expired or used up its attempts, but the row still needs the
commissioner. The index contains only such rows. A row that cannot be read is reported.
"""

from collections.abc import Iterator
from typing import Final

from lobby.errors import Conflict, LobbyError, NotFound
from lobby.ledger.models import COMMISSIONER, LedgerRow
from lobby.ledger.reader import LedgerReader
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint

ACTOR: Final = "service:redrive"


def unserved() -> Iterator[Fingerprint]:
    """Yield all devices that need the commissioner, including those that it is processing now."""
    for row in LedgerRow.by_turn.query(COMMISSIONER):
        yield Fingerprint(row.certid)


def ask_again(ledger: Ledger, certid: Fingerprint) -> str:
    """Start the commissioner for a device. Return what was done."""
    try:
        ledger.wake(certid, ACTOR)
    except (Conflict, NotFound) as conflict:
        return f"processed meanwhile ({conflict.code})"
    except (LobbyError, ValueError) as error:
        return f"skipped: its row cannot be read ({error})"
    return "commissioner started"


def holder_of(name: str) -> Fingerprint | None:
    return LedgerReader().name_holder(name)
