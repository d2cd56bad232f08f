"""A commissioner at work: two targets in accounts of their own, devices in the lobby, and the ledger's stream.

The stream is a list of records as the mapping would hand them over; a `Desk` may be replaced by a fresh one, which
is a Lambda that has just started and remembers nothing.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.iot.models import IoTBackend, iot_backends

from commissioner.commissioning import Commissioner
from commissioner.lambdas.stream import StreamProcessor
from commissioner.target_gateway.circuit_breaker import CircuitBreaker
from commissioner.target_gateway.sessions import Sessions
from lobby.domain.device import Device
from lobby.domain.history_audit import first_broken_entry
from lobby.domain.identity import Identity
from lobby.domain.target import profile_policy
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.store import Ledger
from lobby.ledger.targets import RecentTargets, Targets
from lobby.names import Fingerprint, Target, ThingName, parse_target
from tests import aws
from tests import certificates as make
from tests.aws import REGION, Calls, Clock

GOLDEN = Path(__file__).parents[2] / "events" / "ledger_stream_claimed.json"
A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
SECRETS = {A: "secret of A", B: "secret of B"}
CA = make.authority()
PEMS = {
    name: make.pem_of(make.device(CA, name, serial=1000 + number, number=number))
    for number, name in enumerate(("sensor-1", "sensor-2", "sensor-3"))
}
IDS = {name: make.fingerprint_of(pem) for name, pem in PEMS.items()}
ONE, TWO, THREE = IDS.values()
ANN = "user:ann"
Record = dict[str, Any]
_DONE: dict[tuple[str, ...], Any] = {}


def wall_clock() -> datetime:
    """AssumeRole's answers carry the machine's time, so who keeps them goes by it."""
    return datetime.now(UTC)


class Workshop:
    """Everything the commissioner needs, and its hands on it."""

    def __init__(self, calls: Calls, clock: Clock, *devices: str) -> None:
        self.calls, self.clock = calls, clock
        self._numbers = iter(range(1, 1000))
        self.handed_over: list[tuple[str, str]] = []
        with calls.uncounted():
            self.ledger = Ledger(REGION, clock, pause=lambda _attempt: None)
            secrets = iter(SECRETS.values())
            self.targets = Targets(lambda: next(secrets), clock)
            self._once("set up", *devices, then=lambda: self._set_up(devices or ("sensor-1",)))
        self.desk = self.another_desk()

    def _set_up(self, devices: tuple[str, ...]) -> None:
        for target in (A, B):
            self.targets.register(target, "name", (), ANN)
            self.deploy_policy(target)
        for name in devices:
            self.let_in(name)

    def _once(self, *what: str, then: Callable[[], None]) -> None:
        """Does it in the first test that comes here, and brings its end back in the others. Only from one and the same
        beginning, at one and the same time."""
        if self.clock() != make.NOW:
            return then()
        if what not in _DONE:
            then()
            _DONE[what] = aws.kept()
        return aws.bring_back(_DONE[what])

    def another_desk(self, sessions_clock: Callable[[], datetime] = wall_clock) -> StreamProcessor:
        """A Lambda that has just started."""
        with self.calls.uncounted():
            ledger = Ledger(REGION, self.clock, pause=lambda _attempt: None)
            commissioner = Commissioner(
                ledger,
                RecentTargets(Targets.read_only(), self.clock),
                Sessions(aws.client("sts"), sessions_clock),
                aws.client("iot"),
                aws.client("iot-data"),
                CircuitBreaker(self.clock),
            )
            return StreamProcessor(
                commissioner, ledger, lambda keys, why: self.handed_over.append((keys["certid"]["S"], why)), self.clock
            )

    @staticmethod
    def deploy_policy(target: Target, profile: str = "default") -> None:
        iot_backends[target.account][target.region].create_policy(profile_policy(profile), {})

    def let_in(self, name: str) -> None:
        """As the bouncer and the first hello leave a device."""
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

    def settle(self, certid: Fingerprint = ONE, target: Target = A) -> None:
        """The device commissioned and arrived, by a commissioner that is warm."""
        assert self.deliver(self.claim(certid, target)) == []
        with self.calls.uncounted():
            device = self.ledger.get(certid)
            assert device is not None
            self.ledger.arrive(device, "service:arrivals")
        self.calls.forget()
        aws.published().clear()

    def begin_settled(self, *certids: Fingerprint) -> None:
        """The only device, or these, which nothing has befallen yet, commissioned in A and arrived, by a commissioner
        that is not here any more."""
        settled = certids or (ONE,)

        def settle() -> None:
            for certid in settled:
                self.settle(certid)

        self._once("settled", *settled, then=settle)
        self.desk = self.another_desk()
        self.calls.forget()

    def record(self, certid: Fingerprint = ONE) -> Record:
        """The stream record of the last write to this device's row, which the event filter lets through."""
        image = aws.item(certid)
        assert image is not None
        assert image["turn"] == {"S": "commissioner"}
        record: Record = json.loads(GOLDEN.read_text())["Records"][0]
        record["dynamodb"] |= {
            "ApproximateCreationDateTime": float(int(self.clock().timestamp())),
            "Keys": {"certid": {"S": certid}},
            "NewImage": image,
            "SequenceNumber": f"{next(self._numbers):021}",
        }
        return record

    def deliver(self, *records: Record) -> list[int]:
        """The places in the batch of those that go back to the stream."""
        answer = self.desk.take({"Records": list(records)})
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        return [numbers.index(failed["itemIdentifier"]) for failed in answer["batchItemFailures"]]

    def device(self, certid: Fingerprint = ONE) -> Device:
        with self.calls.uncounted():
            device, entries = self.ledger.get(certid), self.ledger.history(certid)
        assert device is not None
        assert first_broken_entry(entries, version=device.version, head=device.head) is None
        return device

    def events(self, certid: Fingerprint = ONE) -> list[tuple[str, str | None, str | None]]:
        """What befell the device: the event, its reason and its target."""
        with self.calls.uncounted():
            return [(entry.event.value, entry.reason, entry.target) for entry in self.ledger.history(certid)]


def statuses(certid: Fingerprint = ONE) -> tuple[str | None, str | None, str | None]:
    """The certificate's status in the lobby, in A and in B."""
    return aws.status(certid), aws.status(certid, A), aws.status(certid, B)


def make_thing(iot: IoTBackend, name: str, **attributes: str) -> None:
    """One that the owner of an account made."""
    iot.create_thing(thing_name=name, thing_type_name="", attribute_payload={"attributes": attributes})
