"""Signing requests: only the public key and the CN of a valid request are used."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lobby.errors import InvalidInput
from pki.ca.authority import Authority
from pki.ca.keys import same_key
from pki.ca.profile import CLOCK_SKEW
from pki.devices.request import parse_request

KEY = ec.generate_private_key(ec.SECP256R1())
Builder = x509.CertificateSigningRequestBuilder


def subject(*names: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])


def builder(*names: str) -> Builder:
    return Builder().subject_name(subject(*names))


def usage(*, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(True, False, False, False, False, key_cert_sign, crl_sign, False, False)


def signed(request: Builder, key: "ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey" = KEY) -> bytes:
    return request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize(
    "make_key",
    [
        lambda: KEY,
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: rsa.generate_private_key(65537, 2048),
    ],
    ids=["ec-p256", "ec-p384", "rsa-2048"],
)
def test_the_certificate_is_for_the_key_of_the_request(
    shared_ca: Authority,
    now: datetime,
    make_key: Callable[[], "ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey"],
    encoding: Encoding,
) -> None:
    key = make_key()
    content = builder("own-key").sign(key, hashes.SHA256()).public_bytes(encoding)
    device = shared_ca.issue_device("own-key", now=now, request=parse_request(content, "a.csr"))
    assert same_key(device.certificate.public_key(), key.public_key())
    assert device.private_key is None


def test_other_content_of_a_request_is_ignored(shared_ca: Authority, now: datetime) -> None:
    request = Builder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Evil"), *subject("own-key")])
    )
    request = request.add_extension(x509.SubjectAlternativeName([x509.DNSName("lobby.example")]), critical=False)
    request = request.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=True)
    device = shared_ca.issue_device("own-key", now=now, request=parse_request(signed(request), "a.csr")).certificate
    assert device.subject.rfc4514_string() == "CN=own-key"
    assert list(device.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]
    with pytest.raises(x509.ExtensionNotFound):
        device.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert device.not_valid_before_utc >= now - CLOCK_SKEW


def tampered() -> bytes:
    der = bytearray(builder("own-key").sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER))
    at = der.index(b"own-key")
    der[at : at + 3] = b"bad"
    return bytes(der)


def ca_constraint() -> Builder:
    return builder("d").add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "INVALID_CSR"),
    "noise": (lambda: b"\x00\xff" * 50, "INVALID_CSR"),
    "truncated": (lambda: signed(builder("d"))[:120], "INVALID_CSR"),
    "with the PEM label of a certificate": (lambda: signed(builder("d")).replace(b" REQUEST", b""), "INVALID_CSR"),
    "too large": (lambda: b"-----BEGIN" + b"A" * 70_000, "INVALID_CSR"),
    "changed after signing": (tampered, "INVALID_CSR"),
    "requests a CA certificate": (lambda: signed(ca_constraint()), "INVALID_CSR"),
    "requests certificate signing": (
        lambda: signed(builder("d").add_extension(usage(key_cert_sign=True), True)),
        "INVALID_CSR",
    ),
    "requests CRL signing": (lambda: signed(builder("d").add_extension(usage(crl_sign=True), True)), "INVALID_CSR"),
    "no name": (lambda: signed(builder()), "INVALID_CSR"),
    "two names": (lambda: signed(builder("d", "victim")), "INVALID_CSR"),
    "a name with a topic separator": (lambda: signed(builder("a/b")), "INVALID_THING_NAME"),
    "a name that contains another CN": (lambda: signed(builder("d,CN=victim")), "INVALID_THING_NAME"),
    "RSA 1024": (
        lambda: signed(builder("d"), rsa.generate_private_key(65537, 1024)),  # noqa: S505  # a weak key is the test case
        "WEAK_KEY",
    ),
    "RSA exponent 3": (lambda: signed(builder("d"), rsa.generate_private_key(3, 2048)), "WEAK_KEY"),
    "P-521": (lambda: signed(builder("d"), ec.generate_private_key(ec.SECP521R1())), "WEAK_KEY"),
    "secp256k1": (lambda: signed(builder("d"), ec.generate_private_key(ec.SECP256K1())), "WEAK_KEY"),
    "Ed25519": (
        lambda: builder("d").sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.PEM),
        "WEAK_KEY",
    ),
}


@pytest.mark.parametrize(("make", "code"), HOSTILE.values(), ids=HOSTILE.keys())
def test_an_invalid_or_weak_request_is_rejected(make: Callable[[], bytes], code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_request(make(), "a.csr")
    assert refusal.value.code == code


def test_a_request_is_rejected_for_another_name(shared_ca: Authority, now: datetime) -> None:
    request = parse_request(signed(builder("mine")), "a.csr")
    with pytest.raises(InvalidInput, match="INVALID_CSR"):
        shared_ca.issue_device("yours", now=now, request=request)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command, which signs with SHA-1")
@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_a_request_signed_with_a_weak_hash_is_rejected_for_its_hash(tmp_path: Path, digest: str) -> None:
    command = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", f"-{digest}", "-subj", "/CN=d"]
    subprocess.run([*command, "-out", "csr", "-keyout", "key"], cwd=tmp_path, check=True, capture_output=True)
    with pytest.raises(InvalidInput, match=f"signed with {digest.upper()}, want SHA-256"):
        parse_request((tmp_path / "csr").read_bytes(), "csr")
