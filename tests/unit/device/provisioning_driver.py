"""Drives the state machine through provisioning by claim, with the answers of AWS IoT."""

import json
from typing import Any

from device.machine.events import (
    Connected,
    KeyReady,
    Publish,
    SubscriptionGranted,
)
from device.machine.plan import Plan
from device.machine.provisioning_messages import FROM_CSR, Pending
from lobby.wire import Route
from tests.unit.device.machine_driver import MachineDriver
from tests.unit.device.provisioning_cloud import PLAN, REGISTER, SERIAL, certificate_for

PUBLIC_KEY = b"public key 1;"
CERTIFICATE = certificate_for(PUBLIC_KEY)
PENDING = Pending(CERTIFICATE, "token 1")
CREATED = {"certificatePem": CERTIFICATE, "certificateOwnershipToken": "token 1", "certificateId": "0" * 64}
REGISTERED = {"thingName": SERIAL, "deviceConfiguration": {}}
TOPICS = (f"{FROM_CSR}/accepted", f"{FROM_CSR}/rejected", f"{REGISTER}/accepted", f"{REGISTER}/rejected")


class Driver(MachineDriver):
    """A device whose key is ready, unless `pending` is given, without a pending certificate."""

    def __init__(self, plan: Plan = PLAN, pending: Pending | None = None, route: Route | None = None) -> None:
        super().__init__(plan, route)
        self.feed(KeyReady("the csr", PUBLIC_KEY, pending))

    def subscribe(self, times: int = 4) -> "Driver":
        self.feed(Connected(self.state.connection_id))
        for _ in range(times):
            self.feed(SubscriptionGranted(self.state.connection_id))
        return self

    def answer(self, topic: str, document: object) -> "Driver":
        payload = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.receive(payload, topic)
        return self

    def create(self) -> "Driver":
        return self.subscribe().answer(TOPICS[0], CREATED)

    def register(self) -> "Driver":
        return self.answer(TOPICS[2], REGISTERED)

    @property
    def request(self) -> tuple[str, dict[str, Any]]:
        (published,) = self.actions(Publish)
        return published.topic, json.loads(published.payload)
