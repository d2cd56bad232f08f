"""The CA's registration with a lobby: its certificate in AWS IoT, its revocation list in the trust bucket.

The order is the point. The lobby refuses devices of a CA without a fresh list, and AWS does not promise how it
derives a CA's id; so the CA is registered INACTIVE, the list is published under the id that came back, and only
then may the CA let devices in. Each step can be done again. Refused: a stale list, one older than the published,
another account's bucket. AWS clients are handed in.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from lobby.errors import InvalidInput
from lobby.wire import crl_key
from pki.crl import crl_number
from pki.errors import RegistrationError
from pki.lobby_account import MISSING, Lobby, devices_of, find_ca, raise_if_no_bucket, require_bucket

SNI_ONLY: Final = "SNI_ONLY"


@dataclass(frozen=True)
class Registered:
    """What `register_ca` brought about."""

    ca_certificate_id: str
    crl_location: str
    created: bool
    """False where the CA was registered before and was only brought to the wanted state."""


@dataclass(frozen=True)
class Unregistered:
    """What `unregister_ca` brought about, and what it leaves behind."""

    ca_certificate_id: str | None
    """None where the CA was not registered."""
    devices_left: int
    """Device certificates of this CA that stay registered, and go on working."""
    crl_location: str


def register_ca(
    lobby: Lobby, ca: x509.Certificate, crl: x509.CertificateRevocationList, *, now: datetime
) -> Registered:
    """Let devices of `ca` into the lobby: registered for SNI, list published, then ACTIVE with auto registration.

    Raises `RegistrationError` NO_LOBBY, CRL_STALE, CRL_OLDER, CA_MODE before the CA is made active.
    """
    _check_crl(ca, crl, now)
    require_bucket(lobby)
    known = find_ca(lobby, ca)
    if known is not None and known.get("certificateMode", SNI_ONLY) != SNI_ONLY:
        mode = known.get("certificateMode")
        raise RegistrationError("CA_MODE", f"got this CA registered in mode {mode}, want {SNI_ONLY}: unregister first")
    ca_id = known["certificateId"] if known else _register_inactive(lobby, ca)
    location = publish_crl(lobby, ca, crl, ca_id, now=now)
    lobby.iot.update_ca_certificate(certificateId=ca_id, newStatus="ACTIVE", newAutoRegistrationStatus="ENABLE")
    return Registered(ca_id, location, created=known is None)


def publish_crl(
    lobby: Lobby,
    ca: x509.Certificate,
    crl: x509.CertificateRevocationList,
    ca_certificate_id: str | None = None,
    *,
    now: datetime,
) -> str:
    """Put the CA's list where the lobby reads it, and say where that is; the CA's id is looked up if not given.

    Raises `RegistrationError` NOT_REGISTERED, NO_LOBBY, CRL_STALE, or CRL_OLDER where the list there is newer.
    """
    _check_crl(ca, crl, now)
    ca_id = ca_certificate_id or _require_registered(lobby, ca)
    _refuse_rollback(lobby, ca, crl, crl_key(ca_id))
    try:
        lobby.s3.put_object(
            Bucket=lobby.bucket,
            Key=crl_key(ca_id),
            Body=crl.public_bytes(Encoding.PEM),
            ContentType="application/x-pem-file",
            ExpectedBucketOwner=lobby.account,
        )
    except ClientError as err:
        raise_if_no_bucket(err, lobby)
        raise
    return f"s3://{lobby.bucket}/{crl_key(ca_id)}"


def unregister_ca(lobby: Lobby, ca: x509.Certificate) -> Unregistered:
    """Take the CA out: no auto registration, INACTIVE, deleted. Again, and for an unknown CA, it changes nothing.

    Devices that are registered keep their certificates, and the list stays for them.
    """
    known = find_ca(lobby, ca)
    if known is None:
        return Unregistered(None, 0, "")
    ca_id = known["certificateId"]
    lobby.iot.update_ca_certificate(certificateId=ca_id, newStatus="INACTIVE", newAutoRegistrationStatus="DISABLE")
    left = sum(1 for _ in devices_of(lobby, ca_id))
    lobby.iot.delete_ca_certificate(certificateId=ca_id)
    return Unregistered(ca_id, left, f"s3://{lobby.bucket}/{crl_key(ca_id)}")


def _register_inactive(lobby: Lobby, ca: x509.Certificate) -> str:
    answer = lobby.iot.register_ca_certificate(
        caCertificate=ca.public_bytes(Encoding.PEM).decode(),
        certificateMode=SNI_ONLY,
        setAsActive=False,
        allowAutoRegistration=False,
    )
    return answer["certificateId"]


def _require_registered(lobby: Lobby, ca: x509.Certificate) -> str:
    known = find_ca(lobby, ca)
    if known is None:
        raise RegistrationError(
            "NOT_REGISTERED", f"got a CA unknown in {lobby.account}/{lobby.region}, want it registered: run register"
        )
    return known["certificateId"]


def _check_crl(ca: x509.Certificate, crl: x509.CertificateRevocationList, now: datetime) -> None:
    key = ca.public_key()
    if crl.issuer != ca.subject or not crl.is_signature_valid(key):  # type: ignore[arg-type]  # our CAs: EC or RSA
        raise InvalidInput("FOREIGN_CRL", "got a revocation list that this CA did not sign")
    until = crl.next_update_utc
    if until is None or until <= now:
        raise RegistrationError("CRL_STALE", f"got a revocation list good until {until}, want a new one: run renew-crl")


def _refuse_rollback(lobby: Lobby, ca: x509.Certificate, crl: x509.CertificateRevocationList, key: str) -> None:
    """An older list would let revoked devices in again."""
    there = _published(lobby, key)
    if there is not None and there.issuer == ca.subject and crl_number(there) > crl_number(crl):
        raise RegistrationError(
            "CRL_OLDER",
            f"got list number {crl_number(crl)}, but {crl_number(there)} is published, want a newer one: "
            "renew it from the CA's current directory",
        )


def _published(lobby: Lobby, key: str) -> x509.CertificateRevocationList | None:
    try:
        body = lobby.s3.get_object(Bucket=lobby.bucket, Key=key, ExpectedBucketOwner=lobby.account)["Body"].read()
        return x509.load_pem_x509_crl(body)
    except ClientError as err:
        raise_if_no_bucket(err, lobby)
        if err.response["Error"]["Code"] in MISSING:
            return None
        raise
    except ValueError:  # what is there is no list: the lobby refuses it too, so it is replaced
        return None
