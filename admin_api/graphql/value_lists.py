"""The values of text fields, for their descriptions in the schema.

Fields of v0.1, and later fields with lower-case values, are text. `reason` and error codes are text because a later
version can add values. Their descriptions list the values. Fields with a closed set of codes are enums. The lists come
from the code that defines the values, or tests compare them with it.
"""

from collections.abc import Iterable
from typing import Final

from lobby.domain.states import Event
from lobby.names import State


def one_of(values: Iterable[str]) -> str:
    return f"One of: {', '.join(values)}."


STATES: Final = one_of(State)
EVENTS: Final = one_of(Event)

REASONS: Final[dict[State, tuple[str, ...]]] = {
    State.FAILED: (
        "TARGET_ROLE_DENIED",
        "TARGET_PERMISSION_MISSING",
        "TARGET_POLICY_MISSING",
        "TARGET_PROFILE_INCOMPLETE",
        "TARGET_NAME_TAKEN",
        "TARGET_REFUSED_CERTIFICATE",
        "TARGET_REVOKED_CERTIFICATE",
        "TARGET_UNREACHABLE",
        "TARGET_LIMIT",
        "TARGET_REGION_DISABLED",
        "TARGET_SHADOWS_REFUSED",
        "UNKNOWN_TARGET",
        "UNKNOWN_PROFILE",
    ),
    State.COMMISSIONED: ("SHADOWS_NOT_MIGRATED",),
    State.ARRIVED: ("SHADOWS_NOT_MIGRATED",),
    State.REFUSED: (
        "BAD_CERTIFICATE",
        "BAD_EXTENSION",
        "BAD_SERIAL",
        "BAD_VALIDITY",
        "CA_CRITICAL_EXTENSION",
        "CA_EXPIRED",
        "CA_INACTIVE",
        "CA_INVALID",
        "CA_NOT_A_CA",
        "CA_UNKNOWN",
        "CA_WEAK_KEY",
        "CA_WRONG_PURPOSE",
        "CERTIFICATE_INACTIVE",
        "CLAIM_EXPIRED",
        "CLAIM_REVOKED",
        "CLAIM_UNKNOWN",
        "CN_DIFFERS",
        "CRITICAL_EXTENSION",
        "CRL_INVALID",
        "CRL_MISSING",
        "CRL_PARTIAL",
        "CRL_SCOPE",
        "CRL_STALE",
        "ENROLMENT_EXPIRED",
        "ENROLMENT_FULL",
        "ENROLMENT_NOT_STARTED",
        "ENROLMENT_PAUSED",
        "ENROLMENT_REVOKED",
        "EXPIRED",
        "KEY_TOO_LARGE",
        "NAME_DOUBLED",
        "NAME_INVALID",
        "NAME_MISSING",
        "NAME_NOT_PERMITTED",
        "NAME_TAKEN",
        "NOT_A_DEVICE",
        "NOT_YET_VALID",
        "REPEAT_ASKED",
        "REVOKED_BY_ISSUER",
        "SERIAL_INVALID",
        "SERIAL_REVOKED",
        "SERIAL_UNMATCHED",
        "SIGNATURE_INVALID",
        "UNTRUSTED_CHAIN",
        "WEAK_KEY",
        "WEAK_SIGNATURE",
        "WRONG_PURPOSE",
    ),
    State.PROVING: ("CODE_NOT_SHOWN",),
    State.INLOBBY: ("ALLOCATION_FAILED", "PRESENCE_FAILED"),
    State.REVOKED: ("REVOKED",),
    State.QUARANTINED: ("CLONE_SUSPECTED", "QUARANTINED"),
}
"""The reason codes by the state in which they occur. In another state than failed, a TARGET_ code concerns a target
that the device has left and that could not be cleared. An admitted device without another reason can have
CLONE_SUSPECTED in each state. docs/troubleshooting.md has the fixes."""
REASON_LIST: Final = " ".join(f"In state {state}: {', '.join(codes)}." for state, codes in REASONS.items())

DIFFERENCES: Final = (
    "CERTIFICATE_MISSING",
    "CERTIFICATE_INACTIVE",
    "CERTIFICATE_ACTIVE",
    "CERTIFICATE_REVOKED",
    "THING_MISSING",
    "THING_UNBOUND",
    "THING_OF_ANOTHER",
    "THING_ELSEWHERE",
    "POLICY_MISSING",
    "POLICY_OF_ANOTHER_PROFILE",
    "THING_TYPE",
    "THING_ATTRIBUTES",
    "THING_CLAIM",
    "THING_GROUPS",
    "BILLING_GROUP",
    "BILLING_GROUP_OF_OWNER",
    "ORPHANED",
    "ORPHANED_NOT_OURS",
)
"""The differences between a target and the ledger. The commissioner defines them."""
REPAIRS: Final = ("retry", "deactivate")
