"""The table of hostile certificates: one row for each, with the reason code for which it is refused.

The unit tests pass the rows to `identity.verify`, the functional tests to the bouncer on moto, the end-to-end tests to
the deployed bouncer, over TLS where TLS accepts them. Each has its own `Maker`: a manufacturer's CAs at a given time. A
test fails if the source contains a code without a row.
"""

from collections.abc import Callable
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA224
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID, ObjectIdentifier

from tests import certificates as make
from tests import der
from tests.hostile_issuers import ISSUERS, LISTS
from tests.hostile_maker import HOUR, REVOKED_SERIAL, YEAR_0, Hostile, Maker, good, time_after, with_extensions

__all__ = ["HOSTILE", "HOUR", "REVOKED_SERIAL", "Hostile", "Maker"]
CN, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME


def _named(cn: str) -> Callable[[Maker], str]:
    """Return a certificate with a name that the library does not accept."""
    return lambda maker: maker.replaced(der.text(maker.name), der.text(cn))


def _subject(*parts: tuple[ObjectIdentifier, str]) -> Callable[[Maker], str]:
    return lambda maker: maker.pem(name=make.subject(*parts))


def _weak(kind: str) -> Hostile:
    return Hostile("WEAK_KEY", lambda maker: maker.pem(kind=kind), key=lambda _: make.key(kind))


def _oid(old: str, new: str) -> Callable[[Maker], str]:
    return lambda maker: maker.replaced(der.oid(old), der.oid(new))


def _used_for(*uses: ObjectIdentifier) -> Callable[[Maker], str]:
    return with_extensions((x509.ExtendedKeyUsage(uses), False))


_ECDSA_SHA256, _P256 = "1.2.840.10045.4.3.2", "1.2.840.10045.3.1.7"
_UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
_BEGIN = time_after(-1)


def _serial(number: int) -> Hostile:
    return Hostile(
        "BAD_SERIAL", lambda m: der.replaced(m.issued(serial=4711), der.integer(4711), der.integer(number), m.ca)
    )


def _beginning(element: bytes) -> Callable[[Maker], str]:
    return lambda maker: maker.replaced(_BEGIN(maker), element)


def _rsa(code: str, bits: int, exponent: int) -> Hostile:
    """Return a row for an RSA key of this size. Nobody has its private key."""
    return Hostile(code, lambda m: m.replaced(m.good_key, der.rsa_key((1 << bits) - 1, exponent)))


_LOOK_ALIKES: Final = {
    "a Cyrillic letter": "sens\u043er-1",
    "a full-width letter": "\uff53ensor-1",
    "another hyphen": "sensor\u20101",
    "an accent": "sens\u00f6r-1",
    "a letter and its accent": "senso\u0308r-1",
    "a zero-width space": "sensor\u200b-1",
    "a right-to-left override": "\u202e1-rosnes",
    "another digit one": "sensor-\u0661",
    "a dotless i": "\u0131ot-1",
    "a no-break space": "sensor-1\u00a0",
    "a byte order mark": "\ufeffsensor-1",
    "a language tag": "sensor-1\U000e0001",
}
_MARKS: Final = (
    "a#",
    "#",
    "+",
    "a+b",
    "a/b",
    "/",
    "$aws",
    "a\nb",
    "sensor-1\n",
    "a\r\nb",
    "a=b",
    "CN=victim",
    "a b",
    " sensor-1",
    "sensor-1 ",
    "victim\x00",
    "victim\x00.evil",
    "a,O=b",
    "a\\,b",
    "../a",
    "${iot:ClientId}",
    "a*",
    "a?",
    "a.b",
    "a@b",
    "a'b",
    'a"b',
    "<script>",
    "%2f",
    "\t",
)

HOSTILE: Final[dict[str, Hostile]] = {
    "expired": Hostile("EXPIRED", lambda m: m.pem(end=m.at - HOUR)),
    "not yet valid": Hostile("NOT_YET_VALID", lambda m: m.pem(begin=m.at + HOUR)),
    "another issuer": Hostile("UNTRUSTED_CHAIN", lambda m: m.pem(m.other)),
    "a forged intermediate": Hostile("SIGNATURE_INVALID", lambda m: m.pem(m.forged)),
    "a twin of the registered CA": Hostile("SIGNATURE_INVALID", lambda m: m.pem(m.twin)),
    "issued by a CA under the registered one, beyond its path length": Hostile(
        "UNTRUSTED_CHAIN", lambda m: m.pem(m.below)
    ),
    "issued by the registered CA's own root": Hostile("UNTRUSTED_CHAIN", lambda m: m.pem(m.root)),
    "another signature algorithm inside": Hostile(
        "SIGNATURE_INVALID", lambda m: der.with_other_algorithm(m.good, "1.2.840.10045.4.3.3", m.ca)
    ),
    "a signature with a flipped bit": Hostile("SIGNATURE_INVALID", lambda m: der.with_bad_signature(m.good)),
    "issued by a device, as registered CA": Hostile(
        "CA_NOT_A_CA", lambda m: m.pem(m.issuing_device), lambda m: m.issuing_device
    ),
    "an unknown critical extension": Hostile(
        "CRITICAL_EXTENSION",
        with_extensions((x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)),
    ),
    "an unknown critical extension next to a known one": Hostile(
        "CRITICAL_EXTENSION", with_extensions(make.key_usage(digital_signature=True), (_UNKNOWN, True))
    ),
    "the serial number 0": _serial(0),
    "a negative serial number": _serial(-255),
    "a serial number of 21 octets": _serial(1 << 160),
    "a serial number of 20 KB": _serial(1 << 160_000),
    "valid from the year 0": Hostile("BAD_VALIDITY", _beginning(YEAR_0)),
    "valid until before it begins": Hostile("BAD_VALIDITY", _beginning(der.generalized_time("99991231235959Z"))),
    "a month 13": Hostile("BAD_CERTIFICATE", _beginning(der.utc_time("261301000000Z"))),
    "a time without Z": Hostile("BAD_CERTIFICATE", _beginning(der.utc_time("2611220000"))),
    "an extension that cannot be parsed": Hostile(
        "BAD_EXTENSION", with_extensions((x509.UnrecognizedExtension(ExtensionOID.KEY_USAGE, b"\x30\x00"), False))
    ),
    "an extension of half a byte": Hostile(
        "BAD_EXTENSION",
        with_extensions((x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x30\x84"), False)),
    ),
    "RSA-16386": _rsa("KEY_TOO_LARGE", 16386, 65537),
    "RSA-200000": _rsa("KEY_TOO_LARGE", 200_000, 65537),
    "an RSA exponent of 2000 bits": _rsa("KEY_TOO_LARGE", 2048, (1 << 2000) + 1),
    "the RSA exponent 1": _rsa("WEAK_KEY", 2048, 1),
    "an even RSA exponent": _rsa("WEAK_KEY", 2048, 65536),
    "a CA as device": Hostile("NOT_A_DEVICE", lambda m: m.below.pem, key=lambda m: m.below.key),
    "the registered CA itself": Hostile(
        "NOT_A_DEVICE", lambda m: m.root.pem, lambda m: m.root, key=lambda m: m.root.key
    ),
    "a key that may sign certificates": Hostile(
        "NOT_A_DEVICE", with_extensions(make.key_usage(digital_signature=True, key_cert_sign=True))
    ),
    "a server's certificate": Hostile("WRONG_PURPOSE", _used_for(ExtendedKeyUsageOID.SERVER_AUTH)),
    "any purpose": Hostile("WRONG_PURPOSE", _used_for(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)),
    "a key that may not sign": Hostile("WRONG_PURPOSE", with_extensions(make.key_usage(key_agreement=True))),
    "RSA-1024": _weak("rsa-1024"),
    "RSA-2040": _weak("rsa-2040"),
    "secp256k1": _weak("SECP256K1"),
    "secp224r1": _weak("SECP224R1"),
    "brainpool": _weak("BrainpoolP256R1"),
    "Ed25519": _weak("ed25519"),
    "SHA-1": Hostile("WEAK_SIGNATURE", _oid(_ECDSA_SHA256, "1.2.840.10045.4.1")),
    "SHA-224": Hostile("WEAK_SIGNATURE", lambda m: m.pem(algorithm=SHA224())),
    "an unknown curve": Hostile("WEAK_KEY", _oid(_P256, "1.2.840.10045.3.1.119")),
    "an unknown signature algorithm": Hostile("WEAK_SIGNATURE", _oid(_ECDSA_SHA256, "1.2.840.10045.4.3.99")),
    "an unknown version of X.509": Hostile("BAD_CERTIFICATE", lambda m: m.replaced(der.version(2), der.version(3))),
    "two certificates": Hostile("BAD_CERTIFICATE", lambda m: good(m) * 2),
    "no certificate": Hostile("BAD_CERTIFICATE", lambda _: ""),
    "no PEM": Hostile("BAD_CERTIFICATE", lambda _: "hello"),
    "text that is not Unicode": Hostile("BAD_CERTIFICATE", lambda _: "\ud800"),
    "cut PEM": Hostile("BAD_CERTIFICATE", lambda m: good(m)[:300]),
    "no subject": Hostile("NAME_MISSING", _subject()),
    "no CN": Hostile("NAME_MISSING", _subject((NameOID.ORGANIZATION_NAME, "Acme"))),
    "a CN inside the OU": Hostile("NAME_MISSING", _subject((OU, "CN=victim"))),
    "two CNs": Hostile("NAME_DOUBLED", _subject((CN, "victim"), (CN, "sensor-1"))),
    "the same CN twice": Hostile("NAME_DOUBLED", _subject((CN, "sensor-1"), (CN, "sensor-1"))),
    "two CNs in one RDN": Hostile("NAME_DOUBLED", lambda m: m.pem(name=make.in_one_part((CN, "a"), (CN, "victim")))),
    "an empty CN": Hostile("NAME_INVALID", _named("")),
    "a CN of 129 characters": Hostile("NAME_INVALID", _named("a" * 129)),
    "a CN of 60,000 characters": Hostile("NAME_INVALID", _named("a" * 60_000)),
    **{f"a CN of {cn!a}": Hostile("NAME_INVALID", _named(cn)) for cn in _MARKS},
    **{f"a CN with {what}": Hostile("NAME_INVALID", _named(cn)) for what, cn in _LOOK_ALIKES.items()},
    **ISSUERS,
    **LISTS,
    "a CN that another certificate holds": Hostile("NAME_TAKEN", good, before="the name is taken"),
    "revoked before its first connection": Hostile("REVOKED", good, before="it was revoked"),
    "a CA that is not registered here": Hostile("CA_UNKNOWN", good, before="the CA was unregistered"),
    "a deactivated CA": Hostile("CA_INACTIVE", good, before="the CA was deactivated"),
}
"""By the property that makes them hostile."""
