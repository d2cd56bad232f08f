"""The table of roles and operations: a document for every field of Query and Mutation, and the roles that may call it.

The API's functional tests and those of the deployed API use it. Both fail for an operation that is not in the table.
`<target>`, or its account and Region, is filled in; `$id` is a device's fingerprint.
"""

from typing import Any, Final

from admin_api.roles import Role
from lobby.names import PresenceCode, Target

CODE: Final = PresenceCode("48291375")
"""The presence code, if the test chooses it."""
_EVERYONE: Final = frozenset(Role)
_CLAIMERS: Final = frozenset({Role.TECHNICIAN, Role.OPERATOR, Role.ADMIN})
_OPERATORS: Final = frozenset({Role.OPERATOR, Role.ADMIN})
_ADMINS: Final = frozenset({Role.ADMIN})

OPERATIONS: Final[dict[str, tuple[str, frozenset[Role]]]] = {
    "me": ("{ me { name } }", _EVERYONE),
    "overview": ("{ overview { total } }", _EVERYONE),
    "getDevice": ("query($id: ID!) { getDevice(certid: $id) { certid } }", _EVERYONE),
    "listDevices": ("{ listDevices { nextToken } }", _EVERYONE),
    "listLobbyDevices": ("{ listLobbyDevices { nextToken } }", _EVERYONE),
    "device": ("query($id: ID!) { device(certid: $id) { certid historyIntact } }", _EVERYONE),
    "devices": ("{ devices { nodes { certid } } }", _EVERYONE),
    "targets": ("{ targets { name } }", _EVERYONE),
    "verifyHistory": ("query($id: ID!) { verifyHistory(certid: $id) { ok seq code } }", _EVERYONE),
    "exportHistory": ("query($id: ID!) { exportHistory(certid: $id) { fileName key } }", _EVERYONE),
    "anchoredDevices": ("{ anchoredDevices { certids } }", _EVERYONE),
    "connectionProblems": ("{ connectionProblems { certid code } }", _OPERATORS),
    "checkTarget": ("{ checkTarget(account: <account>, region: <region>) { ok } }", _OPERATORS),
    "reconcileTarget": ("{ reconcileTarget(account: <account>, region: <region>) { compared next } }", _OPERATORS),
    "repairTarget": ("mutation { repairTarget(account: <account>, region: <region>) { compared next } }", _OPERATORS),
    "targetComparisons": ("{ targetComparisons { account last { differences } } }", _OPERATORS),
    "pauseTarget": ("mutation { pauseTarget(account: <account>, region: <region>) { name } }", _OPERATORS),
    "resumeTarget": ("mutation { resumeTarget(account: <account>, region: <region>) { name } }", _OPERATORS),
    "lobby": ("{ lobby { region home acceptsChanges regions { name isHome } } }", _EVERYONE),
    "regionCheck": ("{ regionCheck { checked findings { certid code } } }", _OPERATORS),
    "promoteRegion": ("mutation { promoteRegion(region: <region>) { promoted } }", _ADMINS),
    "continueWithout": ("mutation { continueWithout(region: <region>) { home } }", _ADMINS),
    "addDevice": (
        "mutation($id: ID!) { addDevice(certid: $id, targetaccount: <account>, targetregion: <region>) { certid } }",
        _CLAIMERS,
    ),
    "claimDevice": ("mutation($id: ID!) { claimDevice(certid: $id, target: <target>) { certid } }", _CLAIMERS),
    "claimDevices": (
        "mutation($id: ID!) { claimDevices(certids: [$id], target: <target>) { results { certid code } } }",
        _CLAIMERS,
    ),
    "claimSerialNumbers": (
        'mutation { claimSerialNumbers(serialNumbers: ["unseen-1"], target: <target>) { results { ok code } } }',
        _CLAIMERS,
    ),
    "serialNumberClaims": ("{ serialNumberClaims { nodes { serialNumber } } }", _OPERATORS),
    "withdrawSerialNumberClaim": (
        'mutation { withdrawSerialNumberClaim(serialNumber: "unseen-2") { serialNumber } }',
        _OPERATORS,
    ),
    "confirmPresence": (
        f'mutation($id: ID!) {{ confirmPresence(certid: $id, code: "{CODE}") {{ certid }} }}',
        _CLAIMERS,
    ),
    "moveDevice": (
        'mutation($id: ID!) { moveDevice(certid: $id, target: <target>, config: "new") { certid } }',
        _OPERATORS,
    ),
    "configureDevice": (
        'mutation($id: ID!) { configureDevice(certid: $id, config: "new") { certid } }',
        _OPERATORS,
    ),
    "previewChange": (
        "query($id: ID!) { previewChange(change: {operation: RETRY}, devices: [{certid: $id}]) { total } }",
        _OPERATORS,
    ),
    "changeDevices": (
        "mutation($id: ID!) { changeDevices(change: {operation: RETRY}, devices: [{certid: $id}]) { results { ok } } }",
        _OPERATORS,
    ),
    "previewCampaign": (
        "query($id: ID!) { previewCampaign(change: {operation: RETRY}, devices: [{certid: $id}]) { total } }",
        _OPERATORS,
    ),
    "createCampaign": (
        'mutation { createCampaign(name: "new", change: {operation: RETRY}, failedOf: "none") { name } }',
        _OPERATORS,
    ),
    "addCampaignDevices": (
        'mutation($id: ID!) { addCampaignDevices(name: "none", devices: [{certid: $id}], offset: 0) { name } }',
        _OPERATORS,
    ),
    "approveCampaign": ('mutation { approveCampaign(name: "none") { state } }', _OPERATORS),
    "pauseCampaign": ('mutation { pauseCampaign(name: "none") { state } }', _OPERATORS),
    "resumeCampaign": ('mutation { resumeCampaign(name: "none") { state } }', _OPERATORS),
    "cancelCampaign": ('mutation { cancelCampaign(name: "none") { state } }', _OPERATORS),
    "undoCampaign": ('mutation { undoCampaign(name: "none") { state } }', _OPERATORS),
    "campaign": ('{ campaign(name: "none") { state } }', _OPERATORS),
    "campaigns": ("{ campaigns { nodes { name } } }", _OPERATORS),
    "campaignResults": ('{ campaignResults(name: "none") { nodes { certid } } }', _OPERATORS),
    "releaseDevice": ("mutation($id: ID!) { releaseDevice(certid: $id) { certid } }", _OPERATORS),
    "revokeDevice": ('mutation($id: ID!) { revokeDevice(certid: $id, why: "lost") { certid } }', _OPERATORS),
    "retryDevice": ("mutation($id: ID!) { retryDevice(certid: $id) { certid } }", _OPERATORS),
    "renewDevice": ("mutation($id: ID!) { renewDevice(certid: $id) { certid } }", _OPERATORS),
    "dismissSuspicion": (
        'mutation($id: ID!) { dismissSuspicion(certid: $id, why: "one device") { certid } }',
        _OPERATORS,
    ),
    "quarantineDevice": ('mutation($id: ID!) { quarantineDevice(certid: $id, why: "copied") { certid } }', _OPERATORS),
    "liftQuarantine": ('mutation($id: ID!) { liftQuarantine(certid: $id, why: "one device") { certid } }', _OPERATORS),
    "offerDevices": (
        f'mutation($id: ID!) {{ offerDevices(certids: [$id], to: "B", offer: "{"0" * 32}") {{ results {{ code }} }} }}',
        _OPERATORS,
    ),
    "withdrawTransfers": ("mutation($id: ID!) { withdrawTransfers(certids: [$id]) { results { code } } }", _OPERATORS),
    "transfers": ("{ transfers { nodes { certid } } }", _OPERATORS),
    "transferDocument": (f'{{ transferDocument(document: "x", key: "{"0" * 64}") {{ kind }} }}', _ADMINS),
    "acceptTransfer": (f'mutation {{ acceptTransfer(document: "x", key: "{"0" * 64}") {{ document }} }}', _ADMINS),
    "completeTransfer": (f'mutation {{ completeTransfer(document: "x", key: "{"0" * 64}") {{ document }} }}', _ADMINS),
    "targetHistory": ("{ targetHistory(account: <account>, region: <region>) { event } }", _OPERATORS),
    "alerts": ("{ alerts { email } }", _OPERATORS),
    "addAlert": ('mutation { addAlert(email: "ann@example.com") { confirmed } }', _OPERATORS),
    "activity": ("{ activity { next } }", _OPERATORS),
    "enrolments": ("{ enrolments { name } }", _OPERATORS),
    "enrolmentHistory": ('{ enrolmentHistory(name: "none") { event } }', _OPERATORS),
    "addSerialNumbers": (
        'mutation { addSerialNumbers(enrolment: "listed", serialNumbers: ["a"]) { added } }',
        _OPERATORS,
    ),
    "pauseEnrolment": ('mutation { pauseEnrolment(name: "none") { state } }', _OPERATORS),
    "resumeEnrolment": ('mutation { resumeEnrolment(name: "none") { state } }', _OPERATORS),
    "revokeEnrolment": ('mutation { revokeEnrolment(name: "none") { state } }', _OPERATORS),
    "enrolmentTokens": ('{ enrolmentTokens(enrolment: "none") { identifier } }', _OPERATORS),
    "createEnrolmentToken": (
        'mutation { createEnrolmentToken(enrolment: "none") { token { identifier } } }',
        _OPERATORS,
    ),
    "revokeEnrolmentToken": (
        'mutation { revokeEnrolmentToken(identifier: "none.aaaaaaaaaa") { state } }',
        _OPERATORS,
    ),
    "approveSerialNumber": (
        'mutation { approveSerialNumber(enrolment: "none", serialNumber: "pump-1") { until } }',
        _OPERATORS,
    ),
    "revokeClaimCertificate": (
        "mutation($id: String!) { revokeClaimCertificate(certificateId: $id) { state } }",
        _OPERATORS,
    ),
    "addClaimCertificate": ('mutation { addClaimCertificate(enrolment: "none", csr: "-") { state } }', _ADMINS),
    "createEnrolment": (
        'mutation { createEnrolment(name: "valves", match: {namePattern: "valve-*"}) { name } }',
        _ADMINS,
    ),
    "changeEnrolment": ('mutation { changeEnrolment(name: "none", limit: 5) { limit } }', _ADMINS),
    "blockedUsers": ("{ blockedUsers { name } }", _ADMINS),
    "blockUser": ('mutation { blockUser(name: "nobody") { name } }', _ADMINS),
    "unblockUser": ('mutation { unblockUser(name: "nobody") { name } }', _ADMINS),
    "targetTemplate": ("{ targetTemplate(account: <account>, region: <region>) { fileName } }", _ADMINS),
    "renameTarget": (
        'mutation { renameTarget(account: <account>, region: <region>, name: "Renamed") { name } }',
        _ADMINS,
    ),
    "archiveTarget": ("mutation { archiveTarget(account: <account>, region: <region>) { archivedAt } }", _ADMINS),
    "restoreTarget": ("mutation { restoreTarget(account: <account>, region: <region>) { archivedAt } }", _ADMINS),
    "setStandby": (
        "mutation { setStandby(account: <account>, region: <region>, standby: null) { name } }",
        _ADMINS,
    ),
    "evacuateTarget": ("mutation { evacuateTarget(account: <account>, region: <region>) { name } }", _ADMINS),
    "drillTarget": (
        "mutation { drillTarget(account: <account>, region: <region>, share: 0.05) { name } }",
        _ADMINS,
    ),
    "returnTarget": ("mutation { returnTarget(account: <account>, region: <region>) { name } }", _ADMINS),
    "removeTarget": ("mutation { removeTarget(account: <account>, region: <region>) { name } }", _ADMINS),
    "registerTarget": (
        'mutation { registerTarget(account: <account>, region: <region>, name: "New") { name } }',
        _ADMINS,
    ),
    "webhooks": ("{ webhooks { id url state } }", _ADMINS),
    "webhookDeliveries": ('{ webhookDeliveries(id: "wh_0000000000000000") { next } }', _ADMINS),
    "addWebhook": ('mutation { addWebhook(url: "https://example.com/hook") { webhook { id } } }', _ADMINS),
    **{
        f"{what}Webhook{of}": (f'mutation {{ {what}Webhook{of}(id: "wh_0000000000000000") {{ {field} }} }}', _ADMINS)
        for what, of, field in (
            ("rotate", "Secret", "secret"),
            ("disable", "", "state"),
            ("enable", "", "state"),
            ("remove", "", "id"),
            ("test", "", "event"),
            ("redrive", "", "redriven"),
        )
    },
}
"""Document and permitted roles by operation."""
NEEDS_CLAIMED: Final = frozenset({"moveDevice", "configureDevice", "releaseDevice", "retryDevice"})
"""Operations that need a claimed device."""
REFUSED: Final = {
    "evacuateTarget": "NO_STANDBY",
    "drillTarget": "NO_STANDBY",
    "removeTarget": "TARGET_NOT_ARCHIVED",
    "renewDevice": "NOT_ALLOWED",
    "dismissSuspicion": "NOT_SUSPECTED",
    "liftQuarantine": "NOT_ALLOWED",
    **dict.fromkeys(
        (
            "createCampaign",
            "addCampaignDevices",
            "approveCampaign",
            "pauseCampaign",
            "resumeCampaign",
            "cancelCampaign",
            "undoCampaign",
            "campaignResults",
        ),
        "UNKNOWN_CAMPAIGN",
    ),
    **dict.fromkeys(
        (
            "enrolmentHistory",
            "addSerialNumbers",
            "pauseEnrolment",
            "resumeEnrolment",
            "revokeEnrolment",
            "changeEnrolment",
            "approveSerialNumber",
            "addClaimCertificate",
            "enrolmentTokens",
            "createEnrolmentToken",
        ),
        "UNKNOWN_ENROLMENT",
    ),
    **dict.fromkeys(("transferDocument", "acceptTransfer", "completeTransfer"), "INVALID_DOCUMENT"),
    **dict.fromkeys(("regionCheck", "promoteRegion", "continueWithout"), "ONE_REGION"),
    "revokeEnrolmentToken": "UNKNOWN_TOKEN",
    "withdrawSerialNumberClaim": "UNKNOWN_SERIAL_CLAIM",
    "revokeClaimCertificate": "UNKNOWN_CLAIM_CERTIFICATE",
    **dict.fromkeys(
        (
            "webhookDeliveries",
            "rotateWebhookSecret",
            "disableWebhook",
            "enableWebhook",
            "removeWebhook",
            "testWebhook",
            "redriveWebhook",
        ),
        "UNKNOWN_WEBHOOK",
    ),
}
"""Operations that a permitted role reaches, and that refuse: a target in use, an unknown enrolment, campaign or
webhook, a lobby in one Region."""
NEEDS_PROVING: Final = frozenset({"confirmPresence"})
"""Operations that need a device in state proving that shows `CODE`."""


def document(operation: str, target: Target) -> str:
    account, region = f'"{target.account}"', f'"{target.region}"'
    filled = OPERATIONS[operation][0].replace("<target>", "{account: <account>, region: <region>}")
    return filled.replace("<account>", account).replace("<region>", region)


def variables(operation: str, certid: str) -> dict[str, Any] | None:
    return {"id": certid} if "$id" in OPERATIONS[operation][0] else None


def allowed(role: Role, operation: str) -> bool:
    return role in OPERATIONS[operation][1]
