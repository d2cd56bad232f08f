"""Where the devices of a campaign come from: a filter, or the results of another campaign. Lists come from users.

A source is read a part at a time, so a preview and the preparation can be interrupted and continued.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lobby.domain.campaigns.campaign import PAGE_SIZE, Source, SourceKind
from lobby.domain.campaigns.campaign_manifest import ManifestLine
from lobby.domain.campaigns.campaign_progress import FAILURES, Result
from lobby.domain.changes import Chosen
from lobby.domain.device import Device
from lobby.errors import InvalidInput
from lobby.ledger.campaigns.campaign_preparation import Candidate
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.campaigns.manifests import Manifests
from lobby.ledger.campaigns.selection import selection_of
from lobby.ledger.lists.listing import Filter, Page, devices
from lobby.names import CampaignName, shown


@dataclass(frozen=True)
class Part:
    """A part of a source. `keep` decides on a row that was read consistently; `cursor` is where the next part begins
    (None: this is the last part)."""

    candidates: tuple[Candidate, ...]
    cursor: str | None
    keep: Callable[[Device], bool] = lambda _device: True


@dataclass(frozen=True)
class Sources:
    """Reads the sources of campaigns."""

    campaigns: Campaigns
    manifests: Manifests

    def part(self, source: Source, cursor: str | None, before: str | None = None) -> Part:
        """Return the part at a cursor (None: the first part). With `before`, a filter selects only devices that entered
        their state before that time, so that no device is selected twice. Without it, a device that enters another
        state before it was read is selected, too, and one that does so afterwards is selected twice: it counts
        twice, and changes once. Raise `NotFound` UNKNOWN_CAMPAIGN, or `InvalidInput` INVALID_CURSOR."""
        if source.campaign is not None:
            return self._page_of(source.campaign, source.kind, cursor)
        selection = selection_of(source.filter)
        selection = selection.before(before) if before else selection
        found = _listed(selection.filter, cursor) if before is None else devices(selection.filter, PAGE_SIZE, cursor)
        candidates = tuple(Candidate(Chosen(device.certid)) for device in found.devices)
        return Part(candidates, found.cursor, selection.matches)

    def _page_of(self, name: CampaignName, kind: SourceKind, cursor: str | None) -> Part:
        other, number = self.campaigns.get(name), _number(cursor)
        if number >= other.prepared.pages:
            return Part((), None)
        page = self.campaigns.page(name, number)
        lines = self.manifests.read(name, number, page.digest)
        candidates = (_candidate(kind, line, result) for line, result in zip(lines, page.state.results, strict=True))
        following = str(number + 1) if number + 1 < other.prepared.pages else None
        return Part(tuple(each for each in candidates if each), following)


def _listed(wanted: Filter, cursor: str | None) -> Page:
    """Return a page of devices, the oldest first: a device that enters another state comes to the end of the list. An
    earlier version listed the newest first, and a campaign continues its list in that order."""
    try:
        return devices(wanted, PAGE_SIZE, cursor, oldest_first=True)
    except InvalidInput:
        return devices(wanted, PAGE_SIZE, cursor)


def _number(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal() or len(cursor) > 6:
        raise InvalidInput("INVALID_CURSOR", f"got {shown(cursor)}, want the cursor of an earlier part")
    return int(cursor)


def _candidate(kind: SourceKind, line: ManifestLine, result: Result) -> Candidate | None:
    """Return the candidate for a device of another campaign, or None. To undo a change, the device must be in the
    generation of that change."""
    if kind is SourceKind.FAILED:
        return Candidate(Chosen(line.certid)) if result.outcome in FAILURES else None
    if result.generation is None:
        return None
    return Candidate(Chosen(line.certid, result.generation), line.place)
