"""The certificates of a device that renews, and the events and actions of its renewal store.

The store answers each action with an event, like the storage of the route. `events` has all other events and actions.
"""

from dataclasses import dataclass

from lobby.names import Fingerprint


@dataclass(frozen=True)
class NewHeld:
    """A new certificate that is not proven yet. `generation`: a target accepts it once the device has a route of this
    generation or later. `given_up`: the target has refused it several times, so the old one is used until there is
    another new one."""

    certid: Fingerprint
    generation: int
    given_up: bool = False


@dataclass(frozen=True)
class Certificates:
    """The stored certificates. `used` is the certificate in use (None: the one in the settings), `new` the new one.
    `has_key`: a key exists whose request got no certificate yet."""

    used: Fingerprint | None = None
    new: NewHeld | None = None
    has_key: bool = False


@dataclass(frozen=True)
class PrepareRenewalKey:
    """Create and store a new key, unless there is one without a certificate. Answered by `RenewalKeyReady` or
    `CertificatesNotStored`."""


@dataclass(frozen=True)
class StoreCertificate:
    """Store a new certificate (PEM) for the new key, next to the one in use. Answered by `CertificatesStored` or
    `CertificatesNotStored`, like the following actions."""

    pem: str
    generation: int


@dataclass(frozen=True)
class PromoteCertificate:
    """The new certificate is proven: make it the one in use, then remove the old one and its key."""


@dataclass(frozen=True)
class GiveUpCertificate:
    """The target refuses the new certificate: keep it, and prefer the old one."""


@dataclass(frozen=True)
class RenewalKeyReady:
    """The new key is stored. `csr` (PEM) is a request for a certificate for it, `public_key` its public key (DER)."""

    csr: str
    public_key: bytes


@dataclass(frozen=True)
class CertificatesStored:
    """The last action is done. These are the stored certificates."""

    certificates: Certificates


RenewalAction = PrepareRenewalKey | StoreCertificate | PromoteCertificate | GiveUpCertificate


@dataclass(frozen=True)
class CertificatesNotStored:
    """The action has failed. The stored certificates are unchanged."""

    detail: str
    action: RenewalAction


RenewalEvent = RenewalKeyReady | CertificatesStored | CertificatesNotStored
