"""The sweeper's check of transferred devices: when this lobby stops answering their hellos, their certificates become
INACTIVE here.

Once a day it examines all transferred devices, a bounded page at a time. A lobby without transferred devices makes one
query a day. A device that changes in the meantime is left to the next walk through the devices.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from aws_lambda_powertools import Logger

from commissioner.sweeping.run_parts import DEVICES_PER_RUN, Note
from lobby.domain.states import State
from lobby.errors import Conflict, NotFound
from lobby.ledger.clock import timestamp
from lobby.ledger.lists.overdue import entered
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint

EVERY: Final = timedelta(days=1)
_WALKED, _POSITION = "transfers_walked", "transfers_position"
logger = Logger(service="sweeper")


class TransferWatch:
    """`actor` is the sweeper's name in histories."""

    def __init__(self, ledger: Ledger, actor: str, clock: Callable[[], datetime]) -> None:
        self._ledger, self._actor, self._clock = ledger, actor, clock

    def walk(self, note: Note, time_is_up: Callable[[], bool]) -> int:
        """Examine a page of devices, if a walk is due or has begun. `note` has the position, and is updated. Return how
        many transfers were ended."""
        at = self._clock()
        if _POSITION not in note and note.get(_WALKED, "") > timestamp(at - EVERY):
            return 0
        page = entered(State.TRANSFERRED, "", timestamp(at), DEVICES_PER_RUN, note.get(_POSITION))
        ended = 0
        for row in page.rows:
            if time_is_up():
                return ended
            ended += self._end(row.certid)
            note[_POSITION] = row.by_state_key
        if page.next_key is None:
            note.pop(_POSITION, None)
            note[_WALKED] = timestamp(at)
        return ended

    def _end(self, certid: Fingerprint) -> bool:
        device = self._ledger.get(certid)
        if device is None:
            return False
        try:
            after = self._ledger.end_transfer(device, self._actor)
        except (Conflict, NotFound) as changed:
            logger.info("changed concurrently", extra={"certid": certid, "code": changed.code})
            return False
        if after == device:
            return False
        logger.info("transfer ended", extra={"certid": certid})
        return True
