"""A device that has arrived in its target and is prepared in the standby, for tests of hellos and arrivals."""

import json
from typing import Any

import pytest

from lobby.arrivals import Arrivals
from lobby.contracts.targets import ArrivalMark
from lobby.domain.device import Device
from lobby.domain.standby.standby import StandbyMode, StandbyStatus
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.standby.standby_routes import EVACUATION_CACHE
from lobby.ledger.standby.standbys import Standbys
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import parse_target
from lobby.receptionist import Receptionist
from tests import aws, sns_messages
from tests.aws import Clock
from tests.clone_watches import clone_watch
from tests.functional.lobby.reception import CERTID, TARGET, Reception

STANDBY = parse_target("2" * 12, "us-east-1")
TOPIC = "arn:aws:sns:us-east-1:222222222222:device-lobby-arrivals"
HOME_TOPIC = "arn:aws:sns:eu-west-1:111111111111:device-lobby-arrivals"
ANN = "user:ann"


class Evacuated:
    """A device that has arrived in its target and is prepared in the standby."""

    def __init__(self, reception: Reception, clock: Clock, mode: StandbyMode) -> None:
        self.reception, self.clock, self.calls = reception, clock, reception.calls
        self.marks: list[ArrivalMark] = []
        self.queue_answers = True
        self.ledger = reception.ledger
        with self.calls.uncounted():
            self.targets = Targets(lambda: "external id", clock)
            for target in (TARGET, STANDBY):
                self.targets.register(target, f"Plant in {target.region}", (), ANN)
            self.standbys = Standbys(self.targets, Campaigns(clock), 1000, clock)
            self.standbys.set(TARGET, STANDBY, mode, ANN)
            reception.hello()
            claimed = reception.commission()
            ready = self.ledger.commission(claimed, "a.example", "service:commissioner", STANDBY)
            self.prepare(ready, mode)
        reception.receptionist = Receptionist(
            aws.client("iot-data"), self.ledger, RecentTargets(self.targets, clock, EVACUATION_CACHE), self.mark
        )
        certificates = sns_messages.certificates(clock)
        self.arrivals = Arrivals(
            self.ledger,
            self.targets,
            lambda _region: aws.client("sns"),
            certificates,
            print,
            self.mark,
            clone_watch(self.ledger, self.targets),
        )
        self.calls.forget()

    def mark(self, mark: ArrivalMark) -> None:
        """Receive a mark, as the marks' queue does."""
        if not self.queue_answers:
            raise ConnectionError("no answer from the queue")
        self.marks.append(mark)

    def prepare(self, device: Device, mode: StandbyMode) -> None:
        status = StandbyStatus(mode.value)
        self.ledger.prepared(device, STANDBY, status, "service:commissioner", "b.example:8443")
        self.ledger.arrive(self.device(), "service:arrivals")

    def device(self) -> Device:
        with self.calls.uncounted():
            device = self.ledger.get(CERTID)
        assert device is not None
        return device

    def evacuate(self) -> None:
        with self.calls.uncounted():
            self.standbys.evacuate(TARGET, ANN)
        self.clock.advance(seconds=1)

    def come_back(self) -> None:
        with self.calls.uncounted():
            self.standbys.come_back(TARGET, ANN)
        self.clock.advance(seconds=1)

    def report(self, topic: str = TOPIC) -> str:
        at = int(self.clock().timestamp() * 1000)
        envelope = sns_messages.report(CERTID, at, topic)
        return self.arrivals.process(json.loads(json.dumps(envelope)))


def prepared_device(
    reception: Reception, clock: Clock, mode: StandbyMode, monkeypatch: pytest.MonkeyPatch
) -> Evacuated:
    claim, commission = reception.ledger.commission, reception.commission

    def placed(iotep: str = "a.example") -> Device:
        with monkeypatch.context() as patched:
            patched.setattr(reception.ledger, "commission", lambda claimed, _iotep, _actor: claimed)
            return commission(iotep)

    monkeypatch.setattr(reception, "commission", placed)
    assert claim is not None
    return Evacuated(reception, clock, mode)


def sent() -> dict[str, Any]:
    """Return the last message to the device."""
    topic, body = aws.published()[-1]
    assert topic == "lobby/sensor-1"
    message: dict[str, Any] = json.loads(body)
    return message
