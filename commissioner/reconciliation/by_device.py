"""Compares the ledger with one target device by device, a page at a time: for users, who want the present state, and
for targets whose role does not allow lists.

Two walks: first the placed devices of the ledger, each looked up in the target's registry; then the things of the
registry that no claim in the ledger covers. `examination` confirms and repairs the differences.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from commissioner.reconciliation.examination import Examination, Finding
from commissioner.reconciliation.inspector_client import InspectorClient
from lobby import strict_json
from lobby.contracts.targets import ReportedDifference
from lobby.domain.states import PLACED_STATES
from lobby.errors import InvalidInput
from lobby.ledger.lists.listing import Filter, devices
from lobby.names import Fingerprint, Target, ThingName, parse_fingerprint, parse_thing_name, shown

PAGE_SIZE: Final = 20
"""Devices of the ledger per page."""


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
    """Changes nothing unless a page is requested with an actor (`repair_as`)."""

    def __init__(self, inspector: InspectorClient, examination: Examination) -> None:
        self._inspector, self._examination = inspector, examination

    def page(self, target: Target, cursor: str | None, repair_as: str | None = None) -> Page:
        """Return a page. Raise `InvalidInput` INVALID_CURSOR or `TargetRefusal`."""
        position = _decode(cursor) if cursor else _Position()
        if position.walk == "ledger":
            return self._ledger_page(target, position, repair_as)
        return self._things_page(target, position, repair_as)

    def _ledger_page(self, target: Target, position: _Position, repair_as: str | None) -> Page:
        listed = devices(Filter(target=target), PAGE_SIZE, position.page)
        placed = [device for device in listed.devices if device.devstate in PLACED_STATES][position.done :]
        examined = self._examination.placed(target, placed, repair_as)
        following = _Position("ledger", listed.cursor) if listed.cursor else _Position("things")
        if examined.count < len(placed):
            following = _Position("ledger", position.page, position.done + examined.count)
        return Page(examined.count, examined.findings, _encode(following))

    def _things_page(self, target: Target, position: _Position, repair_as: str | None) -> Page:
        things, token = self._inspector.things(target, position.page)
        named = _with_fingerprint((thing.name, thing.certid) for thing in things)
        strays = self._examination.strays(target, named)[position.done :]
        examined = self._examination.unclaimed(target, strays, repair_as)
        following = _Position("things", token) if token else None
        if examined.count < len(strays):
            following = _Position("things", position.page, position.done + examined.count)
        return Page(examined.count, examined.findings, _encode(following) if following else None)


def _with_fingerprint(things: Iterator[tuple[str, str]]) -> list[tuple[Fingerprint, ThingName]]:
    """Return the things whose `certid` attribute is a fingerprint as the lobby writes it, each with this
    fingerprint."""
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
    """Return the findings in the form of the API's response."""
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
