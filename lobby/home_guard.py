"""Decorators of Lambda handlers, which decide in which Regions of a lobby a function works.

A function of the home does nothing in any other Region, because the events there come from a replica or from an earlier
home. While no Region may write, its events are delivered again later, and its timers wait for the next run. Functions
of the doors work everywhere and write to the home Region. In a lobby with one Region, the decorators change nothing.

Other Regions drop an event only after the home has had time to process it (`duties`), because the home may have been
lost.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from aws_lambda_powertools import Logger

from lobby.domain.regions.home import Duty, duty
from lobby.errors import NotHome
from lobby.ledger.regions.routing import Access, route

P = ParamSpec("P")
R = TypeVar("R")
logger = Logger(service="home")


def at_home_only(idle: Callable[[], R]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a handler of events: `idle` returns its answer in a Region that is not home. Raise `NotHome` while no
    Region may write, so that the events are delivered again."""
    return _guard(Access.HOME, idle, waits=False)


def timer_at_home(idle: Callable[[], R]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a handler of a timer: it also does nothing while no Region may write."""
    return _guard(Access.HOME, idle, waits=True)


def _guard(access: Access, idle: Callable[[], R], *, waits: bool) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def decorate(handler: Callable[P, R]) -> Callable[P, R]:
        @wraps(handler)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            fence = route(access)
            if fence is None:
                return handler(*args, **kwargs)
            try:
                works = fence.is_home()
            except NotHome as error:
                if not waits:
                    raise
                logger.warning("nothing done: no home", extra={"code": error.code, "why": error.message})
                works = False
            return handler(*args, **kwargs) if works else idle()

        return guarded

    return decorate


def duties(access: Access) -> Callable[[int], Duty] | None:
    """Return what this Region does with an event of the given time, in ms since 1970; None in the home, which processes
    all events. Raise `NotHome` while no Region may write, so that the events are delivered again."""
    fence = route(access)
    if fence is None or fence.is_home():
        return None
    vote, terms = fence.vote(), fence.terms
    return lambda at: duty(vote, at, terms)


def everywhere(access: Access) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a handler that works in every Region, with this access to the tables."""

    def decorate(handler: Callable[P, R]) -> Callable[P, R]:
        @wraps(handler)
        def routed(*args: P.args, **kwargs: P.kwargs) -> R:
            route(access)
            return handler(*args, **kwargs)

        return routed

    return decorate


def nothing_done() -> dict[str, Any]:
    """Return the numbers of a run that did nothing."""
    return {}


def nothing_failed() -> dict[str, Any]:
    """Return Lambda's partial batch response without failures."""
    return {"batchItemFailures": []}
