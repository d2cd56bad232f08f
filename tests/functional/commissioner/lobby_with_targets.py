"""A lobby with two targets in separate accounts, devices, the commissioner, and the ledger's stream.

The stream is a list of records as the event source mapping would deliver them; `deliver` serves their devices in each
lane that has work for them. The `Server` can be replaced with a new one, which represents a Lambda that has just
started and has nothing cached.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError
from moto.iot.models import IoTBackend, iot_backends

from commissioner.commissioning import Commissioner
from commissioner.errors import LeaseLost
from commissioner.lambdas.inspector import Inspector
from commissioner.lanes.serving import FINAL, Attempt, Result, Server
from commissioner.shadow_work import ShadowWork
from commissioner.target_gateway.gateway import TargetGateway
from commissioner.target_gateway.session_policies import shadow_reading_policy
from commissioner.target_gateway.sessions import CallGuard, Sessions
from lobby.aws.pacer import Pacer
from lobby.domain.device import Device
from lobby.domain.history.history_audit import first_broken_entry
from lobby.domain.identity import Identity
from lobby.domain.lanes.lane import Lane, lane_to, main_lane
from lobby.domain.pacing import Pace
from lobby.domain.targets.profile import Profile, Profiles
from lobby.domain.targets.target import profile_policy
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.items import device_of_image
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import Fingerprint, Target, ThingName, parse_target
from tests import aws
from tests import certificates as make
from tests.aws import REGION, Calls, Clock

GOLDEN = Path(__file__).parents[2] / "events" / "ledger_stream_claimed.json"
A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
PROFILES: Final = Profiles.of(Profile(name) for name in ("default", "gateway", "camera"))
KEY: Final = "999999999999/eu-west-1"
"""The key of the lobby."""
EXTERNAL_IDS = {A: "external id of A", B: "external id of B"}
CA = make.authority()
PEMS = {
    name: make.pem_of(make.device(CA, name, serial=1000 + number, number=number))
    for number, name in enumerate(("sensor-1", "sensor-2", "sensor-3"))
}
IDS = {name: make.fingerprint_of(pem) for name, pem in PEMS.items()}
ONE, TWO, THREE = IDS.values()
ANN = "user:ann"
WARM: Final = [
    "BatchGetItem",
    "CreateThing",
    "RegisterCertificateWithoutCA",
    "AttachThingPrincipal",
    "AttachPolicy",
    "TransactWriteItems",
    "Publish",
]
COLD: Final = ["BatchGetItem", "GetItem", "AssumeRole", *WARM[1:5], "DescribeEndpoint", *WARM[5:]]
"""The calls of one commissioning, by a Lambda that has just started: it reads row and certificate, then the target.
`WARM`: by one that has a session."""
RESET = ("lobby/sensor-1", b'{"config": "factory reset"}')
Record = dict[str, Any]
_SNAPSHOTS: dict[tuple[str, ...], Any] = {}


class OneLane(CallGuard):
    """Rejects calls into another target than that of the lane that is served, as the lane's lease does."""

    def __init__(self) -> None:
        self.lane: Lane | None = None

    def before_call(self, target: Target) -> None:
        if self.lane is not None and self.lane != lane_to(target):
            raise LeaseLost(f"got a call into {target} in lane {self.lane}, want its own lane")


def wall_clock() -> datetime:
    """Return the machine's time: AssumeRole's responses contain it, so the session cache must use it too."""
    return datetime.now(UTC)


class LobbyWithTargets:
    """Everything that the commissioner needs, with methods for users' changes and for deliveries."""

    def __init__(self, calls: Calls, clock: Clock, *devices: str) -> None:
        self.calls, self.clock = calls, clock
        self._numbers = iter(range(1, 1000))
        self.queued: list[tuple[str, str]] = []
        self.profiles, self.removes_left = PROFILES, False
        self.results: list[Result] = []
        self.guard = OneLane()
        with calls.uncounted():
            self.ledger = Ledger(REGION, clock, pause=lambda _attempt: None)
            external_ids = iter(EXTERNAL_IDS.values())
            self.targets = Targets(lambda: next(external_ids), clock)
            self._once("set up", *devices, then=lambda: self._set_up(devices or ("sensor-1",)))
        self.server = self.new_server()

    def _set_up(self, devices: tuple[str, ...]) -> None:
        for target in (A, B):
            self.targets.register(target, f"Plant in {target.region}", (), ANN)
            self.deploy_policy(target)
        for name in devices:
            self.admit(name)

    def _once(self, *key: str, then: Callable[[], None]) -> None:
        """Call `then` for the first test that needs it, and restore a snapshot of its result for the others. Only for
        tests whose clock has not advanced, as they all start from the same state."""
        if self.clock() != make.NOW:
            return then()
        if key not in _SNAPSHOTS:
            then()
            _SNAPSHOTS[key] = aws.snapshot()
        return aws.restore(_SNAPSHOTS[key])

    def new_server(self, sessions_clock: Callable[[], datetime] = wall_clock) -> Server:
        """Return a Lambda that has just started."""
        with self.calls.uncounted():
            ledger = Ledger(REGION, self.clock, pause=lambda _attempt: None)
            targets = RecentTargets(Targets.read_only(), self.clock)
            sessions = Sessions(aws.client("sts"), sessions_clock, guard=self.guard)
            gateway = TargetGateway(targets, sessions, self.profiles, KEY, removes_left=self.removes_left)
            reading = Sessions(aws.client("sts"), sessions_clock, shadow_reading_policy)
            source = TargetGateway(targets, reading, self.profiles, KEY)
            shadows = ShadowWork(gateway, source, self.clock, sleep=lambda _seconds: None)
            lobby = aws.client("iot"), aws.client("iot-data")
            commissioner = Commissioner(ledger, gateway, *lobby, shadows=shadows)
            return Server(commissioner, ledger, lambda *report: self.queued.append(report), self.clock)

    @staticmethod
    def deploy_policy(target: Target, profile: str = "default") -> None:
        document = PROFILES.get(profile).policy_document(f"arn:aws:iot:{target.region}:{target.account}")
        iot_backends[target.account][target.region].create_policy(profile_policy(profile), json.dumps(document))  # type: ignore[arg-type]  # moto stores and returns text

    def admit(self, name: str) -> None:
        """Register a device in the lobby, as the bouncer and the first hello do."""
        iot = aws.client("iot")
        certid = iot.register_certificate_without_ca(certificatePem=PEMS[name], status="ACTIVE")["certificateId"]
        device = self.ledger.admit(Identity(Fingerprint(certid), ThingName(name), PEMS[name]), "service:bouncer")
        self.ledger.hello(device, None, "service:receptionist")

    def claim(self, certid: Fingerprint = ONE, target: Target = A, profile: str = "default") -> Record:
        with self.calls.uncounted():
            self.ledger.claim(certid, ClaimRequest(target, profile), ANN)
        return self.record(certid)

    def move(self, certid: Fingerprint = ONE, target: Target = B) -> Record:
        with self.calls.uncounted():
            self.ledger.move(certid, ClaimRequest(target), ANN)
        return self.record(certid)

    def release(self, certid: Fingerprint = ONE) -> Record:
        with self.calls.uncounted():
            self.ledger.release(certid, ANN)
        return self.record(certid)

    def revoke(self, certid: Fingerprint = ONE) -> Record:
        with self.calls.uncounted():
            self.ledger.revoke(certid, "stolen", ANN)
        return self.record(certid)

    def retry(self, certid: Fingerprint = ONE) -> Record:
        with self.calls.uncounted():
            self.ledger.retry(certid, ANN)
        return self.record(certid)

    def place(self, certid: Fingerprint = ONE, target: Target = A) -> None:
        """Commission the device and let it arrive. The commissioner is warm afterwards."""
        assert self.deliver(self.claim(certid, target)) == []
        with self.calls.uncounted():
            device = self.ledger.get(certid)
            assert device is not None
            self.ledger.arrive(device, "service:arrivals")
        self.calls.forget()
        aws.published().clear()

    def start_placed(self, *certids: Fingerprint) -> None:
        """Place new devices in A, and continue with a commissioner that has just started."""
        placed = certids or (ONE,)

        def place_all() -> None:
            for certid in placed:
                self.place(certid)

        self._once("placed", *placed, then=place_all)
        self.server = self.new_server()
        self.calls.forget()

    def record(self, certid: Fingerprint = ONE) -> Record:
        """Return the stream record of the last write to this device's row, which the event filter selects."""
        image = aws.item(certid)
        assert image is not None
        assert image["turn"]["S"].startswith("commissioner#")
        record: Record = json.loads(GOLDEN.read_text())["Records"][0]
        record["dynamodb"] |= {
            "ApproximateCreationDateTime": float(int(self.clock().timestamp())),
            "Keys": {"certid": {"S": certid}},
            "NewImage": image,
            "SequenceNumber": f"{next(self._numbers):021}",
        }
        return record

    def deliver(self, *records: Record, number: int = 1) -> list[int]:
        """Process the records' devices, each in its lane, and then in each further lane that has work for the same
        claim. Return the indexes of the records whose device must be retried. `number` counts the attempts."""
        return [index for index, record in enumerate(records) if not self._is_done(record, number)]

    def _is_done(self, record: Record, number: int) -> bool:
        image = device_of_image(record["dynamodb"]["NewImage"])
        certid, lanes = Fingerprint(record["dynamodb"]["Keys"]["certid"]["S"]), [main_lane(image)]

        for _ in range(6):
            if not lanes:
                return True
            self.guard.lane = lanes.pop()
            self.results.append(self.server.serve(Attempt(certid, number, unfinished=True), self.guard.lane))
            self.guard.lane = None
            if self.results[-1] not in FINAL:
                return False
            with self.calls.uncounted():
                row = self.ledger.get(certid)
            same = row is not None and row.generation == image.generation
            lanes += [main_lane(row)] if row and same and row.needs_commissioner else []
        return True

    def device(self, certid: Fingerprint = ONE) -> Device:
        with self.calls.uncounted():
            device, entries = self.ledger.get(certid), self.ledger.history(certid)
        assert device is not None
        assert first_broken_entry(entries, version=device.version, head=device.head) is None
        return device

    def make_unreadable(self, certid: Fingerprint) -> None:
        """Write a value into the device's row that no version writes."""
        with self.calls.uncounted():
            aws.client("dynamodb").update_item(
                TableName="device-lobby-ledger",
                Key={"certid": {"S": certid}},
                UpdateExpression="SET standby = :text",
                ExpressionAttributeValues={":text": {"S": "nowhere"}},
            )

    def events(self, certid: Fingerprint = ONE) -> list[tuple[str, str | None, str | None]]:
        """Return the device's history: events with reason and target."""
        with self.calls.uncounted():
            return [(entry.event.value, entry.reason, entry.target) for entry in self.ledger.history(certid)]


def new_inspector(clock: Callable[[], float] = time.monotonic) -> Inspector:
    """Return an inspector that does not wait for AWS's quotas."""
    return Inspector(
        Targets.read_only(), aws.client("sts"), PROFILES, clock, Pacer(Pace(5), sleep=lambda _seconds: None)
    )


def client_error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"because of {code}"}}, operation)


def throttle_next(lobby: LobbyWithTargets, on: str) -> None:
    """Throttle the next call of this operation only."""

    def once() -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, on)

    lobby.calls.meanwhile[on] = once


def statuses(certid: Fingerprint = ONE) -> tuple[str | None, str | None, str | None]:
    """Return the certificate's status in the lobby, in A and in B."""
    return aws.status(certid), aws.status(certid, A), aws.status(certid, B)


def make_thing(iot: IoTBackend, name: str, **attributes: str) -> None:
    """Create a thing as the owner of an account would."""
    iot.create_thing(thing_name=name, thing_type_name="", attribute_payload={"attributes": attributes})
