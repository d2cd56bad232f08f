"""Reading the registered CAs and their lists, to find those that expire."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lobby.aws.authorities import Authorities
from lobby.aws.region_clients import RegionClients
from lobby.domain.expiry import CA, LIST
from lobby.lobby_names import in_region
from lobby.names import parse_region
from lobby.wire import crl_key
from tests import aws
from tests import certificates as make
from tests.aws import Calls

BUCKET = "device-lobby-trust-999999999999-eu-west-1"


class ListedCas:
    """AWS IoT's calls for CAs, which moto has not: a page has one CA."""

    def __init__(self, *cas: tuple[make.Issuer, str]) -> None:
        self.cas = {make.fingerprint_of(make.pem_of(ca.certificate)): (ca, status) for ca, status in cas}

    def list_ca_certificates(self, pageSize: int, marker: str = "") -> Any:  # noqa: N803  # AWS's name
        assert pageSize == 250
        certid, *rest = [each for each in sorted(self.cas) if each >= marker]
        page = {"certificates": [{"certificateId": certid, "status": self.cas[certid][1]}]}
        return page | ({"nextMarker": rest[0]} if rest else {})

    def describe_ca_certificate(self, certificateId: Any) -> Any:  # noqa: N803  # AWS's name
        return {"certificateDescription": {"certificatePem": make.pem_of(self.cas[certificateId][0].certificate)}}


@pytest.fixture
def s3(calls: Calls) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return client


def test_only_active_cas_are_read_each_with_its_list(s3: Any) -> None:
    ending = make.authority("Ending", end=make.NOW + timedelta(days=30))
    sound, inactive = make.authority("Sound", number=1), make.authority("Inactive", number=2)
    iot: Any = ListedCas((ending, "ACTIVE"), (sound, "ACTIVE"), (inactive, "INACTIVE"))
    key = crl_key(make.fingerprint_of(make.pem_of(sound.certificate)))
    s3.put_object(Bucket=BUCKET, Key=key, Body=make.crl(sound))
    found = [(each.kind, each.name) for each in Authorities(iot, s3, BUCKET).expiring(make.NOW)]
    assert found == [(CA, "CN=Ending"), (LIST, "CN=Ending")]


def test_a_failure_to_read_is_no_missing_list(s3: Any, calls: Calls) -> None:
    iot: Any = ListedCas((make.authority(), "ACTIVE"))
    calls.fails["GetObject"] = ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")
    with pytest.raises(ClientError, match="AccessDenied"):
        Authorities(iot, s3, BUCKET).expiring(make.NOW)


def test_a_list_that_ends_in_another_region_only_is_found_there(s3: Any, calls: Calls) -> None:
    sound, ending = make.authority("Sound"), make.authority("Ending", end=make.NOW + timedelta(days=30), number=1)
    iot: Any = ListedCas((sound, "ACTIVE"), (ending, "ACTIVE"))
    there = parse_region("eu-central-1")
    s3.create_bucket(Bucket=in_region(BUCKET, there), CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for issuer in (sound, ending):
        key = crl_key(make.fingerprint_of(make.pem_of(issuer.certificate)))
        s3.put_object(Bucket=BUCKET, Key=key, Body=make.crl(issuer))
        if issuer is ending:
            s3.put_object(Bucket=in_region(BUCKET, there), Key=key, Body=make.crl(issuer))
    regions = RegionClients([there], lambda _region: SimpleNamespace(iot=iot, s3=s3))
    authorities = Authorities(iot, s3, BUCKET, regions)
    found = [(each.kind, each.name) for each in authorities.expiring(make.NOW)]
    assert found == [(CA, "CN=Ending"), (LIST, "CN=Sound in eu-central-1")]


def test_a_list_that_ends_in_two_other_regions_is_found_in_both(s3: Any) -> None:
    sound = make.authority("Sound")
    iot: Any = ListedCas((sound, "ACTIVE"))
    key = crl_key(make.fingerprint_of(make.pem_of(sound.certificate)))
    s3.put_object(Bucket=BUCKET, Key=key, Body=make.crl(sound))
    others = [parse_region("eu-central-1"), parse_region("us-east-2")]
    for there in others:
        s3.create_bucket(Bucket=in_region(BUCKET, there), CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    authorities = Authorities(iot, s3, BUCKET, RegionClients(others, lambda _region: SimpleNamespace(iot=iot, s3=s3)))
    found = [(each.kind, each.name) for each in authorities.expiring(make.NOW)]
    assert found == [(LIST, "CN=Sound in eu-central-1"), (LIST, "CN=Sound in us-east-2")]


def test_a_region_that_cannot_be_read_is_reported_and_does_not_hide_what_ends_here(s3: Any) -> None:
    def down(**_: object) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "ListCACertificates")

    iot: Any = ListedCas((make.authority("Ending", end=make.NOW + timedelta(days=30)), "ACTIVE"))
    silent = SimpleNamespace(iot=SimpleNamespace(list_ca_certificates=down), s3=s3)
    authorities = Authorities(iot, s3, BUCKET, RegionClients([parse_region("eu-central-1")], lambda _region: silent))
    *here, unread = authorities.expiring(make.NOW)
    assert [each.name for each in here] == ["CN=Ending", "CN=Ending"]
    assert (unread.name, unread.ends) == ("eu-central-1", None)
    assert "AccessDeniedException" in str(unread.problem)
