"""Certificate facts: what people are shown of a certificate, and that none of them can break an answer."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.x509.oid import NameOID

from admin_api.graphql.certificate_facts import CertificateFacts, certificate_facts
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.names import Fingerprint
from tests import der
from tests.certificates import NOW, authority, device, key, pem_of, subject

CERTID = Fingerprint("ab" * 32)


def facts(pem: str | None) -> CertificateFacts | None:
    return certificate_facts(Device(CERTID, State.INLOBBY, "2026-11-22T12:00:00.000Z", devicecert=pem))


def known(pem: str) -> CertificateFacts:
    found = facts(pem)
    assert found is not None
    return found


def test_the_facts_are_the_certificates_own() -> None:
    name = subject((NameOID.ORGANIZATION_NAME, "Acme, Inc."), (NameOID.COMMON_NAME, "sensor-1"))
    made = device(
        authority("Acme CA"),
        name=name,
        serial=0xBEEF,
        begin=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        end=datetime(2046, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    assert known(pem_of(made)) == CertificateFacts(
        subject=r"CN=sensor-1,O=Acme\, Inc.",
        issuer="CN=Acme CA",
        serial_number="beef",
        not_before="2026-01-02T03:04:05.000Z",
        not_after="2046-01-02T03:04:05.000Z",
        key="EC P-256",
        signature="ECDSA SHA-256",
    )


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("SECP256R1", "EC P-256"),
        ("SECP384R1", "EC P-384"),
        ("SECP521R1", "EC P-521"),
        ("SECP256K1", "EC secp256k1"),
        ("rsa-2048", "RSA 2048"),
        ("ed25519", "Ed25519"),
    ],
)
def test_a_key_is_named_as_people_name_it(kind: str, shown: str) -> None:
    assert known(pem_of(device(authority(), kind=kind))).key == shown


@pytest.mark.parametrize(
    ("kind", "algorithm", "shown"),
    [
        ("SECP256R1", SHA384(), "ECDSA SHA-384"),
        ("rsa-2048", SHA256(), "RSA SHA-256"),
        ("rsa-2048", SHA512(), "RSA SHA-512"),
    ],
)
def test_a_signature_is_named_by_its_scheme_and_its_hash(kind: str, algorithm: HashAlgorithm, shown: str) -> None:
    assert known(pem_of(device(authority(kind=kind), algorithm=algorithm))).signature == shown


def test_the_younger_rsa_signature_is_told_from_the_older() -> None:
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
    made = known(pem_of(builder.sign(private, SHA256(), rsa_padding=pss)))
    assert (made.signature, made.subject, made.issuer) == ("RSA-PSS SHA-256", "", "")


def test_a_signature_without_a_hash_of_its_own_has_its_algorithms_name() -> None:
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
    assert known(pem_of(builder.sign(private, None))).signature == "Ed25519"


def test_a_device_that_was_never_seen_has_no_certificate() -> None:
    assert facts(None) is None


CURVE = der.oid("1.2.840.10045.3.1.7")
UNREADABLE = {
    "empty": "",
    "no PEM": "-----PEM-----",
    "no base64": "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    "no DER": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "a request": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    "not text": "\ud800",
}


@pytest.mark.parametrize("case", [*UNREADABLE, "two", "cut", "a curve of its own", "a name that is no UTF-8"])
def test_a_certificate_that_cannot_be_read_has_no_facts_and_is_logged(
    case: str, caplog: pytest.LogCaptureFixture
) -> None:
    issuer = authority()
    good = device(issuer)
    pems = UNREADABLE | {
        "two": pem_of(good) * 2,
        "cut": pem_of(good)[:200],
        "a curve of its own": der.swapped(good, CURVE, der.oid("1.2.840.10045.3.1.9"), issuer),
        "a name that is no UTF-8": der.swapped(
            good, der.text("sensor-1"), b"\x0c\x08\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", issuer
        ),
    }
    assert facts(pems[case]) is None
    assert [record.message for record in caplog.records] == ["certificate cannot be parsed"]


def test_a_name_that_is_made_to_look_like_two_is_escaped() -> None:
    made = device(authority(), name=subject((NameOID.COMMON_NAME, "a,O=Acme+CN=admin")))
    assert known(pem_of(made)).subject == r"CN=a\,O=Acme\+CN=admin"
