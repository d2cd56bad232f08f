"""Exit statuses: their meaning, and the status of every error code.

Scripts rely on this table. A code that is not listed is a refusal by the API and exits with status 1.
"""

from enum import IntEnum
from typing import Final


class Status(IntEnum):
    """The exit status of a command."""

    DONE = 0
    REFUSED = 1
    USAGE_ERROR = 2
    NOT_SIGNED_IN = 3
    UNREACHABLE = 4
    PARTIAL = 5
    WAIT_EXPIRED = 6
    LIMITED = 7
    INTERRUPTED = 130


MEANING: Final[dict[Status, str]] = {
    Status.DONE: "success",
    Status.REFUSED: "the lobby refused the request, or a device, check or file operation failed",
    Status.USAGE_ERROR: "usage error: correct a value, file or option; nothing was changed",
    Status.NOT_SIGNED_IN: "not signed in",
    Status.UNREACHABLE: "the lobby could not be reached, or the answer was not from a lobby",
    Status.PARTIAL: "partial success: some items succeeded, others failed",
    Status.WAIT_EXPIRED: "the wait expired before the devices arrived",
    Status.LIMITED: "too many claims or wrong codes: try again after the time in the message",
    Status.INTERRUPTED: "interrupted by Ctrl-C",
}

_STATUS_OF_CODE: Final[dict[str, Status]] = {
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
    "RATE_LIMITED": Status.LIMITED,
    "INTERRUPTED": Status.INTERRUPTED,
    "WRONG_USE": Status.USAGE_ERROR,
    "CONFIRMATION_NEEDED": Status.USAGE_ERROR,
    "BAD_ROWS": Status.USAGE_ERROR,
    "UNREADABLE_FILE": Status.USAGE_ERROR,
    "FILE_EXISTS": Status.USAGE_ERROR,
    "NO_CODE_FOUND": Status.USAGE_ERROR,
    "AMBIGUOUS_DEVICE": Status.USAGE_ERROR,
    "AMBIGUOUS_TARGET": Status.USAGE_ERROR,
    "TARGET_MISSING": Status.USAGE_ERROR,
    "PORT_TAKEN": Status.USAGE_ERROR,
    "INVALID_QUERY": Status.REFUSED,
    "INVALID_REQUEST": Status.REFUSED,
}
"""INVALID_QUERY and INVALID_REQUEST concern our own GraphQL documents, which the user cannot correct: the versions of
`lobbyctl` and the lobby differ."""


def status_of(code: str) -> Status:
    """Return the exit status for an error code: the table's, `USAGE_ERROR` for INVALID_…, `REFUSED` for all others."""
    return _STATUS_OF_CODE.get(code) or (Status.USAGE_ERROR if code.startswith("INVALID_") else Status.REFUSED)


def of_several(done: int, failed: int) -> Status:
    """Return the exit status of a command that handled several items."""
    if not failed:
        return Status.DONE
    return Status.PARTIAL if done else Status.REFUSED


def listed() -> list[str]:
    """Return one line per status, for the help text."""
    return [f"{status.value}: {meaning}" for status, meaning in MEANING.items()]
