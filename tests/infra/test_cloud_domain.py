"""A deployed domain configuration of AWS IoT cannot be changed: another domain or certificate is rejected at once."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.cloud.account import Caller
from infra.cloud.contexts import endpoint_context
from infra.errors import BadContext
from lobby.names import parse_account, parse_region

HERE = "123456789012"
ONE = f"arn:aws:acm:eu-west-1:{HERE}:certificate/11111111-2222-3333-4444-555555555555"
OTHER = ONE.replace("1111", "9999")
DOMAIN = "lobby.example.com"


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        session: Any = boto3.Session(region_name="eu-west-1")
        yield Caller(parse_account(HERE), parse_region("eu-west-1"), "arn", session)


def deployed(identity: Caller) -> None:
    iot: Any = identity.session.client("iot")
    iot.create_domain_configuration(
        domainConfigurationName="device-lobby", domainName=DOMAIN, serverCertificateArns=[ONE], serviceType="DATA"
    )


def test_a_new_domain_and_the_same_domain_again_are_accepted(identity: Caller) -> None:
    assert endpoint_context(identity, DOMAIN, ONE)["domain"] == DOMAIN
    deployed(identity)
    assert endpoint_context(identity, DOMAIN, ONE)["domainCertificate"] == ONE
    assert "domain" not in endpoint_context(identity, None, None)


@pytest.mark.parametrize(("domain", "certificate"), [("other.example.com", ONE), (DOMAIN, OTHER)])
def test_another_domain_or_certificate_is_rejected(identity: Caller, domain: str, certificate: str) -> None:
    deployed(identity)
    with pytest.raises(BadContext, match=f"got {domain} with {certificate}, want {DOMAIN} with {ONE} as deployed; to"):
        endpoint_context(identity, domain, certificate)
