"""Compares the Regions of a lobby after a deployment: manufacturers' CAs and revocation lists, which `lobby-pki` puts
into each Region. A Region that was added later has none, so it refuses the devices of these CAs.

It only reports, with the commands that correct it, because registering a CA is the decision of whoever manages it. A
Region that cannot be read is reported, too, and does not fail the deployment.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from infra.cloud.account import Caller
from lobby.deployment import NAMES
from lobby.names import Region
from lobby.wire import CRL_PREFIX

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_s3 import S3Client


def report(callers: Sequence[Caller]) -> list[str]:
    """Return a line for each CA and list that some Regions of the lobby do not have."""
    try:
        authorities = {each.region: set(authorities_in(each.session.client("iot"))) for each in callers}
        lists = {each.region: set(_lists_in(each)) for each in callers}
    except (BotoCoreError, ClientError) as error:
        return [f"The manufacturers' CAs of the Regions were not compared: {error}"]
    wanted = ",".join(authorities)
    register = f"lobby-pki register CA --region {wanted}"
    publish = f"lobby-pki publish-crl CA --region {wanted}"
    return [
        *_missing("The manufacturer's CA", authorities, f"devices with its certificates are refused there: {register}"),
        *_missing("The revocation list", lists, f"devices of its CA are refused there: {publish}"),
    ]


def authorities_in(iot: "IoTClient") -> Iterator[str]:
    """Yield the ids of the active CAs. An id is the SHA-256 of the certificate, so it is the same in all Regions."""
    for page in iot.get_paginator("list_ca_certificates").paginate():
        yield from (each["certificateId"] for each in page["certificates"] if each["status"] == "ACTIVE")


def _lists_in(where: Caller) -> Iterable[str]:
    s3: S3Client = where.session.client("s3")
    bucket = NAMES.trust_bucket(where.account, where.region)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=CRL_PREFIX):
        yield from (each["Key"].removeprefix(CRL_PREFIX) for each in page.get("Contents", ()))


def _missing(what: str, found: Mapping[Region, AbstractSet[str]], advice: str) -> Iterator[str]:
    for name in sorted(set().union(*found.values())):
        without = [region for region, names in found.items() if name not in names]
        if without:
            yield f"{what} {name} is missing in {', '.join(without)}; {advice}"
