"""AWS clients, devices and waits for tests that use a running emulator."""

import json
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from awscrt import mqtt
from awsiot import mqtt_connection_builder
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.local.emulator import Emulator
from lobby.names import parse_target

OTHER: Final = parse_target("400000000004", "eu-north-1")
"""An account and Region that the layout does not contain."""
ALLOW_ALL: Final = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}
)


def free_ports() -> tuple[int, int, int]:
    """Return free ports for gateway, MQTT and console."""
    with socket.socket() as one, socket.socket() as two, socket.socket() as three:
        for probe in (one, two, three):
            probe.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1], three.getsockname()[1]


def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    """Return the first true value of `condition`."""
    while not (value := condition()):
        assert time.monotonic() < deadline, f"condition not met within {seconds} s"
        time.sleep(0.02)
    return value


class Identity:
    """A key and a certificate, signed by `issuer` or self-signed as a CA."""

    def __init__(self, name: str, issuer: "Identity | None" = None) -> None:
        self.name, self.key = name, ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).public_key(self.key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        builder = builder.not_valid_after(now + timedelta(days=2))
        if issuer is None:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        signer = issuer or self
        self.certificate: x509.Certificate = builder.issuer_name(
            issuer.certificate.subject if issuer else subject
        ).sign(signer.key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.key_pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.id = self.certificate.fingerprint(hashes.SHA256()).hex()


class Device:
    """A device that connects to the endpoint `host`, and sends it as SNI unless it is an IP address."""

    def __init__(self, emulator: Emulator, identity: Identity, host: str) -> None:
        self.name, self.lost, self.messages = identity.name, threading.Event(), list[bytes]()
        self.any_topic = list[bytes]()
        """Every message, also of topics without a subscription."""
        self._mqtt = mqtt_connection_builder.mtls_from_bytes(
            cert_bytes=identity.pem.encode(),
            pri_key_bytes=identity.key_pem,
            ca_filepath=str(emulator.server_ca()),
            endpoint=host,
            port=emulator.layout.mqtt_port,
            client_id=identity.name,
            clean_session=True,
            on_connection_interrupted=lambda **_: self.lost.set(),
        )
        self._mqtt.on_message(lambda payload, **_: self.any_topic.append(payload))

    def connect(self) -> "Device":
        self._mqtt.connect().result(10)
        return self

    def listen(self, topic: str) -> None:
        self._mqtt.subscribe(
            topic, mqtt.QoS.AT_LEAST_ONCE, callback=lambda payload, **_: self.messages.append(payload)
        )[0].result(10)

    def publish(self, topic: str, body: str) -> None:
        self._mqtt.publish(topic, body, mqtt.QoS.AT_LEAST_ONCE)[0].result(10)

    def close(self) -> None:
        self._mqtt.disconnect().result(10)


def register(iot: Any, identity: Identity) -> None:
    arn = iot.register_certificate_without_ca(certificatePem=identity.pem, status="ACTIVE")["certificateArn"]
    allow(iot, arn)


def allow(iot: Any, arn: str) -> None:
    if "all" not in [each["policyName"] for each in iot.list_policies()["policies"]]:
        iot.create_policy(policyName="all", policyDocument=ALLOW_ALL)
    iot.attach_policy(policyName="all", target=arn)


@cache
def aws(emulator: Emulator, number: int, service: str) -> Any:
    """Return a client of the root user of one of the layout's accounts."""
    scope = emulator.layout.scopes()[number]
    return emulator.session(scope.account, scope.region).client(service)


def status(iot: Any, identity: Identity) -> str | None:
    try:
        return str(iot.describe_certificate(certificateId=identity.id)["certificateDescription"]["status"])
    except ClientError:
        return None


def queue(emulator: Emulator, name: str) -> tuple[str, str]:
    sqs = aws(emulator, 0, "sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def received(emulator: Emulator, url: str) -> list[dict[str, Any]]:
    messages = aws(emulator, 0, "sqs").receive_message(QueueUrl=url, WaitTimeSeconds=0).get("Messages", [])
    return [json.loads(each["Body"]) for each in messages]
