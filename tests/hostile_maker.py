"""A manufacturer's CAs and certificates at a given time, and a row in the tables of hostile certificates."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests import certificates as make
from tests import der
from tests.certificates import DAY, NOW, YEAR, Issuer

HOUR: Final = timedelta(hours=1)
REVOKED_SERIAL: Final = 666
YEAR_0: Final = der.generalized_time("00000101000000Z")


class Maker:
    """A manufacturer's CAs and certificates at the time `at`. `name` is the devices' name; `number` distinguishes the
    CAs of several manufacturers."""

    def __init__(self, at: datetime = NOW, number: int = 0, name: str = "sensor-1") -> None:
        self.at, self.number, self.name = at, number, name
        self._cached: dict[str, Issuer] = {}

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

    def der_crl(self, **how: Any) -> bytes:
        return x509.load_pem_x509_crl(self.crl(**how)).public_bytes(Encoding.DER)

    def changed_crl(self, old: Callable[["Maker"], bytes], new: bytes, **how: Any) -> bytes:
        """Return the valid list (DER) with elements replaced, signed again."""
        return der.changed_list(self.der_crl(**how), old(self), new, self.ca)

    @property
    def good_key(self) -> bytes:
        """The SubjectPublicKeyInfo of the valid certificate."""
        return self.good.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def cached(self, name: str, create: Callable[[], Issuer]) -> Issuer:
        """Return the CA of this name, the same one at each call."""
        if name not in self._cached:
            self._cached[name] = create()
        return self._cached[name]


@dataclass(frozen=True)
class Unparsed(Issuer):
    """A registered CA with any text as its certificate. A valid CA's key signs its lists."""

    text: str = ""

    @property
    def pem(self) -> str:
        return self.text


def unparsed(text: str) -> Unparsed:
    valid = make.authority("Unparsed", number=8)
    return Unparsed(valid.certificate, valid.key, text)


def registered_ca(maker: Maker) -> Issuer:
    return maker.ca


@dataclass(frozen=True)
class Hostile:
    """A hostile certificate. `crl` is the content of the trust bucket for `issuer` (default: a valid list). `key` is
    the certificate's key, if it is not the default one. `before` names the event before its first connection, for codes
    that do not only depend on the certificate."""

    code: str
    certificate: Callable[[Maker], str]
    issuer: Callable[[Maker], Issuer] = registered_ca
    crl: Callable[[Maker], bytes | None] | None = None
    key: Callable[[Maker], make.Key] = lambda _: make.key("SECP256R1")
    before: str = ""

    def list_for(self, maker: Maker) -> bytes | None:
        return self.crl(maker) if self.crl else maker.crl(self.issuer(maker))


def good(maker: Maker) -> str:
    """Return the valid certificate."""
    return make.pem_of(maker.good)


def with_extensions(*extensions: tuple[x509.ExtensionType, bool]) -> Callable[[Maker], str]:
    """Return a certificate with these extensions only."""
    return lambda maker: maker.pem(extensions=extensions)


def time_after(days: int) -> Callable[[Maker], bytes]:
    """Return the element for a time that many days after the maker's."""
    return lambda maker: der.utc_time(f"{maker.at + days * DAY:%y%m%d%H%M%SZ}")
