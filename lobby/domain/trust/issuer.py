"""The checks of a registered CA, and whether it issued a device's certificate. The CA that AWS IoT has registered is
the trust anchor, so its own issuer is not checked. It must be a CA by basicConstraints, its key usage and extended key
usage must permit issuing client certificates if they exist, and its key must be strong. A CA without key usage, or with
non-critical basicConstraints, is accepted: RFC 5280 permits both, and `openssl req -x509` creates such CAs.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from lobby.domain.trust import keys
from lobby.domain.trust.device_certificate import UNDERSTOOD, unknown_critical
from lobby.domain.trust.distinguished_names import not_permitted, same_name
from lobby.domain.trust.reading import CAUSE_LENGTH, Unreadable, pem_certificates, read
from lobby.errors import IdentityRefused
from lobby.names import shown

_UNDERSTOOD: Final = UNDERSTOOD | {
    ExtensionOID.NAME_CONSTRAINTS,
    ExtensionOID.POLICY_CONSTRAINTS,
    ExtensionOID.INHIBIT_ANY_POLICY,
}


@dataclass(frozen=True)
class Issuer:
    """A CA whose fields can be read, with its key."""

    certificate: x509.Certificate
    key: keys.PublicKey
    begin: datetime
    end: datetime

    @property
    def name(self) -> x509.Name:
        return self.certificate.subject


def parse_issuer(pem: str) -> Issuer:
    """Return a CA that can issue device certificates. Its validity is not checked. Raise `IdentityRefused` CA_INVALID,
    CA_NOT_A_CA, CA_WRONG_PURPOSE, CA_CRITICAL_EXTENSION or CA_WEAK_KEY."""
    certificate = _readable(pem)
    _check_extensions(certificate)
    return Issuer(certificate, _key(certificate), certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _readable(pem: str) -> x509.Certificate:
    try:
        certificates = pem_certificates(pem)
        if len(certificates) != 1:
            raise IdentityRefused("CA_INVALID", f"got {len(certificates)} CA certificates, want one")
        [ca] = certificates
        read(lambda: (ca.version, ca.subject, ca.issuer, list(ca.extensions)))
        read(lambda: (ca.not_valid_before_utc, ca.not_valid_after_utc))
    except Unreadable as error:
        raise IdentityRefused(
            "CA_INVALID", f"got a CA certificate that cannot be read ({error}), want X.509 v3: issue a new one"
        ) from None
    return ca


def _check_extensions(ca: x509.Certificate) -> None:
    values = [extension.value for extension in ca.extensions]
    if not any(isinstance(value, x509.BasicConstraints) and value.ca for value in values):
        raise IdentityRefused(
            "CA_NOT_A_CA",
            "got a certificate without basicConstraints CA:TRUE, want a CA's: basicConstraints=critical,CA:TRUE",
        )
    for value in values:
        if isinstance(value, x509.KeyUsage) and not value.key_cert_sign:
            raise IdentityRefused(
                "CA_WRONG_PURPOSE", "got a CA whose key usage lacks keyCertSign, want keyUsage=keyCertSign,cRLSign"
            )
        if isinstance(value, x509.ExtendedKeyUsage) and not _allows_clients(value):
            raise IdentityRefused(
                "CA_WRONG_PURPOSE",
                "got a CA whose extended key usage lacks clientAuth, want it there or no such extension",
            )
    if unknown := unknown_critical(ca, _UNDERSTOOD):
        raise IdentityRefused(
            "CA_CRITICAL_EXTENSION", f"got a CA with a critical extension that is not known here ({unknown})"
        )


def _allows_clients(uses: x509.ExtendedKeyUsage) -> bool:
    return ExtendedKeyUsageOID.CLIENT_AUTH in uses or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in uses


def _key(ca: x509.Certificate) -> keys.PublicKey:
    try:
        key = keys.key_of(ca)
    except Unreadable as error:
        raise IdentityRefused(
            "CA_WEAK_KEY", f"got a CA's key that is not supported ({error}), want {keys.WANTED}"
        ) from None
    if fault := keys.weakness(key) or keys.excess(key):
        raise IdentityRefused("CA_WEAK_KEY", f"got a CA with {fault}, want {keys.WANTED}")
    return key


def check_issuer_validity(issuer: Issuer, at: datetime) -> None:
    """Raise `IdentityRefused` CA_EXPIRED if the CA is not valid at `at`."""
    if at < issuer.begin:
        raise IdentityRefused(
            "CA_EXPIRED", f"got a CA valid from {issuer.begin:%FT%TZ}, want one valid now: check its machine's clock"
        )
    if at > issuer.end:
        raise IdentityRefused(
            "CA_EXPIRED", f"got a CA valid until {issuer.end:%FT%TZ}, want one valid now: issue from a new CA"
        )


def check_issued_by(certificate: x509.Certificate, issuer: Issuer) -> None:
    """Raise `IdentityRefused` UNTRUSTED_CHAIN, SIGNATURE_INVALID or NAME_NOT_PERMITTED."""
    if not same_name(certificate.issuer, issuer.name):
        got, want = (shown(name.rfc4514_string(), CAUSE_LENGTH) for name in (certificate.issuer, issuer.name))
        raise IdentityRefused(
            "UNTRUSTED_CHAIN", f"got a certificate issued by {got}, want one by the registered {want}"
        )
    if not keys.is_signed_by(certificate, issuer.key):
        raise IdentityRefused(
            "SIGNATURE_INVALID",
            "got a certificate that names the registered CA and is not signed with its key: another CA has the same"
            " name, or the certificate was changed; want one that the registered CA has signed",
        )
    for extension in issuer.certificate.extensions:
        if isinstance(extension.value, x509.NameConstraints):
            try:
                name = read(lambda value=extension.value: not_permitted(certificate, value))  # type: ignore[misc]
            except Unreadable as error:
                name = str(error)
            if name:
                raise IdentityRefused(
                    "NAME_NOT_PERMITTED",
                    f"got {shown(name, CAUSE_LENGTH)}, which the CA's name constraints do not permit",
                )
