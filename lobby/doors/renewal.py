"""Lambda: the renewer, the handler for certificate requests of devices that renew (`wire.RENEWAL_SQL`).

The request is authenticated by the device's certificate in use, and only a device that was asked gets a new one. The
row names the new certificate before it is activated. AWS IoT's CA or the CA of the device's enrolment signs it; if the
enrolment's CA cannot sign, the enrolment counts a refusal. Every step can be repeated: a device that gets no answer
sends the same request again and gets the same certificate. A request is logged and changes nothing if it has another
name, a key that the device had before, or comes from a certificate that is not in use.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError
from cryptography import x509
from pynamodb.exceptions import DoesNotExist

from lobby.aws.clients import LobbyClients, at_init
from lobby.aws.device_messages import send
from lobby.aws.kms_signer import KmsKeys
from lobby.domain.device import Device
from lobby.domain.identity import fingerprint, last_day, load_certificate
from lobby.domain.signer import SIGNER_UNAVAILABLE
from lobby.domain.states import CLAIM_HELD_STATES
from lobby.domain.trust.signing_request import parse_signing_request, public_key_of
from lobby.doors.activation import activate
from lobby.doors.issuing import CertificateIssuer
from lobby.errors import Conflict, IdentityRefused, InvalidInput
from lobby.home_guard import everywhere
from lobby.ledger.certificates import pem_of
from lobby.ledger.connection import connect
from lobby.ledger.enrolments.enrolled_admission import count_refusal
from lobby.ledger.enrolments.enrolment_register import find_enrolment
from lobby.ledger.enrolments.enrolment_rows import EnrolmentRow
from lobby.ledger.models import CertificateRow
from lobby.ledger.regions.routing import Access
from lobby.ledger.renewals.requested_keys import RequestedKeyRow, record_requested_key
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName, parse_fingerprint, shown
from lobby.settings import RenewerSettings, read_settings
from lobby.wire import NewCertificate

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient

ACTOR: Final = "service:renewer"
logger = Logger(service="renewer")


class Renewer:
    """`account` and `region` are the lobby's; `policy` is the IoT policy of devices there."""

    def __init__(
        self,
        iot: "IoTClient",
        iot_data: "IoTDataPlaneClient",
        ledger: Ledger,
        issuer: CertificateIssuer,
        policy: str,
        arn_prefix: str,
    ) -> None:
        self._iot, self._iot_data, self._ledger, self._issuer = iot, iot_data, ledger, issuer
        self._policy, self._arn_prefix = policy, arn_prefix

    def renew(self, certid: Fingerprint, clientid: object, csr: object) -> str:
        """Answer a request. Return `renewed`, `sent again`, or why there is no answer: `unknown`, `mistaken` (the
        client id is not the device's name), `replaced` (not the certificate in use), or a code."""
        device = self._ledger.find(certid)
        if device is None or device.devicename is None:
            return "unknown"
        if device.devicename != clientid or certid != device.current:
            return "mistaken" if device.devicename != clientid else "replaced"
        if device.renew_by is None or device.devstate not in CLAIM_HELD_STATES:
            return "NOT_DUE"
        try:
            request = parse_signing_request(csr, device.devicename)
            return self._issue(device, request, str(csr))
        except (InvalidInput, Conflict) as error:
            logger.warning(
                "certificate not issued", extra={"certid": device.certid, "code": error.code, "why": error.message}
            )
            if error.code == SIGNER_UNAVAILABLE and device.enrolment is not None:
                count_refusal(device.enrolment, error.code)
            return error.code

    def _issue(self, device: Device, request: x509.CertificateSigningRequest, csr: str) -> str:
        key = public_key_of(request)
        if device.pending is not None and (known := _pem(device.pending)) and _key(known) == key:
            self._hand_over(device, device.pending, known)
            return "sent again"
        if any(_key(pem) == key for pem in self._earlier(device)):
            raise InvalidInput("CSR_KEY_REUSED", "got a key that the device had before, want a new one")
        record_requested_key(key, device.certid)
        enrolment = find_enrolment(device.enrolment) if device.enrolment else None
        name = _name_of(device)
        pem = self._issuer.issue(request, csr, name, enrolment.signer if enrolment else None).pem
        certificate = load_certificate(pem)
        new = fingerprint(certificate)
        renewed = self._ledger.renew(device, new, pem, last_day(certificate), ACTOR)
        self._hand_over(renewed, new, pem)
        return "renewed"

    def _hand_over(self, device: Device, new: Fingerprint, pem: str) -> None:
        """Activate the new certificate in the lobby, then send it. The row already names it. If the door of another
        Region has issued the certificate, it is registered in this Region first."""
        name, arn = _name_of(device), f"{self._arn_prefix}:cert/{new}"
        try:
            activate(self._iot, name, arn, self._policy)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            self._iot.register_certificate_without_ca(certificatePem=pem, status="INACTIVE")
            activate(self._iot, name, arn, self._policy)
        send(self._iot_data, name, NewCertificate(pem, device.generation))

    @staticmethod
    def _earlier(device: Device) -> Iterator[str]:
        """Yield the certificates that the device has or had, the one in use first."""
        each: str | None = device.current
        while each is not None:
            try:
                row = CertificateRow.get(each, consistent_read=True)
            except DoesNotExist:
                return
            yield pem_of(row.pem)
            each = row.renews


def _name_of(device: Device) -> ThingName:
    if device.devicename is None:
        raise AssertionError(f"a device that renews has a name: {device.certid}")
    return device.devicename


def _pem(certificate: Fingerprint) -> str:
    return pem_of(CertificateRow.get(certificate, consistent_read=True).pem)


def _key(pem: str) -> bytes | None:
    try:
        return public_key_of(load_certificate(pem))
    except IdentityRefused:
        return None


@at_init
def _renewer() -> Renewer:
    settings, clients = read_settings(RenewerSettings, os.environ), LobbyClients()
    connect(RequestedKeyRow, EnrolmentRow)
    ledger, issuer = Ledger(settings.region), CertificateIssuer(clients.iot, KmsKeys(clients.kms_of))
    return Renewer(clients.iot, clients.iot_data, ledger, issuer, settings.lobby_policy, settings.iot_arn)


@everywhere(Access.DOOR)
def handler(event: dict[str, Any], _context: object, renewer: Renewer | None = None) -> dict[str, str]:
    """Handle an event of the topic rule `lobby_renewal`. An AWS failure is raised: the event is retried."""
    try:
        certid = parse_fingerprint(event.get("certid"))
    except InvalidInput as error:
        logger.warning("request without a certificate", extra={"rule": error.message})
        return {"outcome": "unknown"}
    outcome = (renewer or _renewer()).renew(certid, event.get("devicename"), event.get("csr"))
    logger.info("renewal", extra={"certid": certid, "clientid": shown(event.get("devicename")), "outcome": outcome})
    return {"outcome": outcome}
