"""Compares the ledger with one target, a page at a time, and reports or repairs the differences.

Two walks: first the placed devices of the ledger, each looked up in the target's registry; then the things of the
registry that no claim in the ledger covers. A difference is confirmed with the current row, so that a change in
progress is not reported. Only repairs from the table in `comparison` are made, with the requester as actor: through
the ledger, or after an entry in it.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from aws_lambda_powertools import Logger

from commissioner import comparison
from commissioner.comparison import PLACED_STATES, Difference, Repair
from commissioner.inspector_client import InspectorClient
from lobby import strict_json
from lobby.contracts import Facts, ReportedDifference
from lobby.domain.device import Device
from lobby.domain.profile import Profiles
from lobby.domain.states import State
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.listing import Filter, devices
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Target, ThingName, parse_fingerprint, parse_thing_name, shown

PAGE_SIZE: Final = 20
"""Devices of the ledger to a page."""
CLAIMED_OR_PLACED_STATES: Final = (State.CLAIMED, *PLACED_STATES)
logger = Logger(service="reconciler")


@dataclass(frozen=True)
class Finding:
    """A difference, and whether its repair was started."""

    difference: Difference
    repaired: bool = False


@dataclass(frozen=True)
class Page:
    """`compared` counts the devices looked up in the target. `cursor` starts the next page (None: this is the last)."""

    compared: int
    findings: tuple[Finding, ...]
    cursor: str | None


@dataclass(frozen=True)
class _Position:
    """The walk, its page, and how many devices of that page are done."""

    walk: str = "ledger"
    page: str | None = None
    done: int = 0


class Reconciliation:
    """Changes something only if a page is requested with an actor (`repair_as`)."""

    def __init__(self, ledger: Ledger, inspector: InspectorClient, profiles: Profiles) -> None:
        self._ledger, self._inspector, self._profiles = ledger, inspector, profiles

    def page(self, target: Target, cursor: str | None, repair_as: str | None = None) -> Page:
        """Return a page. Raise `InvalidInput` INVALID_CURSOR or `TargetRefusal`."""
        position = _decode(cursor) if cursor else _Position()
        if position.walk == "ledger":
            return self._ledger_page(target, position, repair_as)
        return self._things_page(target, position, repair_as)

    def _ledger_page(self, target: Target, position: _Position, repair_as: str | None) -> Page:
        listed = devices(Filter(target=target), PAGE_SIZE, position.page)
        placed = [device for device in listed.devices if device.devstate in PLACED_STATES][position.done :]
        facts = self._inspector.facts(target, [(device.certid, _name(device)) for device in placed])
        findings = [
            finding
            for device, each in zip(placed, facts, strict=False)
            for finding in self._compare(device, each, repair_as)
        ]
        following = _Position("ledger", listed.cursor) if listed.cursor else _Position("things")
        if len(facts) < len(placed):
            following = _Position("ledger", position.page, position.done + len(facts))
        return Page(len(facts), tuple(findings), _encode(following))

    def _compare(self, listed: Device, facts: Facts, repair_as: str | None) -> list[Finding]:
        if not comparison.compare(listed, facts, self._profiles):
            return []
        current = self._ledger.get(listed.certid)
        if current is None or current.generation != listed.generation or current.devstate not in PLACED_STATES:
            return []
        differences = comparison.compare(current, facts, self._profiles)
        retry = repair_as is not None and any(each.repair is Repair.RETRY for each in differences)
        retried = retry and self._retry(current, str(repair_as))
        return [Finding(each, retried and each.repair is Repair.RETRY) for each in differences]

    def _retry(self, device: Device, actor: str) -> bool:
        try:
            self._ledger.retry(device.certid, actor, device)
        except (Conflict, NotFound) as conflict:
            logger.info("changed concurrently", extra={"certid": device.certid, "code": conflict.code})
            return False
        return True

    def _things_page(self, target: Target, position: _Position, repair_as: str | None) -> Page:
        things, token = self._inspector.things(target, position.page)
        named = _with_fingerprint((thing.name, thing.certid) for thing in things)
        rows = {certid: self._ledger.get(certid) for certid, _ in named}
        strays = [each for each in named if comparison.is_stray(rows[each[0]], target)][position.done :]
        facts = self._inspector.facts(target, strays)
        findings = [
            finding
            for (certid, name), each in zip(strays, facts, strict=False)
            for finding in self._find_orphan(target, rows[certid], name, each, repair_as)
        ]
        following = _Position("things", token) if token else None
        if len(facts) < len(strays):
            following = _Position("things", position.page, position.done + len(facts))
        return Page(len(facts), tuple(findings), _encode(following) if following else None)

    def _find_orphan(
        self, target: Target, row: Device | None, name: ThingName, facts: Facts, repair_as: str | None
    ) -> Iterator[Finding]:
        history = self._ledger.history(facts.certid) if row else ()
        difference = comparison.orphan(facts, name, history, target)
        if difference is None or not comparison.is_stray(self._ledger.get(facts.certid), target):
            return
        repairable = repair_as and row and difference.repair is Repair.DEACTIVATE
        yield Finding(difference, bool(repairable and row and self._deactivate(row, target, str(repair_as))))

    def _deactivate(self, row: Device, target: Target, actor: str) -> bool:
        """Write the entry first, on condition that no claim covers the certificate, then deactivate it. If a claim is
        made between the two, retry it."""
        try:
            self._ledger.deactivate(row, target, actor)
        except (Conflict, NotFound) as conflict:
            logger.info("changed concurrently", extra={"certid": row.certid, "code": conflict.code})
            return False
        self._inspector.deactivate(target, row.certid)
        after = self._ledger.get(row.certid)
        if after is not None and after.target == target and after.devstate in CLAIMED_OR_PLACED_STATES:
            self._retry(after, actor)
        return True


def _name(device: Device) -> ThingName:
    if device.devicename is None:
        raise AssertionError(f"a commissioned device has a name: {device.certid}")
    return device.devicename


def _with_fingerprint(things: Iterator[tuple[str, str]]) -> list[tuple[Fingerprint, ThingName]]:
    """Return the things whose `certid` attribute has the form that the lobby writes, each with the fingerprint."""
    named: list[tuple[Fingerprint, ThingName]] = []
    for name, certid in things:
        try:
            if parse_fingerprint(certid) == certid:
                named.append((parse_fingerprint(certid), parse_thing_name(name)))
        except InvalidInput:
            continue
    return named


def _encode(position: _Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(asdict(position), separators=(",", ":")).encode()).decode()


def _decode(cursor: str) -> _Position:
    try:
        position = _Position(**strict_json.loads(base64.urlsafe_b64decode(cursor.encode())))
        valid = type(position.done) is int and position.done >= 0 and isinstance(position.page, str | None)
        if position.walk in ("ledger", "things") and valid:
            return position
    except (ValueError, TypeError, RecursionError, binascii.Error):
        pass
    raise InvalidInput("INVALID_CURSOR", f"got {shown(cursor)}, want the cursor of an earlier page of this target")


def reported(findings: Sequence[Finding]) -> tuple[ReportedDifference, ...]:
    """Return the findings as the response to the API contains them."""
    return tuple(
        ReportedDifference(
            each.difference.certid,
            each.difference.devicename,
            each.difference.code.value,
            each.difference.message,
            each.difference.repair,
            each.repaired,
        )
        for each in findings
    )
