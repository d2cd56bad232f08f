"""Publishes messages to devices. Every message expires: a device gets the current one with its next hello.

AWS IoT keeps QoS 1 messages for a persistent session that is disconnected (AWS IoT developer guide, "MQTT persistent
sessions"). Without an expiry, a device that was claimed twice while it was off would first receive the route of the
earlier claim. The protocol requires clean sessions, but not every client has them.
"""

from typing import TYPE_CHECKING, Final

from lobby.names import ThingName
from lobby.wire import Message, lobby_topic

if TYPE_CHECKING:
    from types_boto3_iot_data import IoTDataPlaneClient

EXPIRY_SECONDS: Final = 60
"""Longer than AWS IoT takes to notice that a connection was lost: 1.5 times the keep-alive of 30 s."""


def send(iot_data: "IoTDataPlaneClient", name: ThingName, message: Message) -> None:
    """Publish to `lobby/<name>` with QoS 1."""
    iot_data.publish(topic=lobby_topic(name), qos=1, payload=message.encode(), messageExpiry=EXPIRY_SECONDS)
