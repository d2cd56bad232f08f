"""Changes many devices: requests the lobby's prediction for each, then sends the devices that would change. The look-up
determines the devices, also for a filter. Each request contains the generation of a device at the look-up, so the lobby
does not change a device that has changed since then, and a list can be sent again. Devices that are refused or need no
change are not sent.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from admin_api.cli.bulk.claims import CHUNK
from admin_api.cli.bulk.sender import RowOutcome, Sender, paired
from lobby.chunks import chunks
from lobby.names import Fingerprint

Device = Mapping[str, Any]
Change = Mapping[str, Any]
"""The API's `ChangeInput`."""
NO_REASON: Final = "no reason given"


@dataclass(frozen=True)
class ListedDevice:
    """A device to change. `line` is its line in the file, or its number."""

    line: int
    certid: Fingerprint


@dataclass(frozen=True)
class PreviewedRow:
    """A device to change, and the lobby's prediction. `device` is None if the ledger has no row for it. `state` is the
    predicted state, None if the row would be removed."""

    line: int
    certid: Fingerprint
    generation: int
    changes: bool
    state: str | None = None
    code: str | None = None
    message: str | None = None
    device: Device | None = None

    @property
    def shown(self) -> Device:
        """The device as the output shows it."""
        return self.device or {"certid": self.certid, "devicename": None, "devstate": None}


ChangeOutcome = RowOutcome[PreviewedRow]
Results = Sequence[Mapping[str, Any]]


def previewed_row(line: int, node: Mapping[str, Any], certid: Fingerprint) -> PreviewedRow:
    """Return the row for a `PreviewedDevice` of the API."""
    code = None if node["ok"] else node["code"] or "REFUSED"
    changes = bool(node["ok"] and node["changes"])
    message = node["message"] or NO_REASON if code else None
    return PreviewedRow(line, certid, node["generation"], changes, node["state"], code, message, node["device"])


class BulkChange(Sender[PreviewedRow]):
    """Sends the rows that the change would change. `call` sends one request and returns a result per device."""

    def __init__(self, call: Callable[[Sequence[PreviewedRow]], Results], size: int = CHUNK) -> None:
        super().__init__("the devices may have been changed")
        self._call, self._size = call, size

    def send(self, rows: Sequence[PreviewedRow]) -> Iterator[list[ChangeOutcome]]:
        """Yield the outcomes of one chunk after the other; every row gets exactly one."""
        yield from self.send_chunks(chunks(rows, self._size))

    def attempt(self, rows: list[PreviewedRow]) -> list[ChangeOutcome]:
        return [outcome_of(row, result) for row, result in paired(rows, self._call(rows))]


def outcome_of(row: PreviewedRow, result: Mapping[str, Any]) -> ChangeOutcome:
    """Return the outcome for a `ChangeResult` of the API."""
    if result["ok"]:
        return ChangeOutcome(row, device=result["device"])
    return ChangeOutcome(row, result["code"] or "REFUSED", result["message"] or NO_REASON, row.device)


def not_sent(row: PreviewedRow) -> ChangeOutcome:
    """Return the outcome of a row that is refused, or needs no change."""
    return ChangeOutcome(row, row.code, row.message, row.device)
