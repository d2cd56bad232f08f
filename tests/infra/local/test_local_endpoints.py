"""One MQTT endpoint per account and Region: a connection sees only the certificates and CAs of its endpoint."""

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from device.credentials import FileCredentials
from infra.local.emulator import Emulator
from tests.e2e.bare_mqtt import CONNACK, HUNG_UP, BareMqtt, HandshakeRefused
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
def test_an_sni_only_ca_registers_a_device(emulator: Emulator, elsewhere: bool) -> None:
    ca = Identity(f"ca-{elsewhere}")
    lobby = aws(emulator, 0, "iot")
    lobby.register_ca_certificate(
        caCertificate=ca.pem, certificateMode="SNI_ONLY", setAsActive=True, allowAutoRegistration=True
    )
    identity = Identity("newcomer", ca)
    if elsewhere:
        register(aws(emulator, 1, "iot"), identity)
    with pytest.raises(Exception, match="UNEXPECTED_HANGUP"):
        Device(emulator, identity, emulator.layout.server_name(emulator.layout.lobby)).connect()
    until(lambda: status(lobby, identity) == "PENDING_ACTIVATION")
    assert status(aws(emulator, 1, "iot"), identity) == ("ACTIVE" if elsewhere else None)


def test_a_ca_registers_no_device_that_connects_to_another_account(emulator: Emulator) -> None:
    ca = Identity("ca-of-a-target")
    aws(emulator, 1, "iot").register_ca_certificate(
        caCertificate=ca.pem, certificateMode="SNI_ONLY", setAsActive=True, allowAutoRegistration=True
    )
    identity = Identity("stranger", ca)
    with pytest.raises(Exception, match="UNEXPECTED_HANGUP"):
        Device(emulator, identity, emulator.layout.server_name(emulator.layout.lobby)).connect()
    assert [status(aws(emulator, number, "iot"), identity) for number in (0, 1)] == [None, None]


def test_a_deactivated_certificate_loses_its_sessions_in_that_account_only(emulator: Emulator) -> None:
    identity = Identity("to-be-revoked")
    devices = []
    for number in (1, 2):
        register(aws(emulator, number, "iot"), identity)
        host = emulator.layout.server_name(emulator.layout.scopes()[number])
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


CONNECTED = (CONNACK, b"\x00\x00")


@pytest.fixture
def files(emulator: Emulator, tmp_path: Path) -> tuple[str, Path, Path]:
    """Server CA, certificate and key of a device that is registered in the lobby and in the first target."""
    identity = Identity("named")
    for number in (0, 1):
        register(aws(emulator, number, "iot"), identity)
    certificate, key = tmp_path / "device.pem", tmp_path / "device.key"
    certificate.write_text(identity.pem)
    key.write_bytes(identity.key_pem)
    return str(emulator.server_ca()), certificate, key


def answer(host: str, port: int, files: tuple[str, Path, Path], **options: Any) -> tuple[int, bytes]:
    """The answer to the CONNECT packet of the device, after a TLS handshake."""
    try:
        with BareMqtt(host, port, *files, **options) as device:
            return device.connect("named")
    except HandshakeRefused:
        return HUNG_UP


@pytest.mark.parametrize("server_name", ["", "localhost", "0x7f000001"])
@pytest.mark.parametrize("number", [0, 1], ids=["lobby", "target"])
def test_a_client_without_the_endpoints_name_as_sni_is_refused(
    emulator: Emulator, files: tuple[str, Path, Path], number: int, server_name: str
) -> None:
    scope, port = emulator.layout.scopes()[number], emulator.layout.mqtt_port
    assert answer(emulator.layout.server_name(scope), port, files) == CONNECTED
    assert answer(emulator.layout.endpoint(scope).host, port, files, server_name=server_name) == HUNG_UP


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_lobby_has_an_address_for_clients_without_sni(
    emulator: Emulator, files: tuple[str, Path, Path], host: str
) -> None:
    assert answer(host, emulator.layout.mqtt_port, files) == CONNECTED


@pytest.mark.parametrize(
    ("protocols", "expected"),
    [((), HUNG_UP), (("mqtt",), HUNG_UP), (("x-amzn-mqtt-ca",), CONNECTED), (("mqtt", "x-amzn-mqtt-ca"), CONNECTED)],
    ids=["none", "another", "alpn", "alpn-of-several"],
)
@pytest.mark.parametrize("number", [0, 1], ids=["lobby", "target"])
def test_the_port_that_stands_for_443_needs_alpn(
    emulator: Emulator,
    files: tuple[str, Path, Path],
    number: int,
    protocols: tuple[str, ...],
    expected: tuple[int, bytes],
) -> None:
    name = emulator.layout.server_name(emulator.layout.scopes()[number])
    assert answer(name, emulator.layout.alpn_port, files, protocols=protocols) == expected
    assert answer(name, emulator.layout.mqtt_port, files, protocols=protocols) == CONNECTED


@pytest.mark.parametrize("number", [0, 1], ids=["lobby", "target"])
def test_the_reference_client_sends_sni_and_alpn(
    emulator: Emulator, files: tuple[str, Path, Path], number: int
) -> None:
    ca, certificate, key = files
    connection = FileCredentials(certificate, key, Path(ca)).connection(
        endpoint=emulator.layout.endpoint_address(emulator.layout.scopes()[number]),
        port=emulator.layout.alpn_port,
        client_id="named",
        clean_session=True,
        keep_alive_secs=30,
    )
    connection.connect().result(10)
    connection.disconnect().result(10)


@pytest.mark.parametrize(
    ("version", "accepted"), [("TLSv1", False), ("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)]
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_an_endpoint_has_tls_1_2_or_newer(emulator: Emulator, version: str, accepted: bool) -> None:
    context = ssl.create_default_context(cafile=str(emulator.server_ca()))
    context.set_ciphers("ALL:@SECLEVEL=0")  # without this, OpenSSL itself refuses the old versions
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    name = emulator.layout.server_name(emulator.layout.lobby)
    with socket.create_connection((name, emulator.layout.mqtt_port), 10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name) as tls:
                assert tls.version() == version.replace("_", ".")
                connected = True
        except (ssl.SSLError, ConnectionError):
            connected = False
    assert connected is accepted
