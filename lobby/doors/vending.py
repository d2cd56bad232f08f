"""The vending door: issues certificates to devices that show an enrolment token.

All reasons for a refusal are checked before a certificate is issued, by AWS IoT or by the enrolment's own CA
(`issuing`). The certificate is INACTIVE at first. One transaction writes the row, the count of the enrolment and the
use of the token; then the certificate is activated. After a crash at any point, the device repeats its request: with
the same key it gets the same certificate, with another key a new one. A certificate that is not admitted is deleted.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lobby.domain.device import Device
from lobby.domain.doors.vending import Holder, Repeated, carried_claim, decide
from lobby.domain.doors.vending_request import VendingRequest
from lobby.domain.doors.vending_settings import VendingSettings
from lobby.domain.enrolments.enrolment import Applicant, Enrolment, refusal_of
from lobby.domain.enrolments.enrolment_admission import Plan, is_counted
from lobby.domain.enrolments.enrolment_token import UNKNOWN, EnrolmentToken, TokenRefused, TokenUse, refusal_of_validity
from lobby.domain.identity import Identity, fingerprint, load_certificate
from lobby.domain.signer import Signer
from lobby.domain.states import Event
from lobby.domain.trust.signing_request import public_key_of
from lobby.doors.activation import activate
from lobby.doors.admission import EnrolmentRefused, require_match
from lobby.doors.allocating import Allocator
from lobby.doors.issuing import CertificateIssuer
from lobby.errors import Conflict, InvalidInput, LobbyError
from lobby.ledger.clock import now, timestamp
from lobby.ledger.enrolments.enrolled_admission import EnrolmentChanged
from lobby.ledger.enrolments.enrolment_register import find_enrolment
from lobby.ledger.enrolments.enrolment_tokens import find_token
from lobby.ledger.enrolments.serial_lists import enrolment_listing
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName, TokenId

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

_ATTEMPTS: Final = 4
_AGAIN: Final = ("CHANGED_MEANWHILE", "NAME_TAKEN")
"""Conflicts with a concurrent request: the decision is made again."""
_NO_CERTIFICATE: Final = Fingerprint("0" * 64)
"""The placeholder for a certificate that is not issued yet, when an enrolment is compared with a device."""
_CONNECTED: Final = (Event.HELLO, Event.ARRIVE)
logger = Logger(service="vending")


@dataclass(frozen=True)
class KeyPair:
    """A key that AWS IoT has made, in PEM. It is sent to the device and stored nowhere."""

    public: str
    private: str = field(repr=False)


@dataclass(frozen=True)
class Vended:
    """A device's certificate, and its key unless the device has made it."""

    name: ThingName
    certid: Fingerprint
    pem: str
    keys: KeyPair | None = None


@dataclass(frozen=True)
class _Issued:
    identity: Identity
    arn: str
    vended: Vended


@dataclass(frozen=True)
class _Known:
    """The device that has the requested name, with its certificate. `arn` is empty if the certificate has another
    key."""

    holder: Holder
    pem: str
    arn: str


class Vending:
    """The door. `settings` returns those of Parameter Store, or raises `InvalidInput`."""

    def __init__(
        self,
        iot: "IoTClient",
        ledger: Ledger,
        allocator: Allocator,
        settings: Callable[[], VendingSettings],
        issuer: CertificateIssuer,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._iot, self._ledger, self._allocator, self._issuer = iot, ledger, allocator, issuer
        self._settings, self._clock = settings, clock

    def vend(self, token_id: TokenId, request: VendingRequest, actor: str) -> Vended:
        """Return the certificate for a request by the bearer of a token. Raise `TokenRefused`, `EnrolmentRefused`,
        `Conflict` NAME_TAKEN or CHANGED_MEANWHILE, or `InvalidInput`."""
        settings, issuing = self._settings(), _Issuing(self._iot, self._issuer, request)
        try:
            for _ in range(_ATTEMPTS):
                token, known = self._token(token_id), self._known(request)
                decision = decide(token, request.name, known.holder if known else None, self._at())
                if isinstance(decision, Repeated) and known:
                    issuing.discard()
                    if decision.activate:
                        self._activate(settings, decision.device.model, request, known.arn, token)
                    return Vended(request.name, decision.device.certid, known.pem)
                if isinstance(decision, TokenUse) and (admitted := self._admit(decision, issuing, actor)):
                    self._activate(settings, admitted.model, request, issuing.issued().arn, token)
                    return issuing.issued().vended
        except LobbyError:  # nothing was admitted; after another error, the row may exist
            issuing.discard()
            raise
        issuing.discard()
        raise Conflict("CHANGED_MEANWHILE", f"got the thing name {request.name}, which another request uses; try again")

    def _token(self, token_id: TokenId) -> EnrolmentToken:
        token = find_token(token_id)
        if token is None:
            raise TokenRefused(UNKNOWN, f"got token {token_id}, which was deleted; create another one")
        if refusal := refusal_of_validity(token, self._at()):
            raise TokenRefused(refusal.code, refusal.message)
        return token

    def _known(self, request: VendingRequest) -> "_Known | None":
        """Return the device that has the name, if there is one. A certificate that AWS IoT no longer has, for example
        because the lobby was removed and deployed again, does not count as issued for this key."""
        certid = self._ledger.name_holder(request.name)
        device = self._ledger.get_with_certificate(certid) if certid else None
        if device is None:
            return None
        pem, arn = device.devicecert or "", None
        if request.csr is not None and pem:
            same = public_key_of(request.csr) == public_key_of(load_certificate(pem))
            arn = self._arn(device.certid) if same else None
        has_connected = any(entry.event in _CONNECTED for entry in self._ledger.history(device.certid))
        return _Known(Holder(device, arn is not None, has_connected), pem, arn or "")

    def _arn(self, certid: Fingerprint) -> str | None:
        try:
            return self._iot.describe_certificate(certificateId=certid)["certificateDescription"]["certificateArn"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise

    def _admit(self, use: TokenUse, issuing: "_Issuing", actor: str) -> Device | None:
        """Admit the device, for which a certificate is issued now. Return None if the data it depends on has
        changed."""
        enrolment, applicant = self._admitting(use, issuing.request.name)
        identity = issuing.issue(enrolment.signer).identity
        claim = carried_claim(use.replaces)
        if claim is not None:
            plan = Plan(enrolment, claim, use=use)
        else:
            plan = replace(self._allocator.plan(enrolment, replace(applicant, certid=identity.certid)), use=use)
        try:
            return self._ledger.admit_by(plan, identity, actor)
        except EnrolmentChanged:
            return None
        except Conflict as conflict:
            if conflict.code in _AGAIN:
                return None
            raise

    def _admitting(self, use: TokenUse, name: ThingName) -> tuple[Enrolment, Applicant]:
        """Return the enrolment, if it admits the device now, and the device as an applicant. Raise `EnrolmentRefused`
        or `TokenRefused`."""
        enrolment = find_enrolment(use.token.enrolment)
        if enrolment is None:
            raise TokenRefused("UNKNOWN_ENROLMENT", f"got token {use.token.id}, whose enrolment does not exist")
        refusal = refusal_of(enrolment, self._at(), counted=is_counted(use.replaces, enrolment))
        if refusal is not None:
            raise EnrolmentRefused(enrolment.name, refusal.code, refusal.message)
        # The device states its own subject, so no condition compares it.
        applicant = Applicant(_NO_CERTIFICATE, name, "", {})
        require_match(enrolment, applicant, enrolment_listing(name))
        return enrolment, applicant

    def _activate(
        self, settings: VendingSettings, model: str | None, request: VendingRequest, arn: str, token: EnrolmentToken
    ) -> None:
        of_type = settings.of_type(model)
        values = {
            "creationDate": str(round(self._clock().timestamp())),
            "version": request.version,
            "enrolment": token.enrolment,
        }
        wanted = {name: values[name] for name in of_type.attributes}
        activate(self._iot, request.name, arn, of_type.policy, wanted)

    def _at(self) -> str:
        return timestamp(self._clock())


class _Issuing:
    """The certificate for one request, issued when it is needed."""

    def __init__(self, iot: "IoTClient", issuer: CertificateIssuer, request: VendingRequest) -> None:
        self._iot, self._issuer, self.request = iot, issuer, request
        self._issued: _Issued | None = None

    def issue(self, signer: Signer | None) -> _Issued:
        """Return the INACTIVE certificate, and issue it first if necessary. Raise `InvalidInput` INVALID_CSR for a CSR
        that AWS IoT refuses, CSR_REQUIRED, or SIGNER_UNAVAILABLE."""
        if self._issued is None:
            self._issued = self._made_by(signer)
        return self._issued

    def issued(self) -> _Issued:
        """Return the certificate that was issued before."""
        if self._issued is None:
            raise AssertionError("a device is admitted with a certificate that was issued")
        return self._issued

    def _made_by(self, signer: Signer | None) -> _Issued:
        request = self.request
        if request.csr is not None and request.csr_pem is not None:
            signed = self._issuer.issue(request.csr, request.csr_pem, request.name, signer)
            return self._of(signed.pem, signed.arn, None)
        if signer is not None:
            raise InvalidInput(
                "CSR_REQUIRED", "got no csr, want one: the enrolment's own CA creates no keys for devices"
            )
        made = self._iot.create_keys_and_certificate(setAsActive=False)
        keys = KeyPair(made["keyPair"]["PublicKey"], made["keyPair"]["PrivateKey"])
        return self._of(made["certificatePem"], made["certificateArn"], keys)

    def _of(self, pem: str, arn: str, keys: KeyPair | None) -> _Issued:
        identity = Identity(fingerprint(load_certificate(pem)), self.request.name, pem)
        return _Issued(identity, arn, Vended(identity.name, identity.certid, pem, keys))

    def discard(self) -> None:
        """Delete the certificate, which was not sent to a device. If this fails, the certificate stays INACTIVE, so no
        device can connect with it."""
        if self._issued is None:
            return
        certid, self._issued = self._issued.identity.certid, None
        try:
            self._iot.delete_certificate(certificateId=certid)
        except (ClientError, BotoCoreError):
            logger.warning("certificate not deleted", extra={"certid": certid}, exc_info=True)
