"""Every message to a device expires, so that no stale route waits in the queue of a persistent session."""

import re
from pathlib import Path
from typing import Any, cast

import pytest

from lobby.aws.device_messages import EXPIRY_SECONDS, send
from lobby.names import PresenceCode, ThingName
from lobby.wire import PresenceChallenge, Reset, Route

ROOT = Path(__file__).parents[3]
SENDERS = {"lobby/aws/device_messages.py", "commissioner/lambdas/surveyor.py"}
"""The surveyor publishes to a thing that does not exist, to test the permission."""


class Publisher:
    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []

    def publish(self, **parameters: Any) -> None:
        self.published.append(parameters)


@pytest.mark.parametrize(
    "message", [Route("a.example", generation=2), Reset(), PresenceChallenge(PresenceCode("1" * 8))]
)
def test_a_message_expires(message: Route | Reset | PresenceChallenge) -> None:
    publisher = Publisher()
    send(cast("Any", publisher), ThingName("sensor-1"), message)
    assert publisher.published == [
        {"topic": "lobby/sensor-1", "qos": 1, "payload": message.encode(), "messageExpiry": EXPIRY_SECONDS}
    ]


def test_a_message_waits_for_a_device_that_has_lost_its_connection_unnoticed() -> None:
    keep_alive = 30
    assert 1.5 * keep_alive <= EXPIRY_SECONDS <= 120


def test_nothing_else_publishes_to_devices() -> None:
    files = [path for part in ("lobby", "commissioner", "admin_api") for path in (ROOT / part).rglob("*.py")]
    publishing = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if "node_modules" not in path.parts and re.search(r"(iot_data|\.data)\.publish\(", path.read_text())
    }
    assert publishing == SENDERS
