"""Looks up single devices in a target, compares each with its row, and repairs differences on request.

Every difference is confirmed with the current row, so that a change in progress is not reported. Only repairs from the
table in `comparison` are made, in the name of the requester: by a change in the ledger, or after an entry in the
history.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aws_lambda_powertools import Logger

from commissioner.errors import TargetRefusal
from commissioner.reconciliation import comparison
from commissioner.reconciliation.comparison import Difference, Repair
from commissioner.reconciliation.inspector_client import InspectorClient
from lobby.contracts.inspector import Facts
from lobby.domain.device import Device
from lobby.domain.states import PLACED_STATES, State
from lobby.domain.targets.profile import Profiles
from lobby.errors import Conflict, NotFound
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Target, ThingName

CLAIMED_OR_PLACED_STATES: Final = (State.CLAIMED, *PLACED_STATES)
logger = Logger(service="reconciler")


@dataclass(frozen=True)
class Finding:
    """A difference, and whether its repair was started."""

    difference: Difference
    repaired: bool = False


@dataclass(frozen=True)
class Examined:
    """The first `count` of the devices were looked up."""

    count: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Stray:
    """A thing in a target that names a certificate but is not explained by a claim. `row` is the certificate's row, if
    it has one."""

    certid: Fingerprint
    name: ThingName
    row: Device | None


class Examination:
    """Changes something only with an actor (`repair_as`). Raises `TargetRefusal` if the first device cannot be looked
    up. If time is short, the remaining devices are left out."""

    def __init__(
        self,
        ledger: Ledger,
        inspector: InspectorClient,
        profiles: Profiles,
        lobby: str,
        has_standby: Callable[[Target], bool] = lambda _target: False,
    ) -> None:
        """`lobby` is the lobby's key, which the claims of its things contain. `has_standby`: whether the devices of a
        target may also be registered in another one."""
        self._has_standby = has_standby
        self._ledger, self._inspector, self._profiles = ledger, inspector, profiles
        self.lobby = lobby

    def placed(self, target: Target, devices: Sequence[Device], repair_as: str | None = None) -> Examined:
        """Compare devices that the ledger lists as placed in `target`."""
        facts = self._inspector.facts(target, [(device.certid, _name(device)) for device in devices], _renewed(devices))
        findings = [
            finding
            for device, each in zip(devices, facts, strict=False)
            for finding in self._compare(device, each, repair_as)
        ]
        if self._has_standby(target):
            looked_up = [device.certid for device in devices[: len(facts)]]
            findings += self._in_standbys(self.rows(target, looked_up), repair_as)
        return Examined(len(facts), tuple(findings))

    def _in_standbys(self, devices: Sequence[Device], repair_as: str | None) -> Iterator[Finding]:
        """Also compare the devices that are registered in a standby with that standby. A standby that cannot be read is
        skipped, because its own comparison reports the failure."""
        by_standby: dict[Target, list[Device]] = {}
        for device in devices:
            if device.standby is not None and comparison.is_in_step(device):
                by_standby.setdefault(device.standby.target, []).append(device)
        for standby, prepared in by_standby.items():
            named = [(device.certid, _name(device)) for device in prepared]
            try:
                facts = self._inspector.facts(standby, named, _renewed(prepared))
            except TargetRefusal as refusal:
                logger.warning("standby not compared", extra={"target": str(standby), "code": refusal.code})
                continue
            for device, each in zip(prepared, facts, strict=False):
                yield from self._compare_standby(device, each, repair_as)

    def _compare_standby(self, listed: Device, facts: Facts, repair_as: str | None) -> list[Finding]:
        if not comparison.compare_standby(listed, facts, self._profiles, self.lobby):
            return []
        current = self._ledger.get(listed.certid)
        if current is None or (current.generation, current.standby) != (listed.generation, listed.standby):
            return []
        differences = comparison.compare_standby(current, facts, self._profiles, self.lobby)
        retry = repair_as is not None and any(each.repair is Repair.RETRY for each in differences)
        repaired = retry and self._prepare_again(current, str(repair_as))
        return [Finding(each, repaired and each.repair is Repair.RETRY) for each in differences]

    def _prepare_again(self, device: Device, actor: str) -> bool:
        try:
            self._ledger.prepare_again(device, actor)
        except (Conflict, NotFound) as conflict:
            logger.info("changed concurrently", extra={"certid": device.certid, "code": conflict.code})
            return False
        return True

    def rows(self, target: Target, certids: Sequence[Fingerprint]) -> list[Device]:
        """Return the current rows of the devices that are placed in `target`."""
        rows = [self._ledger.get(certid) for certid in certids]
        return [row for row in rows if row and row.target == target and row.devstate in PLACED_STATES]

    def strays(self, target: Target, named: Sequence[tuple[Fingerprint, ThingName]]) -> list[Stray]:
        """Return the things that no claim and no pending clearing in the ledger explains."""
        rows = {certid: self._ledger.get(certid) for certid, _ in named}
        return [
            Stray(certid, name, rows[certid]) for certid, name in named if comparison.is_stray(rows[certid], target)
        ]

    def unclaimed(
        self,
        target: Target,
        strays: Sequence[Stray],
        repair_as: str | None = None,
    ) -> Examined:
        """Find orphans among things without a claim."""
        rows = [each.row for each in strays if each.row]
        facts = self._inspector.facts(target, [(each.certid, each.name) for each in strays], _renewed(rows))
        findings = [
            finding
            for stray, each in zip(strays, facts, strict=False)
            for finding in self._find_orphan(target, stray.row, stray.name, each, repair_as)
        ]
        return Examined(len(facts), tuple(findings))

    def _compare(self, listed: Device, facts: Facts, repair_as: str | None) -> list[Finding]:
        profile = self._profiles.by_name.get(listed.profile)
        of_enrolments = profile and (profile.enrolment_attributes or profile.enrolment_groups)  # in the row only
        if not of_enrolments and not comparison.compare(listed, facts, self._profiles, self.lobby):
            return []
        current = self._ledger.get(listed.certid)
        if current is None or current.generation != listed.generation or current.devstate not in PLACED_STATES:
            return []
        if current.certificate != listed.certificate and current.target is not None:  # lists lack this attribute
            facts = self._inspector.facts(current.target, [(current.certid, _name(current))], _renewed([current]))[0]
        differences = comparison.compare(current, facts, self._profiles, self.lobby)
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

    def _find_orphan(
        self, target: Target, row: Device | None, name: ThingName, facts: Facts, repair_as: str | None
    ) -> Iterator[Finding]:
        history = self._ledger.history(facts.certid) if row else ()
        difference = comparison.orphan(facts, name, history, target, self.lobby)
        if difference is None or not comparison.is_stray(self._ledger.get(facts.certid), target):
            return
        repairable = repair_as and row and difference.repair is Repair.DEACTIVATE
        yield Finding(difference, bool(repairable and row and self._deactivate(row, target, str(repair_as))))

    def _deactivate(self, row: Device, target: Target, actor: str) -> bool:
        """Write the entry first, on condition that no claim covers the certificate, then deactivate it. If a claim is
        made between the two steps, retry the claim."""
        try:
            self._ledger.deactivate(row, target, actor)
        except (Conflict, NotFound) as conflict:
            logger.info("changed concurrently", extra={"certid": row.certid, "code": conflict.code})
            return False
        self._inspector.deactivate(target, row.current)
        after = self._ledger.get(row.certid)
        if after is not None and after.target == target and after.devstate in CLAIMED_OR_PLACED_STATES:
            self._retry(after, actor)
        return True


def _name(device: Device) -> ThingName:
    if device.devicename is None:
        raise AssertionError(f"a commissioned device has a name: {device.certid}")
    return device.devicename


def _renewed(devices: Iterable[Device]) -> dict[Fingerprint, Fingerprint]:
    return {device.certid: device.certificate for device in devices if device.certificate is not None}
