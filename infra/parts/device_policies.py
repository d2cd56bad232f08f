"""The AWS IoT policy of devices in the lobby. Devices in a target have the policies of their profiles.

A policy grants access by the connected device's thing name, never by the client id that the device chooses, and only if
its certificate is attached to that thing.
"""

from typing import Any, Final

from infra.parts.permissions import iot_arn
from lobby.deployment import NAMES
from lobby.domain.targets.profile import Statement, policy_document
from lobby.names import Target
from lobby.wire import HELLO_TOPIC, RENEWAL_TOPIC

WAITING: Final = NAMES.name("waiting")
"""The policy of every device in the lobby."""


def waiting_policy(lobby: Target) -> dict[str, Any]:
    """Return the policy of a device in the lobby: the permissions of every device, and permission to send hellos and
    certificate requests."""
    topics = (f"topic/{HELLO_TOPIC}", f"topic/{RENEWAL_TOPIC}")
    return policy_document(iot_arn(lobby, "").rstrip(":"), [Statement(("iot:Publish",), topics)])
