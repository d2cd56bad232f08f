"""Valid and invalid certificates and revocation lists for tests, built with `cryptography`.

Certificates that the library refuses to build are derived from valid ones (`tests.der`). Keys are cached by kind and
number, because creating them is slow and no test needs a new one.
"""

from base64 import encodebytes
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lobby.names import Fingerprint

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""The current time in tests."""
DAY = timedelta(days=1)
YEAR = timedelta(days=365)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def key(kind: str, number: int = 0) -> Key:
    """Return a private key of a kind (a curve's name, `rsa-<bits>`, `ed25519`). The same number gives the same key."""
    return _cached_key(kind, number)


@cache
def _cached_key(kind: str, _number: int) -> Key:
    if kind.startswith("rsa-"):
        return rsa.generate_private_key(65537, int(kind[4:]))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(getattr(ec, kind)())


@dataclass(frozen=True)
class Issuer:
    """A CA with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> str:
        return pem_of(self.certificate)


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def pem_of_der(content: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{encodebytes(content).decode()}-----END CERTIFICATE-----\n"


@lru_cache(4096)
def fingerprint_of(pem: str) -> Fingerprint:
    return Fingerprint(x509.load_pem_x509_certificate(pem.encode()).fingerprint(SHA256()).hex())


def subject(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def named(cn: str) -> x509.Name:
    return subject((NameOID.COMMON_NAME, cn))


def authority(
    cn: str = "Acme Devices CA",
    *,
    parent: Issuer | None = None,
    number: int = 0,
    begin: datetime = NOW - YEAR,
    end: datetime = NOW + 10 * YEAR,
    pathlen: int | None = None,
    kind: str = "SECP256R1",
    identifiers: bool = True,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] | None = None,
    more: Iterable[tuple[x509.ExtensionType, bool]] = (),
    subject_name: x509.Name | None = None,
) -> Issuer:
    """Return a CA, self-signed or issued by `parent`. Another `number` has another key and the same name. `extensions`
    replaces basicConstraints and keyUsage; `more` is added."""
    private = key(kind, 100 + number)
    public = private.public_key()
    own_name = named(cn) if subject_name is None else subject_name
    issuer_name = parent.certificate.subject if parent else own_name
    builder = (
        x509.CertificateBuilder()
        .subject_name(own_name)
        .issuer_name(issuer_name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for extension, critical in [*(ca_extensions(pathlen) if extensions is None else extensions), *more]:
        builder = builder.add_extension(extension, critical)
    if identifiers:
        parent_public = parent.key.public_key() if parent else public
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(parent_public), critical=False
        )
    return Issuer(builder.sign(parent.key if parent else private, SHA256()), private)


def ca_extensions(pathlen: int | None = None) -> list[tuple[x509.ExtensionType, bool]]:
    return [
        (x509.BasicConstraints(ca=True, path_length=pathlen), True),
        (usage(key_cert_sign=True, crl_sign=True), True),
    ]


def twin_of(real: Issuer, other: Key) -> Issuer:
    """Return a CA with the same fields as the real one and another key."""
    certificate = real.certificate
    builder = x509.CertificateBuilder(
        issuer_name=certificate.issuer,
        subject_name=certificate.subject,
        public_key=other.public_key(),
        serial_number=certificate.serial_number,
        not_valid_before=certificate.not_valid_before_utc,
        not_valid_after=certificate.not_valid_after_utc,
        extensions=list(certificate.extensions),
    )
    return Issuer(builder.sign(other, SHA256()), other)


def device(
    issuer: Issuer,
    cn: str = "sensor-1",
    *,
    name: x509.Name | None = None,
    kind: str = "SECP256R1",
    number: int = 0,
    begin: datetime = NOW - DAY,
    end: datetime = NOW + YEAR,
    serial: int | None = None,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] | None = None,
    algorithm: HashAlgorithm | None = None,
) -> x509.Certificate:
    """Return a device's certificate, by default as `pki` issues it, without SAN. `extensions` replaces all of them."""
    public = key(kind, number).public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(cn) if name is None else name)
        .issuer_name(issuer.certificate.subject)
        .public_key(public)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for extension, critical in usual_extensions() if extensions is None else extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer.key, algorithm or SHA256())  # type: ignore[arg-type]


def usual_extensions() -> list[tuple[x509.ExtensionType, bool]]:
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
    ]


def in_one_part(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    """Return a subject with several attributes in one relative distinguished name."""
    attributes = [x509.NameAttribute(oid, value) for oid, value in parts]
    return x509.Name([x509.RelativeDistinguishedName(attributes)])


def key_usage(**bits: bool) -> tuple[x509.ExtensionType, bool]:
    return usage(**bits), True


def usage(**bits: bool) -> x509.KeyUsage:
    usual = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**{**usual, **bits})


def crl(
    issuer: Issuer,
    revoked: Iterable[int] = (),
    *,
    last: datetime = NOW - DAY,
    until: datetime = NOW + 7 * DAY,
    signed_by: Issuer | None = None,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    number: int | None = 1,
) -> bytes:
    """Return a revocation list (PEM). `signed_by` signs it with another CA's key, under this issuer's name."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(last)
        .next_update(until)
    )
    if number is not None:
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(last).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign((signed_by or issuer).key, SHA256()).public_bytes(Encoding.PEM)


def issued_for(csr: x509.CertificateSigningRequest) -> str:
    """Return a certificate for the key and subject of a signing request, as AWS IoT issues it."""
    issuer = authority("AWS IoT", number=99)
    builder = (
        x509.CertificateBuilder()
        .subject_name(csr.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(csr.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 20 * YEAR)
    )
    return pem_of(builder.sign(issuer.key, SHA256()))


def signing_request(
    cn: str = "pump-1",
    number: int = 0,
    *,
    kind: str = "SECP256R1",
    name: x509.Name | None = None,
    algorithm: HashAlgorithm | None = None,
    extensions: Iterable[x509.ExtensionType] = (),
) -> str:
    """Return a device's CSR in PEM. Another `number` has another key."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(named(cn) if name is None else name)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    signed = builder.sign(key(kind, number), None if kind == "ed25519" else algorithm or SHA256())  # type: ignore[arg-type]
    return signed.public_bytes(Encoding.PEM).decode()


def load_request(pem: str) -> x509.CertificateSigningRequest:
    return x509.load_pem_x509_csr(pem.encode())


def public_key(number: int, kind: str = "SECP256R1") -> bytes:
    """Return the public key `number` as DER."""
    return key(kind, number).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def public_key_of_pem(pem: str) -> bytes:
    """Return a certificate's public key as DER."""
    public = x509.load_pem_x509_certificate(pem.encode()).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
