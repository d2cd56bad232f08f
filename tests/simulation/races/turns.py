"""Actors that take turns: each stops before each of its AWS calls, and goes on when it is told to.

An actor is a greenlet, so an order of turns is a list of choices, lived the same way each time. A call is what DynamoDB
and AWS IoT promise it to be: all at once. An actor may be killed before or after a call, be refused it, or never hear
of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import pytest
from botocore.client import BaseClient
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

Choose = Callable[[int], int]
"""Given how many could go on: whose turn it is, counted from 0."""
Refuse = Callable[[BaseClient, str, dict[str, Any]], Exception | None]
"""What a call is answered instead of being made, whoever makes it."""


class Killed(BaseException):
    """The process is no more: nothing of ours may catch this."""


@dataclass(eq=False)
class Actor:
    """Does `work` call by call. `at` is the call that it stands before; empty once it has ended."""

    name: str
    work: Callable[[], object]
    at: str = ""
    answer: object = None
    error: Exception | None = None
    killed: bool = False
    _refusal: Exception | None = None
    _dies_after: bool = False
    _hears: Exception | None = None
    _self: Any = field(init=False)

    def __post_init__(self) -> None:
        self._self = greenlet(self._run)
        self._self.actor = self
        self._self.switch()

    @property
    def ended(self) -> bool:
        return bool(self._self.dead)

    @property
    def reads(self) -> bool:
        """Whether the call that it stands before changes nothing."""
        return self.at.partition(".")[2].startswith(("Get", "BatchGet", "Describe", "List", "Query", "AssumeRole"))

    def go(self) -> None:
        """Make the call that it stands before, and go up to the next."""
        self._self.switch()

    def refuse(self, error: Exception) -> None:
        """It is answered this instead."""
        self._refusal = error
        self.go()

    def lose(self, error: Exception) -> None:
        """The call takes effect, and this is all that comes of its answer."""
        self._hears = error
        self.go()

    def kill(self, *, after: bool) -> None:
        """Gone before the call that it stands before, or when that has taken effect."""
        self.killed = True
        self._dies_after = after
        self._self.switch() if after else self._self.throw(Killed)

    def _run(self) -> None:
        try:
            self.answer = self.work()
        except Killed:
            pass
        except Exception as error:  # noqa: BLE001  # whatever it is: who waits for the answer sees it
            self.error = error
        self.at = ""

    def call(self, label: str, make: Callable[[], Any]) -> Any:
        """For the patch around botocore: stops, and then makes the call or not."""
        if self.killed:
            raise Killed
        self.at = label
        self._self.parent.switch()
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise refusal
        answer = make()
        if self._dies_after:
            raise Killed
        heard, self._hears = self._hears, None
        if heard is not None:
            raise heard
        return answer


@contextmanager
def taking_turns(refuse: Refuse) -> Iterator[None]:
    """Whatever an actor calls meanwhile, it stops before."""
    original = BaseClient._make_api_call  # type: ignore[attr-defined]  # where PynamoDB and botocore meet

    def make_api_call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        def make() -> Any:
            refusal = refuse(client, operation, params)
            if refusal is not None:
                raise refusal
            return original(client, operation, params)

        actor = getattr(getcurrent(), "actor", None)
        return actor.call(f"{client.meta.service_model.service_name}.{operation}", make) if actor else make()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", make_api_call)
        yield


def every_order(live: Callable[[Choose], None]) -> int:
    """Lives it in every order of turns; how many there were. Depth first: the last choice that had another way is made
    the other way, and what comes after it anew."""
    path: list[tuple[int, int]] = []
    count = 0
    while True:
        live(_following(path))
        count += 1
        while path and path[-1][0] + 1 == path[-1][1]:
            path.pop()
        if not path:
            return count
        path[-1] = (path[-1][0] + 1, path[-1][1])


def _following(path: list[tuple[int, int]]) -> Choose:
    """Chooses as `path` has it, and the first wherever that ends, which it then has, too."""
    place = iter(range(10_000))

    def choose(many: int) -> int:
        number = next(place)
        if number == len(path):
            path.append((0, many))
        if path[number][1] != many:
            raise AssertionError(f"got {many} who can go on, where there were {path[number][1]} before")
        return path[number][0]

    return choose


def drawn(seed: object) -> Choose:
    """Chooses at random, the same way for the same seed."""
    return Random(str(seed)).randrange  # noqa: S311  # the same order for the same seed


ALONE: Final[Choose] = lambda _many: 0  # noqa: E731
"""One after the other."""
