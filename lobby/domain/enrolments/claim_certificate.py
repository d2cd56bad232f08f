"""A claim certificate. The devices of an enrolment at the door `claim` use it until they have certificates of their
own. Many devices share its key, so it can be stolen, and it proves only that a device belongs to the enrolment. Its
policy only permits requests for a certificate. It is active in AWS IoT only while its enrolment could admit a device.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lobby.domain.enrolments.enrolment import FULL, NOT_STARTED, Enrolment, refusal_of
from lobby.names import EnrolmentName, Fingerprint

MAX_CLAIM_CERTIFICATES: Final = 20
"""Claim certificates of one enrolment, without revoked ones."""
SERIAL_NUMBER: Final = "SerialNumber"
"""The only parameter of the provisioning template that a device sends."""
CLIENT_PREFIX: Final = "claim."
"""The prefix of the client id of a connection with a claim certificate. No thing name contains a dot, so such a
connection never takes over a device's session."""


class Source(StrEnum):
    """Who issued it: AWS IoT for a certificate signing request, or the operator, who supplied the certificate."""

    ISSUED = "issued"
    SUPPLIED = "supplied"


class CertificateActivity(StrEnum):
    """What the lobby knows about the certificate's status in AWS IoT. `starting`: it is being activated."""

    INACTIVE = "inactive"
    STARTING = "starting"
    ACTIVE = "active"


class ClaimState(StrEnum):
    """`inactive`: its enrolment is paused, has ended or is revoked."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class ClaimCertificate:
    """A claim certificate as the ledger has it. Times are ISO 8601 UTC with milliseconds.

    `creates_keys`: it may also request a key from AWS IoT (CreateKeysAndCertificate).
    `key` is the SHA-256 of the public key in the signing request, so that a repeated request is recognised."""

    certid: Fingerprint
    enrolment: EnrolmentName
    expires: str
    source: Source
    createdby: str
    createdat: str
    creates_keys: bool = False
    activity: CertificateActivity = CertificateActivity.INACTIVE
    revokedat: str | None = None
    key: str | None = None


def state_of(certificate: ClaimCertificate, enrolment: Enrolment, at: str) -> ClaimState:
    """Return the required state of the certificate at the time `at`. If its enrolment is full or has not started, it
    stays active, so that the lobby records the refusal of a device with the reason."""
    if certificate.revokedat is not None:
        return ClaimState.REVOKED
    if at >= certificate.expires:
        return ClaimState.EXPIRED
    refusal = refusal_of(enrolment, at)
    if refusal is not None and refusal.code not in (FULL, NOT_STARTED):
        return ClaimState.INACTIVE
    return ClaimState.ACTIVE


def is_expiring(certificate: ClaimCertificate, enrolment: Enrolment, at: str, soon: str) -> bool:
    """Return whether the certificate is in use at `at` and expires before `soon`, so that it must be replaced."""
    return state_of(certificate, enrolment, at) is ClaimState.ACTIVE and certificate.expires < soon
