"""Hostile CAs and revocation lists: part of the table in `tests.hostile`."""

from collections.abc import Callable
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tests import certificates as make
from tests import der
from tests.certificates import YEAR, Issuer
from tests.hostile_maker import (
    HOUR,
    REVOKED_SERIAL,
    YEAR_0,
    Hostile,
    Maker,
    good,
    time_after,
    unparsed,
    with_extensions,
)


def _listed(**how: Any) -> Callable[[Maker], bytes]:
    return lambda maker: maker.crl(**how)


_UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
_PARTIAL: Final[dict[str, x509.ExtensionType]] = {
    "delta": x509.DeltaCRLIndicator(1),
    "CAs-only": x509.IssuingDistributionPoint(None, None, False, True, None, False, False),
    "attribute-certificates-only": x509.IssuingDistributionPoint(None, None, False, False, None, False, True),
    "key-compromise-only": x509.IssuingDistributionPoint(
        None, None, False, False, frozenset([x509.ReasonFlags.key_compromise]), False, False
    ),
    "indirect": x509.IssuingDistributionPoint(None, None, False, False, None, True, False),
}


def _distribution_point(url: str) -> x509.IssuingDistributionPoint:
    return x509.IssuingDistributionPoint([x509.UniformResourceIdentifier(url)], None, True, False, None, False, False)


def _points(url: str) -> x509.CRLDistributionPoints:
    return x509.CRLDistributionPoints([x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)])


_LAST, _UNTIL = time_after(-1), time_after(7)
_REVOKED_IN_YEAR_0 = der.integer(REVOKED_SERIAL) + YEAR_0


def _under(code: str, certificate: Callable[[Maker], str] | None = None, **how: Any) -> Hostile:
    """Return a row for a device of a registered CA that `make` creates."""

    def ca(maker: Maker) -> Issuer:
        return maker.cached(f"{code} {how}", lambda: maker.authority("Acme Odd CA", 7, **how))

    return Hostile(code, certificate or (lambda m: m.pem(ca(m))), ca)


_SERVER = ExtendedKeyUsageOID.SERVER_AUTH
_CA, _SIGNS = (x509.BasicConstraints(True, None), True), make.key_usage(key_cert_sign=True, crl_sign=True)
_OTHER = x509.DirectoryName(make.subject((NameOID.ORGANIZATION_NAME, "Other")))


def _excluding_the_name(maker: Maker) -> Issuer:
    """Return a CA that may not issue the name that this maker's devices have."""
    names = x509.NameConstraints(None, [x509.DirectoryName(make.named(maker.name))])
    return maker.cached("excluding", lambda: maker.authority("Acme Odd CA", 7, more=[(names, True)]))


ISSUERS: Final[dict[str, Hostile]] = {
    "an unreadable CA": Hostile("CA_INVALID", good, lambda _: unparsed("hello")),
    "two CAs in one": Hostile("CA_INVALID", good, lambda m: unparsed(m.ca.pem * 2)),
    "a CA from the year 0": Hostile(
        "CA_INVALID",
        good,
        lambda m: unparsed(
            der.replaced(m.root.certificate, der.utc_time(f"{m.at - YEAR:%y%m%d%H%M%SZ}"), YEAR_0, m.root)
        ),
    ),
    "a CA without basicConstraints": _under("CA_NOT_A_CA", extensions=[_SIGNS]),
    "a CA that may not sign certificates": _under(
        "CA_WRONG_PURPOSE", extensions=[_CA, make.key_usage(crl_sign=True, digital_signature=True)]
    ),
    "a CA for servers": _under("CA_WRONG_PURPOSE", more=[(x509.ExtendedKeyUsage([_SERVER]), False)]),
    "a CA with an unknown critical extension": _under("CA_CRITICAL_EXTENSION", more=[(_UNKNOWN, True)]),
    "a CA with RSA-1024": _under("CA_WEAK_KEY", kind="rsa-1024"),
    "a CA on another curve": _under("CA_WEAK_KEY", kind="SECP256K1"),
    "a CA for another organization": _under(
        "NAME_NOT_PERMITTED",
        more=[(x509.NameConstraints([_OTHER], None), True)],
    ),
    "a CA that excludes the name": Hostile(
        "NAME_NOT_PERMITTED", lambda m: m.pem(_excluding_the_name(m)), _excluding_the_name
    ),
    "an expired CA": Hostile("CA_EXPIRED", lambda m: m.pem(m.old), lambda m: m.old),
    "a CA not yet valid": Hostile("CA_EXPIRED", lambda m: m.pem(m.not_yet_valid), lambda m: m.not_yet_valid),
}
"""CAs that are registered and must not be."""
LISTS: Final[dict[str, Hostile]] = {
    "no CRL": Hostile("CRL_MISSING", good, crl=lambda _: None),
    "an unreadable CRL": Hostile("CRL_INVALID", good, crl=lambda _: b"hello"),
    "an empty CRL": Hostile("CRL_INVALID", good, crl=lambda _: b""),
    "a second CRL that is cut off": Hostile("CRL_INVALID", good, crl=lambda m: m.crl() + m.crl()[:-40]),
    "a CRL of another issuer": Hostile("CRL_INVALID", good, crl=lambda m: m.crl(m.root)),
    "a CRL signed by another": Hostile("CRL_INVALID", good, crl=lambda m: m.crl(signed_by=m.forged)),
    "a CRL signed with another kind of key": Hostile(
        "CRL_INVALID", good, crl=lambda m: m.crl(signed_by=Issuer(m.ca.certificate, make.key("rsa-2048")))
    ),
    **{
        f"a {what} CRL, {'' if critical else 'not '}critical": Hostile(
            "CRL_PARTIAL", good, crl=_listed(extensions=[(extension, critical)])
        )
        for what, extension in _PARTIAL.items()
        for critical in (True, False)
    },
    "a CRL with an unknown critical extension": Hostile(
        "CRL_INVALID", good, crl=_listed(extensions=[(_UNKNOWN, True)])
    ),
    "a CRL of another distribution point": Hostile(
        "CRL_SCOPE",
        with_extensions((_points("http://acme.example/1.crl"), False)),
        crl=_listed(extensions=[(_distribution_point("http://acme.example/2.crl"), True)]),
    ),
    "a CRL from the year 0": Hostile("CRL_INVALID", good, crl=lambda m: m.changed_crl(_LAST, YEAR_0, revoked=())),
    "a CRL until the year 0": Hostile("CRL_INVALID", good, crl=lambda m: m.changed_crl(_UNTIL, YEAR_0, revoked=())),
    "a CRL with an entry of the year 0": Hostile(
        "REVOKED_BY_ISSUER",
        lambda m: m.pem(serial=REVOKED_SERIAL),
        crl=lambda m: m.changed_crl(lambda m: der.integer(REVOKED_SERIAL) + _LAST(m), _REVOKED_IN_YEAR_0),
    ),
    "a truncated CRL": Hostile("CRL_INVALID", good, crl=lambda m: m.der_crl()[:-9]),
    "a truncated CRL behind a complete one": Hostile("CRL_INVALID", good, crl=lambda m: m.der_crl() + m.der_crl()[:-9]),
    "a stale CRL next to one of another issuer": Hostile(
        "CRL_STALE", good, crl=lambda m: m.crl(until=m.at - HOUR) + m.crl(m.root)
    ),
    "revoked by a delta CRL": Hostile(
        "REVOKED_BY_ISSUER",
        lambda m: m.pem(serial=REVOKED_SERIAL),
        crl=lambda m: m.crl(revoked=()) + m.crl(extensions=[(x509.DeltaCRLIndicator(1), True)]),
    ),
    "a stale CRL": Hostile("CRL_STALE", good, crl=lambda m: m.crl(until=m.at - HOUR)),
    "a CRL not yet valid": Hostile("CRL_STALE", good, crl=lambda m: m.crl(last=m.at + HOUR)),
    "revoked by its issuer": Hostile("REVOKED_BY_ISSUER", lambda m: m.pem(serial=REVOKED_SERIAL)),
}
"""What can be in the trust bucket."""
