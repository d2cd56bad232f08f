"""Sends many rows in chunks and reports an outcome for every row.

If the lobby refuses a whole chunk, for example because the target is unknown, each of its rows gets this error, and the
next chunk is sent. Devices for which the lobby had no time are sent again as long as this makes progress. When the
lobby becomes unreachable or the sign-in expires, the remaining rows are not sent and are reported as NOT_TRIED.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

from admin_api.cli.errors import ApiRefused, NotSignedIn, Unreachable
from lobby.errors import LobbyError
from lobby.names import Fingerprint

MAX_IDLE_ATTEMPTS: Final = 3
"""After this many consecutive attempts that change no further device, the remaining rows of a chunk fail."""
NOT_TRIED: Final = "NOT_TRIED"


class Row(Protocol):
    """One device of a list. `line` is its line in the file, or its position among the arguments."""

    @property
    def line(self) -> int: ...

    @property
    def certid(self) -> Fingerprint: ...


R = TypeVar("R", bound=Row)
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class RowOutcome(Generic[R]):
    """The result of one row. `code` and `message` are None on success."""

    row: R
    code: str | None = None
    message: str | None = None
    device: Mapping[str, Any] | None = field(default=None, compare=False)

    @property
    def ok(self) -> bool:
        return self.code is None


def paired(rows: Sequence[T], results: Sequence[U]) -> list[tuple[T, U]]:
    """Return each row with its result. Raise `Unreachable` NOT_A_LOBBY unless there is one for each."""
    if len(rows) != len(results):
        message = f"got {len(results)} results for {len(rows)} devices, want one for each: is the address correct?"
        raise Unreachable("NOT_A_LOBBY", message)
    return list(zip(rows, results, strict=True))


class Sender(ABC, Generic[R]):
    """Sends rows. `aborted_by` is the error that ended the sending. `possibly` describes the possible result of a chunk
    whose answer was lost."""

    def __init__(self, possibly: str) -> None:
        self._possibly = possibly
        self.aborted_by: LobbyError | None = None

    @abstractmethod
    def attempt(self, rows: list[R]) -> list[RowOutcome[R]]:
        """Send a chunk once, and return an outcome for each row, in order."""

    def send_chunks(self, chunks: Iterable[list[R]]) -> Iterator[list[RowOutcome[R]]]:
        """Yield the outcomes of one chunk after the other; every row gets exactly one."""
        for chunk in chunks:
            if self.aborted_by is None:
                yield self._send_chunk(chunk)
            else:
                message = f"not sent after {self.aborted_by.code}"
                yield [RowOutcome(row, NOT_TRIED, message) for row in chunk]

    def _send_chunk(self, chunk: list[R]) -> list[RowOutcome[R]]:
        outcomes: dict[int, RowOutcome[R]] = {}
        remaining, idle = chunk, 0
        while remaining and idle < MAX_IDLE_ATTEMPTS and self.aborted_by is None:
            before = len(remaining)
            outcomes |= {outcome.row.line: outcome for outcome in self._outcomes(remaining)}
            remaining = [row for row in remaining if outcomes[row.line].code == NOT_TRIED]
            idle = idle + 1 if len(remaining) == before else 0
        return [outcomes[row.line] for row in chunk]

    def _outcomes(self, rows: list[R]) -> list[RowOutcome[R]]:
        try:
            return self.attempt(rows)
        except ApiRefused as error:
            return [RowOutcome(row, error.code, error.message) for row in rows]
        except (Unreachable, NotSignedIn) as error:
            self.aborted_by = error
            message = f"{error.message}; {self._possibly}: run the same command again"
            return [RowOutcome(row, error.code, message) for row in rows]
