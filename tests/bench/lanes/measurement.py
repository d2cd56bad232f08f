"""One measurement: write claimed rows into the ledger, wait until they are commissioned, and count what it cost.

The rows are written as a bulk claim leaves them, so that the measurement begins with the commissioner's work. Single
claims are written meanwhile, for the same and for another target.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final

from infra.local.manufacturer import new_name
from infra.local.ministack.quotas import RATES
from infra.local.strictness import RELAXED, STRICT
from lobby.domain.device import Device, Priority
from lobby.domain.lane_pace import DEFAULT_RATE
from lobby.domain.states import State
from lobby.ledger.clock import timestamp
from lobby.ledger.items import attributes_of
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, Target, ThingName, parse_target
from tests.bench.deployment import TABLE, LobbyUnderTest

QUOTA: Final = min(RATES[f"iot:{name}"] for name in ("RegisterCertificateWithoutCA", "CreateThing", "AttachPolicy"))
_ALONE: Final = 7
_BATCH: Final = 25
"""DynamoDB's limit for BatchWriteItem."""
_SINGLES_EVERY: Final = 3.0
_POLL: Final = 0.2
_SHARDS: Final = 4
"""Shards of a new table's stream. A mapping processes as many batches at a time, multiplied by its factor."""
_EARLIER_FACTOR: Final = 4
_EARLIER_TURN: Final = "commissioner"


@dataclass(frozen=True)
class Figures:
    """`seconds` is when the last of `devices` was commissioned, or None. `rate_limit` is the time at the targets' rate,
    `quota_limit` that which the quota alone would allow. Times of single claims are medians, in ms."""

    devices: int
    commissioned: int
    failed: int
    seconds: float | None
    rate_limit: float
    quota_limit: float
    throttled: int
    billed_seconds: float
    idle_ms: float
    single_same_ms: float
    single_other_ms: float
    both_targets_seconds: float | None

    @property
    def throttled_per_device(self) -> float:
        return round(self.throttled / (2 * self.devices), 3)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"throttled_per_device": self.throttled_per_device}


class LanesUnderTest:
    """A lobby whose claims are carried out by `functions`. `earlier`: rows have the key of the earlier commit."""

    def __init__(self, lobby: LobbyUnderTest, functions: Sequence[str], *, earlier: bool) -> None:
        self.lobby, self.functions, self._earlier = lobby, functions, earlier
        self._targets = [parse_target(each.account, each.region) for each in lobby.file.targets[:2]]

    def measure(self, count: int, patience: float) -> Figures:
        """Measure single claims alone, a bulk claim with single claims meanwhile, and bulk claims for both targets."""
        emulator = self.lobby.local.emulator
        first, second = self._targets
        emulator.enforce(RELAXED)
        idle = [self._single(first) for _ in range(_ALONE)][1:]
        batches = _SHARDS * (_EARLIER_FACTOR if self._earlier else 1)
        emulator.enforce(replace(STRICT, policy_delay_seconds=0, disordered_events=False, stream_lanes=batches))
        rate_limit, quota_limit = count / DEFAULT_RATE, max(0.0, (count - QUOTA) / QUOTA)
        before = self._counted()
        ids, same, other = self._write(first, count), list[float](), list[float]()
        seconds = self._finish(ids, patience * rate_limit, same, other)
        both = self._write(first, count // 2) + self._write(second, count // 2)
        both_seconds = self._finish(both, patience * rate_limit)
        after = self._counted()
        emulator.enforce(RELAXED)
        states = [self.lobby.row(certid).get("devstate", {}).get("S") for certid in (*ids, *both)]
        return Figures(
            devices=count,
            commissioned=states.count(State.COMMISSIONED.value),
            failed=states.count(State.FAILED.value),
            seconds=seconds,
            rate_limit=round(rate_limit, 1),
            quota_limit=round(quota_limit, 1),
            throttled=after[0] - before[0],
            billed_seconds=round((after[1] - before[1]) / 1000, 1),
            idle_ms=round(median(idle)),
            single_same_ms=round(median(same)) if same else 0,
            single_other_ms=round(median(other)) if other else 0,
            both_targets_seconds=both_seconds,
        )

    def _finish(
        self,
        ids: list[Fingerprint],
        timeout: float,
        same: list[float] | None = None,
        other: list[float] | None = None,
    ) -> float | None:
        """Wait until these rows are commissioned, with single claims meanwhile. Return the seconds, or None."""
        began, left, singles_at = time.monotonic(), list(ids), _SINGLES_EVERY
        while left and (elapsed := time.monotonic() - began) < timeout:
            if same is not None and other is not None and elapsed > singles_at and len(left) > _BATCH:
                same.append(self._single(self._targets[0], timeout))
                other.append(self._single(self._targets[1], timeout))
                singles_at = time.monotonic() - began + _SINGLES_EVERY
            left = [certid for certid in left if not self._is_done(certid)] if self._is_done(left[-1]) else left
            time.sleep(_POLL)
        return None if left else round(time.monotonic() - began, 1)

    def _is_done(self, certid: Fingerprint) -> bool:
        return bool(self.lobby.row(certid).get("devstate", {}).get("S") != State.CLAIMED.value)

    def _single(self, target: Target, timeout: float = 60) -> float:
        """Return the ms from a single claim until the device is commissioned, as the ledger records it."""
        [certid] = self._write(target, 1, Priority.SINGLE)
        claimed = datetime.now(UTC)
        deadline = time.monotonic() + timeout
        while not self._is_done(certid):
            if time.monotonic() > deadline:
                return timeout * 1000
            time.sleep(0.02)
        done = datetime.fromisoformat(self.lobby.row(certid)["enteredat"]["S"])
        return (done - claimed).total_seconds() * 1000

    def _write(self, target: Target, count: int, priority: Priority = Priority.BULK) -> list[Fingerprint]:
        devices = [self._device(target, priority) for _ in range(count)]
        for start in range(0, count, _BATCH):
            requests = [{"PutRequest": {"Item": self._item(each)}} for each in devices[start : start + _BATCH]]
            self.lobby.tables.batch_write_item(RequestItems={TABLE: requests})
        return [device.certid for device in devices]

    def _item(self, device: Device) -> Any:
        item: Any = LedgerRow(**attributes_of(device)).serialize()
        return item | ({"turn": {"S": _EARLIER_TURN}} if self._earlier else {})

    def _device(self, target: Target, priority: Priority) -> Device:
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

    def _counted(self) -> tuple[int, int]:
        """Return the throttled calls in the targets, and the billed ms of the functions."""
        found, lobby = self.lobby.local.emulator.counters(), str(self.lobby.local.layout.lobby)
        throttled = sum(
            each["throttled"]
            for target in self._targets
            for name, each in found["calls"].get(str(target), {}).items()
            if name.startswith("iot:")
        )
        runs = found["lambda"].get(lobby, {})
        return throttled, sum(runs.get(name, {}).get("billed_ms", 0) for name in self.functions)


_END: Final = "-----END CERTIFICATE-----\n"
