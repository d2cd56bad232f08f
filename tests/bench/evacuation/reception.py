"""Devices at the receptionist while their target is evacuated: the real handler and ledger, with moto instead of AWS.

Rows are written in chunks, so that 100,000 devices fit into the memory. The clock follows the simulated arrivals, so
the receptionist reads the target's record as often as in reality. The standby also reports a part of the devices, and
their rows are changed.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from lobby.domain.device import Device
from lobby.domain.hellos import Report
from lobby.domain.standby.standby import Standby, StandbyMode, StandbyStatus
from lobby.domain.states import State
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.clock import timestamp
from lobby.ledger.items import attributes_of
from lobby.ledger.models import LedgerRow
from lobby.ledger.standby.standby_routes import EVACUATION_CACHE
from lobby.ledger.standby.standbys import Standbys
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import Fingerprint, ThingName, parse_target
from lobby.receptionist import Receptionist
from tests import aws

HOME, STANDBY = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
_CHUNK: Final = 500
_FOLLOWED: Final = 100
"""One device of so many is also reported by the standby."""
_BEGAN: Final = datetime(2026, 11, 30, tzinfo=UTC)


@dataclass
class Counted:
    """Calls by name until the first route, of the hellos, and of the rows that follow. `routed` counts the devices that
    were sent the standby's route."""

    evacuate: Counter[str] = field(default_factory=Counter)
    hellos: Counter[str] = field(default_factory=Counter)
    following: Counter[str] = field(default_factory=Counter)
    routed: int = 0
    followed: int = 0

    @property
    def writes(self) -> int:
        return writes_of(self.evacuate)


def writes_of(calls: Counter[str]) -> int:
    return sum(count for name, count in calls.items() if name in WRITES)


class _Clock:
    def __init__(self) -> None:
        self.now = _BEGAN

    def __call__(self) -> datetime:
        return self.now


def evacuate(hellos: Sequence[float]) -> Counted:
    """Evacuate a target whose devices say hello at these times (seconds), and count the calls."""
    counted, clock = Counted(), _Clock()
    with aws.aws() as calls:
        targets, ledger = Targets(lambda: "external id", clock), Ledger(HOME.region, clock)
        standbys = Standbys(targets, Campaigns(clock), 10**9, clock)
        with calls.uncounted():
            for target in (HOME, STANDBY):
                targets.register(target, f"Plant in {target.region}", (), "user:ann")
            standbys.set(HOME, STANDBY, StandbyMode.ACTIVE, "user:ann")
        receptionist = Receptionist(aws.client("iot-data"), ledger, RecentTargets(targets, clock, EVACUATION_CACHE))
        calls.forget()
        evacuated = standbys.evacuate(HOME, "user:ann", "Region down")
        counted.evacuate = calls.count()
        calls.forget()
        numbered = list(enumerate(hellos))
        for start in range(0, len(numbered), _CHUNK):
            chunk = numbered[start : start + _CHUNK]
            devices = [_device(number) for number, _ in chunk]
            with calls.uncounted(), LedgerRow.batch_write() as batch:
                for device in devices:
                    batch.save(LedgerRow(**attributes_of(device)))
            aws.published().clear()
            for device, (_, at) in zip(devices, chunk, strict=True):
                clock.now = _BEGAN + timedelta(seconds=at)
                receptionist.answer(device.certid, device.devicename, Report("2.0"))
            counted.hellos += calls.count()
            counted.routed += sum(json.loads(body)["iotep"] == "standby.example" for _, body in aws.published())
            calls.forget()
            for device in devices[::_FOLLOWED]:
                row = ledger.follow(device, STANDBY, "service:arrivals", f"evacuated at {evacuated.evacuated_at}")
                ledger.arrive(row, "service:arrivals")
                counted.followed += 1
            counted.following += calls.count()
            calls.forget()
            with calls.uncounted(), LedgerRow.batch_write() as batch:
                for device in devices:
                    batch.delete(LedgerRow(device.certid))
    return counted


def _device(number: int) -> Device:
    certid = Fingerprint(hashlib.sha256(str(number).encode()).hexdigest())
    return Device(
        certid,
        State.ARRIVED,
        timestamp(_BEGAN - timedelta(days=1)),
        generation=1,
        devicename=ThingName(f"sensor-{number}"),
        certified=True,
        target=HOME,
        iotep="target.example",
        claimedby="user:ann",
        standby=Standby(STANDBY, StandbyStatus.ACTIVE, "standby.example"),
    )
