"""Removes many registrations at the rate that the quotas allow, and reports progress.

Several threads make calls in parallel; the pacer keeps their total within the quotas. A device that cannot be removed
is reported, and the others are still removed. After Ctrl-C no further device is started.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from infra.teardown.pacing import DEVICES_PER_SECOND
from infra.teardown.registry import Registry
from infra.teardown.removal import Registration, remove

Report = Callable[[str], None]
_THREADS: Final = 16
_EVERY: Final = 5.0
"""Seconds between two lines of progress."""


def remove_all(
    registry: Registry, devices: Sequence[Registration], report: Report, clock: Callable[[], float] = time.monotonic
) -> list[str]:
    """Remove the registrations. Return a message for each registration that could not be removed."""
    if not devices:
        return []
    expected = len(devices) / DEVICES_PER_SECOND
    report(f"{len(devices):,} devices to remove: at least {_duration(expected)} ({DEVICES_PER_SECOND:g} per second)")
    began = shown = clock()
    failures: list[str] = []
    pool = ThreadPoolExecutor(_THREADS, "removal")
    try:
        pending = {pool.submit(_attempt, registry, device) for device in devices}
        while pending:
            done, pending = wait(pending, _EVERY, FIRST_COMPLETED)
            failures += _messages(done)
            if pending and clock() - shown >= _EVERY:
                shown = clock()
                report(_progress(len(devices) - len(pending), len(devices), shown - began))
    finally:
        pool.shutdown(cancel_futures=True)
    report(f"{len(devices) - len(failures):,} devices removed in {_duration(clock() - began)}")
    return failures


def _attempt(registry: Registry, device: Registration) -> str | None:
    try:
        remove(registry, device)
    except (ClientError, BotoCoreError) as error:
        return f"{device.certid or ''} {', '.join(device.things)}: {error}".strip()
    return None


def _messages(done: set[Future[str | None]]) -> list[str]:
    return [message for message in (each.result() for each in done) if message is not None]


def _progress(done: int, total: int, seconds: float) -> str:
    rate = done / seconds
    left = f", {_duration((total - done) / rate)} left" if rate else ""
    return f"  {done:,} of {total:,} devices, {rate:.1f} per second{left}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
