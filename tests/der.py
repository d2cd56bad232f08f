"""Certificates that no library builds: an empty CN, a SHA-1 signature, an unknown curve, an unknown version.

The DER of a valid certificate is edited element by element, with elements of any length, and signed again.
"""

from base64 import encodebytes

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from tests.certificates import Issuer


def replaced(certificate: x509.Certificate, old: bytes, new: bytes, issuer: Issuer) -> str:
    """Return the PEM of the certificate with the DER elements `old` replaced by `new`, of any length, and signed again
    (with SHA-256, even if the certificate then names another algorithm)."""
    body, algorithm = signed_parts(certificate)
    changed = _replace(body, old, new)
    if changed == body:
        raise AssertionError("the certificate does not contain the element to replace")
    return signed_again(issuer, changed, _replace(algorithm, old, new))


def signed_parts(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    """Return the DER of the signed part, and of the signature algorithm."""
    body, algorithm, _ = _elements(_content(certificate.public_bytes(Encoding.DER)))
    return body, algorithm


def signed_again(issuer: Issuer, body: bytes, algorithm: bytes) -> str:
    """Return the PEM of a certificate with any `body` and a valid signature."""
    return _pem(_element(0x30, body + algorithm + _bits(_signed(issuer, body))))


def with_bad_signature(certificate: x509.Certificate) -> str:
    """Return the certificate with one bit of its signature flipped."""
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
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    return _element(0x06, bytes([40 * first + second]) + b"".join(map(_arc, rest)))


def _arc(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.insert(0, 0x80 | number & 0x7F)
    return bytes(digits)


def _signed(issuer: Issuer, body: bytes) -> bytes:
    if not isinstance(issuer.key, ec.EllipticCurvePrivateKey):
        raise TypeError("want an issuer with an EC key")
    return issuer.key.sign(body, ec.ECDSA(SHA256()))


def _replace(der: bytes, old: bytes, new: bytes) -> bytes:
    if der == old:
        return new
    if not der[0] & 0x20 or old not in der:
        return der
    return _element(der[0], b"".join(_replace(part, old, new) for part in _elements(_content(der))))


def _elements(body: bytes) -> list[bytes]:
    """Return the DER elements in `body`."""
    elements = []
    while body:
        begin, size = _content_range(body)
        elements.append(body[: begin + size])
        body = body[begin + size :]
    return elements


def _content(der: bytes) -> bytes:
    begin, size = _content_range(der)
    return der[begin : begin + size]


def _content_range(der: bytes) -> tuple[int, int]:
    """Return the offset of an element's content, and its size."""
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
