"""The devices in the field and the AWS IoT that they meet: who may connect where, what each hears, what is told of it.

A device is what the cloud can see of it: it knocks, says hello, and obeys as the reference client does
(`device/machine/messages.py`). It follows a new route, returns to the lobby after a reset, and falls back to the lobby
when its certificate is no longer accepted.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.iam.models import get_account_id_from

from lobby.names import Fingerprint, Target, ThingName, parse_target
from lobby.wire import PRESENCE, PresenceChallenge, Reset, Route, lobby_topic, parse_message
from tests import aws
from tests import certificates as make
from tests.aws import HOME, Clock
from tests.simulation.faults.cloud import Cloud
from tests.simulation.faults.layer import FaultLayer, path_of
from tests.simulation.faults.replies import response

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
FAR = parse_target("3" * 12, "ap-south-1")
"""A third one, which no story leads to."""
GUARDED = parse_target("4" * 12, "ap-northeast-1")
"""A fourth, which wants proof that somebody stands at the device."""
PLACES: Final = {f"a1b2c3d4-ats.iot.{target.region}.amazonaws.com": target for target in (A, B, FAR, GUARDED)}
EVENTS: Final = Path(__file__).parents[2] / "events"


@dataclass
class FieldDevice:
    """`place` is where it is connected, None while it is nowhere. `issuer` is the PEM of the CA it comes with."""

    name: str
    pem: str
    issuer: str
    place: Target | None = None
    route: Route | None = None
    powered: bool = False
    shows: bool = False
    """Whether it can show a code; `code` is the one that it shows."""
    code: str | None = None
    inbox: list[tuple[Target, bytes]] = field(default_factory=list)
    heard: set[tuple[Target, bytes]] = field(default_factory=set)

    @property
    def certid(self) -> Fingerprint:
        return make.fingerprint_of(self.pem)

    def goal(self) -> Target | None:
        """Where it goes now on what it has heard; None: it stays."""
        goal = None
        for where, payload in self.inbox:
            message = parse_message(payload)
            if isinstance(message, Reset):
                self.route, goal = None, HOME if where != HOME else None
            elif isinstance(message, Route) and message != self.route:
                self.route, goal = message, PLACES[message.iotep]
            elif isinstance(message, PresenceChallenge):
                self.code = message.code
        self.inbox.clear()
        return goal


class Field:
    """`ca_id` is the AWS IoT id of the CA that is registered with the lobby."""

    def __init__(
        self, layer: FaultLayer, clock: Clock, ca_id: str, devices: Iterable[FieldDevice], *, slow: bool
    ) -> None:
        self.cloud = Cloud(layer, clock, self._move_on, slow=slow)
        self.devices = {device.name: device for device in devices}
        self.clock, self.ca_id, self.began = clock, ca_id, clock()
        self.confirmed = False
        """Whether the topic of a target that asked for it has been confirmed."""
        layer.effects["iot-data-plane.Publish"] = self._spread
        layer.stand_ins = {"lambda.Invoke": _surveyed, "sns.ConfirmSubscription": self._confirm}

    def power_on(self, name: str) -> None:
        self.devices[name].powered = True

    def say_hello(self, name: str) -> None:
        device = self.devices[name]
        heard = int(self.clock().timestamp() * 1000)
        event = event_of("hello", CERTIFICATE_ID=device.certid) | {"devicename": device.name, "receivedat": heard}
        event |= {PRESENCE: True} if device.shows else {}
        self.cloud.rule("receptionist", event)

    def _move_on(self) -> bool:
        moved = [self._moved(device) for device in self.devices.values()]
        return any(moved)

    def _moved(self, device: FieldDevice) -> bool:
        goal = device.goal()
        if goal is not None:
            self._connect(device, goal)
            return True
        if device.place is not None and aws.status(device.certid, device.place) == "ACTIVE":
            return False
        device.place = None
        if not device.powered or aws.status(device.certid) in ("PENDING_ACTIVATION", "INACTIVE"):
            return False
        self._connect(device, HOME)
        return True

    def _connect(self, device: FieldDevice, where: Target) -> None:
        """As far as AWS IoT lets it (developer guide, "Just-in-time registration", "Lifecycle events")."""
        status = aws.status(device.certid, where)
        device.place = where if status == "ACTIVE" else None
        if where != HOME and device.place:
            self._report(device, where)
        elif device.place:
            self.say_hello(device.name)
        elif where == HOME and status is None:
            self._knock(device)

    def _knock(self, device: FieldDevice) -> None:
        aws.client("iot").register_certificate(
            certificatePem=device.pem, caCertificatePem=device.issuer, status="PENDING_ACTIVATION"
        )
        event = event_of("certificate_registered", CA_CERTIFICATE_ID=self.ca_id, CERTIFICATE_ID=device.certid)
        self.cloud.rule("bouncer", event)

    def _report(self, device: FieldDevice, where: Target) -> None:
        self.cloud.send(arrival_of(device, where, self.clock()))

    def _confirm(self, request: AWSPreparedRequest) -> AWSResponse:
        """For SNS in the target, where moto has no topic."""
        self.confirmed = True
        found = "<ConfirmSubscriptionResult><SubscriptionArn>arn</SubscriptionArn></ConfirmSubscriptionResult>"
        text = f"<ConfirmSubscriptionResponse>{found}</ConfirmSubscriptionResponse>"
        return response(request, 200, {}, text.encode())

    def _spread(self, request: AWSPreparedRequest) -> None:
        heard_by(self.devices.values(), request)


def heard_by(devices: Iterable[FieldDevice], request: AWSPreparedRequest) -> None:
    """A message that was published: heard by whoever is connected there and listens."""
    credential = str(request.headers["Authorization"]).partition("Credential=")[2].split("/")
    where = parse_target(get_account_id_from(credential[0]), credential[2])
    topic = unquote(path_of(request)).removeprefix("/topics/")
    payload = request.body if isinstance(request.body, bytes) else str(request.body).encode()
    for device in devices:
        if topic == lobby_topic(ThingName(device.name)) and device.place == where:
            device.inbox.append((where, payload))
            device.heard.add((where, payload))


def arrival_of(device: FieldDevice, where: Target, at: datetime) -> dict[str, Any]:
    """What `where` reports when the device has connected there."""
    told = {"certid": device.certid, "devicename": device.name, "connectedat": at.timestamp() * 1000}
    topic = f"arn:aws:sns:{where.region}:{where.account}:device-lobby-arrivals"
    return event_of("device_connected") | {"TopicArn": topic, "Message": json.dumps(told)}


def _surveyed(request: AWSPreparedRequest) -> AWSResponse:
    """For the surveyor, which changes nothing, and whose own tests have all that may befall it."""
    findings = [{"step": "sts:AssumeRole", "ok": True, "message": "assumed"}]
    return response(request, 200, {}, json.dumps({"findings": findings, "endpoint": None}).encode())


def event_of(name: str, **ids: str) -> dict[str, Any]:
    """One of the recorded events, with these ids in it."""
    text = (EVENTS / f"{name}.json").read_text()
    for placeholder, value in ids.items():
        text = text.replace(placeholder, value)
    event: dict[str, Any] = json.loads(text)
    return event
