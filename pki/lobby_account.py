"""A lobby's account as these tools see it: its clients, its trust bucket, and which CA is registered there.

A CA is found by its certificate, not by its name or a guessed id. A missing bucket means that no lobby is deployed,
and is said so. A bucket of another account that bears the predictable name is refused by AWS, because every call
names the owner it expects.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from cryptography import x509

from lobby.names import AccountId, Region
from lobby.wire import trust_bucket
from pki.certificates import fingerprint
from pki.errors import RegistrationError

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot.type_defs import CACertificateDescriptionTypeDef
    from types_boto3_s3 import S3Client

MISSING = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound"})
"""What S3 says of a bucket or object that is not there."""


@dataclass(frozen=True)
class Lobby:
    """A lobby's account and Region, with clients that act there."""

    account: AccountId
    region: Region
    iot: "IoTClient"
    s3: "S3Client"

    @property
    def bucket(self) -> str:
        return trust_bucket(self.account, self.region)


def find_ca(lobby: Lobby, ca: x509.Certificate) -> "CACertificateDescriptionTypeDef | None":
    """The registration of this very certificate. The id that AWS IoT is seen to use, the SHA-256 of the DER, is
    tried first and then every other, because it is documented nowhere for CA certificates."""
    likely = fingerprint(ca)
    description = _describe(lobby, likely)
    if description is not None and _is_same(description, ca):
        return description
    for other in _registered_ids(lobby):
        description = _describe(lobby, other) if other != likely else None
        if description is not None and _is_same(description, ca):
            return description
    return None


def _describe(lobby: Lobby, ca_id: str) -> "CACertificateDescriptionTypeDef | None":
    try:
        return lobby.iot.describe_ca_certificate(certificateId=ca_id)["certificateDescription"]
    except lobby.iot.exceptions.ResourceNotFoundException:
        return None


def _is_same(description: "CACertificateDescriptionTypeDef", ca: x509.Certificate) -> bool:
    try:
        return x509.load_pem_x509_certificate(description["certificatePem"].encode()) == ca
    except ValueError:
        return False


def _registered_ids(lobby: Lobby) -> Iterator[str]:
    for page in lobby.iot.get_paginator("list_ca_certificates").paginate():
        yield from (found["certificateId"] for found in page["certificates"])


def devices_of(lobby: Lobby, ca_id: str) -> Iterator[str]:
    for page in lobby.iot.get_paginator("list_certificates_by_ca").paginate(caCertificateId=ca_id):
        yield from (found["certificateId"] for found in page["certificates"])


def require_bucket(lobby: Lobby) -> None:
    try:
        lobby.s3.head_bucket(Bucket=lobby.bucket, ExpectedBucketOwner=lobby.account)
    except ClientError as err:
        if err.response["Error"]["Code"] in MISSING:
            raise _no_lobby(lobby) from None
        raise


def raise_if_no_bucket(err: ClientError, lobby: Lobby) -> None:
    if err.response["Error"]["Code"] == "NoSuchBucket":
        raise _no_lobby(lobby) from None


def _no_lobby(lobby: Lobby) -> RegistrationError:
    return RegistrationError(
        "NO_LOBBY", f"got no bucket {lobby.bucket}, want it: is the lobby deployed in this account and Region?"
    )
