"""A lobby's account: the AWS clients, the trust bucket, and the registration of a CA.

The account id comes from STS: it is part of the trust bucket's name, and is shown before anything is changed. A CA is
found by its certificate, not by its name or an assumed id. A missing bucket means that no lobby is deployed. A bucket
with the expected name in another account is rejected by AWS, because every call contains the expected owner.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from cryptography import x509

from lobby.errors import InvalidInput
from lobby.http_limits import CONNECT_SECONDS, RESPONSE_SECONDS
from lobby.lobby_names import LobbyNames
from lobby.names import AccountId, Region, parse_account, parse_region
from pki.ca.certificates import fingerprint
from pki.errors import RegistrationError
from pki.lobby_account.aws_answers import answered, not_aws, require_aws_answers
from pki.lobby_account.isolated_session import isolated_session
from pki.lobby_account.limited_requests import limit_requests

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot.type_defs import CACertificateDescriptionTypeDef
    from types_boto3_s3 import S3Client

NOT_FOUND_CODES = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound"})
"""S3's error codes for a bucket or object that does not exist."""
_TIMEOUTS: Final = Config(connect_timeout=CONNECT_SECONDS, read_timeout=RESPONSE_SECONDS)


@dataclass(frozen=True)
class ConnectionOptions:
    """How to reach the lobby's account. None means the user's AWS configuration. `access_key` and `secret` are used for
    the local cloud."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    access_key: str | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Lobby:
    """A lobby's account and Region, its trust bucket, and clients that act there."""

    account: AccountId
    region: Region
    bucket: str
    iot: "IoTClient"
    s3: "S3Client"


def connect(options: ConnectionOptions, account: AccountId | None = None) -> Lobby:
    """Return the account of the lobby whose id is in LOBBY_ID, if any. `account`: it is known from another Region.

    Raise `InvalidInput` INVALID_REGION or INVALID_LOBBY_ID, or `RegistrationError`.
    """
    names = LobbyNames.of_environment(os.environ)
    with translated_aws_errors():
        session = _session(options)
        if session.region_name is None:
            raise InvalidInput("INVALID_REGION", "got no Region, want --region or one in the AWS configuration")
        region = parse_region(session.region_name)
        if account is None:
            sts = _client(session, "sts", options, region)
            account = parse_account(answered(sts.get_caller_identity(), "Account"))
        return Lobby(
            account,
            region,
            names.trust_bucket(account, region),
            _client(session, "iot", options, region),
            _client(session, "s3", options, region),
        )


def kms_client(options: ConnectionOptions, region: str) -> Any:
    """Return a client of KMS in the Region of a key."""
    return _client(_session(options), "kms", options, region)


def _client(session: Any, service: str, options: ConnectionOptions, region: str) -> Any:
    url = options.endpoint_url
    client = session.client(service, region_name=region, endpoint_url=url, config=_config(url))
    return limit_requests(require_aws_answers(client))


def _session(options: ConnectionOptions) -> boto3.Session:
    return boto3.Session(
        options.access_key,
        options.secret,
        profile_name=options.profile,
        region_name=options.region,
        botocore_session=isolated_session() if options.access_key else None,
    )


def _config(endpoint_url: str | None) -> Config:
    """Return the configuration of clients. A custom endpoint uses path-style S3, because it has no host name per
    bucket; an endpoint on this machine uses no proxy."""
    if not endpoint_url:
        return _TIMEOUTS
    local = urlsplit(endpoint_url).hostname in {"localhost", "127.0.0.1", "::1"}
    return _TIMEOUTS.merge(Config(s3={"addressing_style": "path"}, proxies={} if local else None))


@contextmanager
def translated_aws_errors() -> Iterator[None]:
    """Translate errors of AWS and of the network, and raise them as `RegistrationError` AWS_REFUSED, NOT_AWS or
    NO_AWS."""
    try:
        yield
    except ClientError as err:
        reason = err.response.get("Error", {})
        if not reason.get("Code"):
            raise not_aws(f"an error without a code from {err.operation_name}") from err
        raise RegistrationError(
            "AWS_REFUSED", f"got {reason.get('Code')} from {err.operation_name}: {reason.get('Message')}"
        ) from err
    except (ResponseParserError, RecursionError) as err:
        raise not_aws("an answer that cannot be parsed") from err
    except (BotoCoreError, ValueError) as err:  # raised for a wrong endpoint or number in the environment
        raise RegistrationError("NO_AWS", f"got {err}, want AWS credentials and a connection to AWS") from err


def find_ca(lobby: Lobby, ca: x509.Certificate) -> "CACertificateDescriptionTypeDef | None":
    """Return the registration of this certificate, or None.

    AWS IoT uses the SHA-256 of the DER as the id, but does not document this for CA certificates. So this id is tried
    first, and then every registered CA is compared.
    """
    expected_id = fingerprint(ca)
    description = _describe(lobby, expected_id)
    if description is not None and _is_same(description, ca):
        return description
    for ca_id in _registered_ids(lobby):
        description = _describe(lobby, ca_id) if ca_id != expected_id else None
        if description is not None and _is_same(description, ca):
            return description
    return None


def _describe(lobby: Lobby, ca_id: str) -> "CACertificateDescriptionTypeDef | None":
    try:
        answer = lobby.iot.describe_ca_certificate(certificateId=ca_id)
    except lobby.iot.exceptions.ResourceNotFoundException:
        return None
    description: CACertificateDescriptionTypeDef = answered(answer, "certificateDescription")
    answered(description, "certificateId")
    return description


def _is_same(description: "CACertificateDescriptionTypeDef", ca: x509.Certificate) -> bool:
    try:
        return x509.load_pem_x509_certificate(answered(description, "certificatePem").encode()) == ca
    except ValueError:
        return False


def _registered_ids(lobby: Lobby) -> Iterator[str]:
    for page in lobby.iot.get_paginator("list_ca_certificates").paginate():
        yield from (certificate["certificateId"] for certificate in answered(page, "certificates"))


def devices_of(lobby: Lobby, ca_id: str) -> Iterator[str]:
    """Yield the ids of the device certificates that are registered with this CA."""
    for page in lobby.iot.get_paginator("list_certificates_by_ca").paginate(caCertificateId=ca_id):
        yield from (certificate["certificateId"] for certificate in answered(page, "certificates"))


def require_bucket(lobby: Lobby) -> None:
    """Raise `RegistrationError` NO_LOBBY if the trust bucket does not exist."""
    try:
        lobby.s3.head_bucket(Bucket=lobby.bucket, ExpectedBucketOwner=lobby.account)
    except ClientError as err:
        if err.response["Error"]["Code"] in NOT_FOUND_CODES:
            raise _no_lobby(lobby) from None
        raise


def raise_if_no_bucket(err: ClientError, lobby: Lobby) -> None:
    if err.response["Error"]["Code"] == "NoSuchBucket":
        raise _no_lobby(lobby) from None


def _no_lobby(lobby: Lobby) -> RegistrationError:
    return RegistrationError(
        "NO_LOBBY", f"got no bucket {lobby.bucket}, want it: is the lobby deployed in this account and Region?"
    )
