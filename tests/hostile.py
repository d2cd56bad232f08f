"""The table of hostile certificates: one row for each, with the reason code for which it is refused.

The unit tests pass the rows to `identity.verify`, the functional tests to the bouncer on moto, the end-to-end tests to
the deployed bouncer, over TLS where TLS accepts them. Each has its own `Maker`: a manufacturer's CAs at a given time. A
test fails if the source contains a code without a row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA224
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tests import certificates as make
from tests import der
from tests.certificates import DAY, NOW, YEAR, Issuer

HOUR: Final = timedelta(hours=1)
CN, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME
REVOKED_SERIAL: Final = 666


class Maker:
    """A manufacturer's CAs and certificates at the time `at`. `name` is the devices' name; `number` distinguishes the
    CAs of several manufacturers."""

    def __init__(self, at: datetime = NOW, number: int = 0, name: str = "sensor-1") -> None:
        self.at, self.number, self.name = at, number, name

    def authority(self, cn: str, offset: int, **how: Any) -> Issuer:
        dates = {"begin": self.at - YEAR, "end": self.at + 10 * YEAR}
        return make.authority(f"{cn} {self.number}", number=50 * self.number + offset, **dates | how)

    @cached_property
    def root(self) -> Issuer:
        return self.authority("Acme Root", 9)

    @cached_property
    def ca(self) -> Issuer:
        """The CA that is registered with the lobby, unless a row has another."""
        return self.authority("Acme Devices CA", 0, parent=self.root, pathlen=0)

    @cached_property
    def forged(self) -> Issuer:
        """An attacker's CA with the names of the registered one and another key."""
        return self.authority("Acme Devices CA", 1, parent=Issuer(self.root.certificate, make.key("SECP256R1", 99)))

    @cached_property
    def twin(self) -> Issuer:
        """A CA with all fields of the registered one, including identifiers and serial, and another key."""
        return make.twin_of(self.ca, make.key("SECP256R1", 98))

    @cached_property
    def other(self) -> Issuer:
        return self.authority("Other CA", 2)

    @cached_property
    def below(self) -> Issuer:
        """Issued by the registered CA, whose path length forbids it."""
        return self.authority("Acme Sub CA", 3, parent=self.ca)

    @cached_property
    def old(self) -> Issuer:
        return self.authority("Acme Old CA", 5, begin=self.at - 2 * YEAR, end=self.at - DAY)

    @cached_property
    def not_yet_valid(self) -> Issuer:
        return self.authority("Acme Coming CA", 6, begin=self.at + DAY)

    @cached_property
    def good(self) -> x509.Certificate:
        return self.issued()

    @cached_property
    def issuing_device(self) -> Issuer:
        """A device of the registered CA that issues certificates itself."""
        return Issuer(self.good, make.key("SECP256R1"))

    def issued(self, issuer: Issuer | None = None, **how: Any) -> x509.Certificate:
        return make.device(issuer or self.ca, self.name, **{"begin": self.at - DAY, "end": self.at + YEAR} | how)

    def pem(self, issuer: Issuer | None = None, **how: Any) -> str:
        return make.pem_of(self.issued(issuer, **how))

    def replaced(self, old: bytes, new: bytes) -> str:
        """Return the PEM of the valid certificate with an element replaced, signed again."""
        return der.replaced(self.good, old, new, self.ca)

    def crl(self, issuer: Issuer | None = None, revoked: tuple[int, ...] = (REVOKED_SERIAL,), **how: Any) -> bytes:
        dates = {"last": self.at - DAY, "until": self.at + 7 * DAY}
        return make.crl(issuer or self.ca, revoked, **dates | how)


def registered_ca(maker: Maker) -> Issuer:
    return maker.ca


@dataclass(frozen=True)
class Hostile:
    """A hostile certificate. `crl` is the content of the trust bucket for `issuer` (default: a valid list). `key` is
    the certificate's key, if it is not the default one. `before` names what happened before its first connection, for
    codes that do not depend on the certificate alone."""

    code: str
    certificate: Callable[[Maker], str]
    issuer: Callable[[Maker], Issuer] = registered_ca
    crl: Callable[[Maker], bytes | None] | None = None
    key: Callable[[Maker], make.Key] = lambda _: make.key("SECP256R1")
    before: str = ""

    def list_for(self, maker: Maker) -> bytes | None:
        return self.crl(maker) if self.crl else maker.crl(self.issuer(maker))


def _good(maker: Maker) -> str:
    return make.pem_of(maker.good)


def _named(cn: str) -> Callable[[Maker], str]:
    """Return a certificate with a name that the library does not accept."""
    return lambda maker: maker.replaced(der.text(maker.name), der.text(cn))


def _subject(*parts: tuple[ObjectIdentifier, str]) -> Callable[[Maker], str]:
    return lambda maker: maker.pem(name=make.subject(*parts))


def _weak(kind: str) -> Hostile:
    return Hostile("WEAK_KEY", lambda maker: maker.pem(kind=kind), key=lambda _: make.key(kind))


def _oid(old: str, new: str) -> Callable[[Maker], str]:
    return lambda maker: maker.replaced(der.oid(old), der.oid(new))


def _with(*extensions: tuple[x509.ExtensionType, bool]) -> Callable[[Maker], str]:
    return lambda maker: maker.pem(extensions=extensions)


def _used_for(*uses: ObjectIdentifier) -> Callable[[Maker], str]:
    return _with((x509.ExtendedKeyUsage(uses), False))


def _listed(**how: Any) -> Callable[[Maker], bytes]:
    return lambda maker: maker.crl(**how)


_ECDSA_SHA256, _P256 = "1.2.840.10045.4.3.2", "1.2.840.10045.3.1.7"
_CAS_ONLY = x509.IssuingDistributionPoint(None, None, False, True, None, False, False)
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
    "a forged intermediate": Hostile("UNTRUSTED_CHAIN", lambda m: m.pem(m.forged)),
    "a twin of the registered CA": Hostile("UNTRUSTED_CHAIN", lambda m: m.pem(m.twin)),
    "issued by a CA under the registered one, beyond its path length": Hostile(
        "UNTRUSTED_CHAIN", lambda m: m.pem(m.below)
    ),
    "issued by the registered CA's own root": Hostile("UNTRUSTED_CHAIN", lambda m: m.pem(m.root)),
    "a signature with a flipped bit": Hostile("UNTRUSTED_CHAIN", lambda m: der.with_bad_signature(m.good)),
    "issued by a device, as registered CA": Hostile(
        "UNTRUSTED_CHAIN", lambda m: m.pem(m.issuing_device), lambda m: m.issuing_device
    ),
    "an unknown critical extension": Hostile(
        "UNTRUSTED_CHAIN", _with((x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True))
    ),
    "a CA as device": Hostile("NOT_A_DEVICE", lambda m: m.below.pem, key=lambda m: m.below.key),
    "the registered CA itself": Hostile(
        "NOT_A_DEVICE", lambda m: m.root.pem, lambda m: m.root, key=lambda m: m.root.key
    ),
    "a key that may sign certificates": Hostile(
        "NOT_A_DEVICE", _with(make.key_usage(digital_signature=True, key_cert_sign=True))
    ),
    "a server's certificate": Hostile("WRONG_PURPOSE", _used_for(ExtendedKeyUsageOID.SERVER_AUTH)),
    "any purpose": Hostile("WRONG_PURPOSE", _used_for(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)),
    "a key that may not sign": Hostile("WRONG_PURPOSE", _with(make.key_usage(key_agreement=True))),
    "RSA-1024": _weak("rsa-1024"),
    "RSA-2040": _weak("rsa-2040"),
    "secp256k1": _weak("SECP256K1"),
    "secp224r1": _weak("SECP224R1"),
    "brainpool": _weak("BrainpoolP256R1"),
    "Ed25519": _weak("ed25519"),
    "SHA-1": Hostile("WEAK_SIGNATURE", _oid(_ECDSA_SHA256, "1.2.840.10045.4.1")),
    "SHA-224": Hostile("WEAK_SIGNATURE", lambda m: m.pem(algorithm=SHA224())),
    "an unknown curve": Hostile("BAD_CERTIFICATE", _oid(_P256, "1.2.840.10045.3.1.119")),
    "an unknown signature algorithm": Hostile("BAD_CERTIFICATE", _oid(_ECDSA_SHA256, "1.2.840.10045.4.3.99")),
    "an unknown version of X.509": Hostile("BAD_CERTIFICATE", lambda m: m.replaced(der.version(2), der.version(3))),
    "two certificates": Hostile("BAD_CERTIFICATE", lambda m: _good(m) * 2),
    "no certificate": Hostile("BAD_CERTIFICATE", lambda _: ""),
    "no PEM": Hostile("BAD_CERTIFICATE", lambda _: "hello"),
    "text that is not Unicode": Hostile("BAD_CERTIFICATE", lambda _: "\ud800"),
    "cut PEM": Hostile("BAD_CERTIFICATE", lambda m: _good(m)[:300]),
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
    "an expired CA": Hostile("CA_EXPIRED", lambda m: m.pem(m.old), lambda m: m.old),
    "a CA not yet valid": Hostile("CA_EXPIRED", lambda m: m.pem(m.not_yet_valid), lambda m: m.not_yet_valid),
    "no CRL": Hostile("CRL_MISSING", _good, crl=lambda _: None),
    "an unreadable CRL": Hostile("CRL_INVALID", _good, crl=lambda _: b"hello"),
    "an empty CRL": Hostile("CRL_INVALID", _good, crl=lambda _: b""),
    "a CRL of another issuer": Hostile("CRL_INVALID", _good, crl=lambda m: m.crl(m.root)),
    "a CRL signed by another": Hostile("CRL_INVALID", _good, crl=lambda m: m.crl(signed_by=m.forged)),
    "a CRL signed with another kind of key": Hostile(
        "CRL_INVALID", _good, crl=lambda m: m.crl(signed_by=Issuer(m.ca.certificate, make.key("rsa-2048")))
    ),
    "a delta CRL": Hostile("CRL_INVALID", _good, crl=_listed(extensions=[(x509.DeltaCRLIndicator(1), True)])),
    "a CRL of CAs only": Hostile("CRL_INVALID", _good, crl=_listed(extensions=[(_CAS_ONLY, True)])),
    "a stale CRL": Hostile("CRL_STALE", _good, crl=lambda m: m.crl(until=m.at - HOUR)),
    "a CRL not yet valid": Hostile("CRL_STALE", _good, crl=lambda m: m.crl(last=m.at + HOUR)),
    "revoked by its issuer": Hostile("REVOKED_BY_ISSUER", lambda m: m.pem(serial=REVOKED_SERIAL)),
    "a CN that another certificate holds": Hostile("NAME_TAKEN", _good, before="the name is taken"),
    "revoked before its first connection": Hostile("REVOKED", _good, before="it was revoked"),
    "a CA that is not registered here": Hostile("CA_UNKNOWN", _good, before="the CA was unregistered"),
    "a deactivated CA": Hostile("CA_INACTIVE", _good, before="the CA was deactivated"),
}
"""By the property that makes them hostile."""
