"""Send many claims in chunks and report an outcome for every row.

If the lobby refuses a chunk as a whole (an unknown target, for example), each of its rows gets that error and the next
chunk is sent. Devices that the lobby had no time for are sent again while that makes progress. A device whose claim is
already what the row asks for counts as claimed, so a list can be sent twice. When the lobby becomes unreachable or the
sign-in expires, the remaining rows are not sent and are reported as NOT_TRIED.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from admin_api.cli.claim_requests import ClaimRequest, ClaimRow, in_chunks
from admin_api.cli.errors import ApiRefused, NotSignedIn, Unreachable
from lobby.errors import LobbyError
from lobby.names import Fingerprint, State

CHUNK: Final = 100
"""Devices per request. The API accepts 1,000; smaller chunks show progress."""
MAX_IDLE_ATTEMPTS: Final = 3
"""Consecutive attempts at a chunk that claim no further device before its remaining rows fail."""
NOT_TRIED: Final = "NOT_TRIED"

Device = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """The result of one row. `code` and `message` are None if the device is claimed."""

    row: ClaimRow
    code: str | None = None
    message: str | None = None
    device: Device | None = field(default=None, compare=False)

    @property
    def ok(self) -> bool:
        return self.code is None


@dataclass(frozen=True)
class ClaimApi:
    """The API calls: `claim` returns one result per device in order, `lookup` those devices that are registered."""

    claim: Callable[[Sequence[Fingerprint], ClaimRequest], Sequence[Mapping[str, Any]]]
    lookup: Callable[[Sequence[Fingerprint]], Mapping[Fingerprint, Device]]


class BulkClaim:
    """Sends claim rows. `aborted_by` is the error after which no more rows were sent."""

    def __init__(self, api: ClaimApi, size: int = CHUNK) -> None:
        self._api, self._size = api, size
        self.aborted_by: LobbyError | None = None

    def send(self, rows: Sequence[ClaimRow]) -> Iterator[list[Outcome]]:
        """Yield the outcomes of one chunk after the other; every row gets exactly one."""
        for chunk in in_chunks(rows, self._size):
            if self.aborted_by is None:
                yield self._send_chunk(chunk)
            else:
                message = f"not sent after {self.aborted_by.code}"
                yield [Outcome(row, NOT_TRIED, message) for row in chunk]

    def _send_chunk(self, chunk: list[ClaimRow]) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        remaining, idle = chunk, 0
        while remaining and idle < MAX_IDLE_ATTEMPTS and self.aborted_by is None:
            before = len(remaining)
            outcomes |= {outcome.row.line: outcome for outcome in self._attempt(remaining)}
            remaining = [row for row in remaining if outcomes[row.line].code == NOT_TRIED]
            idle = idle + 1 if len(remaining) == before else 0
        return [outcomes[row.line] for row in chunk]

    def _attempt(self, rows: list[ClaimRow]) -> list[Outcome]:
        try:
            results = self._api.claim([row.certid for row in rows], rows[0].request)
        except ApiRefused as error:
            return [Outcome(row, error.code, error.message) for row in rows]
        except (Unreachable, NotSignedIn) as error:
            self.aborted_by = error
            message = f"{error.message}; the claim may have been made: run the same command again"
            return [Outcome(row, error.code, message) for row in rows]
        return self._accept_equal_claims([_outcome(row, result) for row, result in zip(rows, results, strict=True)])

    def _accept_equal_claims(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Turn ALREADY_CLAIMED into success if the device's claim is what the row asks for.

        The API accepts only an identical claim, including the config. Here a row without a profile or config accepts
        any. If the devices cannot be looked up, the API's results are returned unchanged."""
        certids = [outcome.row.certid for outcome in outcomes if outcome.code == "ALREADY_CLAIMED"]
        try:
            devices = self._api.lookup(certids) if certids else {}
        except ApiRefused:
            return outcomes
        except (Unreachable, NotSignedIn) as error:
            self.aborted_by = error
            return outcomes
        return [_compared(outcome, devices.get(outcome.row.certid)) for outcome in outcomes]


def predict(row: ClaimRow, device: Device | None) -> Outcome:
    """Return the outcome that sending the row now would have. `device` is the device in the ledger, None if there is
    none: it would be expected."""
    if device is None or "claimDevice" in device["allowedActions"]:
        return Outcome(row, device=device)
    if device["devstate"] == State.REVOKED:
        return Outcome(row, "REVOKED", "the device is revoked permanently", device)
    return _compared(Outcome(row, "ALREADY_CLAIMED"), device)


def _outcome(row: ClaimRow, result: Mapping[str, Any]) -> Outcome:
    if result["ok"]:
        return Outcome(row, device=result["device"])
    return Outcome(row, result["code"] or "REFUSED", result["message"])


def _compared(outcome: Outcome, device: Device | None) -> Outcome:
    """The outcome after comparing the device's claim with the row."""
    if outcome.code != "ALREADY_CLAIMED" or device is None:
        return outcome
    request, target = outcome.row.request, f"{device['targetaccount']}/{device['targetregion']}"
    same = target == str(request.target)
    if same and request.profile in (None, device["profile"]) and request.config in (None, device["config"]):
        return Outcome(outcome.row, device=device)
    claim = "with another profile or config" if same else f"for {target}"
    message = f"already claimed {claim} ({device['devstate']}); move or release it first"
    return Outcome(outcome.row, outcome.code, message, device)
