"""The AWS IoT policies of devices, in the lobby and in their targets.

A policy grants access by the connected device's thing name, never by the client id that the device chooses, and only if
its certificate is attached to that thing. There is one policy per profile, not per device: a new profile is an entry in
`PROFILES`, and the targets' stacks deploy it.
"""

from typing import Any, Final

from lobby.domain.device import DEFAULT_PROFILE
from lobby.names import Target
from lobby.wire import HELLO_TOPIC

THING: Final = "${iot:Connection.Thing.ThingName}"
WAITING: Final = "device-lobby-waiting"
"""The policy of every device in the lobby."""
_LOBBY_TOPIC: Final = f"lobby/{THING}"
_IN_LOBBY: Final = {
    "iot:Publish": [f"topic/{HELLO_TOPIC}"],
    "iot:Subscribe": [f"topicfilter/{_LOBBY_TOPIC}"],
    "iot:Receive": [f"topic/{_LOBBY_TOPIC}"],
}
PROFILES: Final[dict[str, dict[str, list[str]]]] = {
    DEFAULT_PROFILE: {
        "iot:Publish": [f"topic/app/{THING}", f"topic/app/{THING}/*"],
        "iot:Subscribe": [f"topicfilter/{_LOBBY_TOPIC}", f"topicfilter/app/{THING}/*"],
        "iot:Receive": [f"topic/{_LOBBY_TOPIC}", f"topic/app/{THING}/*"],
    },
}
"""Resources by action, by profile. Each profile must include the lobby topic: without it a device cannot be moved."""


def waiting_policy(lobby: Target) -> dict[str, Any]:
    """Return the policy of a device in the lobby."""
    return _document(lobby, _IN_LOBBY)


def profile_document(target: Target, profile: str) -> dict[str, Any]:
    """Return the policy of a device of `profile` in `target`."""
    return _document(target, PROFILES[profile])


def _document(where: Target, grants: dict[str, list[str]]) -> dict[str, Any]:
    arn = f"arn:aws:iot:{where.region}:{where.account}"
    connect = {
        "Effect": "Allow",
        "Action": "iot:Connect",
        "Resource": f"{arn}:client/{THING}",
        "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": "true"}},
    }
    rest = [
        {"Effect": "Allow", "Action": action, "Resource": [f"{arn}:{resource}" for resource in resources]}
        for action, resources in grants.items()
    ]
    return {"Version": "2012-10-17", "Statement": [connect, *rest]}
