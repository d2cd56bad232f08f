"""The daily round of renewals: finds devices whose certificate is due, and requests renewals from them. Part of the
reconciler.

Once a day it examines all devices, in parts. A device that is due is marked, and the commissioner sends it a
renewal request in the lane of its target. At the door `claim`, AWS IoT issues the first certificate, so a device whose
enrolment has a signer is due immediately. Each daily round repeats the request until the device has renewed. The round
counts due and overdue devices for the overview. It reports device certificates, CAs (including those of enrolments'
signers) and revocation lists that expire soon.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import Logger

from lobby.domain.device import Device
from lobby.domain.enrolments.enrolment import Door, Enrolment, EnrolmentState
from lobby.domain.expiry import CERTIFICATE_NOTICE, Expiring, expiring_signers
from lobby.domain.renewals.renewal import RenewalPolicy, deadline, expiry_of, is_overdue
from lobby.domain.states import DEACTIVATED_STATES, PLACED_STATES, State
from lobby.domain.targets.profile import Profiles
from lobby.errors import Conflict, NotFound
from lobby.ledger.clock import now, timestamp
from lobby.ledger.lists.walk import walk
from lobby.ledger.renewals.renewal_summary import RenewalSummary, save_summary
from lobby.ledger.store import Ledger
from lobby.names import EnrolmentName

ACTOR: Final = "service:reconciler"
INTERVAL: Final = timedelta(hours=23, minutes=30)
"""The time between the starts of two rounds, as for comparisons."""
_GONE: Final = (State.REFUSED, State.TRANSFERRED, *DEACTIVATED_STATES)
logger = Logger(service="reconciler")
Note = dict[str, Any]


@dataclass
class RenewalCounts:
    """The counts of a round so far. `unable`: the device is due, and its client cannot renew. `expiring`: the
    certificate expires within `CERTIFICATE_NOTICE`, or has expired."""

    due: int = 0
    overdue: int = 0
    unable: int = 0
    expiring: int = 0

    def numbers(self) -> dict[str, int]:
        """Return the counts by metric name."""
        renewals = {f"Renewals{name.capitalize()}": getattr(self, name) for name in ("due", "overdue", "unable")}
        return {**renewals, "CertificatesExpiring": self.expiring}


class RenewalRound:
    """`expiring_authorities` reads the CAs and lists; `enrolments` reads all enrolments."""

    def __init__(
        self,
        ledger: Ledger,
        profiles: Profiles,
        enrolments: Callable[[], list[Enrolment]],
        expiring_authorities: Callable[[datetime], list[Expiring]],
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._ledger, self._profiles, self._enrolments = ledger, profiles, enrolments
        self._expiring_authorities, self._clock = expiring_authorities, clock

    def resume(self, note: Note, time_is_up: Callable[[], bool]) -> dict[str, int]:
        """Continue the round, or start one if it is due. Return metrics: how many devices were asked, and the counts of
        a round that has just been completed. `note` is updated."""
        if "counts" not in note and not self._is_due(note):
            return {"RenewalsAsked": 0}
        if "counts" not in note:
            note.update(began=timestamp(self._clock()), key=None, counts=asdict(RenewalCounts()))
        counts, asked = RenewalCounts(**note["counts"]), 0
        enrolments = {each.name: each for each in self._enrolments()}
        while not time_is_up():
            page = walk(note["key"])
            asked += sum(self._check(device, enrolments, counts) for device in page.devices)
            note.update(key=page.next_key, counts=asdict(counts))
            if page.next_key is None:
                return {"RenewalsAsked": asked, **self._complete(note, counts)}
        return {"RenewalsAsked": asked}

    def _is_due(self, note: Note) -> bool:
        return "began" not in note or note["began"] <= timestamp(self._clock() - INTERVAL)

    def _complete(self, note: Note, counts: RenewalCounts) -> dict[str, int]:
        del note["counts"]
        at = self._clock()
        signers = [
            each.signer for each in self._enrolments() if each.signer and each.state is not EnrolmentState.REVOKED
        ]
        authorities = self._expiring_authorities(at) + expiring_signers(signers, at)
        for each in authorities:
            logger.warning("expires", extra={"authority": asdict(each)})
        save_summary(RenewalSummary(timestamp(self._clock()), **asdict(counts), authorities=tuple(authorities)))
        return {**counts.numbers(), "AuthoritiesExpiring": len(authorities)}

    def _check(self, device: Device, enrolments: Mapping[EnrolmentName, Enrolment], counts: RenewalCounts) -> bool:
        """Count the device, and have it asked if it is due. Return whether it will be asked."""
        at = self._clock()
        expires = expiry_of(device)
        counts.expiring += device.devstate not in _GONE and expires is not None and expires - CERTIFICATE_NOTICE <= at
        enrolment = enrolments.get(device.enrolment) if device.enrolment else None
        by = deadline(device, self._policy(device, enrolment), at, replaces_first=_replaces_first(enrolment))
        if device.devstate not in PLACED_STATES or (by is None and device.renew_by is None):
            counts.due += device.renew_by is not None
            return False
        counts.due += 1
        counts.overdue += is_overdue(device, timestamp(at))
        counts.unable += not device.can_renew
        return self._ask(device, device.renew_by or timestamp(by or at))

    def _policy(self, device: Device, enrolment: Enrolment | None) -> RenewalPolicy | None:
        profile = self._profiles.by_name.get(device.profile)
        return (enrolment.renewal if enrolment else None) or (profile.renewal if profile else None)

    def _ask(self, device: Device, by: str) -> bool:
        try:
            return self._ledger.due(device, by, ACTOR).needs_commissioner
        except (Conflict, NotFound) as conflict:
            logger.info("changed concurrently", extra={"certid": device.certid, "code": conflict.code})
            return False


def _replaces_first(enrolment: Enrolment | None) -> bool:
    """Return whether the signer of an enrolment must replace its devices' first certificates. At the door
    `registration`, the owner has produced the certificates; at the door `token`, the signer has issued them."""
    return enrolment is not None and enrolment.door is Door.CLAIM and enrolment.signer is not None
