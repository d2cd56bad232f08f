"""A model of the lobby's door for provisioning by claim, and of its keys and certificates, for the simulated network.

The door admits one key for each serial number, whatever the certificate: a device that returned with another key would
always be refused. A certificate is PEM of invented bytes that contain the public key.
"""

import base64
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from device.identity_store import IdentityStore
from device.machine.events import ConnectionFailed, Failure, PublishAcknowledged
from device.machine.plan import Plan, Provisioning, Timing
from device.machine.provisioning_messages import FROM_CSR, WITH_KEYS, register_topic
from lobby.names import ThingName
from tests.unit.device.machine_driver import LOBBY
from tests.unit.device.simulated_disk import PowerCut, SimulatedDisk
from tests.unit.device.simulated_network import STATE_DIR, Broker, SimulatedConnection

SERIAL: Final = ThingName("pump-4711")
TEMPLATE: Final = "device-lobby"
PROVISIONING: Final = Provisioning(TEMPLATE, SERIAL)
PLAN: Final = Plan(SERIAL, (LOBBY,), Timing(), provisioning=PROVISIONING)
REGISTER: Final = register_topic(TEMPLATE)
HOUR_S: Final = 3600.0


class CountedKeys:
    """`device.identity_store.Keys` with invented keys: key 1, key 2, …"""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def create(self) -> bytes:
        return f"key {next(self._numbers)}".encode()

    def public_key(self, key: bytes) -> bytes:
        if not key.startswith(b"key "):
            raise ValueError("got no key")
        return b"public " + key + b";"

    def request(self, key: bytes, name: ThingName) -> str:
        return f"{name} wants a certificate for {self.public_key(key).decode()}"


def certificate_for(public_key: bytes, number: int = 1) -> str:
    body = base64.b64encode(b"certificate %d for " % number + public_key).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


class Door(Broker):
    """Answers requests as AWS IoT does. `before` and `after` are called around each effect of the device."""

    def __init__(self) -> None:
        self.certificates: list[str] = []
        self.tokens: dict[str, tuple[str, bytes, float]] = {}
        """The certificate, its public key and the time at which it was created, by token."""
        self.registered: dict[str, bytes] = {}
        """The public key of each serial number."""
        self.accepted: dict[str, str] = {}
        """The certificate of each serial number."""
        self.answers: list[Callable[[], tuple[str, Mapping[str, Any]] | None]] = []
        """Answers to give instead of those of the model, first the oldest."""
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.effects = 0
        self.cut: tuple[int, str] | None = None

    def effect(self, point: str) -> None:
        """Cut the power if this is the effect at which it is lost."""
        self.effects += point == "after"
        if self.cut == (self.effects - (point == "after"), point):
            raise PowerCut

    def opened(self, connection: SimulatedConnection) -> None:
        self.effect("before")
        super().opened(connection)
        self.effect("after")

    def subscribed(self, connection: SimulatedConnection) -> None:
        self.effect("before")
        super().subscribed(connection)
        self.effect("after")

    def closed(self, connection: SimulatedConnection) -> None:
        self.effect("before")
        super().closed(connection)
        self.effect("after")

    def published(self, connection: SimulatedConnection, topic: str) -> None:
        self.effect("before")
        connection.report(PublishAcknowledged(connection.id))
        body = json.loads(connection.payload)
        self.requests.append((topic, body))
        answer = self.answers.pop(0)() if self.answers else self._answer(connection.network.now, topic, body)
        if answer is not None:
            suffix, document = answer
            connection.push(json.dumps(document).encode(), topic + suffix, after=0.1)
        self.effect("after")

    def _answer(self, now: float, topic: str, body: dict[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
        if topic in (FROM_CSR, WITH_KEYS):
            number = len(self.certificates) + 1
            csr = body.get("certificateSigningRequest", f"for public key of aws {number};")
            public_key = csr[csr.index("public ") :].encode()
            pem, token = certificate_for(public_key, number), f"token {number}"
            self.certificates.append(pem)
            self.tokens[token] = (pem, public_key, now)
            key = {"privateKey": f"key of aws {number}"} if topic == WITH_KEYS else {}
            return "/accepted", {
                "certificateId": "0" * 64,
                "certificatePem": pem,
                "certificateOwnershipToken": token,
                **key,
            }
        assert topic == REGISTER
        return self._register(now, body["certificateOwnershipToken"], body["parameters"]["SerialNumber"])

    def _register(self, now: float, token: str, serial: str) -> tuple[str, Mapping[str, Any]]:
        pem, public_key, created = self.tokens.get(token, ("", b"", -HOUR_S))
        if now - created >= HOUR_S:
            return rejection(400, "InvalidCertificateOwnershipToken")
        if self.registered.setdefault(serial, public_key) != public_key:
            return rejection(403, "AccessDenied")
        self.accepted[serial] = pem
        return "/accepted", {"thingName": serial, "deviceConfiguration": {}}


class ClosedDoor(Broker):
    """Refuses each subscription."""

    def subscribed(self, connection: SimulatedConnection) -> None:
        connection.report(ConnectionFailed(connection.id, Failure.REFUSED, "not authorized"))


def rejection(status: int, code: str) -> tuple[str, Mapping[str, Any]]:
    return "/rejected", {"statusCode": status, "errorCode": code, "errorMessage": "as scripted"}


def store_of(disk: SimulatedDisk, keys: CountedKeys, provisioning: Provisioning = PROVISIONING) -> IdentityStore:
    return IdentityStore(STATE_DIR, provisioning, keys, disk)
