"""What the bouncer believes in: the CAs that the operator registered, and their revocation lists.

A CA is trusted because it is registered with AWS IoT in the lobby's account and ACTIVE there; its revocation
list lies in the trust bucket, put there by `python -m pki`. Both are kept in memory for some minutes. A list
counts at the door: it keeps a revoked certificate out; one that is in already is banned by an operator. An
absent list is an answer (the bouncer then refuses); a failing read is none, and is raised to be tried again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from lobby.errors import IdentityRefused
from lobby.wire import crl_key

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_s3 import S3Client

KEPT_FOR: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Issuer:
    """A registered CA's certificate (PEM) and its revocation list (PEM), if one is published."""

    pem: str
    crl: bytes | None


class TrustStore:
    """Registered CAs by their AWS IoT id."""

    def __init__(self, iot: "IoTClient", s3: "S3Client", bucket: str) -> None:
        self._iot, self._s3, self._bucket = iot, s3, bucket
        self._kept: dict[str, tuple[datetime, Issuer]] = {}

    def issuer(self, ca_id: str, at: datetime) -> Issuer:
        """Raises `IdentityRefused` CA_UNKNOWN or CA_INACTIVE. An empty `ca_id` is a certificate without a CA."""
        if not ca_id:
            raise IdentityRefused("CA_UNKNOWN", "got a certificate without a CA, want one of a CA registered here")
        kept = self._kept.get(ca_id)
        if kept is not None and kept[0] > at - KEPT_FOR:
            return kept[1]
        issuer = Issuer(self._registered(ca_id), self._crl(ca_id))
        if issuer.crl is not None:
            self._kept[ca_id] = (at, issuer)
        return issuer

    def outdated(self, ca_id: str, at: datetime) -> bool:
        """Forgets what was learnt of this CA before `at`, and says whether there was anything: then it is worth
        while to look again."""
        kept = self._kept.get(ca_id)
        if kept is None or kept[0] >= at:
            return False
        del self._kept[ca_id]
        return True

    def _registered(self, ca_id: str) -> str:
        try:
            found = self._iot.describe_ca_certificate(certificateId=ca_id)["certificateDescription"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise IdentityRefused("CA_UNKNOWN", f"got CA {ca_id}, want one that is registered here") from None
            raise
        if found["status"] != "ACTIVE":
            raise IdentityRefused("CA_INACTIVE", f"got CA {ca_id}, which is {found['status']}, want it ACTIVE")
        return found["certificatePem"]

    def _crl(self, ca_id: str) -> bytes | None:
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=crl_key(ca_id))["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
