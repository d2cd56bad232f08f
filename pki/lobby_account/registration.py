"""The CA's registration with a lobby: its certificate in AWS IoT, its revocation list in the trust bucket.

The order matters. The lobby refuses devices of a CA without a current list, and AWS does not document how it derives
a CA's id. So the CA is registered INACTIVE, then the list is published under the returned id, then the CA is activated.
Each step is idempotent. Rejects a CA whose devices the lobby would refuse, lists that would admit a revoked device
again, and another account's bucket. AWS clients are arguments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from lobby.wire import crl_key
from pki.ca.certificate_files import encode_lists
from pki.errors import RegistrationError
from pki.lobby_account.account import NOT_FOUND_CODES, Lobby, devices_of, find_ca, raise_if_no_bucket, require_bucket
from pki.lobby_account.admission import check_admission
from pki.lobby_account.aws_answers import answered
from pki.lobby_account.published_lists import NOTHING, Allowed, check_succession

SNI_ONLY: Final = "SNI_ONLY"
_ATTEMPTS: Final = 3
_CHANGED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})
"""S3's codes for an object that another command has changed since it was read."""
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
    lobby: Lobby,
    ca: x509.Certificate,
    lists: Lists,
    *,
    now: datetime,
    sample: x509.Certificate | None = None,
    allowed: Allowed = NOTHING,
) -> CaRegistration:
    """Admit devices of `ca`: register it for SNI, publish the lists, then activate it with automatic registration.

    Raise `RegistrationError` with the lobby's reason code if it would refuse every device of the CA, or the device
    certificate `sample`; nothing is then registered. Raise NO_LOBBY, CA_MODE, or the errors of
    `publish_crl` before the CA is activated.
    """
    check_admission(ca, lists, now, sample)
    require_bucket(lobby)
    ca_id, created = _registered(lobby, ca)
    location = publish_crl(lobby, ca, lists, ca_id, now=now, allowed=allowed)
    lobby.iot.update_ca_certificate(certificateId=ca_id, newStatus="ACTIVE", newAutoRegistrationStatus="ENABLE")
    return CaRegistration(ca_id, location, created)


def publish_crl(
    lobby: Lobby,
    ca: x509.Certificate,
    lists: Lists,
    ca_certificate_id: str | None = None,
    *,
    now: datetime,
    allowed: Allowed = NOTHING,
) -> str:
    """Upload the CA's lists to the trust bucket and return their S3 URL. The CA's id is looked up if not given.

    Raise `RegistrationError` NOT_REGISTERED, NO_LOBBY or CRL_STALE; and CRL_OLDER, CRL_INCOMPLETE or CRL_SHORTER if the
    published lists are newer or contain more.
    """
    check_admission(ca, lists, now)
    ca_id = ca_certificate_id or _require_registered(lobby, ca)
    for attempts_left in reversed(range(_ATTEMPTS)):
        content, unchanged = _published(lobby, crl_key(ca_id))
        check_succession(ca, content, lists, allowed)
        try:
            lobby.s3.put_object(
                Bucket=lobby.bucket,
                Key=crl_key(ca_id),
                Body=encode_lists(lists),
                ContentType="application/x-pem-file",
                ExpectedBucketOwner=lobby.account,
                **unchanged,  # type: ignore[arg-type]  # another command may publish at the same time
            )
            break
        except ClientError as err:
            raise_if_no_bucket(err, lobby)
            if err.response["Error"]["Code"] not in _CHANGED or not attempts_left:
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


def _registered(lobby: Lobby, ca: x509.Certificate) -> tuple[str, bool]:
    """Return the CA's id, and whether it was registered now, as inactive. Raise `RegistrationError` CA_MODE."""
    existing = find_ca(lobby, ca)
    if existing is None:
        try:
            return _register_inactive(lobby, ca), True
        except lobby.iot.exceptions.ResourceAlreadyExistsException:
            # Another command has registered it, or this request, and botocore has repeated it without an answer.
            existing = find_ca(lobby, ca)
            if existing is None:
                raise
    if (mode := existing.get("certificateMode", SNI_ONLY)) != SNI_ONLY:
        raise RegistrationError("CA_MODE", f"got this CA registered in mode {mode}, want {SNI_ONLY}: unregister first")
    return existing["certificateId"], False


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


def _published(lobby: Lobby, key: str) -> tuple[bytes, dict[str, str]]:
    """Return the published lists, empty if there are none, and the condition under which they are unchanged."""
    try:
        answer = lobby.s3.get_object(Bucket=lobby.bucket, Key=key, ExpectedBucketOwner=lobby.account)
        return answer["Body"].read(), {"IfMatch": str(answered(answer, "ETag"))}
    except ClientError as err:
        raise_if_no_bucket(err, lobby)
        if err.response["Error"]["Code"] in NOT_FOUND_CODES:
            return b"", {"IfNoneMatch": "*"}
        raise
