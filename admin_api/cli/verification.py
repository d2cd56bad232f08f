"""Verifies histories, many in one request, and tells what was found.

All devices are those that the notary has anchored, row and history or not, and then those in the ledger that it has
not: a device that somebody took out of the tables is found by its anchors.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rich.text import Text

from admin_api.cli import documents
from admin_api.cli.command_context import CommandContext
from admin_api.cli.documents import MOST_ALIASES, histories_verified
from admin_api.cli.exits import Status
from admin_api.cli.render import details
from lobby.names import Fingerprint

_PAGE: Final = 1000
Check = Mapping[str, Any]


class Verifying:
    """One command's: counts what it has told."""

    def __init__(self, desk: CommandContext) -> None:
        self._desk = desk
        self._whole = self._broken = self._pending = 0

    def these(self, certids: Sequence[Fingerprint]) -> Status:
        """Each is told of."""
        return self._told([certids], len(certids), quiet=False)

    def all(self) -> Status:
        """People are told of those that are not whole; programs, of every one."""
        return self._told(self._everybody(), self._desk.ask(documents.OVERVIEW)["overview"]["total"], quiet=True)

    def _told(self, pages: Iterable[Sequence[Fingerprint]], total: int, *, quiet: bool) -> Status:
        screen = self._desk.screen
        with screen.bar("verifying", total) as bar:
            for certids in pages:
                for check in self._checked(certids):
                    self._count(check)
                    bar.advance(1)
                    if screen.as_json:
                        screen.record(dict(check))
                    elif not (quiet and check["ok"]):
                        screen.show(details.check(check))
        if not screen.as_json:
            screen.show(self._summary())
        return Status.REFUSED if self._broken else Status.DONE

    def _everybody(self) -> Iterator[list[Fingerprint]]:
        """Fewer at a time at the end: a page of the ledger's devices has some that are known."""
        seen: set[Fingerprint] = set()
        after = None
        while True:
            page = self._desk.ask(documents.ANCHORED, first=_PAGE, after=after)["anchoredDevices"]
            yield [Fingerprint(certid) for certid in page["certids"]]
            seen.update(page["certids"])
            after = page["pageInfo"]["endCursor"]
            if after is None:
                break
        for devices in self._desk.every_device({}, None):
            fresh = [certid for each in devices if (certid := Fingerprint(each["certid"])) not in seen]
            seen.update(fresh)
            yield fresh

    def _checked(self, certids: Sequence[Fingerprint]) -> Iterator[Check]:
        for start in range(0, len(certids), MOST_ALIASES):
            some = certids[start : start + MOST_ALIASES]
            asked = {f"c{number}": certid for number, certid in enumerate(some)}
            data = self._desk.ask(histories_verified(len(some)), **asked)
            yield from (data[alias] or _unknown(certid) for alias, certid in asked.items())

    def _count(self, check: Check) -> None:
        self._whole += check["ok"]
        self._broken += not check["ok"]
        self._pending += check["pending"]

    def _summary(self) -> Text:
        late = f"; {self._pending:,} new entries are not anchored yet" if self._pending else ""
        if self._broken:
            said = f"{self._broken:,} of {self._broken + self._whole:,} histories NOT WHOLE{late}"
            return Text(said, "bold red")
        return Text(f"{self._whole:,} histories, all whole{late}", "bold")


def _unknown(certid: Fingerprint) -> Check:
    words = f"got {certid}, want the fingerprint of a device that was ever here"
    return {
        "certid": certid,
        "ok": False,
        "entries": 0,
        "anchored": 0,
        "pending": 0,
        "seq": None,
        "code": "UNKNOWN_DEVICE",
        "message": words,
    }
