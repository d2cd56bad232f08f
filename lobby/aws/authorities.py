"""Reads the registered CAs and their revocation lists, to find the ones that expire soon (`lobby.domain.expiry`).

Each Region of a lobby has its own CAs and lists, so a list can be current in one Region and end in another.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lobby.aws.region_clients import ONE_REGION, RegionClients
from lobby.domain.expiry import CA, Expiring, expiring
from lobby.lobby_names import in_region
from lobby.wire import crl_key

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_s3 import S3Client

logger = Logger(service="reconciler")


class Authorities:
    """`iot` and `s3` are clients of the lobby account in this Region, and `regions` those in its other Regions;
    `bucket` holds the revocation lists of this Region."""

    def __init__(self, iot: "IoTClient", s3: "S3Client", bucket: str, regions: RegionClients = ONE_REGION) -> None:
        self._iot, self._s3, self._bucket, self._regions = iot, s3, bucket, regions

    def expiring(self, at: datetime) -> list[Expiring]:
        """Return which of the ACTIVE CAs and their lists will expire, with two calls for each CA and one for each page
        of 250. A finding that this Region does not have states its Region. A Region that cannot be read is also a
        finding, because what expires there is unknown. Raise `ClientError` for this Region."""
        found = self._expiring_here(at)
        known = {replace(each, name="") for each in found}
        for region in self._regions.others:
            iot, s3 = self._regions.iot(region, self._iot), self._regions.s3(region, self._s3)
            try:
                there = Authorities(iot, s3, in_region(self._bucket, region)).expiring(at)
            except (BotoCoreError, ClientError) as error:
                why = str(error)[:200]
                logger.warning("authorities not read", extra={"region": region, "why": why})
                found.append(Expiring(CA, "", region, None, f"the Region's CAs and lists cannot be read: {why}"))
            else:
                new = [each for each in there if replace(each, name="") not in known]
                found += [replace(each, name=f"{each.name} in {region}") for each in new]
        return found

    def _expiring_here(self, at: datetime) -> list[Expiring]:
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
