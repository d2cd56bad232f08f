"""The ledger's functions for a redrive: the lanes in which rows wait, and the holder of a thing name.

If the message that started a lane's worker was lost, or a row could not be read, the row still waits in its lane. The
by-turn index contains only waiting rows.
"""

import json
from collections.abc import Iterator
from typing import Final

from lobby.domain.device import Priority
from lobby.domain.lanes.lane import LOBBY, Lane, lane_to
from lobby.errors import Conflict, LobbyError, NotFound, NotHome
from lobby.ledger.lanes.lane_register import Lanes, waiting
from lobby.ledger.reader import LedgerReader
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import Fingerprint

ACTOR: Final = "service:redrive"
_PAGE: Final = 100


def unreadable_row(certid: Fingerprint, reason: str) -> str:
    """Return the message about a row that the commissioner cannot process."""
    keys = {"certid": {"S": certid}}
    return json.dumps({"requestContext": {"condition": "Unreadable"}, "Keys": keys, "errorMessage": reason})


def all_lanes(lanes: Lanes) -> list[Lane]:
    """Return the lanes of all registered targets, the lobby's lane, and all other lanes that have had work."""
    registered = [lane_to(target.target) for target in Targets.read_only().all()]
    return list(dict.fromkeys([LOBBY, *registered, *(state.lane for state in lanes.all())]))


def waiting_lanes(lanes: Lanes) -> Iterator[Lane]:
    """Yield the lanes in which rows wait."""
    for lane in all_lanes(lanes):
        if any(waiting(lane, priority, 1).rows for priority in Priority):
            yield lane


def unsorted_rows() -> Iterator[Fingerprint]:
    """Yield the rows that an earlier version wrote, which wait in no lane."""
    key = None
    while True:
        page = waiting(None, Priority.SINGLE, _PAGE, key)
        yield from (row.certid for row in page.rows)
        key = page.next_key
        if key is None:
            return


def start_again(ledger: Ledger, certid: Fingerprint) -> str:
    """Start the commissioner for a device. Return a description of the result."""
    try:
        ledger.wake(certid, ACTOR)
    except (Conflict, NotFound) as conflict:
        return f"already processed ({conflict.code})"
    except NotHome:
        raise
    except (LobbyError, ValueError) as error:
        return f"skipped: its row cannot be read ({error})"
    return "commissioner started"


def holder_of(name: str) -> Fingerprint | None:
    return LedgerReader().name_holder(name)
