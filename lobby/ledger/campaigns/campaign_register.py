"""The register of campaigns: records, pages and histories, written with conditions.

A change of a campaign's state requires the revision that was read; a record of its progress requires the progress that
was read. So two users, or an old and a new feeder, cannot overwrite each other's changes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from pynamodb.exceptions import DoesNotExist

from lobby.domain.campaigns.campaign import ENDED, Campaign, CampaignEntry, CampaignEvent, SourceKind
from lobby.domain.campaigns.campaign_progress import PageState, Prepared, Progress, as_fields
from lobby.domain.campaigns.campaign_transitions import needs_feeder
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.campaigns.campaign_rows import (
    ACTIVE,
    KIND,
    LISTED,
    CampaignEntryRow,
    CampaignKeyRow,
    CampaignPageRow,
    CampaignRow,
    Page,
    campaign_of,
    encode_results,
    entry_of,
    history_key,
    list_key,
    page_key,
    page_of,
    pages_key,
    plan_of,
    row_of,
)
from lobby.ledger.clock import now, pause, timestamp
from lobby.ledger.commits import Delete, Put, committed
from lobby.ledger.transaction import Update
from lobby.names import CampaignName, shown

_ATTEMPTS: Final = 8
_READ: Final = 100
_STATE: Final = ("why", "approved_by", "started_at", "ended_at", "undone_by", "taken_over_by")
Decision = Callable[[Campaign, str], Campaign]


@dataclass(frozen=True)
class NewPage:
    """A page of the manifest that was written. `lanes` are the lanes in which its devices will wait."""

    digest: str
    devices: int
    lanes: Sequence[str]


class Campaigns:
    """The register. `clock` returns the time; `pause` waits before a retry."""

    def __init__(self, clock: Callable[[], datetime] = now, pause: Callable[[int], None] = pause) -> None:
        self._clock, self._pause = clock, pause

    def find(self, name: CampaignName) -> Campaign | None:
        try:
            return campaign_of(CampaignRow.get(KIND, name, consistent_read=True))
        except DoesNotExist:
            return None

    def get(self, name: CampaignName) -> Campaign:
        """Return a campaign. Raise `NotFound` UNKNOWN_CAMPAIGN."""
        found = self.find(name)
        if found is None:
            raise NotFound("UNKNOWN_CAMPAIGN", f"got {name}, want the name of a campaign")
        return found

    def newest(self, count: int, after: str | None = None) -> tuple[list[Campaign], str | None]:
        """Return a page of campaigns, the newest first, and the cursor of the next page. Raise `InvalidInput`
        INVALID_CURSOR."""
        if after is not None and not 26 <= len(after) <= 80:
            raise InvalidInput("INVALID_CURSOR", f"got {shown(after)}, want the cursor of an earlier page of this list")
        start = {"kind": {"S": LISTED}, "name": {"S": after}} if after else None
        found = CampaignKeyRow.query(
            LISTED, scan_index_forward=False, page_size=count, limit=count, last_evaluated_key=start
        )
        keys = [row.name for row in found]
        names = [key.partition("#")[2] for key in keys]
        rows = {row.name: campaign_of(row) for row in CampaignRow.batch_get([(KIND, name) for name in names])}
        more = keys[-1] if keys and found.last_evaluated_key else None
        return [rows[name] for name in names if name in rows], more

    def unfinished(self) -> Iterator[Campaign]:
        """Yield all campaigns that have not ended, the newest first."""
        cursor: str | None = None
        while True:
            found, cursor = self.newest(_READ, cursor)
            yield from (each for each in found if each.state not in ENDED)
            if cursor is None:
                return

    def active(self) -> list[CampaignName]:
        """Return the campaigns for which the feeder has work."""
        return [CampaignName(row.name) for row in CampaignKeyRow.query(ACTIVE, consistent_read=True)]

    def history(self, name: CampaignName) -> list[CampaignEntry]:
        """Return the history of a campaign, oldest entry first."""
        return [entry_of(row) for row in CampaignEntryRow.query(history_key(name), consistent_read=True)]

    def page(self, name: CampaignName, number: int) -> Page:
        return page_of(CampaignPageRow.get(pages_key(name), page_key(number), consistent_read=True))

    def pages(self, name: CampaignName, first: int, count: int) -> list[Page]:
        """Return recorded pages from the number `first` on."""
        rows = CampaignPageRow.query(
            pages_key(name), CampaignPageRow.name >= page_key(first), consistent_read=True, limit=count
        )
        return [page_of(row) for row in rows]

    def create(self, new: Campaign) -> Campaign:
        """Write a new campaign. If one exists with the same name and plan, return it unchanged, so that a request can
        be repeated. Raise `Conflict` CAMPAIGN_EXISTS."""
        entry = CampaignEntry(new.createdat, new.author.actor, CampaignEvent.CREATED)
        writes = [
            Put(row_of(new), CampaignRow.kind.does_not_exist()),
            Put(CampaignKeyRow(LISTED, list_key(new))),
            Put(_entry_row(new, entry)),
        ]
        if new.source.kind is not SourceKind.LIST:
            writes.append(Put(CampaignKeyRow(ACTIVE, new.name)))
        if committed(*writes):
            return new
        return self.require_free(new) or self.get(new.name)

    def require_free(self, new: Campaign) -> Campaign | None:
        """Return the campaign with the same name and plan, or None. Raise `Conflict` CAMPAIGN_EXISTS for one with
        another plan."""
        existing = self.find(new.name)
        if existing is not None and plan_of(existing) != plan_of(new):
            raise Conflict("CAMPAIGN_EXISTS", f"got {new.name}, which exists with another plan; want a new name")
        return existing

    def change(
        self, name: CampaignName, event: CampaignEvent, actor: str, decide: Decision, detail: str = ""
    ) -> Campaign:
        """Change the state of a campaign, with an entry in its history. Raise `NotFound` UNKNOWN_CAMPAIGN, `Conflict`
        CHANGED_MEANWHILE, or as `decide`."""
        for attempt in range(_ATTEMPTS):
            before, at = self.get(name), timestamp(self._clock())
            after = decide(before, at)
            if after == before:
                return before
            following = replace(after, revision=before.revision + 1)
            if after.progress != before.progress:
                following = replace(following, progress=self._next(after.progress))
            if self._write(before, following, CampaignEntry(at, actor, event, detail)):
                return following
            self._pause(attempt)
        raise Conflict("CHANGED_MEANWHILE", f"got {event} for campaign {name}, which keeps changing; try again")

    def _write(self, before: Campaign, after: Campaign, entry: CampaignEntry) -> bool:
        actions: list[Any] = [
            CampaignRow.state.set(after.state.value),
            CampaignRow.revision.set(after.revision),
        ]
        for name in _STATE:
            attribute, value = getattr(CampaignRow, name), getattr(after, name)
            actions.append(attribute.remove() if value is None else attribute.set(value))
        condition = CampaignRow.revision == before.revision
        if after.progress != before.progress:
            actions += _progress_actions(after.progress)
            condition = condition & (CampaignRow.number == before.progress.number)
        writes: list[Any] = [
            Update(CampaignRow(KIND, before.name), actions, condition),
            Put(_entry_row(after, entry)),
        ]
        if needs_feeder(after):
            writes.append(Put(CampaignKeyRow(ACTIVE, before.name)))
        return committed(*writes)

    def add_pages(self, campaign: Campaign, found: Prepared, pages: Iterable[NewPage]) -> Campaign | None:
        """Record pages of the manifest, and add them to the sums. Return None if another writer was first."""
        first, number = campaign.prepared.pages, campaign.progress.number
        after = replace(campaign, prepared=campaign.prepared.plus(found), progress=self._next(campaign.progress))
        actions = [CampaignRow.prepared.set(as_fields(after.prepared)), *_progress_actions(after.progress)]
        rows = [
            CampaignPageRow(
                pages_key(campaign.name),
                page_key(first + place),
                digest=page.digest,
                devices=page.devices,
                lanes=list(page.lanes),
            )
            for place, page in enumerate(pages)
        ]
        condition = (CampaignRow.number == number) & (CampaignRow.revision == campaign.revision)
        update = Update(CampaignRow(KIND, campaign.name), actions, condition)
        return after if committed(update, *map(Put, rows)) else None

    def record(
        self, campaign: Campaign, progress: Progress, pages: Mapping[int, PageState] | None = None
    ) -> Campaign | None:
        """Record progress, and the results of pages. Return None if another feeder was first."""
        after = replace(campaign, progress=self._next(progress))
        row, condition = CampaignRow(KIND, campaign.name), CampaignRow.number == campaign.progress.number
        results = [
            Update(
                CampaignPageRow(pages_key(campaign.name), page_key(place)),
                [
                    CampaignPageRow.results.set(encode_results(state)),
                    CampaignPageRow.waiting.set(dict(state.waiting)),
                ],
            )
            for place, state in (pages or {}).items()
        ]
        update = Update(row, _progress_actions(after.progress), condition)
        return after if committed(update, *results) else None

    def _next(self, progress: Progress) -> Progress:
        return replace(progress, number=progress.number + 1, worked_at=timestamp(self._clock()))

    def rest(self, campaign: Campaign) -> None:
        """Remove a campaign from those for which the feeder has work, unless its state has changed since."""
        same = CampaignRow.revision
        unchanged = Update(CampaignRow(KIND, campaign.name), [same.set(campaign.revision)], same == campaign.revision)
        committed(unchanged, Delete(CampaignKeyRow(ACTIVE, campaign.name)))


def _progress_actions(progress: Progress) -> list[Any]:
    return [CampaignRow.progress.set(as_fields(progress)), CampaignRow.number.set(progress.number)]


def _entry_row(campaign: Campaign, entry: CampaignEntry) -> CampaignEntryRow:
    """Return the item of an entry. Each change of the state has its own revision, so the keys are unique and in
    order."""
    return CampaignEntryRow(
        history_key(campaign.name),
        f"{campaign.revision:06d}",
        at=entry.at,
        actor=entry.actor,
        event=entry.event.value,
        detail=entry.detail or None,
    )
