"""A scheduler for actors: each actor stops before each of its AWS calls, and continues when the scheduler selects it.

An actor is a greenlet, so an order is a list of choices and runs the same way each time. A call is atomic, as in
DynamoDB and AWS IoT. An actor can be killed before or after a call, have the call rejected, or never get its response.
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
"""Given the number of actors that can continue, returns the index of the one that does."""
Reject = Callable[[BaseClient, str, dict[str, Any]], Exception | None]
"""Returns the error that replaces a call, or None for a call that is made."""
_MAX_CHOICES: Final = 10_000


class Killed(BaseException):
    """The process is killed. The project's code must not catch this."""


@dataclass(eq=False)
class Actor:
    """Does `work` call by call. `next_call` is the call that it is stopped before; empty once it has ended."""

    name: str
    work: Callable[[], object]
    next_call: str = ""
    result: object = None
    error: Exception | None = None
    killed: bool = False
    _rejection: Exception | None = None
    _dies_after: bool = False
    _lost_response: Exception | None = None
    _greenlet: Any = field(init=False)

    def __post_init__(self) -> None:
        self._greenlet = greenlet(self._run)
        self._greenlet.actor = self
        self._greenlet.switch()

    @property
    def ended(self) -> bool:
        return bool(self._greenlet.dead)

    @property
    def reads(self) -> bool:
        """Whether the next call changes nothing."""
        operation = self.next_call.partition(".")[2]
        return operation.startswith(("Get", "BatchGet", "Describe", "List", "Query", "AssumeRole"))

    def step(self) -> None:
        """Make the next call, and continue up to the one after it."""
        self._greenlet.switch()

    def reject(self, error: Exception) -> None:
        """Answer the next call with this error instead of making it."""
        self._rejection = error
        self.step()

    def lose_response(self, error: Exception) -> None:
        """Make the next call, and answer it with this error."""
        self._lost_response = error
        self.step()

    def kill(self, *, after: bool) -> None:
        """Kill the actor before its next call, or after that call has taken effect."""
        self.killed = True
        self._dies_after = after
        self._greenlet.switch() if after else self._greenlet.throw(Killed)

    def _run(self) -> None:
        try:
            self.result = self.work()
        except Killed:
            pass
        except Exception as error:  # noqa: BLE001  # whatever it is, the code that started the actor raises it
            self.error = error
        self.next_call = ""

    def call(self, label: str, make: Callable[[], Any]) -> Any:
        """Stop, and then make the call if it is selected. The patch around botocore calls this."""
        if self.killed:
            raise Killed
        self.next_call = label
        self._greenlet.parent.switch()
        rejection, self._rejection = self._rejection, None
        if rejection is not None:
            raise rejection
        response = make()
        if self._dies_after:
            raise Killed
        lost, self._lost_response = self._lost_response, None
        if lost is not None:
            raise lost
        return response


@contextmanager
def scheduling(reject: Reject) -> Iterator[None]:
    """Stop actors before every AWS call that they make inside."""
    original = BaseClient._make_api_call  # type: ignore[attr-defined]  # where PynamoDB and botocore meet

    def make_api_call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        def make() -> Any:
            rejection = reject(client, operation, params)
            if rejection is not None:
                raise rejection
            return original(client, operation, params)

        actor = getattr(getcurrent(), "actor", None)
        return actor.call(f"{client.meta.service_model.service_name}.{operation}", make) if actor else make()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", make_api_call)
        yield


def all_orders(run: Callable[[Choose], None]) -> int:
    """Run in every order, and return how many there are."""
    return some_orders(run, None)


def some_orders(run: Callable[[Choose], None], most: int | None) -> int:
    """Run in every order, but at most in `most`; return in how many. Depth first: the last choice that has an
    alternative is replaced by it, and the choices after it are made again."""
    path: list[tuple[int, int]] = []
    count = 0
    while count != most:
        run(_following(path))
        count += 1
        while path and path[-1][0] + 1 == path[-1][1]:
            path.pop()
        if not path:
            return count
        path[-1] = (path[-1][0] + 1, path[-1][1])
    return count


def _following(path: list[tuple[int, int]]) -> Choose:
    """Return a `Choose` that follows `path`, and after its end chooses the first actor and extends `path`."""
    numbers = iter(range(_MAX_CHOICES))

    def choose(many: int) -> int:
        number = next(numbers)
        if number == len(path):
            path.append((0, many))
        if path[number][1] != many:
            raise AssertionError(f"got {many} actors that can continue, want {path[number][1]} as in the run before")
        return path[number][0]

    return choose


def random_order(seed: object) -> Choose:
    """Return a `Choose` that is random, and the same for the same seed."""
    return Random(str(seed)).randrange  # noqa: S311  # the same order for the same seed
