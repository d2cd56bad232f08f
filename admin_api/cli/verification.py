"""Verifies the histories of devices, several per request, and prints the results.

With --all, it verifies first the devices that the notary has anchored, then the other devices in the ledger. So the
anchors reveal a device whose row and history were deleted.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rich.text import Text

from admin_api.cli.api.pages import advanced
from admin_api.cli.command_context import CommandContext, unknown_device
from admin_api.cli.documents import MAX_ALIASES
from admin_api.cli.documents import devices as documents
from admin_api.cli.exits import Status
from admin_api.cli.render import details
from lobby.chunks import chunks
from lobby.names import Fingerprint

_PAGE: Final = 1000
Check = Mapping[str, Any]


class HistoryVerifier:
    """Verifies histories for one command and counts the results."""

    def __init__(self, context: CommandContext) -> None:
        self._context = context
        self._valid = self._invalid = self._pending = 0

    def verify(self, certids: Sequence[Fingerprint]) -> Status:
        """Verify these devices and print every result."""
        return self._verify([certids], len(certids), invalid_only=False)

    def verify_all(self) -> Status:
        """Verify all devices. Print the invalid histories, or every result with --json."""
        total = self._context.execute(documents.OVERVIEW)["overview"]["total"]
        return self._verify(self._all_devices(), total, invalid_only=True)

    def _verify(self, pages: Iterable[Sequence[Fingerprint]], total: int, *, invalid_only: bool) -> Status:
        screen = self._context.screen
        with screen.progress_bar("verifying", total) as bar:
            for certids in pages:
                for check in self._checks(certids):
                    self._count(check)
                    bar.advance(1)
                    if screen.as_json:
                        screen.record(dict(check))
                    elif not (invalid_only and check["ok"]):
                        screen.show(details.history_check(check))
        if not screen.as_json:
            screen.show(self._summary())
        return Status.REFUSED if self._invalid else Status.DONE

    def _all_devices(self) -> Iterator[list[Fingerprint]]:
        anchored: set[Fingerprint] = set()
        after = None
        while True:
            page = self._context.execute(documents.ANCHORED, first=_PAGE, after=after)["anchoredDevices"]
            yield [Fingerprint(certid) for certid in page["certids"]]
            anchored.update(page["certids"])
            after = advanced(after, page["pageInfo"]["endCursor"])
            if after is None:
                break
        for devices in self._context.device_pages({}, None):
            certids = [certid for each in devices if (certid := Fingerprint(each["certid"])) not in anchored]
            anchored.update(certids)
            yield certids

    def _checks(self, certids: Sequence[Fingerprint]) -> Iterator[Check]:
        for chunk in chunks(certids, MAX_ALIASES):
            variables = {f"c{number}": certid for number, certid in enumerate(chunk)}
            data = self._context.execute(documents.histories_verified(len(chunk)), **variables)
            yield from (data[alias] or _unknown(certid) for alias, certid in variables.items())

    def _count(self, check: Check) -> None:
        self._valid += check["ok"]
        self._invalid += not check["ok"]
        self._pending += check["pending"]

    def _summary(self) -> Text:
        total = self._valid + self._invalid
        pending = f"; {self._pending:,} new entries are not anchored yet" if self._pending else ""
        if self._invalid:
            return Text(f"{self._invalid:,} of {total:,} histories INVALID{pending}", "bold red")
        return Text(f"{total:,} {'history' if total == 1 else 'histories'} verified{pending}", "bold")


def _unknown(certid: Fingerprint) -> Check:
    error = unknown_device(certid)
    return {
        "certid": certid,
        "ok": False,
        "entries": 0,
        "anchored": 0,
        "pending": 0,
        "seq": None,
        "code": error.code,
        "message": error.message,
    }
