"""DeleteConnection, GetConnection and SendDirectMessage of the data plane."""

import json
import uuid

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.connections import API_INITIATED, client_of
from tests.infra.local.emulated_cloud import Device, Identity, aws, register, until


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/connections/a", ("a", False)),
        ("/connections/a%2Fb%20c", ("a/b c", False)),
        ("/connections/a/messages", ("a", True)),
        ("/topics/a", None),
        ("/connections/", ("", False)),
    ],
)
def test_the_client_id_is_found_in_the_path(path: str, found: tuple[str, bool] | None) -> None:
    assert client_of(path) == found


@pytest.fixture
def device(emulator: Emulator) -> Device:
    identity = Identity(f"connected-{uuid.uuid4().hex[:8]}")
    register(aws(emulator, 0, "iot"), identity)
    return Device(emulator, identity, "127.0.0.1").connect()


def test_a_connection_is_ended_and_reported_as_such(emulator: Emulator, device: Device) -> None:
    data, name = aws(emulator, 0, "iot-data"), device.name
    observer = Identity(f"observer-{uuid.uuid4().hex[:8]}")
    register(aws(emulator, 0, "iot"), observer)
    watching = Device(emulator, observer, "127.0.0.1").connect()
    watching.listen(f"$aws/events/presence/disconnected/{name}")
    assert data.get_connection(clientId=name)["connected"]
    data.delete_connection(clientId=name)
    assert device.lost.wait(15)
    event = json.loads(until(lambda: watching.messages)[0])
    assert (event["disconnectReason"], event["clientInitiatedDisconnect"]) == (API_INITIATED, False)
    watching.close()


def test_a_client_that_is_not_connected_is_unknown(emulator: Emulator) -> None:
    data = aws(emulator, 0, "iot-data")
    for call in (data.delete_connection, data.get_connection):
        with pytest.raises(ClientError) as refused:
            call(clientId="nobody")
        assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_client_of_another_account_is_unknown(emulator: Emulator, device: Device) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws(emulator, 1, "iot-data").delete_connection(clientId=device.name)
    device.close()


def test_a_direct_message_needs_no_subscription(emulator: Emulator, device: Device) -> None:
    aws(emulator, 0, "iot-data").send_direct_message(clientId=device.name, topic="any/topic", payload=b"direct")
    assert until(lambda: device.any_topic) == [b"direct"]
    device.close()
