"""The topic rules of a target: which events of its AWS IoT leave the account, as AWS IoT SQL.

A rule looks up the thing with the name of the client id. It selects an event only if this thing names this lobby and
the certificate of the connection, so the device belongs to this lobby. A connection is reported only while the lobby
waits for it. Each rule makes only one lookup, because it is billed as an action for each event of any device of the
account.
"""

from typing import Final

from lobby.domain.targets.thing_claim import CLAIM, Progress
from lobby.names import AccountId

CONNECTED: Final = "connected"
DUPLICATES: Final = "duplicates"
"""The suffixes of the rules' names."""
ARRIVALS: Final = "arrivals"
"""The suffix of the names of the topic in a target and of the queue in the lobby."""
SELECTED: Final = "selected"
"""The field of a report that states which devices the rule selects. A rule of an earlier version does not send it and
reports every connection."""
_CONNECTED: Final = (
    "SELECT principalIdentifier AS certid, clientId AS devicename, timestamp AS connectedat, timestamp() AS receivedat,"
    " sessionIdentifier AS session, versionNumber AS version, ipAddress AS address, 'awaited' AS selected"
    " FROM '$aws/events/presence/connected/+' WHERE "
)
"""IoT Core's lifecycle event (AWS IoT developer guide, "Lifecycle events"). The rule receives it at `receivedat`."""
_DUPLICATES: Final = (
    "SELECT principalIdentifier AS certid, clientId AS devicename, sessionIdentifier AS session, timestamp AS at,"
    " versionNumber AS version, disconnectReason AS reason FROM '$aws/events/presence/disconnected/+'"
    " WHERE disconnectReason = 'DUPLICATE_CLIENTID' AND "
)
"""Selects the connections that ended because their client id connected again."""


def rule_role_arn(account: AccountId, role: str) -> str:
    return f"arn:aws:iam::{account}:role/{role}"


def connected_sql(lobby: str, role_arn: str) -> str:
    """Return the rule that reports arrivals to `lobby` (its key). AWS IoT looks things up with the role."""
    return _CONNECTED + _claim_ends_with(f":{Progress.AWAITED}:{lobby}:", role_arn)


def duplicates_sql(lobby: str, role_arn: str) -> str:
    """Return the rule that reports that two clients use the identity of one device of `lobby`."""
    return _DUPLICATES + _claim_ends_with(f":{lobby}:", role_arn)


def _claim_ends_with(text: str, role_arn: str) -> str:
    """Return the condition that the thing's claim ends with `text` and the fingerprint of the connected certificate. It
    is not true if there is no such thing, or if the lookup fails (AWS IoT developer guide, "get_registry_data")."""
    claim = f"get_registry_data('DescribeThing', clientId, '{role_arn}').attributes.{CLAIM}"
    return f"endswith({claim}, concat('{text}', principalIdentifier))"
