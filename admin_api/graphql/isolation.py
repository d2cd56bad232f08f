"""Runs bulk operations so that an unexpected fault of one device does not affect the others.

After a fault, each half of the devices is tried separately, until the device that causes the fault is isolated. The
operations can be repeated, so devices that were changed before the fault do not change again.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from admin_api import failures
from admin_api.graphql.context import Context
from lobby.domain.device import Device
from lobby.errors import LobbyError

Refusal = tuple[str, str]
"""A code and a message."""
T = TypeVar("T")
R = TypeVar("R")


def isolated(
    context: Context, items: Sequence[T], run: Callable[[Sequence[T]], Sequence[R]], earlier: Refusal | None = None
) -> list[R | Refusal]:
    """Return the result of each item. `earlier` is the fault of an earlier attempt. This attempt may have changed some
    of the devices, so they are not reported as NOT_TRIED."""
    try:
        outcomes = run(items)
    except Exception as error:  # noqa: BLE001  # no fault of one device may affect the others
        refusal = failures.code_and_message(error, context.correlation_id)
        if len(items) <= 1 or context.quota.time_is_up():
            return [refusal] * len(items)
        half = len(items) // 2
        return isolated(context, items[:half], run, refusal) + isolated(context, items[half:], run, refusal)
    return [earlier if earlier and _is_untried(outcome) else outcome for outcome in outcomes]


def refusal_of(context: Context, outcome: Device | LobbyError | Refusal | None) -> Refusal | None:
    """Return the code and the message of an outcome that is not a success."""
    if isinstance(outcome, LobbyError):
        return failures.code_and_message(outcome, context.correlation_id)
    return outcome if isinstance(outcome, tuple) else None


def _is_untried(outcome: object) -> bool:
    return isinstance(outcome, LobbyError) and outcome.code == "NOT_TRIED"
