"""Simulated devices, and AWS IoT's connections: where a device can connect, which messages it gets, which events are
reported. A device has only the behaviour that the cloud observes: it connects, sends hellos, and reacts to messages as
the reference client does (`device/machine/messages.py`). It follows a new route, returns to the lobby after a reset,
and falls back to the lobby when its certificate is no longer accepted.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.iam.models import get_account_id_from

from lobby.names import Fingerprint, Target, ThingName, parse_target
from lobby.wire import PRESENCE, RENEW, PresenceChallenge, Reset, Route, lobby_topic, parse_message
from tests import aws, sns_messages
from tests import certificates as make
from tests.aws import HOME, Clock
from tests.simulation.faults.cloud import Cloud
from tests.simulation.faults.error_responses import response
from tests.simulation.faults.injector import FaultInjector, path_of

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
FAR = parse_target("3" * 12, "ap-south-1")
"""A third target, which no scenario uses."""
GUARDED = parse_target("4" * 12, "ap-northeast-1")
"""A fourth target, which requires proof of presence."""
ENDPOINTS: Final = {f"a1b2c3d4-ats.iot.{target.region}.amazonaws.com": target for target in (A, B, FAR, GUARDED)}
EVENTS: Final = Path(__file__).parents[2] / "events"


@dataclass
class SimulatedDevice:
    """`connected_to` is None while the device is not connected. `issuer` is the PEM of its CA."""

    name: str
    pem: str
    issuer: str
    connected_to: Target | None = None
    route: Route | None = None
    session: Fingerprint | None = None
    """The certificate of its last connection."""
    powered: bool = False
    renews: bool = False
    """Whether it can renew its certificate."""
    shows: bool = False
    """Whether it can show a presence code; `code` is the one that it shows."""
    code: str | None = None
    inbox: list[tuple[Target, bytes]] = field(default_factory=list)
    received: set[tuple[Target, bytes]] = field(default_factory=set)

    @property
    def certid(self) -> Fingerprint:
        return make.fingerprint_of(self.pem)

    @property
    def presented(self) -> Fingerprint:
        """The certificate with which it has connected, or connects."""
        return self.session or self.certid

    def candidates(self, _where: Target) -> tuple[Fingerprint, ...]:
        """Return its certificates, the one that it presents first at the front."""
        return (self.certid,)

    def accepted_at(self, where: Target) -> Fingerprint | None:
        """Return the first certificate with which AWS IoT accepts it there."""
        return next((each for each in self.candidates(where) if aws.status(each, where) == "ACTIVE"), None)

    def connect(self, where: Target) -> bool:
        """Connect if AWS IoT accepts it."""
        accepted = self.accepted_at(where)
        self.session = accepted or self.session
        self.connected_to = where if accepted else None
        return accepted is not None

    @property
    def is_connected(self) -> bool:
        """Whether its connection lasts: its certificate is still accepted."""
        return self.connected_to is not None and aws.status(self.presented, self.connected_to) == "ACTIVE"

    @property
    def is_excluded(self) -> bool:
        """Whether the lobby knows it, and accepts none of its certificates."""
        known = aws.status(self.certid) in ("PENDING_ACTIVATION", "INACTIVE")
        return known and self.accepted_at(HOME) is None

    def request(self) -> str | None:
        """Return the certificate request that it sends now."""
        return None

    def _differs_in_its_standby(self, route: Route) -> bool:
        """Return whether the route is the stored one with another standby."""
        return self.route is not None and replace(route, standby=self.route.standby) == self.route != route

    def next_target(self) -> Target | None:
        """Process the inbox; return where the device reconnects to (None: it stays)."""
        target = None
        for where, payload in self.inbox:
            message = parse_message(payload)
            if isinstance(message, Reset):
                self.route, target = None, HOME if where != HOME else None
            elif isinstance(message, Route) and self._differs_in_its_standby(message) and where != HOME:
                target = HOME  # it takes its standby from the lobby only
            elif isinstance(message, Route) and message != self.route:
                self.route, target = message, ENDPOINTS[message.iotep]
            elif isinstance(message, PresenceChallenge):
                self.code = message.code
        self.inbox.clear()
        return target


class Fleet:
    """All devices, and the cloud that they connect to. `ca_id` is the AWS IoT id of the registered CA."""

    def __init__(
        self, injector: FaultInjector, clock: Clock, ca_id: str, devices: Iterable[SimulatedDevice], *, slow: bool
    ) -> None:
        self.cloud = Cloud(injector, clock, self.act, slow=slow)
        self.devices = {device.name: device for device in devices}
        self.clock, self.ca_id, self.began = clock, ca_id, clock()
        self.confirmed = False
        """Whether the subscription to a target's topic has been confirmed."""
        injector.observers["iot-data-plane.Publish"] = self._deliver
        answers = {"lambda.Invoke": _survey_response, "sns.ConfirmSubscription": self._confirm}
        injector.stubs = {**answers, **self.cloud.stubs}
        injector.watch = _nothing
        self.injector = injector

    def power_on(self, name: str) -> None:
        self.devices[name].powered = True

    def say_hello(self, name: str) -> None:
        device = self.devices[name]
        received_at = int(self.clock().timestamp() * 1000)
        event = event_of("hello", CERTIFICATE_ID=device.presented)
        event |= {"devicename": device.name, "receivedat": received_at}
        event |= {PRESENCE: True} if device.shows else {}
        event |= {RENEW: True} if device.renews else {}
        self.cloud.rule("receptionist", event)

    def report_connection(self, name: str, event: str, number: int = 1, client_id: str | None = None) -> None:
        """Report a lifecycle event of the lobby: `connected`, `disconnected` or `connect_failed`."""
        at = int(self.clock().timestamp() * 1000)
        ids = {"CERTIFICATE_ID": self.devices[name].certid}
        changed = {"event": event, "devicename": client_id or name, "session": f"session {number}", "at": at}
        self.cloud.rule("connections", event_of("lifecycle_connected", **ids) | changed | {"version": number})

    def act(self) -> bool:
        acted = [self._act(device) for device in self.devices.values()]
        return any(acted)

    def _act(self, device: SimulatedDevice) -> bool:
        target = device.next_target()
        if target is not None:
            self._connect(device, target)
            return True
        if device.is_connected:
            return self._request_certificate(device)
        device.connected_to = None
        if not device.powered or device.is_excluded:
            return False
        self._connect(device, HOME)
        return True

    def _connect(self, device: SimulatedDevice, where: Target) -> None:
        """Connect if AWS IoT accepts it (developer guide, "Just-in-time registration", "Lifecycle events")."""
        if device.connect(where):
            self._report(device, where) if where != HOME else self.say_hello(device.name)
        elif where == HOME and aws.status(device.certid) is None:
            self._register(device)

    def _request_certificate(self, device: SimulatedDevice) -> bool:
        """Let a device that renews send its request; return whether it does."""
        csr = device.request()
        if csr is not None:
            event = {"certid": device.presented, "devicename": device.name, "csr": csr}
            self.cloud.rule("renewer", event)
        return csr is not None

    def _register(self, device: SimulatedDevice) -> None:
        aws.client("iot").register_certificate(
            certificatePem=device.pem, caCertificatePem=device.issuer, status="PENDING_ACTIVATION"
        )
        self.connect_again(device.name)

    def connect_again(self, name: str) -> None:
        """Connect with a certificate that is registered and pending, or was until just before."""
        certid = self.devices[name].certid
        self.cloud.register(event_of("certificate_registered", CA_CERTIFICATE_ID=self.ca_id, CERTIFICATE_ID=certid))

    def _report(self, device: SimulatedDevice, where: Target) -> None:
        self.cloud.send(arrival_of(device, where, self.clock()))

    def _confirm(self, request: AWSPreparedRequest) -> AWSResponse:
        """Answer for SNS in the target, where moto has no topic."""
        self.confirmed = True
        result = "<ConfirmSubscriptionResult><SubscriptionArn>arn</SubscriptionArn></ConfirmSubscriptionResult>"
        text = f"<ConfirmSubscriptionResponse>{result}</ConfirmSubscriptionResponse>"
        return response(request, 200, {}, text.encode())

    def _deliver(self, request: AWSPreparedRequest) -> None:
        deliver_message(self.devices.values(), request)


def _nothing() -> None:
    """No invariant is checked after each call."""


def deliver_message(devices: Iterable[SimulatedDevice], request: AWSPreparedRequest) -> None:
    """Deliver a published message to the devices that are connected there and subscribed."""
    credential = str(request.headers["Authorization"]).partition("Credential=")[2].split("/")
    where = parse_target(get_account_id_from(credential[0]), credential[2])
    topic = unquote(path_of(request)).removeprefix("/topics/")
    payload = request.body if isinstance(request.body, bytes) else str(request.body).encode()
    for device in devices:
        if topic == lobby_topic(ThingName(device.name)) and device.connected_to == where:
            device.inbox.append((where, payload))
            device.received.add((where, payload))


def arrival_of(device: SimulatedDevice, where: Target, at: datetime) -> dict[str, Any]:
    """Return what `where` reports after the device has connected there."""
    topic = f"arn:aws:sns:{where.region}:{where.account}:device-lobby-arrivals"
    return sns_messages.report(device.presented, at.timestamp() * 1000, topic)


def _survey_response(request: AWSPreparedRequest) -> AWSResponse:
    """Answer for the surveyor, which changes nothing and has tests of its own."""
    findings = [{"step": "sts:AssumeRole", "ok": True, "message": "assumed"}]
    return response(request, 200, {}, json.dumps({"findings": findings, "endpoint": None}).encode())


def event_of(name: str, **ids: str) -> dict[str, Any]:
    """Return one of the recorded events, with these ids in it."""
    text = (EVENTS / f"{name}.json").read_text()
    for placeholder, value in ids.items():
        text = text.replace(placeholder, value)
    event: dict[str, Any] = json.loads(text)
    return event
