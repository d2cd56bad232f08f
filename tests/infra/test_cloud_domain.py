"""A deployed domain configuration of AWS IoT cannot be changed: another domain or certificate is rejected at once. A
certificate that AWS IoT cannot use is rejected, too."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra.cloud import contexts
from infra.cloud.account import Caller
from infra.cloud.contexts import endpoint_context
from infra.cloud.domain_certificate import names_domain, require_usable
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


@pytest.fixture
def usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "require_usable", lambda *_: None)


def deployed(identity: Caller) -> None:
    iot: Any = identity.session.client("iot")
    iot.create_domain_configuration(
        domainConfigurationName="device-lobby", domainName=DOMAIN, serverCertificateArns=[ONE], serviceType="DATA"
    )


@pytest.mark.usefixtures("usable")
def test_a_new_domain_and_the_same_domain_again_are_accepted(identity: Caller) -> None:
    assert endpoint_context(identity, DOMAIN, ONE)["domain"] == DOMAIN
    deployed(identity)
    assert endpoint_context(identity, DOMAIN, ONE)["domainCertificate"] == ONE
    assert "domain" not in endpoint_context(identity, None, None)


@pytest.mark.usefixtures("usable")
@pytest.mark.parametrize(("domain", "certificate"), [("other.example.com", ONE), (DOMAIN, OTHER)])
def test_another_domain_or_certificate_is_rejected(identity: Caller, domain: str, certificate: str) -> None:
    deployed(identity)
    with pytest.raises(BadContext, match=f"got {domain} with {certificate}, want {DOMAIN} with {ONE} as deployed; to"):
        endpoint_context(identity, domain, certificate)


class Acm:
    """ACM with one certificate. `error` is the code that it answers instead."""

    class exceptions:  # noqa: N801  # as in the client
        class ResourceNotFoundException(ClientError): ...

    def __init__(self, *names: str, status: str = "ISSUED", error: type[ClientError] | None = None) -> None:
        self._certificate = {"Status": status, "DomainName": names[0], "SubjectAlternativeNames": list(names)}
        self._error = error

    def describe_certificate(self, CertificateArn: str) -> dict[str, Any]:  # noqa: N803  # ACM's name
        assert CertificateArn == ONE
        if self._error is not None:
            raise self._error({"Error": {"Code": "AccessDeniedException"}}, "DescribeCertificate")
        return {"Certificate": self._certificate}


@pytest.mark.parametrize("names", [(DOMAIN,), ("*.example.com",), ("a.example.com", "LOBBY.example.com")])
def test_an_issued_certificate_for_the_domain_is_accepted(names: tuple[str, ...]) -> None:
    require_usable(Acm(*names), ONE, DOMAIN)


@pytest.mark.parametrize(
    ("acm", "problem"),
    [
        (Acm(DOMAIN, status="PENDING_VALIDATION"), "which is PENDING_VALIDATION; want one that is ISSUED"),
        (Acm(DOMAIN, status="EXPIRED"), "which is EXPIRED"),
        (Acm("example.com", "www.example.com"), f"which is for example.com, www.example.com; want one for {DOMAIN}"),
        (Acm(DOMAIN, error=Acm.exceptions.ResourceNotFoundException), "which does not exist"),
    ],
)
def test_a_certificate_that_aws_iot_cannot_use_is_rejected(acm: Acm, problem: str) -> None:
    with pytest.raises(BadContext, match=f"BAD_CONTEXT: domainCertificate: got {ONE}, {problem}"):
        require_usable(acm, ONE, DOMAIN)


def test_a_certificate_that_cannot_be_read_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    require_usable(Acm(DOMAIN, error=ClientError), ONE, DOMAIN)
    assert f"It is not checked whether the certificate of {DOMAIN} is issued" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["*.com", "*.lobby.example.com", "example.com", "*"])
def test_a_wildcard_stands_for_one_label(name: str) -> None:
    assert not names_domain([name], DOMAIN)


def test_the_certificate_of_a_domain_is_looked_up_in_acm(identity: Caller) -> None:
    with pytest.raises(BadContext, match=f"got {ONE}, which does not exist"):
        endpoint_context(identity, DOMAIN, ONE)
    assert "domain" not in endpoint_context(identity, None, None)


def test_the_certificate_of_a_deployed_domain_is_only_reported(
    identity: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(identity)
    assert endpoint_context(identity, DOMAIN, ONE)["domainCertificate"] == ONE
    assert f"Devices may refuse {DOMAIN}, which stays as deployed: BAD_CONTEXT: " in capsys.readouterr().out
