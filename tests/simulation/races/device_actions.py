"""The actions of devices in a simulation: they react to messages, connect and send hellos. Each action appends to
`pending` the events that AWS IoT then sends to Lambdas.
"""

import json
from collections.abc import Iterator

from lobby.domain.identity import load_certificate, thing_name
from lobby.names import Fingerprint, Target
from lobby.wire import RENEW
from tests import aws
from tests.aws import HOME, Clock
from tests.simulation.faults.devices import SimulatedDevice, arrival_of, event_of
from tests.simulation.faults.queue import Message
from tests.simulation.races.deliveries import Invocation


class DeviceActions:
    """`ca_id` is the AWS IoT id of the registered CA; `numbers` gives each message of the queue its number."""

    def __init__(self, clock: Clock, ca_id: str, pending: list[Invocation], numbers: Iterator[int]) -> None:
        self._clock, self._ca_id, self._pending, self._numbers = clock, ca_id, pending, numbers

    def act(self, device: SimulatedDevice) -> bool:
        """Let the device react to messages, reconnect or connect; return whether it did anything."""
        device.powered = True
        target = device.next_target()
        if target is not None:
            return self._connect(device, target)
        if device.is_connected:
            return self.request_certificate(device)
        device.connected_to = None
        if device.is_excluded:
            return False
        return self._connect(device, HOME)

    def request_certificate(self, device: SimulatedDevice) -> bool:
        """Let a device that renews send its request; return whether it does."""
        csr = device.request()
        if csr is not None:
            event = {"certid": device.presented, "devicename": device.name, "csr": csr}
            self._pending.append(Invocation("renewer", event, device.certid))
        return csr is not None

    def say_hello(self, device: SimulatedDevice) -> None:
        name = thing_name(load_certificate(device.pem))
        event = event_of("hello", CERTIFICATE_ID=device.presented) | {"devicename": name}
        event |= {RENEW: True} if device.renews else {}
        self._pending.append(Invocation("receptionist", event, device.certid))

    def _connect(self, device: SimulatedDevice, where: Target) -> bool:
        connected = device.connect(where)
        if where != HOME and connected:
            message = arrival_of(device, where, self._clock())
            record = {"messageId": "1", "body": json.dumps(message)}
            self._pending.append(Invocation("arrivals", {"Records": [record]}, device.certid))
        elif connected:
            self.say_hello(device)
        elif where == HOME and aws.status(device.certid) is None:
            self._register(device)
        return True

    def _register(self, device: SimulatedDevice) -> None:
        aws.client("iot").register_certificate(
            certificatePem=device.pem, caCertificatePem=device.issuer, status="PENDING_ACTIVATION"
        )
        self._pending.append(self.registration_of(device.certid))

    def registration_of(self, certid: Fingerprint) -> Invocation:
        """Return a message of the registrations' queue, sent now."""
        event = event_of("certificate_registered", CA_CERTIFICATE_ID=self._ca_id, CERTIFICATE_ID=certid)
        record = Message(f"message-{next(self._numbers)}", json.dumps(event), int(self._clock().timestamp() * 1000))
        return Invocation("bouncer", {"Records": [record.record()]}, certid)
