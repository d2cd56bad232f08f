"""Accepts devices of another lobby: the row first, then the certificate in AWS IoT, with thing and policy.

The certificate is registered without its CA, which this lobby need not know, so neither its chain nor its CA's
revocation list is checked. All other checks of a door apply. Who owns the device is not proven either; only a device
that has the key can connect. Rejects certificates that the account has for another purpose. In a lobby with several
Regions the certificate is registered in each, so that the device can use every Region. Each step can be repeated, and
`unfinished_acceptances` completes the steps of a killed run. A device that is refused, or for which AWS IoT fails, does
not stop the others.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lobby.aws.region_clients import ONE_REGION, RegionClients
from lobby.contracts.transfers import AcceptDevices, AcceptedDevice, DeviceToAccept
from lobby.domain.device import Device
from lobby.domain.identity import Identity, fingerprint, last_day, load_certificate, thing_name
from lobby.domain.transfers.transfer import Transfer, TransferStep
from lobby.domain.trust import device_certificate as checks
from lobby.domain.trust.reading import Unreadable, read
from lobby.doors.activation import register_here
from lobby.errors import Conflict, IdentityRefused, LobbyError
from lobby.ledger.clock import now, timestamp
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

logger = Logger(service="registrar")


class Acceptance:
    """`policy` is the IoT policy of devices that wait in the lobby. `iot` is the client of this Region, and `regions`
    has the clients of the others."""

    def __init__(
        self,
        iot: "IoTClient",
        ledger: Ledger,
        policy: str,
        clock: Callable[[], datetime] = now,
        regions: RegionClients = ONE_REGION,
    ) -> None:
        self._iot, self._ledger, self._policy, self._clock, self._regions = iot, ledger, policy, clock, regions

    def accept(self, request: AcceptDevices) -> tuple[AcceptedDevice, ...]:
        """Return a result for each device, in order."""
        return tuple(self._result(request, each) for each in request.devices)

    def _result(self, request: AcceptDevices, device: DeviceToAccept) -> AcceptedDevice:
        try:
            identity = self._accept(request, device)
        except LobbyError as error:
            return AcceptedDevice(device.certid, None, error.code, error.message)
        except (BotoCoreError, ClientError) as error:
            logger.warning("not accepted yet", extra={"certid": device.certid, "why": str(error)[:200]})
            message = "got no success of AWS IoT in every Region of the lobby, want it; accept the offer again"
            return AcceptedDevice(device.certid, None, "NOT_TRIED", message)
        return AcceptedDevice(device.certid, identity.certid)

    def _accept(self, request: AcceptDevices, device: DeviceToAccept) -> Identity:
        at = self._clock()
        identity = read_identity(device, at)
        accepted = Transfer(
            TransferStep.ACCEPTED, request.offer, request.origin, timestamp(at), request.actor, request.expires
        )
        row = self._ledger.find(identity.certid)
        self._regions.everywhere(self._iot, lambda iot: _require_free(iot, identity.certid, row))
        admitted = self._ledger.accept(row, identity, accepted, request.issued)
        if identity.certid in admitted.certificates:  # not if the device has replaced it since
            self._regions.everywhere(self._iot, lambda iot: self._activate(iot, identity))
        return identity

    def _activate(self, iot: "IoTClient", identity: Identity) -> None:
        register_here(iot, identity.name, identity.certid, identity.pem, self._policy)


def _require_free(iot: "IoTClient", certid: Fingerprint, row: Device | None) -> None:
    """Raise `Conflict` CERTIFICATE_IN_USE for a certificate that AWS IoT has although the ledger has no row for it,
    such as a claim certificate, unless its registration is pending; and for a certificate that an administrator has
    revoked in AWS IoT."""
    try:
        status = iot.describe_certificate(certificateId=certid)["certificateDescription"]["status"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return
    if status == "REVOKED" or (row is None and status != "PENDING_ACTIVATION"):
        message = f"got certificate {certid}, which AWS IoT has already ({status}), want one that is new to it"
        raise Conflict("CERTIFICATE_IN_USE", message)


def read_identity(device: DeviceToAccept, at: datetime) -> Identity:
    """Return the identity in an offered certificate. Raise `IdentityRefused`, or `Conflict` NAME_DIFFERS if the offer
    states another name."""
    try:
        identity = read(lambda: _identity(device.pem, at))
    except Unreadable as error:
        raise IdentityRefused("BAD_CERTIFICATE", f"got a certificate that cannot be checked ({error})") from None
    if identity.name != device.name:
        raise Conflict("NAME_DIFFERS", f"got name {device.name} for a certificate of {identity.name}")
    return identity


def _identity(pem: str, at: datetime) -> Identity:
    certificate = load_certificate(pem)
    checks.check_form(certificate)
    checks.check_validity(certificate, at)
    checks.check_strength(certificate)
    checks.check_purpose(certificate)
    return Identity(fingerprint(certificate), thing_name(certificate), pem, last_day(certificate))
