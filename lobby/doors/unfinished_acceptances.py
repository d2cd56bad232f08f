"""Completes acceptances of devices from another lobby that ended before the certificate was usable in AWS IoT, because
the registrar was killed. Without this, the device could not connect until somebody repeats the acceptance.

Once a day it examines the accepted devices that have not connected since, a bounded page at a time. A certificate
without a policy is unfinished, because the policy is attached last. A certificate with a policy is left as it is: an
administrator may have deactivated it. The row is read again before and after the certificate is registered, because the
device may be revoked meanwhile. A row that cannot be read is logged, and does not stop the others.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger

from lobby.aws.pacer import Pacer
from lobby.domain.device import Device
from lobby.domain.states import ADMITTED_STATES
from lobby.domain.transfers.transfer import TransferStep
from lobby.doors.activation import register_here
from lobby.doors.corrections import attempted, differs
from lobby.doors.new_certificates import Note
from lobby.errors import InvalidInput
from lobby.ledger.clock import now, timestamp
from lobby.ledger.reader import LedgerReader
from lobby.ledger.transfers.transfer_lists import KeyPage, transfer_keys
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

EVERY: Final = timedelta(days=1)
UNFINISHED: Final = timedelta(minutes=15)
"""The age from which no request works on an acceptance."""
PAGE: Final = 25
_WALKED, _POSITION = "acceptances", "acceptances_position"
logger = Logger(service="registrar")


def may_be_unfinished(device: Device, at: str) -> bool:
    """Return whether the acceptance of a device may be unfinished: it began before the time `at`, and the device has
    not sent a hello since."""
    accepted = device.transfer
    if accepted is None or accepted.step is not TransferStep.ACCEPTED or device.devstate not in ADMITTED_STATES:
        return False
    return accepted.at < at and (device.lastseen is None or device.lastseen < accepted.at)


class UnfinishedAcceptances:
    """`iot` is the client of this Region; `policy` is the IoT policy of waiting devices."""

    def __init__(
        self,
        iot: "IoTClient",
        reader: LedgerReader,
        policy: str,
        pacer: Pacer,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._iot, self._reader, self._policy, self._pacer, self._clock = iot, reader, policy, pacer, clock

    def complete(self, note: Note, time_is_up: Callable[[], bool] = lambda: False) -> int:
        """Examine the accepted devices, if a walk is due or has begun. `note` has the position, and is updated. Return
        how many acceptances were completed. One that AWS IoT refuses is logged, and tried again the next day."""
        at = self._clock()
        if _POSITION not in note and note.get(_WALKED, "") > timestamp(at - EVERY):
            return 0
        done, before = 0, timestamp(at - UNFINISHED)
        while True:
            page = _page(note.get(_POSITION))
            for certid in page.certids:
                if time_is_up():
                    return done
                done += attempted(certid, partial(self._complete, certid, before))
            if page.cursor is None:
                note.pop(_POSITION, None)
                note[_WALKED] = timestamp(at)
                return done
            note[_POSITION] = page.cursor

    def _complete(self, certid: Fingerprint, before: str) -> bool:
        """Complete an acceptance that began before the time `before`, if it is unfinished. Return whether it was."""
        found = self._unfinished(certid, before)
        if found is None:
            return False
        self._pacer.wait()
        if not differs(self._iot, found.current, is_wanted=True):
            return False
        device = self._unfinished(certid, before)
        pem = self._reader.certificate(device) if device is not None else None
        if device is None or device.devicename is None or device.current != found.current or pem is None:
            return False
        self._pacer.wait()
        register_here(self._iot, device.devicename, device.current, pem, self._policy)
        return self._is_still_admitted(device)

    def _unfinished(self, certid: Fingerprint, before: str) -> Device | None:
        device = self._reader.get(certid)
        return device if device is not None and may_be_unfinished(device, before) else None

    def _is_still_admitted(self, registered: Device) -> bool:
        """Return whether the device is still admitted. Otherwise deactivate its certificate, which was not registered
        yet when the device was revoked."""
        device = self._reader.get(registered.certid)
        if device is not None and device.devstate in ADMITTED_STATES:
            logger.info("acceptance completed", extra={"certid": registered.certid})
            return True
        self._iot.update_certificate(certificateId=registered.current, newStatus="INACTIVE")
        logger.info("deactivated again", extra={"certid": registered.certid})
        return False


def _page(position: str | None) -> KeyPage:
    """Return the page at a position. If the position is of another version, the walk ends, until the next day."""
    try:
        return transfer_keys(TransferStep.ACCEPTED, None, PAGE, position)
    except InvalidInput:
        logger.exception("the walk ends at a position that is not valid", extra={"position": position})
        return KeyPage((), None)
