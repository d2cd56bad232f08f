"""The names of the stacks, and their ids in the CDK app. This module does not import the CDK, which takes seconds.

A name is unique in an account and Region. An id is unique in the app, which contains targets of several accounts.
"""

from typing import Final

from lobby.deployment import NAMES
from lobby.names import AccountId, Target

LOBBY: Final = NAMES.stack()
TARGET: Final = NAMES.stack("Target")
ROLE: Final = NAMES.stack("Role")
"""The commissioner's role in a target account. All Regions of the account share it."""
REGISTERED_RULE: Final = NAMES.rule("registered")
"""The topic rule that starts the bouncer. A teardown disables it."""
TEMPLATE: Final = NAMES.prefix
"""The provisioning template of the door `claim`. A teardown disables it."""
DOMAIN_CONFIGURATION: Final = NAMES.prefix
"""The domain configuration of AWS IoT for the lobby's own domain."""


def target_id(target: Target) -> str:
    return f"{TARGET}-{target.account}-{target.region}"


def role_id(account: AccountId) -> str:
    return f"{ROLE}-{account}"
