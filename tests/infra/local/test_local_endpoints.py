"""One MQTT endpoint per account and Region: a connection sees only the certificates and CAs of its endpoint."""

import socket
import ssl

import pytest

from infra.local.emulator import Emulator
from tests.infra.local.emulated_cloud import OTHER, Device, Identity, aws, register, status, until


def test_a_certificate_active_in_two_accounts_serves_the_endpoints_account(emulator: Emulator) -> None:
    identity = Identity("two-homes")
    for number in (1, 2):
        register(aws(emulator, number, "iot"), identity)
    devices = []
    for number in (1, 2):
        host = aws(emulator, number, "iot").describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
        assert host == emulator.layout.endpoint_address(emulator.layout.scopes()[number])
        devices.append(Device(emulator, identity, host).connect())
        devices[-1].listen("t")
    aws(emulator, 1, "iot-data").publish(topic="t", qos=1, payload=b"first")
    aws(emulator, 2, "iot-data").publish(topic="t", qos=1, payload=b"second")
    until(lambda: all(device.messages for device in devices))
    assert [device.messages for device in devices] == [[b"first"], [b"second"]]
    for device in devices:
        device.close()


def test_an_account_outside_the_layout_has_a_reachable_endpoint(emulator: Emulator) -> None:
    iot = emulator.session(OTHER.account, OTHER.region).client("iot")
    identity = Identity("far-away")
    register(iot, identity)
    host = iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    Device(emulator, identity, host).connect().close()


@pytest.mark.parametrize("elsewhere", [False, True], ids=["unknown", "active-in-a-target"])
def test_an_sni_only_ca_registers_a_device_that_connects_to_an_address(emulator: Emulator, elsewhere: bool) -> None:
    ca = Identity(f"ca-{elsewhere}")
    lobby = aws(emulator, 0, "iot")
    lobby.register_ca_certificate(
        caCertificate=ca.pem, certificateMode="SNI_ONLY", setAsActive=True, allowAutoRegistration=True
    )
    identity = Identity("newcomer", ca)
    if elsewhere:
        register(aws(emulator, 1, "iot"), identity)
    with pytest.raises(Exception, match="UNEXPECTED_HANGUP"):
        Device(emulator, identity, emulator.layout.endpoint(emulator.layout.lobby).host).connect()
    until(lambda: status(lobby, identity) == "PENDING_ACTIVATION")
    assert status(aws(emulator, 1, "iot"), identity) == ("ACTIVE" if elsewhere else None)


def test_a_ca_registers_no_device_that_connects_to_another_account(emulator: Emulator) -> None:
    ca = Identity("ca-of-a-target")
    aws(emulator, 1, "iot").register_ca_certificate(
        caCertificate=ca.pem, certificateMode="SNI_ONLY", setAsActive=True, allowAutoRegistration=True
    )
    identity = Identity("stranger", ca)
    with pytest.raises(Exception, match="UNEXPECTED_HANGUP"):
        Device(emulator, identity, emulator.layout.endpoint(emulator.layout.lobby).host).connect()
    assert [status(aws(emulator, number, "iot"), identity) for number in (0, 1)] == [None, None]


def test_a_deactivated_certificate_loses_its_sessions_in_that_account_only(emulator: Emulator) -> None:
    identity = Identity("to-be-revoked")
    devices = []
    for number in (1, 2):
        register(aws(emulator, number, "iot"), identity)
        host = emulator.layout.endpoint(emulator.layout.scopes()[number]).host
        devices.append(Device(emulator, identity, host).connect())
    aws(emulator, 1, "iot").update_certificate(certificateId=identity.id, newStatus="INACTIVE")
    assert devices[0].lost.wait(10)
    assert not devices[1].lost.is_set()
    devices[1].listen("still/here")
    devices[1].close()


def test_a_client_without_a_certificate_is_refused(emulator: Emulator) -> None:
    context = ssl.create_default_context(cafile=str(emulator.server_ca()))
    address = ("127.0.0.1", emulator.layout.mqtt_port)
    with socket.create_connection(address, 10) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
        tls.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x")
        assert tls.recv(16) == b""
