"""Decides from a CA's revocation lists whether a certificate is revoked. Fails closed: without a list, it is refused.

A file contains one or several lists. A list counts if the CA has issued and signed it. A partial list can only add
revocations, whether its extension is critical or not (RFC 5280, 5.2): a delta list, or a list that covers only CAs,
some reasons or other issuers' certificates. A list with a distribution point covers the certificates that name this
point or no point: step-ca and the partitions of AWS Private CA issue such lists.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID

from lobby.domain.trust.distinguished_names import same_name
from lobby.domain.trust.issuer import Issuer
from lobby.domain.trust.reading import CAUSE_LENGTH, Unreadable, read, revocation_lists
from lobby.errors import IdentityRefused
from lobby.names import shown

_UNDERSTOOD: Final = (
    ExtensionOID.ISSUING_DISTRIBUTION_POINT,
    ExtensionOID.DELTA_CRL_INDICATOR,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.CRL_NUMBER,
    ExtensionOID.FRESHEST_CRL,
    ExtensionOID.ISSUER_ALTERNATIVE_NAME,
)
_DELTA: Final = "of changes only (delta CRL)"
_Names = frozenset[x509.GeneralName]


@dataclass(frozen=True)
class RevocationList:
    """A genuine list. `partial`: why it is not complete, or empty. `points`: its distribution point's names, empty for
    all certificates."""

    crl: x509.CertificateRevocationList
    begin: datetime
    end: datetime | None
    partial: str
    points: _Names

    @property
    def is_delta(self) -> bool:
        """Return whether it lists changes only."""
        return self.partial == _DELTA

    def is_current(self, at: datetime) -> bool:
        return self.begin <= at and self.end is not None and at <= self.end


def genuine_lists(issuer: Issuer, content: bytes | None) -> list[RevocationList]:
    """Return the CA's lists in the file. Raise `IdentityRefused` CRL_MISSING, CRL_INVALID, or CRL_PARTIAL if none is
    complete."""
    if content is None:
        raise IdentityRefused("CRL_MISSING", "got a CA without a revocation list, want one published: publish-crl")
    try:
        found = revocation_lists(content)
        causes = [read(lambda crl=crl: _foreign(crl, issuer)) for crl in found]  # type: ignore[misc]
        own = (crl for crl, cause in zip(found, causes, strict=True) if not cause)
        lists = [read(lambda crl=crl: _parsed(crl)) for crl in own]  # type: ignore[misc]
    except Unreadable as error:
        raise IdentityRefused(
            "CRL_INVALID", f"got a revocation list that cannot be read ({error}), want RFC 5280 in PEM or DER"
        ) from None
    if not lists:
        raise IdentityRefused("CRL_INVALID", f"got a revocation list {causes[0]}")
    if all(each.partial for each in lists):
        raise IdentityRefused("CRL_PARTIAL", f"got a list {lists[0].partial}, want a complete list of the CA")
    return lists


def own_lists(issuer: Issuer, found: Iterable[x509.CertificateRevocationList]) -> list[RevocationList]:
    """Return those of the lists that the CA has issued and that can be read, complete or not."""
    own: list[RevocationList] = []
    for crl in found:
        with suppress(Unreadable):
            if not read(lambda crl=crl: _foreign(crl, issuer)):  # type: ignore[misc]
                own.append(read(lambda crl=crl: _parsed(crl)))  # type: ignore[misc]
    return own


def check_current(lists: Iterable[RevocationList], at: datetime) -> None:
    """Raise `IdentityRefused` CRL_STALE unless a complete list is current."""
    complete = [each for each in lists if not each.partial]
    if not any(each.is_current(at) for each in complete):
        latest = max(complete, key=lambda each: each.begin)
        until = f"{latest.end:%FT%TZ}" if latest.end else "no end"
        raise IdentityRefused(
            "CRL_STALE",
            f"got a revocation list for {latest.begin:%FT%TZ} to {until}, want a current one: renew and publish it",
        )


def check_revocation(certificate: x509.Certificate, issuer: Issuer, content: bytes | None, at: datetime) -> None:
    """Raise `IdentityRefused` CRL_MISSING, CRL_INVALID, CRL_PARTIAL, REVOKED_BY_ISSUER, CRL_SCOPE or CRL_STALE."""
    lists = genuine_lists(issuer, content)
    serial = certificate.serial_number
    if any(_revokes(each, serial) for each in lists):
        raise IdentityRefused("REVOKED_BY_ISSUER", f"got serial {serial:x}, which its CA has revoked")
    named = _points_of(certificate)
    covering = [each for each in lists if not each.partial and (not each.points or not named or each.points & named)]
    if not covering:
        got, want = _shown_names(frozenset().union(*(each.points for each in lists))), _shown_names(named)
        raise IdentityRefused("CRL_SCOPE", f"got lists for {got}, want the one for the certificate's point {want}")
    check_current(covering, at)


def _foreign(crl: x509.CertificateRevocationList, issuer: Issuer) -> str:
    """Return why the list is not this CA's, or an empty string."""
    if not same_name(crl.issuer, issuer.name):
        got, want = (shown(name.rfc4514_string(), CAUSE_LENGTH) for name in (crl.issuer, issuer.name))
        return f"of another issuer ({got}), want one of {want}"
    if not crl.is_signature_valid(issuer.key):
        return "with a signature that the CA's key did not make, want one that this CA has signed"
    return ""


def _parsed(crl: x509.CertificateRevocationList) -> RevocationList:
    extensions = list(crl.extensions)
    unknown = [each.oid.dotted_string for each in extensions if each.critical and each.oid not in _UNDERSTOOD]
    if unknown:
        raise ValueError(f"critical extension {', '.join(unknown)}, which is not known here")
    partial, points = "", frozenset[x509.GeneralName]()
    for extension in extensions:
        if isinstance(extension.value, x509.DeltaCRLIndicator):
            partial = _DELTA
        elif isinstance(extension.value, x509.IssuingDistributionPoint):
            partial = partial or _limit(extension.value)
            points = frozenset(extension.value.full_name or ())
    return RevocationList(crl, crl.last_update_utc, crl.next_update_utc, partial, points)


def _limit(point: x509.IssuingDistributionPoint) -> str:
    """Return what keeps the list from covering devices' certificates, or an empty string."""
    limits = {
        "of CA certificates only": point.only_contains_ca_certs,
        "of attribute certificates only": point.only_contains_attribute_certs,
        "for some reasons only": point.only_some_reasons is not None,
        "of other issuers' certificates (indirect CRL)": point.indirect_crl,
    }
    return next((text for text, applies in limits.items() if applies), "")


def _revokes(each: RevocationList, serial: int) -> bool:
    try:
        entry = read(lambda: each.crl.get_revoked_certificate_by_serial_number(serial))
        return entry is not None and read(lambda: not _is_removed(entry))
    except Unreadable as error:
        raise IdentityRefused("CRL_INVALID", f"got a list with an entry that cannot be read ({error})") from None


def revoked_serials(each: RevocationList) -> frozenset[int]:
    """Return the serial numbers that the list revokes. An entry that cannot be read counts: the lobby then refuses."""
    serials = set()
    for entry in each.crl:
        try:
            removed = read(lambda entry=entry: _is_removed(entry))  # type: ignore[misc]
        except Unreadable:
            removed = False
        if not removed:
            serials.add(entry.serial_number)
    return frozenset(serials)


def _is_removed(entry: x509.RevokedCertificate) -> bool:
    return any(
        extension.oid == CRLEntryExtensionOID.CRL_REASON
        and isinstance(extension.value, x509.CRLReason)
        and extension.value.reason is x509.ReasonFlags.remove_from_crl
        for extension in entry.extensions
    )


def _points_of(certificate: x509.Certificate) -> _Names:
    """Return the names of the certificate's distribution points."""
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.CRLDistributionPoints):
            return frozenset(name for point in extension.value for name in point.full_name or ())
    return frozenset()


def _shown_names(names: _Names) -> str:
    return shown(", ".join(sorted(str(name.value) for name in names)), CAUSE_LENGTH)
