"""Certificates of an enrolment's own CA with its key in KMS: at the door `token`, and in renewals."""

import boto3
import pytest
from cryptography import x509

from lobby.aws.clients import LobbyClients
from lobby.aws.kms_signer import KmsKeys
from lobby.domain.signer import Signer
from lobby.doors.issuing import CertificateIssuer
from lobby.errors import InvalidInput
from lobby.names import ThingName
from pki.ca import kms_ca
from tests import aws
from tests import certificates as make
from tests.aws import Calls, Clock
from tests.functional.lobby.kms_ca import KmsCa, new_key, new_kms_ca

NAME = ThingName("pump-1")
CSR = make.signing_request(NAME, 3)


class Issuing:
    def __init__(self, clock: Clock) -> None:
        self.iot = aws.client("iot")
        self.issuer = CertificateIssuer(self.iot, KmsKeys(lambda _region: aws.client("kms")), clock)

    def issue(self, signer: Signer | None) -> x509.Certificate:
        made = self.issuer.issue(make.load_request(CSR), CSR, NAME, signer)
        certid = make.fingerprint_of(made.pem)
        found = self.iot.describe_certificate(certificateId=certid)["certificateDescription"]
        assert (found["certificateArn"], found["status"]) == (made.arn, "INACTIVE")
        return x509.load_pem_x509_certificate(made.pem.encode())


@pytest.fixture
def issuing(calls: Calls, clock: Clock) -> Issuing:
    return Issuing(clock)


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "RSA_2048"])
def test_kms_signs_the_certificate_which_is_inactive_in_the_lobby(issuing: Issuing, calls: Calls, spec: str) -> None:
    ca = new_kms_ca(spec)
    certificate = issuing.issue(ca.signer)
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.pem.encode()))
    [_, request] = calls.of("Sign")
    assert (request.params["MessageType"], len(request.params["Message"])) == ("DIGEST", 32)
    assert calls.of("CreateCertificateFromCsr") == []


def test_aws_iot_signs_without_a_signer(issuing: Issuing, calls: Calls) -> None:
    issuing.issue(None)
    assert len(calls.of("CreateCertificateFromCsr")) == 1


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "RSA_2048"])
def test_a_disabled_key_gives_no_certificate(issuing: Issuing, spec: str) -> None:
    ca = new_kms_ca(spec)
    ca.disable()
    with pytest.raises(InvalidInput, match="SIGNER_UNAVAILABLE: got DisabledException from KMS"):
        issuing.issue(ca.signer)


def test_a_key_that_does_not_exist_gives_no_certificate(issuing: Issuing) -> None:
    ca = new_kms_ca()
    gone = ca.arn.rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000"
    with pytest.raises(InvalidInput, match="SIGNER_UNAVAILABLE"):
        issuing.issue(Signer(gone, ca.pem, 365))


def test_a_key_of_another_ca_gives_no_certificate(issuing: Issuing) -> None:
    with pytest.raises(InvalidInput, match="SIGNER_UNAVAILABLE"):
        issuing.issue(Signer(new_key(), new_kms_ca().pem, 365))
    assert issuing.iot.list_certificates()["certificates"] == []


def test_a_ca_that_has_expired_signs_nothing(issuing: Issuing, clock: Clock, calls: Calls) -> None:
    ca = new_kms_ca(years=1)
    clock.advance(days=366)
    with pytest.raises(InvalidInput, match="valid until"):
        issuing.issue(ca.signer)
    assert len(calls.of("Sign")) == 1, "of the CA itself"


def test_a_failure_of_kms_is_raised_so_that_the_work_is_repeated(issuing: Issuing, calls: Calls) -> None:
    ca = new_kms_ca()
    calls.fails["Sign"] = TimeoutError("no answer")
    with pytest.raises(TimeoutError):
        issuing.issue(ca.signer)


def test_a_key_is_described_with_its_public_key_usage_and_state(calls: Calls) -> None:
    keys, ca = KmsKeys(lambda _region: aws.client("kms")), new_kms_ca()
    found = keys.describe(ca.arn)
    assert (found.usage, found.state) == ("SIGN_VERIFY", "Enabled")
    assert found.public == make.public_key_of_pem(ca.pem)
    ca.disable()
    assert (keys.describe(ca.arn).state, keys.describe(ca.arn).public) == ("Disabled", b"")
    assert keys.describe(new_key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")).usage == "ENCRYPT_DECRYPT"


def test_the_ca_certificate_may_sign_devices_and_no_other_ca(calls: Calls) -> None:
    ca: KmsCa = new_kms_ca()
    certificate = x509.load_pem_x509_certificate(ca.pem.encode())
    certificate.verify_directly_issued_by(certificate)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


def test_a_key_is_used_in_its_own_region(issuing: Issuing) -> None:
    """As KMS does, moto finds a key in its Region only."""
    here, there = boto3.client("kms"), boto3.client("kms", region_name="ap-southeast-2")
    arn = there.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    ca = make.pem_of(kms_ca.create(there, arn, "Acme", 10, make.NOW))
    with pytest.raises(InvalidInput, match="SIGNER_UNAVAILABLE: got NotFoundException"):
        KmsKeys(lambda _region: here).describe(arn)
    keys = KmsKeys(LobbyClients().kms_of)
    assert keys.describe(arn).public == make.public_key_of_pem(ca)
    issuer = CertificateIssuer(issuing.iot, keys, lambda: make.NOW)
    made = issuer.issue(make.load_request(CSR), CSR, NAME, Signer(arn, ca, 365))
    assert (
        x509.load_pem_x509_certificate(made.pem.encode()).issuer == x509.load_pem_x509_certificate(ca.encode()).subject
    )
