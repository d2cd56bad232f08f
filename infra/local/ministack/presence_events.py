"""Repeats and reorders presence events and changes their timestamps, in strict mode.

Difference from AWS: lifecycle messages may arrive out of order and more than once, and their timestamps are accurate to
two minutes (AWS IoT developer guide, "Lifecycle events"; the field `versionNumber` gives the order). MiniStack sends
each message once, in order and with the exact time.

The patch delays each presence message by a random time, sends some twice and moves their timestamps by up to two
minutes. The random numbers start from `seed` in the settings.

Unnecessary when: MiniStack offers such a mode.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint
from infra.local.strictness import CurrentStrictness

PUBLISH: Final = PatchPoint("ministack.services.iot", "_publish_event", ("account_id", "region", "topic", "event"))
PATCH_POINTS: Final = (PUBLISH,)
LARGEST_ERROR: Final = 120_000
"""Milliseconds by which a timestamp may be wrong."""
LONGEST_DELAY: Final = 3.0
"""Seconds."""
DUPLICATED: Final = 0.3
"""Share of the messages that are sent twice."""
_PRESENCE: Final = "$aws/events/presence/"


def deliveries(event: dict[str, Any], chance: random.Random) -> list[tuple[float, dict[str, Any]]]:
    """Return the messages for a presence event, each with its delay in seconds. Both copies of a message are equal."""
    sent = {**event, "timestamp": event["timestamp"] + chance.randint(-LARGEST_ERROR, LARGEST_ERROR)}
    count = 2 if chance.random() < DUPLICATED else 1
    return [(chance.uniform(0, LONGEST_DELAY), sent) for _ in range(count)]


def apply(current: CurrentStrictness) -> None:
    """Delay, repeat and reorder presence messages while the settings enable it."""
    PUBLISH.wrap(lambda original: _disordering(original, current))


def _disordering(
    original: Callable[..., Awaitable[None]], current: CurrentStrictness
) -> Callable[..., Awaitable[None]]:
    chance, tasks = random.Random(current().seed), set[asyncio.Task[None]]()  # noqa: S311 - not for cryptography

    async def later(delay: float, account: str, region: str, topic: str, event: dict[str, Any]) -> None:
        await asyncio.sleep(delay)
        await original(account, region, topic, event)

    async def publish(account_id: str, region: str, topic: str, event: dict[str, Any]) -> None:
        if not current().disordered_events or not topic.startswith(_PRESENCE):
            await original(account_id, region, topic, event)
            return
        for delay, message in deliveries(event, chance):
            task = asyncio.create_task(later(delay, account_id, region, topic, message))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    return publish
