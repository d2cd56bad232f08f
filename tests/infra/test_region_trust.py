"""After a deployment of several Regions, each CA and revocation list that a Region does not have is reported."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra.cloud import region_trust
from infra.cloud.account import Caller
from infra.cloud.region_trust import report
from lobby.deployment import NAMES
from lobby.names import parse_account, parse_region
from lobby.wire import crl_key

ACCOUNT = parse_account("123456789012")
FIRST, SECOND, THIRD = map(parse_region, ("eu-west-1", "eu-central-1", "eu-north-1"))
ACME, NADIR = "a" * 64, "b" * 64


@pytest.fixture
def callers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Caller]]:
    """Three Regions with trust buckets, and the CAs that the tests state."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        found = [Caller(ACCOUNT, each, "arn", boto3.Session(region_name=each)) for each in (FIRST, SECOND, THIRD)]
        for each in found:
            each.session.client("s3").create_bucket(
                Bucket=NAMES.trust_bucket(ACCOUNT, each.region),
                CreateBucketConfiguration={"LocationConstraint": each.region},  # type: ignore[typeddict-item]
            )
        yield found


def register(monkeypatch: pytest.MonkeyPatch, authorities: dict[str, list[str]]) -> None:
    monkeypatch.setattr(region_trust, "authorities_in", lambda iot: authorities.get(iot.meta.region_name, []))


def report_of(callers: list[Caller], monkeypatch: pytest.MonkeyPatch, authorities: dict[str, list[str]]) -> list[str]:
    register(monkeypatch, authorities)
    return report(callers)


def publish(caller: Caller, authority: str) -> None:
    bucket = NAMES.trust_bucket(ACCOUNT, caller.region)
    caller.session.client("s3").put_object(Bucket=bucket, Key=crl_key(authority), Body=b"list")


def test_regions_with_the_same_trust_need_no_report(callers: list[Caller], monkeypatch: pytest.MonkeyPatch) -> None:
    assert report_of(callers, monkeypatch, {}) == []
    register(monkeypatch, {each.region: [ACME] for each in callers})
    for each in callers:
        publish(each, ACME)
    assert report(callers) == []


def test_a_ca_is_reported_with_the_regions_that_lack_it(callers: list[Caller], monkeypatch: pytest.MonkeyPatch) -> None:
    [one, other] = report_of(callers, monkeypatch, {FIRST: [ACME, NADIR], SECOND: [NADIR]})
    assert one.startswith(f"The manufacturer's CA {ACME} is missing in {SECOND}, {THIRD}; ")
    assert other.startswith(f"The manufacturer's CA {NADIR} is missing in {THIRD}; ")
    assert one.endswith(f"lobby-pki register CA --region {FIRST},{SECOND},{THIRD}")


def test_a_list_is_reported_with_the_regions_that_lack_it(
    callers: list[Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(callers[1], ACME)
    [line] = report_of(callers, monkeypatch, {})
    assert line.startswith(f"The revocation list {ACME}.pem is missing in {FIRST}, {THIRD}; ")
    assert line.endswith(f"lobby-pki publish-crl CA --region {FIRST},{SECOND},{THIRD}")


def test_a_region_that_cannot_be_read_does_not_fail_the_deployment(
    callers: list[Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_iot: Any) -> list[str]:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "ListCACertificates")

    monkeypatch.setattr(region_trust, "authorities_in", refuse)
    [line] = report(callers)
    assert "AccessDeniedException" in line
