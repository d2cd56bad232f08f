"""Reads the registered CAs and their revocation lists, to find the ones that expire soon (`lobby.domain.expiry`)."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lobby.domain.expiry import Expiring, expiring
from lobby.wire import crl_key

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_s3 import S3Client


class Authorities:
    """`iot` and `s3` are clients of the lobby account; `bucket` holds the revocation lists."""

    def __init__(self, iot: "IoTClient", s3: "S3Client", bucket: str) -> None:
        self._iot, self._s3, self._bucket = iot, s3, bucket

    def expiring(self, at: datetime) -> list[Expiring]:
        """Return which of the ACTIVE CAs and their lists will expire, with two calls for each CA and one for each page
        of 250. Raise `ClientError`."""
        return [each for ca in self._active() for each in expiring(ca, self._pem(ca), self._crl(ca), at)]

    def _active(self) -> Iterator[str]:
        marker: Any = {}
        while True:
            page = self._iot.list_ca_certificates(pageSize=250, **marker)
            yield from (each["certificateId"] for each in page["certificates"] if each["status"] == "ACTIVE")
            if not page.get("nextMarker"):
                return
            marker = {"marker": page["nextMarker"]}

    def _pem(self, ca: str) -> str:
        return self._iot.describe_ca_certificate(certificateId=ca)["certificateDescription"]["certificatePem"]

    def _crl(self, ca: str) -> bytes | None:
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=crl_key(ca))["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return None
