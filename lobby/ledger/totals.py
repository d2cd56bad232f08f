"""The number of devices that match a filter, from the counts, where these tell it exactly.

A bucket of the counts has a state, a target, and for failed and refused devices a reason. Nothing counts the devices
whose names, fingerprints or times match, so for these filters there is no number; it is never estimated.
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from lobby.domain.states import State
from lobby.ledger.counts import Tally
from lobby.ledger.device_filter import Filter

_COUNTED: Final = frozenset({"state", "target", "reason"})
"""The fields of a filter that the counts know. Any other one is not counted."""
_WITH_REASON: Final = (State.FAILED, State.REFUSED)


def is_counted(wanted: Filter) -> bool:
    """Return whether the counts tell how many devices match. A reason is counted only for failed and refused devices;
    devices in other states can have one, too."""
    given = {each.name for each in fields(wanted) if getattr(wanted, each.name) is not None}
    if given - _COUNTED:
        return False
    return wanted.reason is None or wanted.state in _WITH_REASON


def total_of(tallies: Iterable[Tally], wanted: Filter) -> int | None:
    """Return the number of devices that match, or None if the counts do not tell it."""
    if not is_counted(wanted):
        return None
    return sum(
        tally.count
        for tally in tallies
        if wanted.state in (None, tally.bucket.state)
        and wanted.target in (None, tally.bucket.target)
        and wanted.reason in (None, tally.bucket.reason)
    )
