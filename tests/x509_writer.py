"""Writes the certificates of a generated case, element by element: no library builds most of the deviations."""

from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests import certificates as make
from tests.certificates import DAY, NOW, YEAR
from tests.der import bits, body_of, element, generalized_time, integer, oid, rsa_key, utc_time
from tests.x509_cases import Case, Part
from tests.x509_values import EXTENSIONS, FALSE, NULL, SERIALS, TEXT_TAGS, TRUE, sequence

_CA_NAME: Final = "Acme Devices CA"
_ECDSA: Final = {
    "sha1": "1.2.840.10045.4.1",
    "sha224": "1.2.840.10045.4.3.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
    "sha3_256": "2.16.840.1.101.3.4.3.10",
}
_RSA: Final = {
    "sha1": "1.2.840.113549.1.1.5",
    "sha224": "1.2.840.113549.1.1.14",
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
    "sha512": "1.2.840.113549.1.1.13",
    "sha3_256": "2.16.840.1.101.3.4.3.14",
}
_HASH: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303  # to see it refused
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3_256": hashes.SHA3_256(),
}
_PSS_SHA256: Final = sequence(
    oid("1.2.840.113549.1.1.10"),
    sequence(
        element(0xA0, sequence(oid("2.16.840.1.101.3.4.2.1"), NULL)),
        element(0xA1, sequence(oid("1.2.840.113549.1.1.8"), sequence(oid("2.16.840.1.101.3.4.2.1"), NULL))),
        element(0xA2, integer(32)),
    ),
)


def write(case: Case) -> tuple[bytes, bytes]:
    """Return the device's certificate and its CA's, as DER."""
    name = _name(_CA_NAME, case.ca.text)
    ca_key = make.key(case.ca.key, 300)
    ca = _certificate(case.ca, name, name, _spki(case.ca.key, 300), ca_key, "sha256")
    issuer = {
        "printable": _name(_CA_NAME, "printable"),
        "upper case": _name(_CA_NAME.upper(), case.ca.text),
        "two spaces": _name(_CA_NAME.replace(" ", "  "), case.ca.text),
        "another": _name("Other CA", case.ca.text),
    }.get(case.issuer, name)
    subject = _name("sensor-1", case.device.text)
    return _certificate(case.device, subject, issuer, _spki(case.device.key, 301), ca_key, case.algorithm), ca


def _certificate(part: Part, subject: bytes, issuer: bytes, spki: bytes, key: make.Key, algorithm: str) -> bytes:
    name, outer = _signature_algorithm(key, algorithm)
    inner = _signature_algorithm(key, "sha384")[1] if algorithm == "mismatch" else outer
    serial = integer(SERIALS[part.serial])
    if part.encoding == "long integer":
        serial = element(0x02, b"\x00" + body_of(serial))
    validity = sequence(_time(part.begin, NOW - YEAR), _time(part.end, NOW + 10 * YEAR))
    fields = [_version(part), serial, inner, issuer, validity, subject, spki]
    if part.encoding == "unique id":
        fields.append(element(0x81, b"\x00\x01"))
    body = sequence(*fields, _extensions(part))
    if part.encoding == "long length":
        body = b"\x30\x84" + len(body_of(body)).to_bytes(4) + body_of(body)
    if part.encoding == "indefinite length":
        body = b"\x30\x80" + body_of(body) + b"\x00\x00"
    signature = bytearray(_signed(key, body, name))
    signature[-1] ^= algorithm == "tampered"
    return sequence(body, outer, bits(bytes(signature))) + (b"\x05\x00" if part.encoding == "trailing bytes" else b"")


def _version(part: Part) -> bytes:
    number = {"v1 written": b"\x00", "no version": b""}.get(part.encoding, b"\x02")
    return element(0xA0, element(0x02, number)) if number else b""


def _extensions(part: Part) -> bytes:
    written = []
    for name, critical in part.extensions:
        if found := EXTENSIONS[name]:
            flag = TRUE if critical else FALSE if part.encoding == "FALSE written" else b""
            written.append(sequence(oid(found[0]), flag, element(0x04, found[1])))
    if part.encoding == "extension twice":
        written += written[:1]
    return element(0xA3, sequence(*written)) if written else b""


def _time(how: str, usual: datetime) -> bytes:
    text = f"{usual:%Y%m%d%H%M%SZ}"
    return {
        "utc": utc_time(text[2:]),
        "generalized": generalized_time(text),
        "now": utc_time(f"{NOW:%y%m%d%H%M%SZ}"),
        "later": utc_time(f"{NOW + DAY:%y%m%d%H%M%SZ}"),
        "ended": utc_time(f"{NOW - DAY:%y%m%d%H%M%SZ}"),
        "year 0": generalized_time("00000101000000Z"),
        "year 9999": generalized_time("99991231235959Z"),
        "fraction": generalized_time(f"{text[:-1]}.5Z"),
        "no seconds": utc_time(f"{text[2:-3]}Z"),
        "offset": utc_time(f"{text[2:-1]}+0100"),
        "month 13": utc_time(f"{text[2:4]}13{text[6:]}"),
        "lower-case z": utc_time(text[2:].lower()),
    }[how]


def _name(text: str, kind: str) -> bytes:
    tag, encoding = TEXT_TAGS[kind]
    return sequence(element(0x31, sequence(oid("2.5.4.3"), element(tag, text.encode(encoding)))))


def _spki(kind: str, number: int) -> bytes:
    impossible = {
        "rsa-17000": (17_000, 65537),
        "rsa exponent 2000": (2048, (1 << 2000) + 1),
        "rsa exponent 1": (2048, 1),
    }
    if kind in impossible:
        size, exponent = impossible[kind]
        return rsa_key((1 << size) - 1, exponent)
    return make.key(kind, number).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _signature_algorithm(key: make.Key, algorithm: str) -> tuple[str, bytes]:
    """Return the hash and the AlgorithmIdentifier."""
    name = algorithm if algorithm in _HASH else "pss" if algorithm == "pss" else "sha256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "", sequence(oid("1.3.101.112"))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        name = "sha256" if name == "pss" else name
        return name, sequence(oid(_ECDSA[name]))
    if name == "pss":
        return name, _PSS_SHA256
    return name, sequence(oid(_RSA[name]), b"" if algorithm == "no NULL" else NULL)


def _signed(key: make.Key, body: bytes, name: str) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(body)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(body, ec.ECDSA(_HASH[name]))
    if name == "pss":
        return key.sign(body, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    return key.sign(body, padding.PKCS1v15(), _HASH[name])
