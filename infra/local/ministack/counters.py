"""Counts what AWS would bill or throttle: API calls, MQTT packets, Lambda runs and their billed milliseconds.

Difference from AWS: CloudWatch has these figures (usage metrics, `AWS/Lambda` Invocations, Duration, Throttles), but
with a delay of a minute and without the calls of each operation. `GET /_ministack/counters` returns them as JSON, from
the start of the emulator; benchmarks read it before and after and subtract.

Unnecessary when: MiniStack has CloudWatch usage metrics for every operation.
"""

import json
import threading
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any, Final

PATH: Final = "/_ministack/counters"
_CLIENT_ERROR: Final = 400


@dataclass
class Calls:
    """Calls of one operation. `calls` includes failed and throttled ones."""

    calls: int = 0
    failed: int = 0
    throttled: int = 0


@dataclass
class Runs:
    """Runs of one function. A throttled invocation is not a run. `billed_ms` is rounded up to a millisecond per run."""

    runs: int = 0
    failed: int = 0
    throttled: int = 0
    billed_ms: int = 0


class Counters:
    """Counters per account and Region. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, dict[str, Calls]] = defaultdict(lambda: defaultdict(Calls))
        self._runs: dict[str, dict[str, Runs]] = defaultdict(lambda: defaultdict(Runs))

    def call(self, account: str, region: str, operation: str, *, failed: bool = False, throttled: bool = False) -> None:
        """Count one call or MQTT packet."""
        with self._lock:
            counted = self._calls[f"{account}/{region}"][operation]
            counted.calls += 1
            counted.failed += failed
            counted.throttled += throttled

    def run(self, account: str, region: str, function: str, billed_ms: int, *, failed: bool) -> None:
        """Count one run of a function."""
        with self._lock:
            counted = self._runs[f"{account}/{region}"][function]
            counted.runs += 1
            counted.failed += failed
            counted.billed_ms += billed_ms

    def throttled_run(self, account: str, region: str, function: str) -> None:
        """Count one invocation that was throttled."""
        with self._lock:
            self._runs[f"{account}/{region}"][function].throttled += 1

    def to_json(self) -> str:
        """Return `{"calls": {scope: {operation: …}}, "lambda": {scope: {function: …}}}`."""
        with self._lock:
            return json.dumps({"calls": _as_dict(self._calls), "lambda": _as_dict(self._runs)})


def _as_dict(counts: Any) -> dict[str, dict[str, dict[str, int]]]:
    return {scope: {name: asdict(each) for name, each in names.items()} for scope, names in counts.items()}


def is_failure(status: int) -> bool:
    """Return whether this HTTP status means that the call failed."""
    return status >= _CLIENT_ERROR


async def respond(counters: Counters, send: Any) -> None:
    """Send the counters as the response to a request for them."""
    body = counters.to_json().encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
