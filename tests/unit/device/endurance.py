"""Days among brokers that are no good, and the figures of it: how often the device knocks, where, what it writes."""

import random
from collections import Counter
from dataclasses import dataclass, replace

from device.machine.plan import Endpoint, Plan, Timing
from lobby.wire import Route
from tests.unit.device.bad_brokers import CIRCLES, REFUSING, Anything
from tests.unit.device.platter import Platter
from tests.unit.device.walk import LOBBY, OTHER_LOBBY, PLAN, ROUTE, THING
from tests.unit.device.world import AN_HOUR, Broker, Saying, World

FIELD = Timing()
DOORS = (LOBBY, replace(OTHER_LOBBY, port=LOBBY.port), Endpoint("lobby-3.example"))
TARGET = Endpoint(ROUTE.iotep)
SHARE = AN_HOUR / (FIELD.retry_cap / 2)
"""Rounds in an hour, where each waits the shortest that the cap leaves."""
LONGEST = FIELD.retry_cap + 60 * 1.1 + FIELD.answer_within
"""Seconds between two attempts at most: the wait, and a connection that is found dead by an unanswered hello."""
HOLDS = ("closed just after", "no PINGRESP, nor a goodbye")
"""They hold for long enough to have proved themselves each time."""
NEWEST = Route(ROUTE.iotep, "blue", 8883, 100_000)
PLAN_OF_THE_FIELD = replace(PLAN, timing=FIELD)
_GROWN = 600.0
"""Seconds until the backoff has grown."""


@dataclass(frozen=True)
class Pace:
    """What so many hours were."""

    attempts: int
    busiest: int
    """Most attempts in one hour, once the backoff had grown."""
    longest: float
    """Seconds between two attempts, or since the last."""
    asked: Counter[Endpoint]
    writes: float
    """Times an hour that something was flushed for good."""
    lines: float
    """Of the log, an hour."""
    world: World


def pace(world: World, hours: float) -> Pace:
    platter = Platter({"device": {"state": {}}})
    begin = world.now
    world.live_for(hours * AN_HOUR, platter)
    assert not world.counts["fault"], world.log[-20:]
    times = [at for at, _ in world.dialled]
    gaps = [after - before for before, after in zip(times, [*times[1:], world.now], strict=True)]
    writes = Counter(platter.calls)["fsync folder"] / hours
    asked = Counter(endpoint for _, endpoint in world.dialled)
    return Pace(len(times), _busiest(times, begin + _GROWN), max(gaps), asked, writes, len(world.log) / hours, world)


def _busiest(times: list[float], since: float) -> int:
    later = [at for at in times if at > since]
    return max((sum(1 for other in later[i:] if other < at + AN_HOUR) for i, at in enumerate(later)), default=0)


def bad_lobbies(name: str, doors: int, hours: float) -> Pace:
    """So many lobbies, all of them no good in that way."""
    lobbies = DOORS[:doors]
    return pace(World({door: REFUSING[name]() for door in lobbies}, Plan(THING, lobbies, FIELD)), hours)


def bad_target(name: str, hours: float) -> Pace:
    """A lobby that sends the device to a target that is no good in that way."""
    return pace(World({LOBBY: Saying(NEWEST.encode()), TARGET: REFUSING[name]()}, PLAN_OF_THE_FIELD), hours)


def circle(name: str, hours: float) -> Pace:
    lobby, target = CIRCLES[name]
    return pace(World({LOBBY: lobby(), TARGET: target()}, PLAN_OF_THE_FIELD), hours)


def anything(seed: int) -> World:
    """Two lobbies and a target that do as they please."""
    choice = random.Random(seed)  # noqa: S311 - a test's
    good = {DOORS[0]: Saying(NEWEST.encode()), DOORS[1]: Saying(NEWEST.encode()), TARGET: Broker()}
    bad: dict[Endpoint, Broker] = {door: Anything(choice, broker) for door, broker in good.items()}
    return World(bad, Plan(THING, DOORS[:2], FIELD), seed)


def back_after(world: World, hours: float) -> float:
    """So long as it is; then all is well, and a device that has heard the newest route must serve again. Seconds
    until it does."""
    mended = world.now + hours * AN_HOUR

    def mend() -> None:
        world.new_page()
        world.brokers.update({door: Saying(NEWEST.encode()) for door in DOORS} | {TARGET: Broker()})

    def home() -> bool:
        served = ("alive_sent", str(TARGET))
        return world.now > mended and any((event, told.get("endpoint")) == served for _, event, told in world.log)

    world.arrange(hours * AN_HOUR, mend)
    world.live(home, within=(hours + 2) * AN_HOUR)
    assert not world.counts["fault"], world.log[-20:]
    return world.now - mended
