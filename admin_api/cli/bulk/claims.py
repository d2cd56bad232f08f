"""Sends many claims in chunks and reports an outcome for every row.

A device that already has the row's claim counts as claimed, so a list can be sent twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from admin_api.cli.bulk.claim_requests import ClaimRow, in_chunks
from admin_api.cli.bulk.sender import RowOutcome, Sender, paired
from admin_api.cli.errors import ApiRefused, NotSignedIn, Unreachable
from lobby.names import Fingerprint, State

CHUNK: Final = 100
"""Devices per request. The API accepts 1,000; smaller chunks show progress."""

Device = Mapping[str, Any]
Outcome = RowOutcome[ClaimRow]
"""The result of one row of a claim list."""


@dataclass(frozen=True)
class ClaimApi:
    """The API calls. `claim` sends rows with the same request and returns one result per device, in order. `lookup`
    returns the devices that have a row in the ledger."""

    claim: Callable[[Sequence[ClaimRow]], Sequence[Mapping[str, Any]]]
    lookup: Callable[[Sequence[Fingerprint]], Mapping[Fingerprint, Device]]


class BulkClaim(Sender[ClaimRow]):
    """Sends claim rows."""

    def __init__(self, api: ClaimApi, size: int = CHUNK) -> None:
        super().__init__("the claim may have been made")
        self._api, self._size = api, size

    def send(self, rows: Sequence[ClaimRow]) -> Iterator[list[Outcome]]:
        """Yield the outcomes of one chunk after the other; every row gets exactly one."""
        yield from self.send_chunks(in_chunks(rows, self._size))

    def attempt(self, rows: list[ClaimRow]) -> list[Outcome]:
        results = self._api.claim(rows)
        return self._accept_equal_claims([_outcome(row, result) for row, result in paired(rows, results)])

    def _accept_equal_claims(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Turn ALREADY_CLAIMED into success if the device already has the row's claim.

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
    """Return the predicted outcome of sending the row now. `device` is the device in the ledger, or None if it has no
    row; the claim would then create an expected device."""
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
    """Return the outcome for a row whose device already has a claim."""
    if outcome.code != "ALREADY_CLAIMED" or device is None:
        return outcome
    request, target = outcome.row.request, f"{device['targetaccount']}/{device['targetregion']}"
    same = target == str(request.target)
    if same and request.profile in (None, device["profile"]) and request.config in (None, device["config"]):
        return Outcome(outcome.row, device=device)
    claim = "with another profile or config" if same else f"for {target}"
    message = f"already claimed {claim} ({device['devstate']}); move or release it first"
    return Outcome(outcome.row, outcome.code, message, device)
