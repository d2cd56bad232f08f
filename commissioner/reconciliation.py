"""Compares the ledger with one target, a page at a time, and says or mends what differs.

Two walks: the devices that have their place there, looked up in its registry; then the things of its registry that the
ledger has no claim for. What differs is judged by the row as it is afterwards, so that a change on its way is no
difference. Mended is only what the table in `comparison` lists, in the name of who asked for it: through the ledger,
or with an entry in it first.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from aws_lambda_powertools import Logger

from commissioner import comparison
from commissioner.comparison import SETTLED, Difference, Repair
from commissioner.inspector_client import Inquiry
from lobby.contracts import Facts, ReportedDifference
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.listing import Filter, devices
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Target, ThingName, parse_fingerprint, parse_thing_name, shown

TOGETHER: Final = 20
"""Devices of the ledger to a page."""
PLACED_STATES: Final = (State.CLAIMED, *SETTLED)
logger = Logger(service="reconciler")


@dataclass(frozen=True)
class Finding:
    """A difference, and whether it is on its way to be mended."""

    difference: Difference
    mended: bool = False


@dataclass(frozen=True)
class Page:
    """`looked` counts what was looked up in the target. `cursor` is where to go on (None: that was all)."""

    looked: int
    told: tuple[Finding, ...]
    cursor: str | None


@dataclass(frozen=True)
class _Place:
    """In which walk, at which of its pages, and how many of that were done."""

    walk: str = "ledger"
    page: str | None = None
    done: int = 0


class Reconciliation:
    """Changes something only where a page is asked for in somebody's name."""

    def __init__(self, ledger: Ledger, inquiry: Inquiry) -> None:
        self._ledger, self._inquiry = ledger, inquiry

    def page(self, target: Target, cursor: str | None, mender: str | None = None) -> Page:
        """Raises `InvalidInput` INVALID_CURSOR, `TargetRefused`."""
        place = _decoded(cursor) if cursor else _Place()
        if place.walk == "ledger":
            return self._of_ledger(target, place, mender)
        return self._of_things(target, place, mender)

    def _of_ledger(self, target: Target, place: _Place, mender: str | None) -> Page:
        listed = devices(Filter(target=target), TOGETHER, place.page)
        settled = [each for each in listed.devices if each.devstate in SETTLED][place.done :]
        facts = self._inquiry.facts(target, [(each.certid, _name(each)) for each in settled])
        told = [
            each for device, found in zip(settled, facts, strict=False) for each in self._judged(device, found, mender)
        ]
        following = _Place("ledger", listed.cursor) if listed.cursor else _Place("things")
        if len(facts) < len(settled):
            following = _Place("ledger", place.page, place.done + len(facts))
        return Page(len(facts), tuple(told), _encoded(following))

    def _judged(self, seen: Device, facts: Facts, mender: str | None) -> list[Finding]:
        if not comparison.compare(seen, facts):
            return []
        now = self._ledger.get(seen.certid)
        if now is None or now.generation != seen.generation or now.devstate not in SETTLED:
            return []
        found = comparison.compare(now, facts)
        by_retry = mender is not None and any(each.mend is Repair.RETRY for each in found)
        mended = by_retry and self._retried(now, str(mender))
        return [Finding(each, mended and each.mend is Repair.RETRY) for each in found]

    def _retried(self, device: Device, mender: str) -> bool:
        try:
            self._ledger.retry(device.certid, mender, device)
        except (Conflict, NotFound) as changed:
            logger.info("changed meanwhile", extra={"certid": device.certid, "code": changed.code})
            return False
        return True

    def _of_things(self, target: Target, place: _Place, mender: str | None) -> Page:
        things, token = self._inquiry.things(target, place.page)
        named = _certified((thing.name, thing.certid) for thing in things)
        rows = {certid: self._ledger.get(certid) for certid, _ in named}
        strays = [(certid, name) for certid, name in named if comparison.is_stray(rows[certid], target)][place.done :]
        facts = self._inquiry.facts(target, strays)
        told = [
            each
            for (certid, name), found in zip(strays, facts, strict=False)
            for each in self._orphan(target, rows[certid], name, found, mender)
        ]
        following = _Place("things", token) if token else None
        if len(facts) < len(strays):
            following = _Place("things", place.page, place.done + len(facts))
        return Page(len(facts), tuple(told), _encoded(following) if following else None)

    def _orphan(
        self, target: Target, row: Device | None, name: ThingName, facts: Facts, mender: str | None
    ) -> Iterator[Finding]:
        history = self._ledger.history(facts.certid) if row else ()
        found = comparison.orphan(facts, name, history, target)
        if found is None or not comparison.is_stray(self._ledger.get(facts.certid), target):
            return
        mended = bool(mender and row and found.mend is Repair.DEACTIVATE and self._deactivated(row, target, mender))
        yield Finding(found, mended)

    def _deactivated(self, row: Device, target: Target, mender: str) -> bool:
        """The entry comes first, and only while no claim answers for it. A claim that came in between the two is done
        again."""
        try:
            self._ledger.deactivate(row, target, mender)
        except (Conflict, NotFound) as changed:
            logger.info("changed meanwhile", extra={"certid": row.certid, "code": changed.code})
            return False
        self._inquiry.deactivate(target, row.certid)
        after = self._ledger.get(row.certid)
        if after is not None and after.target == target and after.devstate in PLACED_STATES:
            self._retried(after, mender)
        return True


def _name(device: Device) -> ThingName:
    if device.devicename is None:
        raise AssertionError(f"a commissioned device has a name: {device.certid}")
    return device.devicename


def _certified(things: Iterator[tuple[str, str]]) -> list[tuple[Fingerprint, ThingName]]:
    """Those that name a certificate as the lobby does."""
    found: list[tuple[Fingerprint, ThingName]] = []
    for name, certid in things:
        try:
            if parse_fingerprint(certid) == certid:
                found.append((parse_fingerprint(certid), parse_thing_name(name)))
        except InvalidInput:
            continue
    return found


def _encoded(place: _Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(asdict(place), separators=(",", ":")).encode()).decode()


def _decoded(cursor: str) -> _Place:
    try:
        place = _Place(**json.loads(base64.urlsafe_b64decode(cursor.encode())))
        sound = type(place.done) is int and place.done >= 0 and isinstance(place.page, str | None)
        if place.walk in ("ledger", "things") and sound:
            return place
    except (ValueError, TypeError, RecursionError, binascii.Error):
        pass
    raise InvalidInput("INVALID_CURSOR", f"got {shown(cursor)}, want the cursor of an earlier page of this target")


def reported(told: Sequence[Finding]) -> tuple[ReportedDifference, ...]:
    """As the API shows them."""
    return tuple(
        ReportedDifference(
            each.difference.certid,
            each.difference.devicename,
            each.difference.code.value,
            each.difference.message,
            each.difference.mend,
            each.mended,
        )
        for each in told
    )
