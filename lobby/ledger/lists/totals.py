"""The number of devices that match a filter, if the counts state it exactly.

A bucket of the counts has a state, a target, and for failed and refused devices a reason. Names, fingerprints and times
are not counted, so filters by these have no number. Numbers are never estimated.
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from lobby.domain.states import State
from lobby.ledger.lists.counts import Tally
from lobby.ledger.lists.device_filter import Filter

_COUNTED: Final = frozenset({"state", "target", "reason"})
"""The fields of a filter that the counts contain. Other fields are not counted."""
_WITH_REASON: Final = (State.FAILED, State.REFUSED)


def is_counted(wanted: Filter) -> bool:
    """Return whether the counts state how many devices match. Reasons are counted only for failed and refused devices,
    although devices in other states can have one."""
    given = {each.name for each in fields(wanted) if getattr(wanted, each.name) is not None}
    if given - _COUNTED:
        return False
    return wanted.reason is None or wanted.state in _WITH_REASON


def total_of(tallies: Iterable[Tally], wanted: Filter) -> int | None:
    """Return the number of devices that match, or None if the counts do not state it."""
    if not is_counted(wanted):
        return None
    return sum(
        tally.count
        for tally in tallies
        if wanted.state in (None, tally.bucket.state)
        and wanted.target in (None, tally.bucket.target)
        and wanted.reason in (None, tally.bucket.reason)
    )
