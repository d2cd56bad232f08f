"""One measurement: write claimed rows into the ledger, wait until they are commissioned, and count calls and runs. The
rows are written as a bulk claim writes them, so the measurement begins with the commissioner's work. At the same time
single claims are written for the same and for another target.
"""

import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import Any, Final

from infra.local.manufacturer import new_name
from infra.local.ministack.quotas import RATES
from infra.local.strictness import RELAXED, STRICT
from lobby.domain.device import Device, Priority
from lobby.domain.lanes.lane_pace import DEFAULT_RATE
from lobby.domain.states import State
from lobby.ledger.clock import timestamp
from lobby.ledger.items import attributes_of
from lobby.ledger.models import LedgerRow, TargetRow
from lobby.ledger.targets.target_rows import KIND
from lobby.names import Fingerprint, Target, ThingName, parse_target
from tests.bench.deployment import TABLE, LobbyUnderTest
from tests.bench.progress import Progress

QUOTA: Final = min(RATES[f"iot:{name}"] for name in ("RegisterCertificateWithoutCA", "CreateThing", "AttachPolicy"))
_ALONE: Final = 7
_BATCH: Final = 25
"""DynamoDB's limit for BatchWriteItem."""
_SINGLES_EVERY: Final = 3.0
_MOST_SINGLES: Final = 200
"""In a bulk claim that takes as long as the patience allows."""
_POLL: Final = 0.2
_EARLIER_TURN: Final = "commissioner"


@dataclass(frozen=True)
class Figures:
    """`seconds` is when the last of `devices` was commissioned, or None. `rate_limit` is the time at the target's rate,
    for the single claims for this target as well; `quota_limit` that which the quota alone would allow. `both_devices`
    are half for each of two targets. Times of single claims are medians, in ms; `cold_ms` is that of the first one."""

    devices: int
    both_devices: int
    rate: float
    commissioned: int
    failed: int
    seconds: float | None
    rate_limit: float
    quota_limit: float
    both_seconds: float | None
    both_limit: float
    throttled: int
    billed_seconds: float
    cold_ms: float
    idle_ms: float
    singles: int
    single_same_ms: float
    single_other_ms: float
    single_slowest_ms: float

    @property
    def throttled_per_device(self) -> float:
        return round(self.throttled / (self.devices + self.both_devices + self.singles), 3)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"throttled_per_device": self.throttled_per_device}


def last_after(began: datetime, done: Iterable[datetime]) -> float:
    """Return the seconds until the last of the devices was done."""
    return round((max(done) - began).total_seconds(), 1)


class LanesUnderTest:
    """A lobby whose claims are carried out by `functions`. `earlier`: rows have the key of the earlier commit."""

    def __init__(self, lobby: LobbyUnderTest, functions: Sequence[str], *, earlier: bool) -> None:
        self.lobby, self.functions, self._earlier = lobby, functions, earlier
        self.targets = [parse_target(each.account, each.region) for each in lobby.file.targets[:2]]

    def measure(self, count: int, both_count: int, rate: float, patience: float) -> Figures:
        """Measure single claims alone, a bulk claim together with single claims, and bulk claims for both targets. The
        quotas are those of AWS, multiplied like the targets' rate."""
        emulator, share = self.lobby.local.emulator, rate / DEFAULT_RATE
        first, second = self.targets
        self.set_rate(rate)
        strict = replace(STRICT, policy_delay_seconds=0, disordered_events=False)
        emulator.enforce(replace(strict, rate_share=share))
        cold, *idle = [self.single(target) for target in (first, *[second, first] * _ALONE)]
        before = self.counted()
        same, other = list[float](), list[float]()
        ids, seconds = self._carried_out([(first, count)], patience * count / rate, same, other)
        halves = [(first, both_count // 2), (second, both_count // 2)]
        both, both_seconds = self._carried_out(halves, patience * both_count / rate) if both_count else ([], None)
        after = self.counted()
        emulator.enforce(RELAXED)
        states = [self.lobby.row(certid).get("devstate", {}).get("S") for certid in (*ids, *both)]
        return Figures(
            devices=count,
            both_devices=len(both),
            rate=rate,
            commissioned=states.count(State.COMMISSIONED.value),
            failed=states.count(State.FAILED.value),
            seconds=seconds,
            rate_limit=round((count + len(same)) / rate, 1),
            quota_limit=round(max(0.0, (count + len(same)) / (QUOTA * share) - 1), 1),
            both_seconds=both_seconds,
            both_limit=round(both_count / 2 / rate, 1),
            throttled=after[0] - before[0],
            billed_seconds=round((after[1] - before[1]) / 1000, 1),
            cold_ms=round(cold),
            idle_ms=round(median(idle[2:])),
            singles=len(same) + len(other),
            single_same_ms=round(median(same)) if same else 0,
            single_other_ms=round(median(other)) if other else 0,
            single_slowest_ms=round(max(same + other, default=0)),
        )

    def set_rate(self, rate: float) -> None:
        """Set both targets' rate before a worker reads it."""
        for target in self.targets:
            names = {"target": {"S": str(target)}, "kind": {"S": KIND}}
            self.lobby.tables.update_item(
                TableName=TargetRow.Meta.table_name,
                Key=names,
                UpdateExpression="SET rate = :r",
                ExpressionAttributeValues={":r": {"N": f"{rate:g}"}},
                ConditionExpression="attribute_exists(kind)",
            )

    def _carried_out(
        self,
        claims: Sequence[tuple[Target, int]],
        timeout: float,
        same: list[float] | None = None,
        other: list[float] | None = None,
    ) -> tuple[list[Fingerprint], float | None]:
        """Write bulk claims for so many devices, equally many for each target, and wait until they are commissioned,
        with single claims meanwhile. Return the devices, and the seconds from the first write until the last of them
        was commissioned, as the ledger records it (reading a thousand rows takes seconds), or None."""
        made = [[self.device(target, Priority.BULK) for _ in range(count)] for target, count in claims]
        devices = [device for one_of_each in zip(*made, strict=True) for device in one_of_each]
        began, began_at, singles_at = time.monotonic(), datetime.now(UTC), _SINGLES_EVERY
        ids = self._write(devices)
        done = dict[Fingerprint, datetime]()
        pause = max(_SINGLES_EVERY, timeout / _MOST_SINGLES)
        progress = Progress("devices of a bulk claim", len(ids))
        while len(done) < len(ids) and (elapsed := time.monotonic() - began) < timeout:
            if same is not None and other is not None and elapsed > singles_at and len(ids) - len(done) > _BATCH:
                same.append(self.single(self.targets[0], timeout))
                other.append(self.single(self.targets[1], timeout))
                singles_at = time.monotonic() - began + pause
            if self._done_at(ids[-1]):
                done |= {certid: at for certid in ids if certid not in done and (at := self._done_at(certid))}
            progress.report(partial(self._about, ids))
            time.sleep(_POLL)
        return ids, last_after(began_at, done.values()) if len(done) == len(ids) else None

    def _about(self, ids: Sequence[Fingerprint]) -> int:
        """Return about how many of these devices are done, which are processed in this order."""
        return bisect_left(ids, True, key=lambda each: self._done_at(each) is None)

    def _done_at(self, certid: Fingerprint) -> datetime | None:
        """Return when a device ceased to be claimed, or None."""
        row = self.lobby.row(certid)
        is_done = row.get("devstate", {}).get("S") not in (None, State.CLAIMED.value)
        return datetime.fromisoformat(row["enteredat"]["S"]) if is_done else None

    def single(self, target: Target, timeout: float = 60) -> float:
        """Return the ms from a single claim until the device is commissioned, as the ledger records it."""
        [certid] = self._write([self.device(target, Priority.SINGLE)])
        claimed = datetime.now(UTC)
        deadline = time.monotonic() + timeout
        while (done := self._done_at(certid)) is None:
            if time.monotonic() > deadline:
                return timeout * 1000
            time.sleep(0.02)
        return (done - claimed).total_seconds() * 1000

    def _write(self, devices: Sequence[Device]) -> list[Fingerprint]:
        for start in range(0, len(devices), _BATCH):
            requests = [{"PutRequest": {"Item": self._item(each)}} for each in devices[start : start + _BATCH]]
            self.lobby.tables.batch_write_item(RequestItems={TABLE: requests})
        return [device.certid for device in devices]

    def _item(self, device: Device) -> Any:
        item: Any = LedgerRow(**attributes_of(device)).serialize()
        return item | ({"turn": {"S": _EARLIER_TURN}} if self._earlier else {})

    def device(self, target: Target, priority: Priority) -> Device:
        issued = self.lobby.local.manufacturer.authority().issue_device(new_name(), now=datetime.now(UTC))
        return Device(
            certid=issued.certid,
            devstate=State.CLAIMED,
            enteredat=timestamp(datetime.now(UTC)),
            generation=1,
            devicename=ThingName(issued.name),
            devicecert=issued.chain_pem.decode().partition("-----END CERTIFICATE-----")[0] + _END,
            target=target,
            needs_commissioner=True,
            priority=priority,
        )

    def counted(self) -> tuple[int, int]:
        """Return the throttled calls in the targets, and the billed ms of the functions."""
        found, lobby = self.lobby.local.emulator.counters(), str(self.lobby.local.layout.lobby)
        throttled = sum(
            each["throttled"]
            for target in self.targets
            for name, each in found["calls"].get(str(target), {}).items()
            if name.startswith("iot:")
        )
        runs = found["lambda"].get(lobby, {})
        return throttled, sum(runs.get(name, {}).get("billed_ms", 0) for name in self.functions)


_END: Final = "-----END CERTIFICATE-----\n"
