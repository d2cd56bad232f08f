"""Days among brokers that are no good, on a clock of their own: how often the device knocks, how soon it is back."""

from collections.abc import Callable
from functools import partial

from device.machine.plan import Plan
from tests.bench.device_faults.figures import Figures
from tests.unit.device.bad_brokers import CIRCLES, REFUSING
from tests.unit.device.endurance import (
    FIELD,
    PLAN_OF_THE_FIELD,
    SHARE,
    TARGET,
    Pace,
    anything,
    back_after,
    bad_lobbies,
    bad_target,
    circle,
    pace,
)
from tests.unit.device.walk import LOBBY, THING
from tests.unit.device.world import Saying, World

_PACE = (
    "what is no good",
    "attempts",
    "busiest hour",
    "at most",
    "longest gap s",
    "writes/h",
    "log lines/h",
    "back after s",
)


def _row(figures: Figures, name: str, limit: float, living: Callable[[], Pace], mended: Callable[[], float]) -> None:
    seen: list[Pace] = []
    back: list[float] = []

    def live() -> None:
        seen.append(living())
        assert seen[0].busiest <= limit, f"{seen[0].busiest} attempts in an hour"
        back.append(mended())

    figures.tries(name, live)
    for one, after in zip(seen, back, strict=False):
        figures.add(
            name,
            one.attempts,
            one.busiest,
            f"{limit:.0f}",
            f"{one.longest:.0f}",
            f"{one.writes:.1f}",
            f"{one.lines:.0f}",
            f"{after:.0f}",
        )


def lobbies(hours: float) -> Figures:
    figures = Figures(f"{hours:g} hours of lobbies that are no good", _PACE)
    for name, make in REFUSING.items():
        for doors in (1, 3):
            world = World({LOBBY: make()}, Plan(THING, (LOBBY,), FIELD))
            said = f"{name}, {doors} of {doors}"
            _row(
                figures,
                said,
                doors * SHARE,
                partial(bad_lobbies, name, doors, hours),
                partial(back_after, world, hours),
            )
    figures.notes.append(
        f"At most: {SHARE:g} rounds of all lobbies an hour, each after half of the cap, {FIELD.retry_cap:g} s, or more."
    )
    return figures


def targets(hours: float) -> Figures:
    figures = Figures(f"{hours:g} hours of a target that is no good, the lobby sound", _PACE)
    for name, make in REFUSING.items():
        world = World({LOBBY: Saying(), TARGET: make()}, PLAN_OF_THE_FIELD)
        _row(figures, name, SHARE, partial(bad_target, name, hours), partial(back_after, world, hours))
    return figures


def circles(hours: float) -> Figures:
    figures = Figures(f"{hours:g} hours of being led in circles", _PACE)
    for name, (lobby, target) in CIRCLES.items():
        world = World({LOBBY: lobby(), TARGET: target()}, PLAN_OF_THE_FIELD)
        _row(figures, name, 1.1 * SHARE, partial(circle, name, hours), partial(back_after, world, hours))
    return figures


def whatever_they_please(seeds: int, hours: float) -> Figures:
    """Two lobbies and a target that answer, drop, fall silent and talk at random."""
    figures = Figures(
        f"{seeds} times {hours:g} hours of brokers that do whatever they please", ("what", "median", "most")
    )
    busiest: list[float] = []
    back: list[float] = []

    def live(seed: int) -> None:
        busiest.append(pace(anything(seed), hours).busiest)
        back.append(back_after(anything(seed), hours))

    for seed in range(seeds):
        figures.tries(f"seed {seed}", partial(live, seed))
    for name, found in {"attempts in the busiest hour": busiest, "back after they are mended, s": back}.items():
        if found:
            figures.add(name, f"{sorted(found)[len(found) // 2]:.0f}", f"{max(found):.0f}")
    return figures
