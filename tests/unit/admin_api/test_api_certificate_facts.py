"""Certificate facts, and certificates that cannot be parsed."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.x509.oid import NameOID

from admin_api.graphql.certificate_facts import CertificateFacts, certificate_facts
from lobby.names import Fingerprint
from tests import der
from tests.certificates import NOW, authority, device, key, pem_of, subject

CERTID = Fingerprint("ab" * 32)


def facts(pem: str | None) -> CertificateFacts | None:
    return certificate_facts(CERTID, pem)


def facts_of(pem: str) -> CertificateFacts:
    result = facts(pem)
    assert result is not None
    return result


def test_the_facts_are_read_from_the_certificate() -> None:
    name = subject((NameOID.ORGANIZATION_NAME, "Acme, Inc."), (NameOID.COMMON_NAME, "sensor-1"))
    certificate = device(
        authority("Acme CA"),
        name=name,
        serial=0xBEEF,
        begin=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        end=datetime(2046, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    assert facts_of(pem_of(certificate)) == CertificateFacts(
        subject=r"CN=sensor-1,O=Acme\, Inc.",
        issuer="CN=Acme CA",
        serial_number="beef",
        not_before="2026-01-02T03:04:05.000Z",
        not_after="2046-01-02T03:04:05.000Z",
        key="EC P-256",
        signature="ECDSA SHA-256",
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("SECP256R1", "EC P-256"),
        ("SECP384R1", "EC P-384"),
        ("SECP521R1", "EC P-521"),
        ("SECP256K1", "EC secp256k1"),
        ("rsa-2048", "RSA 2048"),
        ("ed25519", "Ed25519"),
    ],
)
def test_a_key_has_its_common_name(kind: str, expected: str) -> None:
    assert facts_of(pem_of(device(authority(), kind=kind))).key == expected


@pytest.mark.parametrize(
    ("kind", "algorithm", "expected"),
    [
        ("SECP256R1", SHA384(), "ECDSA SHA-384"),
        ("rsa-2048", SHA256(), "RSA SHA-256"),
        ("rsa-2048", SHA512(), "RSA SHA-512"),
    ],
)
def test_a_signature_has_scheme_and_hash(kind: str, algorithm: HashAlgorithm, expected: str) -> None:
    assert facts_of(pem_of(device(authority(kind=kind), algorithm=algorithm))).signature == expected


def test_rsa_pss_is_distinguished_from_pkcs1() -> None:
    private = key("rsa-2048")
    assert isinstance(private, rsa.RSAPrivateKey)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject())
        .issuer_name(subject())
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW)
    )
    pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
    certificate = facts_of(pem_of(builder.sign(private, SHA256(), rsa_padding=pss)))
    assert (certificate.signature, certificate.subject, certificate.issuer) == ("RSA-PSS SHA-256", "", "")


def test_a_signature_without_a_hash_has_the_algorithm_name() -> None:
    private = key("ed25519")
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject())
        .issuer_name(subject())
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW)
    )
    assert facts_of(pem_of(builder.sign(private, None))).signature == "Ed25519"


def test_a_device_without_a_certificate_has_no_facts() -> None:
    assert facts(None) is None


CURVE = der.oid("1.2.840.10045.3.1.7")
UNREADABLE = {
    "empty": "",
    "not PEM": "-----PEM-----",
    "not base64": "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    "not DER": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "certificate request": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    "not text": "\ud800",
}


@pytest.mark.parametrize(
    "case", [*UNREADABLE, "two certificates", "truncated", "unknown curve", "name that is not UTF-8"]
)
def test_an_unreadable_certificate_has_no_facts_and_is_logged(case: str, caplog: pytest.LogCaptureFixture) -> None:
    issuer = authority()
    good = device(issuer)
    pems = UNREADABLE | {
        "two certificates": pem_of(good) * 2,
        "truncated": pem_of(good)[:200],
        "unknown curve": der.replaced(good, CURVE, der.oid("1.2.840.10045.3.1.9"), issuer),
        "name that is not UTF-8": der.replaced(
            good, der.text("sensor-1"), b"\x0c\x08\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", issuer
        ),
    }
    assert facts(pems[case]) is None
    assert [record.message for record in caplog.records] == ["certificate cannot be parsed"]


def test_special_characters_in_a_name_are_escaped() -> None:
    certificate = device(authority(), name=subject((NameOID.COMMON_NAME, "a,O=Acme+CN=admin")))
    assert facts_of(pem_of(certificate)).subject == r"CN=a\,O=Acme\+CN=admin"
