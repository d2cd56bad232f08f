"""The CA's registration with a lobby: its certificate in AWS IoT, its revocation list in the trust bucket.

The order matters. The lobby refuses devices of a CA without a current list, and AWS does not document how it derives
a CA's id. So the CA is registered INACTIVE, then the list is published under the returned id, then the CA is activated.
Each step is idempotent. Rejects a CA whose devices the lobby would refuse, a list older than the published one, and
another account's bucket. AWS clients are arguments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from lobby.domain.trust.distinguished_names import same_name
from lobby.domain.trust.reading import Unreadable, revocation_lists
from lobby.wire import crl_key
from pki.admission import check_admission
from pki.aws_answers import answered
from pki.certificate_files import encode_lists
from pki.crl import crl_number
from pki.errors import RegistrationError
from pki.lobby_account import NOT_FOUND_CODES, Lobby, devices_of, find_ca, raise_if_no_bucket, require_bucket

SNI_ONLY: Final = "SNI_ONLY"
Lists = Sequence[x509.CertificateRevocationList]


@dataclass(frozen=True)
class CaRegistration:
    """The result of `register_ca`."""

    ca_certificate_id: str
    crl_location: str
    created: bool
    """False if the CA was already registered and only its state was updated."""


@dataclass(frozen=True)
class CaRemoval:
    """The result of `unregister_ca`, and what remains in the lobby's account."""

    ca_certificate_id: str | None
    """None if the CA was not registered."""
    remaining_devices: int
    """Device certificates of this CA that stay registered and keep working."""
    crl_location: str


def register_ca(
    lobby: Lobby, ca: x509.Certificate, lists: Lists, *, now: datetime, sample: x509.Certificate | None = None
) -> CaRegistration:
    """Admit devices of `ca`: register it for SNI, publish the lists, then activate it with automatic registration.

    Raise `RegistrationError` with the lobby's reason code if it would refuse every device of the CA, or the device
    certificate `sample`; nothing is then registered. Raise NO_LOBBY, CRL_OLDER or CA_MODE before the CA is activated.
    """
    check_admission(ca, lists, now, sample)
    require_bucket(lobby)
    existing = find_ca(lobby, ca)
    if existing is not None and existing.get("certificateMode", SNI_ONLY) != SNI_ONLY:
        mode = existing.get("certificateMode")
        raise RegistrationError("CA_MODE", f"got this CA registered in mode {mode}, want {SNI_ONLY}: unregister first")
    ca_id = existing["certificateId"] if existing else _register_inactive(lobby, ca)
    location = publish_crl(lobby, ca, lists, ca_id, now=now)
    lobby.iot.update_ca_certificate(certificateId=ca_id, newStatus="ACTIVE", newAutoRegistrationStatus="ENABLE")
    return CaRegistration(ca_id, location, created=existing is None)


def publish_crl(
    lobby: Lobby,
    ca: x509.Certificate,
    lists: Lists,
    ca_certificate_id: str | None = None,
    *,
    now: datetime,
) -> str:
    """Upload the CA's lists to the trust bucket and return their S3 URL. The CA's id is looked up if not given.

    Raise `RegistrationError` NOT_REGISTERED, NO_LOBBY, CRL_STALE, or CRL_OLDER if the published list is newer.
    """
    check_admission(ca, lists, now)
    ca_id = ca_certificate_id or _require_registered(lobby, ca)
    _refuse_rollback(lobby, ca, lists, crl_key(ca_id))
    try:
        lobby.s3.put_object(
            Bucket=lobby.bucket,
            Key=crl_key(ca_id),
            Body=encode_lists(lists),
            ContentType="application/x-pem-file",
            ExpectedBucketOwner=lobby.account,
        )
    except ClientError as err:
        raise_if_no_bucket(err, lobby)
        raise
    return f"s3://{lobby.bucket}/{crl_key(ca_id)}"


def unregister_ca(lobby: Lobby, ca: x509.Certificate) -> CaRemoval:
    """Disable automatic registration, deactivate the CA and delete it. For an unknown CA nothing is changed.

    Registered devices keep their certificates, and the revocation list stays published for them.
    """
    existing = find_ca(lobby, ca)
    if existing is None:
        return CaRemoval(None, 0, "")
    ca_id = existing["certificateId"]
    lobby.iot.update_ca_certificate(certificateId=ca_id, newStatus="INACTIVE", newAutoRegistrationStatus="DISABLE")
    remaining = sum(1 for _ in devices_of(lobby, ca_id))
    lobby.iot.delete_ca_certificate(certificateId=ca_id)
    return CaRemoval(ca_id, remaining, f"s3://{lobby.bucket}/{crl_key(ca_id)}")


def _register_inactive(lobby: Lobby, ca: x509.Certificate) -> str:
    response = lobby.iot.register_ca_certificate(
        caCertificate=ca.public_bytes(Encoding.PEM).decode(),
        certificateMode=SNI_ONLY,
        setAsActive=False,
        allowAutoRegistration=False,
    )
    return str(answered(response, "certificateId"))


def _require_registered(lobby: Lobby, ca: x509.Certificate) -> str:
    existing = find_ca(lobby, ca)
    if existing is None:
        raise RegistrationError(
            "NOT_REGISTERED",
            f"got a CA that is not registered in {lobby.account}/{lobby.region}, want it registered: run register",
        )
    return existing["certificateId"]


def _refuse_rollback(lobby: Lobby, ca: x509.Certificate, lists: Lists, key: str) -> None:
    """Raise `RegistrationError` CRL_OLDER for an older list, which would admit revoked devices again. Lists of
    different distribution points are numbered separately."""
    published = [each for each in _published(lobby, key) if same_name(each.issuer, ca.subject)]
    for scope in {_scope(each) for each in published}:
        was = max(crl_number(each) for each in published if _scope(each) == scope)
        now = max((crl_number(each) for each in lists if _scope(each) == scope), default=None)
        if now is not None and now < was:
            raise RegistrationError(
                "CRL_OLDER",
                f"got list number {now}, but {was} is published, want a newer one: run renew-crl in the CA's current"
                " directory",
            )


def _scope(crl: x509.CertificateRevocationList) -> frozenset[x509.GeneralName]:
    """Return the names of the list's distribution point; none for a complete list."""
    try:
        point = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(point.full_name or ())


def _published(lobby: Lobby, key: str) -> list[x509.CertificateRevocationList]:
    try:
        body = lobby.s3.get_object(Bucket=lobby.bucket, Key=key, ExpectedBucketOwner=lobby.account)["Body"].read()
        return revocation_lists(body)
    except ClientError as err:
        raise_if_no_bucket(err, lobby)
        if err.response["Error"]["Code"] in NOT_FOUND_CODES:
            return []
        raise
    except Unreadable:  # not a list: the lobby also rejects it, so it is replaced
        return []
