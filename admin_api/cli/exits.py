"""What an exit status means, and which one every failure leads to: the one table.

Scripts may rely on it. A code that is not listed is one of the API's refusals: the lobby said no, or the device failed.
"""

from enum import IntEnum
from typing import Final


class Status(IntEnum):
    """The exit status of a command."""

    DONE = 0
    REFUSED = 1
    WRONG_USE = 2
    NOT_SIGNED_IN = 3
    UNREACHABLE = 4
    PARTLY = 5
    WAIT_EXPIRED = 6
    INTERRUPTED = 130


MEANING: Final[dict[Status, str]] = {
    Status.DONE: "done",
    Status.REFUSED: "refused by the lobby, or the device or check failed",
    Status.WRONG_USE: "wrong use: a value, file or option to correct; nothing was done",
    Status.NOT_SIGNED_IN: "not signed in",
    Status.UNREACHABLE: "the lobby could not be reached, or did not answer as one",
    Status.PARTLY: "some of several were done, others not",
    Status.WAIT_EXPIRED: "waited in vain: not there when the time was up",
    Status.INTERRUPTED: "stopped by Ctrl-C",
}

_OF_CODE: Final[dict[str, Status]] = {
    "UNAUTHENTICATED": Status.NOT_SIGNED_IN,
    "NOT_SIGNED_IN": Status.NOT_SIGNED_IN,
    "SIGN_IN_FAILED": Status.NOT_SIGNED_IN,
    "SIGN_IN_ENDED": Status.NOT_SIGNED_IN,
    "SIGN_IN_DENIED": Status.NOT_SIGNED_IN,
    "SIGN_IN_STATE": Status.NOT_SIGNED_IN,
    "SIGN_IN_TIMED_OUT": Status.NOT_SIGNED_IN,
    "TOKENS_EXPOSED": Status.NOT_SIGNED_IN,
    "TOKENS_BROKEN": Status.NOT_SIGNED_IN,
    "UNREACHABLE": Status.UNREACHABLE,
    "TIMED_OUT": Status.UNREACHABLE,
    "UNAVAILABLE": Status.UNREACHABLE,
    "NOT_A_LOBBY": Status.UNREACHABLE,
    "WAIT_EXPIRED": Status.WAIT_EXPIRED,
    "INTERRUPTED": Status.INTERRUPTED,
    "WRONG_USE": Status.WRONG_USE,
    "CONFIRMATION_NEEDED": Status.WRONG_USE,
    "BAD_ROWS": Status.WRONG_USE,
    "UNREADABLE_FILE": Status.WRONG_USE,
    "NO_CODE_FOUND": Status.WRONG_USE,
    "AMBIGUOUS_DEVICE": Status.WRONG_USE,
    "AMBIGUOUS_TARGET": Status.WRONG_USE,
    "TARGET_MISSING": Status.WRONG_USE,
    "PORT_TAKEN": Status.WRONG_USE,
    "INVALID_QUERY": Status.REFUSED,
    "INVALID_REQUEST": Status.REFUSED,
}
"""INVALID_QUERY and INVALID_REQUEST are about our own document, so nobody's value can be corrected: versions differ."""


def status_of(code: str) -> Status:
    """The exit status of a failure: by the table; INVALID_… is a value to correct; all else is a refusal."""
    return _OF_CODE.get(code) or (Status.WRONG_USE if code.startswith("INVALID_") else Status.REFUSED)


def of_several(done: int, failed: int) -> Status:
    """The status of a command that did one thing to each of several."""
    if not failed:
        return Status.DONE
    return Status.PARTLY if done else Status.REFUSED


def listed() -> list[str]:
    """One line a status, for the help."""
    return [f"{status.value}: {meaning}" for status, meaning in MEANING.items()]
