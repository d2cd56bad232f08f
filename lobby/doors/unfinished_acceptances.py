"""Completes acceptances of devices from another lobby that ended before the certificate was usable in AWS IoT, because
the registrar was killed. Without this, the device could not connect until somebody repeats the acceptance.

Once a day it examines the accepted devices that have not connected since, a bounded page at a time. A certificate
without a policy is unfinished, because the policy is attached last. A certificate with a policy is left as it is: an
administrator may have deactivated it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lobby.domain.device import Device
from lobby.domain.states import ADMITTED_STATES
from lobby.domain.transfers.transfer import TransferStep
from lobby.doors.activation import has_policy, register_here
from lobby.doors.new_certificates import Note
from lobby.errors import InvalidInput
from lobby.ledger.clock import now, timestamp
from lobby.ledger.reader import LedgerReader
from lobby.ledger.transfers.transfer_lists import transfers
from lobby.names import ThingName

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

EVERY: Final = timedelta(days=1)
UNFINISHED: Final = timedelta(minutes=15)
"""The age from which no request works on an acceptance."""
PAGE: Final = 100
_WALKED, _POSITION = "acceptances", "acceptances_position"
_NOT_FOUND: Final = "ResourceNotFoundException"
_USABLE: Final = ("ACTIVE", "INACTIVE")
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
        self, iot: "IoTClient", reader: LedgerReader, policy: str, clock: Callable[[], datetime] = now
    ) -> None:
        self._iot, self._reader, self._policy, self._clock = iot, reader, policy, clock

    def complete(self, note: Note, time_is_up: Callable[[], bool] = lambda: False) -> int:
        """Examine the accepted devices, if a walk is due or has begun. `note` has the position, and is updated. Return
        how many acceptances were completed. One that AWS IoT refuses is logged, and tried again the next day."""
        at = self._clock()
        if _POSITION not in note and note.get(_WALKED, "") > timestamp(at - EVERY):
            return 0
        done, before = 0, timestamp(at - UNFINISHED)
        while not time_is_up():
            try:
                page = transfers(TransferStep.ACCEPTED, None, PAGE, note.get(_POSITION))
            except InvalidInput:  # a cursor of another version
                del note[_POSITION]
                return done
            done += sum(self._attempted(each) for each in page.devices if may_be_unfinished(each, before))
            if page.cursor is None:
                note.pop(_POSITION, None)
                note[_WALKED] = timestamp(at)
                return done
            note[_POSITION] = page.cursor
        return done

    def _attempted(self, device: Device) -> bool:
        try:
            return device.devicename is not None and self._complete(device, device.devicename)
        except (BotoCoreError, ClientError) as error:
            logger.warning("not completed", extra={"certid": device.certid, "why": str(error)[:300]})
            return False

    def _complete(self, device: Device, name: ThingName) -> bool:
        pem = self._reader.certificate(device) if self._is_unfinished(device) else None
        if pem is None:
            return False
        register_here(self._iot, name, device.current, pem, self._policy)
        logger.info("acceptance completed", extra={"certid": device.certid})
        return True

    def _is_unfinished(self, device: Device) -> bool:
        try:
            found = self._iot.describe_certificate(certificateId=device.current)["certificateDescription"]
        except ClientError as error:
            if error.response["Error"]["Code"] != _NOT_FOUND:
                raise
            return True
        return found["status"] in _USABLE and not has_policy(self._iot, found["certificateArn"])
