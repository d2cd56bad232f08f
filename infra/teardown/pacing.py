"""Paces calls of AWS IoT's control plane to AWS's default quotas, so that none is throttled.

The quotas are per account, Region and operation (AWS General Reference, "AWS IoT Core endpoints and quotas"). Two
operations of a removal have a quota of 10 calls per second, so 10 devices per second are removed in an account.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

RATES: Final[Mapping[str, float]] = {
    "DetachPolicy": 15,
    "ListAttachedPolicies": 15,
    "DeprecateThingType": 15,
    "DeleteThing": 100,
    "DescribeThingType": 100,
    "DetachThingPrincipal": 100,
    "UpdateThing": 100,
}
"""Calls per second of the operations whose quota is not `OTHERS`."""
OTHERS: Final = 10.0
"""Calls per second of every other operation: UpdateCertificate, DeleteCertificate, all lists."""
DEVICES_PER_SECOND: Final = OTHERS


class Pacer:
    """Delays each call until its operation's quota allows it. Thread-safe. `clock` and `sleep` are in seconds."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}

    def wait(self, operation: str) -> None:
        """Return when a call of `operation` may be made."""
        with self._lock:
            now = self._clock()
            at = max(now, self._next.get(operation, now))
            self._next[operation] = at + 1 / RATES.get(operation, OTHERS)
        if at > now:
            self._sleep(at - now)
