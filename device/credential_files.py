"""Reads the device's certificate, chain and key from files in common formats, and puts them in order. All may be in one
file. Certificates may be in any order, among other certificates, and with text between them, as `openssl pkcs12 -nodes`
writes them (Bag Attributes). UTF-16 is accepted, because PowerShell saves output in it. A single certificate may be
DER, and PKCS#7 may hold several. TLS libraries expect the device's certificate first and no text. `load` returns that
form: the certificate of the key, its chain in order, and only the key.
"""

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs7,
)

from device.errors import BadCredentials
from device.input_files import UnusableFile, read_file

_KEY_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_PEM_LABEL: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_PKCS7: Final = re.compile(rb"-----BEGIN PKCS7-----.*?-----END PKCS7-----", re.DOTALL)
_CERTIFICATE_LABELS: Final = ("CERTIFICATE", "X509 CERTIFICATE")
_SPKI: Final = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
_FROM_P12: Final = "openssl pkcs12 -in FILE -nodes -out device.pem"

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Bundle:
    """The device's certificate, the CAs above it in order, and its key as PEM, in the format that every TLS library
    reads (SEC 1, PKCS#1); no key if it is in a token."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key_pem: bytes = field(repr=False)

    @property
    def certificates_pem(self) -> bytes:
        return b"".join(each.public_bytes(Encoding.PEM) for each in (self.certificate, *self.chain))


def has_key(path: Path) -> bool:
    """Return whether the file contains a private key in PEM, so that no other file is needed."""
    try:
        return _KEY_BLOCK.search(read(path, "KEY_UNREADABLE")) is not None
    except BadCredentials:
        return False


def load(cert: Path, key: Path | None) -> Bundle:
    """Return the device's credentials. `key` is None if the key is in a token. Raise `BadCredentials`."""
    certificates = list(dict.fromkeys(_certificates(cert)))
    private = _private_key(key) if key is not None else None
    if key is not None and key != cert:
        certificates += [each for each in _certificates_beside_key(key) if each not in certificates]
    own = _own(certificates, cert) if private is None else _of_key(certificates, private, cert, key)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()) if private else b""
    return Bundle(own, _chain_of(own, certificates), pem)


def load_ca(path: Path) -> list[x509.Certificate]:
    """Return the servers' CAs, in the forms of the device's certificate. Raise `BadCredentials` CA_UNREADABLE."""
    return list(dict.fromkeys(_certificates(path, "CA_UNREADABLE", "the servers' CA certificates as PEM")))


def read(path: Path, code: str) -> bytes:
    """Return the content of a file. Raise `BadCredentials` with `code`."""
    try:
        content = read_file(path)
    except UnusableFile as error:
        raise BadCredentials(code, str(error)) from None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace").encode()
    return content


def _certificates(
    path: Path,
    code: str = "CERTIFICATE_UNREADABLE",
    want: str = f"the device's certificate as PEM (from PKCS#12: {_FROM_P12})",
) -> list[x509.Certificate]:
    content = read(path, code)
    labels = _labels(content)
    if "TRUSTED CERTIFICATE" in labels:
        want = "CERTIFICATE: openssl x509 -in FILE -out NEW"
    try:
        found = _decoded(content)
    except ValueError:
        found = []
    begun = sum(labels.count(each) for each in _CERTIFICATE_LABELS)
    if found and len(found) >= begun:
        return found
    got = f" with {', '.join(dict.fromkeys(labels))}" if labels else ""
    if found:
        got = f" with {begun} certificates of which {len(found)} are complete"
    raise BadCredentials(code, f"got {path}{got}, want {want}")


def _decoded(content: bytes) -> list[x509.Certificate]:
    if blocks := _PKCS7.findall(content):
        return [each for block in blocks for each in pkcs7.load_pem_pkcs7_certificates(block)]
    if b"-----BEGIN" in content:
        return x509.load_pem_x509_certificates(content)
    try:
        return [x509.load_der_x509_certificate(content)]
    except ValueError:
        return pkcs7.load_der_pkcs7_certificates(content)


def _labels(content: bytes) -> list[str]:
    return [label.decode() for label in _PEM_LABEL.findall(content)]


def _certificates_beside_key(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(read(path, "KEY_UNREADABLE"))
    except ValueError:
        return []


def _private_key(path: Path) -> PrivateKey:
    content = read(path, "KEY_UNREADABLE")
    blocks = [match.group() for match in _KEY_BLOCK.finditer(content)]
    if not blocks and (labels := _labels(content)):
        raise BadCredentials(
            "KEY_UNREADABLE", f"got {path} with {', '.join(dict.fromkeys(labels))}, want the device's private key"
        )
    try:
        found = [load_pem_private_key(each, None) for each in blocks] or [load_der_private_key(content, None)]
    except TypeError:
        raise BadCredentials(
            "KEY_UNREADABLE", f"got the encrypted key {path}, want it unencrypted: openssl pkey -in KEY -out NEW"
        ) from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCredentials(
            "KEY_UNREADABLE", f"got {path} ({error}), want an unencrypted PEM private key (from PKCS#12: {_FROM_P12})"
        ) from None
    distinct = {each.public_key().public_bytes(*_SPKI): each for each in found}
    if len(distinct) > 1:
        raise BadCredentials("KEY_UNREADABLE", f"got {len(distinct)} private keys in {path}, want one")
    if not isinstance(found[0], PrivateKey):
        raise BadCredentials("KEY_UNREADABLE", f"got {path} with a key that is not RSA or EC, want an RSA or EC key")
    return found[0]


def _of_key(
    certificates: list[x509.Certificate], private: PrivateKey, cert: Path, key: Path | None
) -> x509.Certificate:
    """Return the certificate that matches the key, at any position in the file. Of several, for example after a
    renewal with the same key, return the one that ends last."""
    public = private.public_key().public_bytes(*_SPKI)
    if own := [each for each in certificates if _public_key(each) == public]:
        return max(own, key=lambda each: each.not_valid_after_utc)
    raise BadCredentials(
        "KEY_MISMATCH",
        f"got {key}, want the private key of the certificate in {cert}: compare `openssl pkey -in KEY -pubout` with"
        " `openssl x509 -in CERT -noout -pubkey`",
    )


def _public_key(certificate: x509.Certificate) -> bytes | None:
    """Return the public key. None for an unknown algorithm, which the certificate of a supported key never has."""
    try:
        return certificate.public_key().public_bytes(*_SPKI)
    except (ValueError, UnsupportedAlgorithm):
        return None


def _own(certificates: list[x509.Certificate], cert: Path) -> x509.Certificate:
    """Return the certificate that did not issue any of the others."""
    last = [each for each in certificates if not any(each != other and _issued(each, other) for other in certificates)]
    if not last:
        raise BadCredentials("CERTIFICATE_UNREADABLE", f"got no certificate in {cert}, want the device's")
    return last[0]


def _chain_of(own: x509.Certificate, certificates: list[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    chain = [own]
    while following := [each for each in certificates if each not in chain and _issued(each, chain[-1])]:
        chain.append(following[0])
    return tuple(chain[1:])


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
