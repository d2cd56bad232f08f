"""Certificates that no library builds: an empty CN, a SHA-1 signature, an unknown curve, an unknown version.

The DER of a valid certificate is edited element by element, with elements of any length, and signed again.
"""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from tests.certificates import Issuer, pem_of_der


def replaced(certificate: x509.Certificate, old: bytes, new: bytes, issuer: Issuer) -> str:
    """Return the PEM of the certificate with the DER elements `old` replaced by `new`, of any length, and signed again
    (with SHA-256, even if the certificate then names another algorithm)."""
    body, algorithm = signed_parts(certificate)
    changed = _replace(body, old, new)
    if changed == body:
        raise AssertionError("the certificate does not contain the element to replace")
    return signed_again(issuer, changed, _replace(algorithm, old, new))


def changed_list(content: bytes, old: bytes, new: bytes, issuer: Issuer) -> bytes:
    """Return the DER of a revocation list with the bytes `old` replaced by `new`, and signed again. `old` may be
    several elements in a row."""
    body, algorithm, _ = elements(body_of(content))
    changed = _replace_within(body, old, new)
    if changed == body:
        raise AssertionError("the list does not contain the element to replace")
    return element(0x30, changed + algorithm + bits(_signed(issuer, changed)))


def _replace_within(der: bytes, old: bytes, new: bytes) -> bytes:
    """Replace `old` in the innermost element whose content contains it."""
    if not der[0] & 0x20 or old not in der:
        return der
    content = body_of(der)
    inner = b"".join(_replace_within(part, old, new) for part in elements(content))
    return element(der[0], content.replace(old, new, 1) if inner == content else inner)


def signed_parts(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    """Return the DER of the signed part, and of the signature algorithm."""
    body, algorithm, _ = elements(body_of(certificate.public_bytes(Encoding.DER)))
    return body, algorithm


def signed_again(issuer: Issuer, body: bytes, algorithm: bytes) -> str:
    """Return the PEM of a certificate with any `body` and a valid signature."""
    return pem_of_der(element(0x30, body + algorithm + bits(_signed(issuer, body))))


def with_other_algorithm(certificate: x509.Certificate, dotted: str, issuer: Issuer) -> str:
    """Return the certificate with another signature algorithm inside the signed part, signed again."""
    body, algorithm = signed_parts(certificate)
    return signed_again(issuer, _replace(body, algorithm, element(0x30, oid(dotted))), algorithm)


def with_bad_signature(certificate: x509.Certificate) -> str:
    """Return the certificate with one bit of its signature flipped."""
    der = bytearray(certificate.public_bytes(Encoding.DER))
    der[-1] ^= 1
    return pem_of_der(bytes(der))


def text(text: str) -> bytes:
    """A UTF8String."""
    return element(0x0C, text.encode())


def version(number: int) -> bytes:
    """A certificate's version field: v3 is 2."""
    return element(0xA0, element(0x02, bytes([number])))


def integer(number: int) -> bytes:
    return element(0x02, number.to_bytes(number.bit_length() // 8 + 1, signed=True))


def utc_time(text: str) -> bytes:
    """A UTCTime, such as ``261122120000Z``."""
    return element(0x17, text.encode())


def generalized_time(text: str) -> bytes:
    """A GeneralizedTime, such as ``20261122120000Z``."""
    return element(0x18, text.encode())


def rsa_key(modulus: int, exponent: int) -> bytes:
    """A SubjectPublicKeyInfo of an RSA key, whether such a key can exist or not."""
    algorithm = element(0x30, oid("1.2.840.113549.1.1.1") + b"\x05\x00")
    return element(0x30, algorithm + bits(element(0x30, integer(modulus) + integer(exponent))))


def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    return element(0x06, bytes([40 * first + second]) + b"".join(map(_arc, rest)))


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
    return element(der[0], b"".join(_replace(part, old, new) for part in elements(body_of(der))))


def elements(body: bytes) -> list[bytes]:
    """Return the DER elements in `body`."""
    found = []
    while body:
        begin, size = _content_range(body)
        found.append(body[: begin + size])
        body = body[begin + size :]
    return found


def body_of(der: bytes) -> bytes:
    """Return the content of an element."""
    begin, size = _content_range(der)
    return der[begin : begin + size]


def _content_range(der: bytes) -> tuple[int, int]:
    """Return the offset of an element's content, and its size."""
    if der[1] < 0x80:
        return 2, der[1]
    digits = der[1] & 0x7F
    return 2 + digits, int.from_bytes(der[2 : 2 + digits])


def element(tag: int, body: bytes) -> bytes:
    """Return an element with this tag and content."""
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    digits = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(digits)]) + digits + body


def bits(body: bytes) -> bytes:
    """A BIT STRING."""
    return element(0x03, b"\x00" + body)
