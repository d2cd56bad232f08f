"""The values that the generator of `tests.x509_cases` combines: extensions, keys, signatures, times and encodings."""

from typing import Final

from tests.der import element, integer, oid

NULL, TRUE, FALSE = b"\x05\x00", b"\x01\x01\xff", b"\x01\x01\x00"
_CLIENT, _SERVER, _ANY = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1", "2.5.29.37.0"
_KEY_BITS: Final = {"sign": 0x80, "repudiate": 0x40, "encipher": 0x20, "agree": 0x08, "certs": 0x04, "lists": 0x02}


def sequence(*parts: bytes) -> bytes:
    return element(0x30, b"".join(parts))


def _usage(*names: str) -> bytes:
    value = sum(_KEY_BITS[name] for name in names)
    unused = (value & -value).bit_length() - 1 if value else 0
    return element(0x03, bytes([unused, value]) if value else b"\x00")


def _extended(*uses: str) -> bytes:
    return sequence(*map(oid, uses))


def _names(tag: int, text: str) -> bytes:
    return sequence(element(tag, text.encode()))


_POINT = sequence(sequence(element(0xA0, element(0xA0, element(0x86, b"http://acme.example/1.crl")))))
_POLICY = sequence(sequence(oid("1.3.6.1.4.1.99999.1")))
TEXT_TAGS: Final = {"utf8": (0x0C, "utf-8"), "printable": (0x13, "ascii"), "ia5": (0x16, "ascii")} | {
    "t61": (0x14, "latin-1"),
    "bmp": (0x1E, "utf-16-be"),
    "universal": (0x1C, "utf-32-be"),
}

EXTENSIONS: Final[dict[str, tuple[str, bytes] | None]] = {
    "none": None,
    "leaf": ("2.5.29.19", sequence()),
    "leaf, FALSE written": ("2.5.29.19", sequence(FALSE)),
    "leaf with path length": ("2.5.29.19", sequence(integer(0))),
    "CA": ("2.5.29.19", sequence(TRUE)),
    "CA, path length 0": ("2.5.29.19", sequence(TRUE, integer(0))),
    "sign": ("2.5.29.15", _usage("sign")),
    "sign, encipher": ("2.5.29.15", _usage("sign", "encipher")),
    "agree": ("2.5.29.15", _usage("agree")),
    "encipher": ("2.5.29.15", _usage("encipher")),
    "no usage": ("2.5.29.15", _usage()),
    "sign, certs": ("2.5.29.15", _usage("sign", "certs")),
    "certs": ("2.5.29.15", _usage("certs")),
    "certs, lists": ("2.5.29.15", _usage("certs", "lists")),
    "client": ("2.5.29.37", _extended(_CLIENT)),
    "server": ("2.5.29.37", _extended(_SERVER)),
    "client, server": ("2.5.29.37", _extended(_SERVER, _CLIENT)),
    "any use": ("2.5.29.37", _extended(_ANY)),
    "any use, client": ("2.5.29.37", _extended(_ANY, _CLIENT)),
    "SAN": ("2.5.29.17", _names(0x82, "sensor.example")),
    "SAN email": ("2.5.29.17", _names(0x81, "a@acme.example")),
    "SAN ediPartyName": ("2.5.29.17", sequence(element(0xA5, element(0xA1, element(0x0C, b"x"))))),
    "SAN not ASCII": ("2.5.29.17", sequence(element(0x82, "sensör".encode()))),
    "SAN damaged": ("2.5.29.17", b"\x30\x84"),
    "IAN": ("2.5.29.18", _names(0x81, "ca@acme.example")),
    "policies": ("2.5.29.32", _POLICY),
    "distribution point": ("2.5.29.31", _POINT),
    "OCSP no check": ("1.3.6.1.5.5.7.48.1.5", NULL),
    "netscape client": ("2.16.840.1.113730.1.1", element(0x03, b"\x07\x80")),
    "netscape server": ("2.16.840.1.113730.1.1", element(0x03, b"\x06\x40")),
    "TLS feature": ("1.3.6.1.5.5.7.1.24", sequence(integer(5))),
    "authority info": (
        "1.3.6.1.5.5.7.1.1",
        sequence(sequence(oid("1.3.6.1.5.5.7.48.1"), element(0x86, b"http://acme.example"))),
    ),
    "policy constraints": ("2.5.29.36", sequence(element(0x80, b"\x05"))),
    "inhibit any policy": ("2.5.29.54", integer(0)),
    "permits example": ("2.5.29.30", sequence(element(0xA0, sequence(element(0x82, b"example"))))),
    "permits other": ("2.5.29.30", sequence(element(0xA0, sequence(element(0x82, b"other.test"))))),
    "excludes sensor-1": (
        "2.5.29.30",
        sequence(
            element(
                0xA1,
                sequence(element(0xA4, sequence(element(0x31, sequence(oid("2.5.4.3"), element(0x0C, b"sensor-1")))))),
            )
        ),
    ),
    "unknown": ("1.2.3.4", NULL),
}
KEYS: Final = (
    *("SECP256R1", "SECP384R1", "SECP521R1", "SECP224R1", "SECP256K1", "BrainpoolP256R1"),
    *("rsa-2048", "rsa-3072", "rsa-1024", "rsa-2040", "ed25519", "rsa-17000", "rsa exponent 2000", "rsa exponent 1"),
)
HASHES: Final = ("sha256", "sha384", "sha512", "sha224", "sha1", "sha3_256", "pss", "mismatch", "tampered", "no NULL")
TIMES: Final = (
    *("utc", "generalized", "now", "later", "ended", "year 0", "year 9999", "fraction", "no seconds", "offset"),
    *("month 13", "lower-case z"),
)
SERIALS: Final = {"usual": 0x1234, "0": 0, "negative": -255, "20 octets": (1 << 159) - 1, "21 octets": 1 << 159} | {
    "1000 octets": 1 << 7999
}
ENCODINGS: Final = (
    *("der", "FALSE written", "long length", "trailing bytes", "indefinite length", "extension twice", "v1 written"),
    *("no version", "unique id", "long integer"),
)
CA_KEYS: Final = ("SECP256R1", "SECP384R1", "SECP521R1", "rsa-2048", "rsa-1024", "SECP224R1", "SECP256K1", "ed25519")
ISSUERS: Final = ("same", "printable", "upper case", "two spaces", "another")
"""How a device's certificate writes its CA's name."""
