"""Makes the list of a campaign's devices: reads their rows, and writes pages of the manifest.

Each row is read consistently, and the result of the campaign's change is predicted, so that the sums are a preview. A
page is written to the bucket first and then recorded on condition of the previous record, so preparing can be
interrupted at any point.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from lobby.domain.campaigns.campaign import PAGE_SIZE, Campaign
from lobby.domain.campaigns.campaign_manifest import ManifestLine, Place, change_for_page, place_of
from lobby.domain.campaigns.campaign_progress import Prepared, lanes_with_work
from lobby.domain.change_requests import TargetRegister
from lobby.domain.changes import Chosen, generation_of
from lobby.domain.device import Device
from lobby.errors import Conflict, LobbyError
from lobby.ledger.bulk import NOT_TRIED
from lobby.ledger.campaigns.campaign_register import Campaigns, NewPage
from lobby.ledger.campaigns.manifests import Manifests
from lobby.ledger.device_changes import Preview
from lobby.ledger.store import Ledger


@dataclass(frozen=True)
class Candidate:
    """A device that may belong to a campaign. `chosen` has a generation if it is already known; `goal` is where an undo
    brings the device."""

    chosen: Chosen
    goal: Place | None = None


@dataclass(frozen=True)
class _Prepared:
    line: ManifestLine
    preview: Preview


@dataclass(frozen=True)
class Preparation:
    """Prepares campaigns. `targets` are the registered targets."""

    campaigns: Campaigns
    manifests: Manifests
    ledger: Ledger
    targets: TargetRegister

    def add(
        self,
        campaign: Campaign,
        candidates: Sequence[Candidate],
        *,
        cursor: str | None = None,
        complete: bool = False,
        keep: Callable[[Device], bool] = lambda _device: True,
        deadline: Callable[[], bool] = lambda: False,
    ) -> Campaign | None:
        """Add devices to the manifest. `keep` decides on a row that was read consistently. Return None if another
        writer was first. Raise `Conflict` NOT_TRIED if a row could not be read in time."""
        kept = self._previewed(campaign, candidates, keep, deadline)
        pages = []
        canary = _canary(kept, campaign)
        for number, part in enumerate(_pages(kept, canary), start=campaign.prepared.pages):
            digest = self.manifests.write(campaign.name, number, [each.line for each in part])
            pages.append(NewPage(digest, len(part), _home_lanes(part)))
        sums = sums_of([each.preview for each in kept])
        found = replace(sums, pages=len(pages), cursor=cursor, complete=complete, canary_pages=int(canary > 0))
        return self.campaigns.add_pages(campaign, found, pages)

    def has(self, campaign: Campaign, candidates: Sequence[Candidate], offset: int) -> bool:
        """Return whether the manifest has these devices, and no others, after the first `offset` devices."""
        found: list[ManifestLine] = []
        for page in self.campaigns.pages(campaign.name, 0, campaign.prepared.pages):
            devices = len(page.state.results)
            if offset < devices and len(found) < len(candidates):
                found += self.manifests.read(campaign.name, page.number, page.digest)[offset:]
            offset = max(0, offset - devices)
        lines = found[: len(candidates)]
        return len(lines) == len(candidates) and all(map(_is_line_of, lines, candidates))

    def preview(
        self,
        campaign: Campaign,
        candidates: Sequence[Candidate],
        keep: Callable[[Device], bool] = lambda _device: True,
        deadline: Callable[[], bool] = lambda: False,
    ) -> Prepared:
        """Return the predicted results for these devices, and write nothing. Raise the errors of `add`."""
        return sums_of([each.preview for each in self._previewed(campaign, candidates, keep, deadline)])

    def _previewed(
        self,
        campaign: Campaign,
        candidates: Sequence[Candidate],
        keep: Callable[[Device], bool],
        deadline: Callable[[], bool],
    ) -> list[_Prepared]:
        lines = [ManifestLine(each.chosen.certid, each.chosen.generation or 0, None, each.goal) for each in candidates]
        change = change_for_page(campaign, lines, self.targets)
        chosen = [each.chosen for each in candidates]
        previews = self.ledger.preview_many(chosen, change, campaign.actor, deadline)
        for each in previews:
            if isinstance(each.outcome, LobbyError) and each.outcome.code == NOT_TRIED:
                raise Conflict(NOT_TRIED, "got no time left to read all devices; send it again")
        return [
            _Prepared(_line(candidate, preview), preview)
            for candidate, preview in zip(candidates, previews, strict=True)
            if preview.device is None or keep(preview.device)
        ]


def sums_of(previews: Sequence[Preview]) -> Prepared:
    """Return the predicted results of an operation for these devices."""
    refusals = Counter(each.outcome.code for each in previews if isinstance(each.outcome, LobbyError))
    changing = [each for each in previews if _changes(each)]
    work = Counter(lane for each in changing for lane in _lanes(each))
    unchanged = len(previews) - len(changing) - refusals.total()
    return Prepared(0, len(previews), len(changing), unchanged, dict(refusals), dict(work))


def _changes(preview: Preview) -> bool:
    return not isinstance(preview.outcome, LobbyError) and preview.outcome != preview.device


def _line(candidate: Candidate, preview: Preview) -> ManifestLine:
    fixed, device = candidate.chosen.generation, preview.device
    generation = generation_of(device) if fixed is None else fixed
    return ManifestLine(candidate.chosen.certid, generation, place_of(device), candidate.goal)


def _is_line_of(line: ManifestLine, candidate: Candidate) -> bool:
    wanted = candidate.chosen
    return line.certid == wanted.certid and wanted.generation in (None, line.generation)


def _pages(found: Sequence[_Prepared], canary: int) -> Iterator[Sequence[_Prepared]]:
    """Yield the devices of each page. The first `canary` devices are a page of their own."""
    if canary:
        yield found[:canary]
    for start in range(canary, len(found), PAGE_SIZE):
        yield found[start : start + PAGE_SIZE]


def _canary(found: Sequence[_Prepared], campaign: Campaign) -> int:
    """Return how many of these devices belong to the canary, which has at most one page of devices: devices that
    already are as requested, or cannot be changed, do not count as canary. Until the canary is complete, all devices
    belong to it, also those of earlier parts of the source."""
    wanted = campaign.canary - campaign.prepared.changing
    most = PAGE_SIZE - campaign.prepared.total
    if not campaign.canary or wanted <= 0 or most <= 0:
        return 0
    for number, each in enumerate(found[:most], start=1):
        wanted -= _changes(each.preview)
        if not wanted:
            return number
    return min(most, len(found))


def _home_lanes(part: Sequence[_Prepared]) -> list[str]:
    return sorted({str(lane) for each in part for lane in _lanes(each.preview)[:1]})


def _lanes(preview: Preview) -> Sequence[str]:
    return lanes_with_work(preview.outcome) if not isinstance(preview.outcome, LobbyError) else ()
