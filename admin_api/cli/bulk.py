"""Sends many claims, a chunk at a time, and tells what became of each.

A chunk that the lobby refuses whole (an unknown target, say) is that refusal for each of its rows, and the next one is
sent. What it had no time for is sent again, as long as that helps. A device that is claimed already, for what the row
asks for, is done: so a list can be sent twice. Where the lobby cannot be reached, or the sign-in has ended, the rest
is left, and says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from admin_api.cli.claim_requests import Row, Wish, in_chunks
from admin_api.cli.errors import ApiRefused, NotSignedIn, Unreachable
from lobby.errors import LobbyError
from lobby.names import Fingerprint

CHUNK: Final = 100
"""The API takes 1,000; with fewer there is progress to see."""
VAIN_TRIES: Final = 3
"""How often in a row a chunk may be sent without one device more being done."""
NOT_TRIED: Final = "NOT_TRIED"

Device = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What became of one row. `device` as in a list of the API; None where it was not claimed."""

    row: Row
    code: str | None = None
    message: str | None = None
    device: Device | None = field(default=None, compare=False)

    @property
    def ok(self) -> bool:
        return self.code is None


@dataclass(frozen=True)
class Api:
    """What is asked of the lobby: `claim` gives the results in order, `look` the devices that are known."""

    claim: Callable[[Sequence[Fingerprint], Wish], Sequence[Mapping[str, Any]]]
    look: Callable[[Sequence[Fingerprint]], Mapping[Fingerprint, Device]]


class Bulk:
    """`cut` is why the rest was left, once it was."""

    def __init__(self, api: Api, size: int = CHUNK) -> None:
        self._api, self._size = api, size
        self.cut: LobbyError | None = None

    def send(self, rows: Sequence[Row]) -> Iterator[list[Outcome]]:
        """One list of outcomes a chunk; every row has one outcome in the end."""
        for chunk in in_chunks(rows, self._size):
            yield self._left(chunk) if self.cut else self._chunk(chunk)

    def _chunk(self, chunk: list[Row]) -> list[Outcome]:
        done: dict[int, Outcome] = {}
        waiting, vain = chunk, 0
        while waiting and vain < VAIN_TRIES and self.cut is None:
            before = len(waiting)
            for outcome in self._once(waiting):
                done[outcome.row.line] = outcome
            waiting = [row for row in waiting if done[row.line].code == NOT_TRIED]
            vain = vain + 1 if len(waiting) == before else 0
        return [done[row.line] for row in chunk]

    def _once(self, rows: list[Row]) -> list[Outcome]:
        try:
            results = self._api.claim([row.certid for row in rows], rows[0].wish)
        except ApiRefused as refusal:
            return [Outcome(row, refusal.code, refusal.message) for row in rows]
        except (Unreachable, NotSignedIn) as fault:
            self.cut = fault
            unknown = "; whether it was claimed is not known: run the same again"
            return [Outcome(row, fault.code, f"{fault.message}{unknown}") for row in rows]
        return self._same_again([_outcome(row, result) for row, result in zip(rows, results, strict=True)])

    def _left(self, chunk: list[Row]) -> list[Outcome]:
        return [Outcome(row, NOT_TRIED, f"left, after {self.cut.code if self.cut else 'an end'}") for row in chunk]

    def _same_again(self, outcomes: list[Outcome]) -> list[Outcome]:
        """The API calls the same claim again no failure, but another config one. A row that names neither profile nor
        config asks for neither to be changed. Where they cannot be looked at, what the API said of each stands."""
        claimed = [outcome.row.certid for outcome in outcomes if outcome.code == "ALREADY_CLAIMED"]
        try:
            held = self._api.look(claimed) if claimed else {}
        except ApiRefused:
            return outcomes
        except (Unreachable, NotSignedIn) as fault:
            self.cut = fault
            return outcomes
        return [_judged(outcome, held.get(outcome.row.certid)) for outcome in outcomes]


def _outcome(row: Row, result: Mapping[str, Any]) -> Outcome:
    if result["ok"]:
        return Outcome(row, device=result["device"])
    return Outcome(row, result["code"] or "REFUSED", result["message"])


def _judged(outcome: Outcome, held: Device | None) -> Outcome:
    if outcome.code != "ALREADY_CLAIMED" or held is None:
        return outcome
    wish, place = outcome.row.wish, f"{held['targetaccount']}/{held['targetregion']}"
    same = place == str(wish.target)
    if same and wish.profile in (None, held["profile"]) and wish.config in (None, held["config"]):
        return Outcome(outcome.row, device=held)
    what = "with another profile or config" if same else f"for {place}"
    why = f"is claimed {what} ({held['devstate']}): move or release it first"
    return Outcome(outcome.row, outcome.code, why, held)
