"""Authorisation: the table of operations and roles, and the caller to whom it applies.

Roles are groups of the Cognito user pool; the highest role of a user counts. A technician may claim only for the
targets of their further groups (`target:<account>/<region>`). A user without a role is rejected. An operation that is
not in the table is forbidden for every role.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from admin_api.errors import Forbidden
from lobby.errors import InvalidInput
from lobby.names import Target, parse_target_key


class Role(StrEnum):
    """In ascending order of permissions."""

    VIEWER = "viewer"
    TECHNICIAN = "technician"
    OPERATOR = "operator"
    ADMIN = "admin"


_EVERYONE: Final = frozenset(Role)
_CLAIMERS: Final = frozenset({Role.TECHNICIAN, Role.OPERATOR, Role.ADMIN})
_OPERATORS: Final = frozenset({Role.OPERATOR, Role.ADMIN})
_ADMINS: Final = frozenset({Role.ADMIN})

OPERATIONS: Final[dict[str, frozenset[Role]]] = {
    "me": _EVERYONE,
    "overview": _EVERYONE,
    "getDevice": _EVERYONE,
    "listDevices": _EVERYONE,
    "listLobbyDevices": _EVERYONE,
    "device": _EVERYONE,
    "devices": _EVERYONE,
    "targets": _EVERYONE,
    "verifyHistory": _EVERYONE,
    "anchoredDevices": _EVERYONE,
    "exportHistory": _EVERYONE,
    "addDevice": _CLAIMERS,
    "claimDevice": _CLAIMERS,
    "claimDevices": _CLAIMERS,
    "claimSerialNumbers": _CLAIMERS,
    "confirmPresence": _CLAIMERS,
    "moveDevice": _OPERATORS,
    "configureDevice": _OPERATORS,
    "releaseDevice": _OPERATORS,
    "revokeDevice": _OPERATORS,
    "retryDevice": _OPERATORS,
    "renewDevice": _OPERATORS,
    "dismissSuspicion": _OPERATORS,
    "quarantineDevice": _OPERATORS,
    "liftQuarantine": _OPERATORS,
    "offerDevices": _OPERATORS,
    "withdrawTransfers": _OPERATORS,
    "transfers": _OPERATORS,
    "transferDocument": _ADMINS,
    "acceptTransfer": _ADMINS,
    "completeTransfer": _ADMINS,
    "serialNumberClaims": _OPERATORS,
    "withdrawSerialNumberClaim": _OPERATORS,
    "previewChange": _OPERATORS,
    "changeDevices": _OPERATORS,
    "previewCampaign": _OPERATORS,
    "createCampaign": _OPERATORS,
    "addCampaignDevices": _OPERATORS,
    "approveCampaign": _OPERATORS,
    "pauseCampaign": _OPERATORS,
    "resumeCampaign": _OPERATORS,
    "cancelCampaign": _OPERATORS,
    "undoCampaign": _OPERATORS,
    "campaign": _OPERATORS,
    "campaigns": _OPERATORS,
    "campaignResults": _OPERATORS,
    "connectionProblems": _OPERATORS,
    "checkTarget": _OPERATORS,
    "reconcileTarget": _OPERATORS,
    "repairTarget": _OPERATORS,
    "targetComparisons": _OPERATORS,
    "targetHistory": _OPERATORS,
    "pauseTarget": _OPERATORS,
    "resumeTarget": _OPERATORS,
    "activity": _OPERATORS,
    "alerts": _OPERATORS,
    "addAlert": _OPERATORS,
    "enrolments": _OPERATORS,
    "enrolmentHistory": _OPERATORS,
    "addSerialNumbers": _OPERATORS,
    "pauseEnrolment": _OPERATORS,
    "resumeEnrolment": _OPERATORS,
    "revokeEnrolment": _OPERATORS,
    "revokeClaimCertificate": _OPERATORS,
    "enrolmentTokens": _OPERATORS,
    "revokeEnrolmentToken": _OPERATORS,
    "createEnrolmentToken": _OPERATORS,
    "approveSerialNumber": _OPERATORS,
    "addClaimCertificate": _ADMINS,
    "createEnrolment": _ADMINS,
    "changeEnrolment": _ADMINS,
    "targetTemplate": _ADMINS,
    "registerTarget": _ADMINS,
    "renameTarget": _ADMINS,
    "archiveTarget": _ADMINS,
    "restoreTarget": _ADMINS,
    "removeTarget": _ADMINS,
    "setStandby": _ADMINS,
    "evacuateTarget": _ADMINS,
    "returnTarget": _ADMINS,
    "drillTarget": _ADMINS,
    "blockedUsers": _ADMINS,
    "blockUser": _ADMINS,
    "unblockUser": _ADMINS,
    "lobby": _EVERYONE,
    "regionCheck": _OPERATORS,
    "promoteRegion": _ADMINS,
    "continueWithout": _ADMINS,
    "webhooks": _ADMINS,
    "webhookDeliveries": _ADMINS,
    "addWebhook": _ADMINS,
    "rotateWebhookSecret": _ADMINS,
    "disableWebhook": _ADMINS,
    "enableWebhook": _ADMINS,
    "removeWebhook": _ADMINS,
    "testWebhook": _ADMINS,
    "redriveWebhook": _ADMINS,
}
"""Every field of Query and Mutation, by its GraphQL name."""

_TARGET_GROUP: Final = "target:"


@dataclass(frozen=True)
class Caller:
    """An authenticated user. `named_targets` restrict technicians only."""

    name: str
    role: Role
    named_targets: frozenset[Target] = frozenset()

    @property
    def actor(self) -> str:
        """The user's name in device histories."""
        return f"user:{self.name}"

    @property
    def operations(self) -> list[str]:
        """The operations that the role permits, in the table's order."""
        return [operation for operation in OPERATIONS if self.may(operation)]

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    def may(self, operation: str) -> bool:
        return self.role in OPERATIONS.get(operation, frozenset())

    def may_claim_for(self, target: Target) -> bool:
        return self.may("claimDevice") and (self.role is not Role.TECHNICIAN or target in self.named_targets)

    def may_list(self, target: Target) -> bool:
        """Return whether lists of targets include `target`. A technician's include only their own."""
        return self.role is not Role.TECHNICIAN or target in self.named_targets

    @property
    def own_targets(self) -> frozenset[Target] | None:
        """The targets for which the user may act. None means all targets."""
        return self.named_targets if self.role is Role.TECHNICIAN else None

    def require(self, operation: str) -> None:
        """Raise `Forbidden` if the role does not permit `operation`."""
        if not self.may(operation):
            allowed = ", ".join(role for role in Role if role in OPERATIONS.get(operation, ())) or "nobody"
            raise Forbidden(f"got {operation} by a {self.role}, want one of: {allowed}")

    def require_target(self, target: Target) -> None:
        """Raise `Forbidden` if a technician's groups do not name `target`."""
        if not self.may_claim_for(target):
            named = ", ".join(sorted(map(str, self.named_targets))) or "none yet: ask an admin"
            raise Forbidden(f"got target {target}, want one that you may claim for ({named})")


def caller_of(name: str, groups: Iterable[str]) -> Caller:
    """Return the caller for a token's user name and groups. Unknown groups are ignored.

    Raise `Forbidden` if no group is a role."""
    names = list(groups)
    role = next((role for role in reversed(Role) if role.value in names), None)
    if role is None:
        raise Forbidden(f"got a user in no role group, want one of: {', '.join(Role)}")
    return Caller(name, role, frozenset(_named_targets(names)))


def _named_targets(groups: Iterable[str]) -> Iterable[Target]:
    for group in groups:
        if group.startswith(_TARGET_GROUP):
            try:
                yield parse_target_key(group.removeprefix(_TARGET_GROUP))
            except InvalidInput:
                continue
