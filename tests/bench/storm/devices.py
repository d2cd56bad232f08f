"""Simulated devices that connect until their certificate is no longer pending.

A real device causes one event at each connection attempt with a pending certificate, and none with an active one (AWS
IoT developer guide, "Just-in-time registration"). So each simulated attempt first checks whether the device was
admitted. The event is published to a topic of the benchmark, whose rule has the actions of the real rule. This avoids
thousands of TLS handshakes. The waits between attempts are as in the AWS IoT device SDKs: exponential, at most a
minute, with jitter.
"""

import heapq
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from lobby.names import Fingerprint
from tests.bench.progress import Progress

TOPIC: Final = "storm/registered"
_FIRST_WAIT: Final = 1.5
_LONGEST_WAIT: Final = 60.0
_PUBLISHERS: Final = 8
_POLL: Final = 0.05


def waits(random_wait: Callable[[float, float], float]) -> Iterator[float]:
    """Yield the seconds between the connection attempts of one device."""
    longest = _FIRST_WAIT
    while True:
        yield random_wait(longest / 2, longest)
        longest = min(_LONGEST_WAIT, 2 * longest)


def first_attempts(count: int, seconds: float, random_time: Callable[[float, float], float]) -> list[float]:
    """Return when each device connects for the first time, in order. The first attempt is at time 0."""
    times = sorted(random_time(0, seconds) for _ in range(count))
    return [each - times[0] for each in times]


def earliest_end(attempts: Sequence[float], at_once: float, per_second: float) -> float:
    """Return when a quota allows the last admission, in seconds after the first attempt, if each device is admitted at
    its first attempt or as soon as the quota allows it. The quota allows `at_once` calls at the start."""
    tokens, filled, now = at_once, 0.0, 0.0
    for attempt in sorted(attempts):
        now = max(now, attempt)
        tokens, filled = min(at_once, tokens + (now - filled) * per_second), now
        if tokens < 1:
            now += (1 - tokens) / per_second
            tokens, filled = 1.0, now
        tokens -= 1
    return now


@dataclass(frozen=True)
class Storm:
    """The result: when each device was admitted, in seconds after the first attempt, and the number of all attempts."""

    admitted: dict[Fingerprint, float]
    attempts: int

    def profile(self, seconds: float) -> tuple[int, ...]:
        """Return the number of admissions in each period of so many seconds."""
        periods = [int(at // seconds) for at in self.admitted.values()]
        return tuple(periods.count(period) for period in range(max(periods, default=-1) + 1))


@dataclass
class Devices:
    """The devices. `publish` sends one event; `admitted` returns when each device was admitted, as `time.time`."""

    certids: Sequence[Fingerprint]
    publish: Callable[[bytes], Any]
    admitted: Callable[[], dict[Fingerprint, float]]
    spread: float
    """Seconds in which all devices connect for the first time."""

    def run(self, seconds: float, seed: int) -> Storm:
        """Connect all devices until each was admitted and for at most `seconds`."""
        spread = random.Random(seed)  # noqa: S311  # the same storm for the same seed
        times = first_attempts(len(self.certids), self.spread, spread.uniform)
        pending = [(at, number, waits(spread.uniform)) for number, at in enumerate(times)]
        heapq.heapify(pending)
        began, attempts = time.time(), 0
        progress = Progress("devices are admitted", len(self.certids))
        with ThreadPoolExecutor(_PUBLISHERS) as pool:
            while time.time() < began + seconds:
                admitted = self.admitted()
                if len(admitted) == len(self.certids):
                    break
                progress.report(partial(len, admitted))
                now = time.time() - began
                while pending and pending[0][0] <= now:
                    at, number, following = heapq.heappop(pending)
                    if self.certids[number] not in self.admitted():
                        attempts += 1
                        pool.submit(self.publish, event(self.certids[number], time.time()))
                        heapq.heappush(pending, (at + next(following), number, following))
                time.sleep(_POLL)
        return Storm({certid: at - began for certid, at in self.admitted().items()}, attempts)


def event(certid: Fingerprint, at: float) -> bytes:
    """Return the event of an attempt with a pending certificate at this time (as `time.time`). It may be published
    late, because a busy machine publishes more slowly than devices connect."""
    known = {"certificateStatus": "PENDING_ACTIVATION", "timestamp": int(at * 1000)}
    return json.dumps({"certificateId": certid, **known}).encode()
