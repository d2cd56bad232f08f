"""Certificates that no library would build: an empty CN, a SHA-1 signature, an unknown curve, a version of the future.

The DER of a good one is edited element by element, whatever the new lengths, and signed anew by its issuer.
"""

from base64 import encodebytes

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from tests.certificates import Issuer


def swapped(certificate: x509.Certificate, old: bytes, new: bytes, issuer: Issuer) -> str:
    """The PEM of the certificate with the DER elements `old` made `new`, of any length, and signed anew (the
    signature stays one with SHA-256, whatever the certificate then says)."""
    body, algorithm = signed_parts(certificate)
    changed = _swap(body, old, new)
    if changed == body:
        raise AssertionError("there is nothing to swap")
    return signed_anew(issuer, changed, _swap(algorithm, old, new))


def signed_parts(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    """The DER of what is signed, and of the algorithm that is named beside it."""
    body, algorithm, _ = _elements(_content(certificate.public_bytes(Encoding.DER)))
    return body, algorithm


def signed_anew(issuer: Issuer, body: bytes, algorithm: bytes) -> str:
    """The PEM of a certificate around `body`, whatever it is, with a signature that holds."""
    return _pem(_element(0x30, body + algorithm + _bits(_signed(issuer, body))))


def with_bad_signature(certificate: x509.Certificate) -> str:
    """The same certificate with one bit of its signature turned over."""
    der = bytearray(certificate.public_bytes(Encoding.DER))
    der[-1] ^= 1
    return _pem(bytes(der))


def text(text: str) -> bytes:
    """A UTF8String."""
    return _element(0x0C, text.encode())


def version(number: int) -> bytes:
    """A certificate's version field: v3 is 2."""
    return _element(0xA0, _element(0x02, bytes([number])))


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER with small arcs, save the well-known 840 and 10045."""
    first, second, *rest = map(int, dotted.split("."))
    return _element(0x06, bytes([40 * first + second]) + b"".join(map(_arc, rest)))


def _arc(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.insert(0, 0x80 | number & 0x7F)
    return bytes(digits)


def _signed(issuer: Issuer, body: bytes) -> bytes:
    if not isinstance(issuer.key, ec.EllipticCurvePrivateKey):
        raise TypeError("only EC issuers sign anew")
    return issuer.key.sign(body, ec.ECDSA(SHA256()))


def _swap(der: bytes, old: bytes, new: bytes) -> bytes:
    if der == old:
        return new
    if not der[0] & 0x20 or old not in der:
        return der
    return _element(der[0], b"".join(_swap(part, old, new) for part in _elements(_content(der))))


def _elements(body: bytes) -> list[bytes]:
    """The DER elements that stand side by side in `body`."""
    found = []
    while body:
        begin, size = _measured(body)
        found.append(body[: begin + size])
        body = body[begin + size :]
    return found


def _content(der: bytes) -> bytes:
    begin, size = _measured(der)
    return der[begin : begin + size]


def _measured(der: bytes) -> tuple[int, int]:
    """Where an element's content begins, and its size."""
    if der[1] < 0x80:
        return 2, der[1]
    digits = der[1] & 0x7F
    return 2 + digits, int.from_bytes(der[2 : 2 + digits])


def _element(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    digits = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(digits)]) + digits + body


def _bits(body: bytes) -> bytes:
    return _element(0x03, b"\x00" + body)


def _pem(der: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{encodebytes(der).decode()}-----END CERTIFICATE-----\n"
