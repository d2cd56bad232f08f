"""The CAs that the bouncer trusts, and their revocation lists.

A CA is trusted if it is registered with AWS IoT in the lobby's account and ACTIVE there. Its revocation list is in the
trust bucket; `python -m pki` uploads it. Both are cached for some minutes. The list is checked at registration only; an
operator revokes a certificate that was admitted before. If there is no list, the bouncer refuses; if reading it fails,
the error is raised, so that the event is retried.
"""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from lobby.errors import IdentityRefused
from lobby.wire import crl_key

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_s3 import S3Client

CACHE_TIME: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Issuer:
    """The certificate (PEM) of a registered CA, and its revocation list (PEM), if it has one."""

    pem: str
    crl: bytes | None


class TrustStore:
    """The registered CAs, by AWS IoT certificate id. Threads share it, and one of them reads a CA for all."""

    def __init__(self, iot: "IoTClient", s3: "S3Client", bucket: str) -> None:
        self._iot, self._s3, self._bucket = iot, s3, bucket
        self._cache: dict[str, tuple[datetime, Issuer]] = {}
        self._reading = threading.Lock()

    def issuer(self, ca_id: str, at: datetime) -> Issuer:
        """Return a CA. Raise `IdentityRefused` CA_UNKNOWN or CA_INACTIVE. `ca_id` is empty for a certificate without a
        CA."""
        if not ca_id:
            raise IdentityRefused("CA_UNKNOWN", "got a certificate without a CA, want one of a CA registered here")
        with self._reading:
            cached = self._cache.get(ca_id)
            if cached is not None and cached[0] > at - CACHE_TIME:
                return cached[1]
            issuer = Issuer(self._registered(ca_id), self._crl(ca_id))
            if issuer.crl is not None:
                self._cache[ca_id] = (at, issuer)
            return issuer

    def discard(self, ca_id: str, at: datetime) -> bool:
        """Remove a CA that was cached before `at`. Return whether there was one, so that reading it again can help."""
        with self._reading:
            cached = self._cache.get(ca_id)
            if cached is None or cached[0] >= at:
                return False
            del self._cache[ca_id]
            return True

    def _registered(self, ca_id: str) -> str:
        try:
            description = self._iot.describe_ca_certificate(certificateId=ca_id)["certificateDescription"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise IdentityRefused("CA_UNKNOWN", f"got CA {ca_id}, want one that is registered here") from None
            raise
        if description["status"] != "ACTIVE":
            raise IdentityRefused("CA_INACTIVE", f"got CA {ca_id}, which is {description['status']}, want it ACTIVE")
        return description["certificatePem"]

    def _crl(self, ca_id: str) -> bytes | None:
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=crl_key(ca_id))["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
