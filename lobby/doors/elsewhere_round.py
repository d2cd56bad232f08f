"""Registers in this Region the certificates that the other Regions of the lobby have issued or accepted, and active
claim certificates. A Region that is added later, or that becomes home, therefore also has them.

Each run works on the part of the ledger that belongs to the time of the day, so it needs no record of its progress, and
also works while no Region is home. A difference counts only if the device's row is the same half a minute later. A
certificate that an administrator has deactivated in AWS IoT stays inactive. A certificate that is active here although
its device was revoked or put in quarantine is deactivated. `python -m lobby.doors.issued_elsewhere` does all parts in
one run.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger

from lobby.aws.pacer import Pacer
from lobby.chunks import chunks
from lobby.domain.device import Device
from lobby.domain.states import ADMITTED_STATES, DEACTIVATED_STATES
from lobby.doors.activation import register_here
from lobby.doors.claim_registrations import ClaimRegistrations
from lobby.doors.corrections import attempted, differs
from lobby.doors.issued_elsewhere import SETTLE_SECONDS, authorities_of, foreign_pems
from lobby.ledger.batch_reader import READ_SIZE
from lobby.ledger.clock import now
from lobby.ledger.enrolments.claim_certificates import ClaimCertificates
from lobby.ledger.items import device_of
from lobby.ledger.models import LedgerRow
from lobby.ledger.reader import LedgerReader
from lobby.names import Fingerprint, ThingName

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

MINUTES: Final = 5
PARTS: Final = 24 * 60 // MINUTES
MOST: Final = 100
"""The most differences of a run. The others follow on the next days."""
_TO_COMPLETE: Final = SETTLE_SECONDS + 35.0
"""The seconds that are left for the differences when the search ends."""
_TO_END: Final = 8.0
logger = Logger(service="registrar")


@dataclass(frozen=True)
class _Expected:
    """A certificate of a device, and whether it must be active (`is_wanted`) or inactive in every Region."""

    device: Device
    name: ThingName
    certid: Fingerprint
    is_wanted: bool


@dataclass(frozen=True)
class _Difference:
    """A certificate whose state here differs from the device's row. `pem`: it is to be registered and activated; None:
    it is to be deactivated."""

    device: Device
    certid: Fingerprint
    name: ThingName
    pem: str | None


class ElsewhereRound:
    """`iot` is the client of this Region; `policy` is the IoT policy of waiting devices. `sleep` waits for seconds."""

    def __init__(
        self,
        iot: "IoTClient",
        policy: str,
        pacer: Pacer,
        clock: Callable[[], datetime] = now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._iot, self._policy, self._pacer, self._clock, self._sleep = iot, policy, pacer, clock, sleep
        self._reader = LedgerReader()

    def run(self, claims: ClaimRegistrations, seconds_left: Callable[[], float]) -> int:
        """Work on the present part. Return how many certificates were changed. A certificate that AWS IoT refuses is
        logged, and tried again the next day."""
        at = self._clock()
        done = self._claim_certificates(claims, part_of(at))
        found = self._differences(at, seconds_left)
        if found:
            self._sleep(SETTLE_SECONDS)
        for each in found:
            if seconds_left() < _TO_END:
                break
            done += attempted(each.certid, partial(self._apply, each))
        return done

    def _claim_certificates(self, claims: ClaimRegistrations, part: int) -> int:
        """Register active claim certificates of this part that this Region does not have."""
        own = [each for each in ClaimCertificates().all() if int(each.certid[:8], 16) % PARTS == part]
        return sum(attempted(each.certid, partial(claims.complete, each)) for each in own)

    def _differences(self, at: datetime, seconds_left: Callable[[], float]) -> list[_Difference]:
        found = list[_Difference]()
        for each, pem in self._foreign(at):
            if len(found) >= MOST or seconds_left() < _TO_COMPLETE:
                logger.warning("not all certificates of other Regions were compared", extra={"part": part_of(at)})
                break
            self._pacer.wait()
            if differs(self._iot, each.certid, is_wanted=each.is_wanted):
                found.append(_Difference(each.device, each.certid, each.name, pem if each.is_wanted else None))
        return found

    def _foreign(self, at: datetime) -> Iterator[tuple[_Expected, str]]:
        """Yield the expected certificates of the present part that no CA registered here has signed, in PEM. AWS IoT is
        asked for its CAs only if there are certificates."""
        authorities: frozenset[bytes] | None = None
        for expected in chunks(_certificates(at), READ_SIZE):
            authorities = frozenset(authorities_of(self._iot)) if authorities is None else authorities
            pems = foreign_pems([each.certid for each in expected], authorities)
            yield from ((each, pems[each.certid]) for each in expected if each.certid in pems)

    def _apply(self, found: _Difference) -> bool:
        """Correct a difference if the row still requires it. Return whether it did."""
        device = self._reader.get(found.device.certid)
        is_wanted = found.pem is not None
        if device is None or _Expected(device, found.name, found.certid, is_wanted) not in _expected(device):
            return False
        self._pacer.wait()
        if found.pem is None:
            self._iot.update_certificate(certificateId=found.certid, newStatus="INACTIVE")
        else:
            register_here(self._iot, found.name, found.certid, found.pem, self._policy)
        logger.info("certificate changed here", extra={"certid": found.certid, "active": found.pem is not None})
        return True


def part_of(at: datetime) -> int:
    """Return the part of the ledger that belongs to a time: a number below `PARTS`."""
    return (60 * at.hour + at.minute) // MINUTES % PARTS


def _certificates(at: datetime) -> Iterator[_Expected]:
    """Yield the expected certificates of the devices of the present part. Each day begins at another device, so that
    all are compared if there is not enough time for a part."""
    rows = list(LedgerRow.scan(segment=part_of(at), total_segments=PARTS))
    start = at.toordinal() * MOST % len(rows) if rows else 0
    for row in rows[start:] + rows[:start]:
        yield from _expected(device_of(row))


def _expected(device: Device) -> list[_Expected]:
    is_wanted = device.devstate in ADMITTED_STATES
    if device.devicename is None or not (is_wanted or device.devstate in DEACTIVATED_STATES):
        return []
    certificates = device.certificates if is_wanted else device.all_certificates
    return [_Expected(device, device.devicename, each, is_wanted) for each in certificates]
