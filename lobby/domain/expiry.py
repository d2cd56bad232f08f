"""Which CAs and revocation lists will expire soon, so that an operator renews them before devices are refused.

A CA is reported half a year before its end, because a manufacturer must create a new CA and produce devices with it. A
list is reported 60 days before its end, or when a third of its time is left if it is valid for less than 180 days: a
list that is published every week must not raise an alarm every week. Unreadable lists are also reported. The CAs of
enrolments' signers publish no lists.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256

from lobby.domain.signer import Signer
from lobby.domain.trust.issuer import Issuer, parse_issuer
from lobby.domain.trust.revocation import genuine_lists
from lobby.errors import IdentityRefused
from lobby.names import shown

CA_NOTICE: Final = timedelta(days=180)
LIST_NOTICE: Final = timedelta(days=60)
CERTIFICATE_NOTICE: Final = timedelta(days=90)
"""How long before its end a device's certificate counts as expiring."""
CA: Final = "ca"
LIST: Final = "list"


@dataclass(frozen=True)
class Expiring:
    """A CA (`kind` CA) or its revocation list (LIST) that ends at `ends` (ISO 8601 UTC; None: it cannot be read, and
    `problem` states why). `ca` is AWS IoT's id of the CA, `name` its subject. For all CAs of a Region that cannot be
    read, `ca` is empty and `name` the Region."""

    kind: str
    ca: str
    name: str
    ends: str | None
    problem: str | None = None


def expiring(ca: str, pem: str, crl: bytes | None, at: datetime) -> list[Expiring]:
    """Return which parts of a registered CA expire soon or cannot be used: its certificate, and the lists in the
    content of its file (None: it has no file). Never raise an error."""
    try:
        issuer = parse_issuer(pem)
    except IdentityRefused as refusal:
        return [Expiring(CA, ca, "", None, f"{refusal.code}: {refusal.message}")]
    name = _name(issuer)
    found = [Expiring(CA, ca, name, _text(issuer.end))] if issuer.end - CA_NOTICE <= at else []
    try:
        complete = [each for each in genuine_lists(issuer, crl) if not each.partial]
    except IdentityRefused as refusal:
        return [*found, Expiring(LIST, ca, name, None, f"{refusal.code}: {refusal.message}")]
    last = max(complete, key=lambda each: each.begin)
    if last.end is None:
        return [*found, Expiring(LIST, ca, name, None, "CRL_STALE: got a list without an end, which is never current")]
    if last.end - min(LIST_NOTICE, (last.end - last.begin) / 3) <= at:
        found.append(Expiring(LIST, ca, name, _text(last.end)))
    return found


def expiring_signers(signers: Iterable[Signer], at: datetime) -> list[Expiring]:
    """Return which CAs of signers expire soon, each once. They get the ids that AWS IoT would give them."""
    found = []
    for pem in dict.fromkeys(each.ca for each in signers):
        issuer = parse_issuer(pem)
        if issuer.end - CA_NOTICE <= at:
            found.append(Expiring(CA, issuer.certificate.fingerprint(SHA256()).hex(), _name(issuer), _text(issuer.end)))
    return found


def _name(issuer: Issuer) -> str:
    return shown(issuer.name.rfc4514_string(), 200).strip("'")


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
