"""Lambda: the door. Just-in-time registration of an unknown certificate → a verified identity in the ledger.

AWS IoT has registered the certificate PENDING_ACTIVATION because a registered CA signed it; here it is decided
whether it may come in. The row is written before the certificate is activated, so an active certificate always
has one; a refused certificate leaves a row with its reason and is set INACTIVE, so that it is seen and does not
knock for ever. Every step may be repeated: only a certificate that is still pending is ever touched.
"""

import os
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from lobby.aws.clients import LobbyClients
from lobby.aws.trust_store import TrustStore
from lobby.domain.identity import Identity, load_certificate, thing_name, verify
from lobby.errors import Conflict, IdentityRefused
from lobby.ledger.store import Ledger, now
from lobby.names import Fingerprint, ThingName, parse_fingerprint
from lobby.settings import BouncerSettings, read_settings

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

ACTOR: Final = "service:bouncer"
_CONFLICTS_AT_THE_DOOR: Final = ("NAME_TAKEN", "REVOKED")
_THE_ISSUERS_FAULT: Final = ("CRL_STALE", "CRL_INVALID", "CA_EXPIRED")
"""No device is refused for these on what was remembered: a new list may lie there since."""
logger = Logger(service="bouncer")


class Bouncer:
    """Decides on one pending certificate. `policy` is what an admitted one may do in the lobby."""

    def __init__(
        self, iot: "IoTClient", trust: TrustStore, ledger: Ledger, policy: str, clock: Callable[[], datetime] = now
    ) -> None:
        self._iot, self._trust, self._ledger, self._policy, self._clock = iot, trust, ledger, policy, clock

    def decide(self, certid: Fingerprint) -> str:
        """What became of the certificate: `admitted`, `settled` (it is pending no more), or a reason code."""
        found = self._describe(certid)
        if found is None or found["status"] != "PENDING_ACTIVATION":
            return "settled"
        try:
            identity = self._verify(certid, found)
            self._ledger.admit(identity, ACTOR)
        except IdentityRefused as refusal:
            return self._refuse(certid, found, refusal.code, refusal.message)
        except Conflict as conflict:
            if conflict.code not in _CONFLICTS_AT_THE_DOOR:
                raise
            return self._refuse(certid, found, conflict.code, conflict.message)
        self._let_in(identity, found["certificateArn"])
        return "admitted"

    def _describe(self, certid: Fingerprint) -> Any:
        try:
            return self._iot.describe_certificate(certificateId=certid)["certificateDescription"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise

    def _verify(self, certid: Fingerprint, found: Any) -> Identity:
        at, ca_id = self._clock(), found.get("caCertificateId") or ""
        try:
            identity = self._believe(found["certificatePem"], ca_id, at)
        except IdentityRefused as refusal:
            if refusal.code not in _THE_ISSUERS_FAULT or not self._trust.outdated(ca_id, at):
                raise
            identity = self._believe(found["certificatePem"], ca_id, at)
        if identity.certid != certid:
            raise IdentityRefused("BAD_CERTIFICATE", f"got fingerprint {identity.certid}, want {certid}")
        return identity

    def _believe(self, pem: str, ca_id: str, at: datetime) -> Identity:
        issuer = self._trust.issuer(ca_id, at)
        return verify(pem, issuer.pem, issuer.crl, at)

    def _let_in(self, identity: Identity, arn: str) -> None:
        self._ensure_thing(identity.name)
        self._iot.attach_thing_principal(thingName=identity.name, principal=arn)
        self._iot.attach_policy(policyName=self._policy, target=arn)
        self._iot.update_certificate(certificateId=identity.certid, newStatus="ACTIVE")

    def _ensure_thing(self, name: ThingName) -> None:
        """The name is this certificate's by the ledger, so a thing that is there, with whatever attributes it has
        been given since, is its own."""
        try:
            self._iot.create_thing(thingName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise

    def _refuse(self, certid: Fingerprint, found: Any, code: str, message: str) -> str:
        try:
            self._ledger.refuse(certid, _name_if_any(found["certificatePem"]), code, message, ACTOR)
        except Conflict as conflict:
            if conflict.code == "NOT_ALLOWED":
                return self._say_why(certid, code, message)
            if conflict.code != "REVOKED":
                raise
        self._iot.update_certificate(certificateId=certid, newStatus="INACTIVE")
        return code

    def _say_why(self, certid: Fingerprint, code: str, message: str) -> str:
        """It was let in before, and its registration was lost since: its row stays as it is and gets the reason."""
        device = self._ledger.get(certid)
        if device is not None:
            self._ledger.retire(device, None, ACTOR, code, message)
        return code


def _name_if_any(pem: str) -> ThingName | None:
    try:
        return thing_name(load_certificate(pem))
    except IdentityRefused:
        return None


@cache
def _bouncer() -> Bouncer:
    settings = read_settings(BouncerSettings, os.environ)
    clients = LobbyClients()
    trust = TrustStore(clients.iot, clients.s3, settings.trust_bucket)
    return Bouncer(clients.iot, trust, Ledger(settings.region), settings.lobby_policy)


def handler(event: dict[str, Any], _context: object, bouncer: Bouncer | None = None) -> dict[str, str]:
    """For the rule on `$aws/events/certificates/registered/+` (AWS IoT developer guide, "Just-in-time
    registration"). The certificate id is all that is taken from the event; the rest is asked of the registry."""
    certid = parse_fingerprint(event.get("certificateId"))
    outcome = (bouncer or _bouncer()).decide(certid)
    logger.info("decided", extra={"certid": certid, "outcome": outcome})
    return {"certid": certid, "outcome": outcome}
