"""The table of campaigns: their records, their pages with the results, their histories, and lists of them.

All items have the same two keys, so that one transaction can write a campaign's record, history and lists. The results
of a page are one compressed attribute: about ten bytes for each device.
"""

import json
import zlib
from dataclasses import dataclass
from typing import Any, Final

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from lobby import strict_json
from lobby.deployment import NAMES
from lobby.domain.campaigns.campaign import (
    Author,
    Campaign,
    CampaignEntry,
    CampaignEvent,
    CampaignState,
    source_fields,
    source_of,
)
from lobby.domain.campaigns.campaign_progress import Outcome, PageState, Prepared, Result, as_fields, progress_of
from lobby.domain.change_requests import ChangeRequest
from lobby.ledger.table_calls import Calls
from lobby.names import CampaignName, parse_target_key

KIND: Final = "campaign"
LISTED: Final = "list"
ACTIVE: Final = "active"


class CampaignRow(Model):
    """A campaign (kind `campaign`). `plan` never changes. `revision` guards its state, `number` its progress."""

    class Meta(Calls):
        table_name = NAMES.name("campaigns")

    kind = UnicodeAttribute(hash_key=True, default=KIND)
    name = UnicodeAttribute(range_key=True)
    plan = JSONAttribute()
    createdat = UnicodeAttribute()
    state = UnicodeAttribute()
    revision = NumberAttribute()
    why = UnicodeAttribute(null=True)
    approved_by = UnicodeAttribute(null=True, attr_name="approvedby")
    started_at = UnicodeAttribute(null=True, attr_name="startedat")
    ended_at = UnicodeAttribute(null=True, attr_name="endedat")
    undone_by = UnicodeAttribute(null=True, attr_name="undoneby")
    taken_over_by = UnicodeAttribute(null=True, attr_name="takenoverby")
    prepared = JSONAttribute()
    progress = JSONAttribute()
    number = NumberAttribute()


class CampaignKeyRow(Model):
    """A campaign in a list, in the same table: of kind `list` by the time of its creation (`<time>#<name>`), or of kind
    `active` by its name, while the feeder has work for it."""

    class Meta(Calls):
        table_name = NAMES.name("campaigns")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)


class CampaignPageRow(Model):
    """A page of the manifest, in the same table: of kind `page#` and the campaign's name, by its number. `lanes` are
    the lanes in which its devices will wait. A page without results was not tried yet."""

    class Meta(Calls):
        table_name = NAMES.name("campaigns")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    digest = UnicodeAttribute()
    devices = NumberAttribute()
    lanes = JSONAttribute()
    results = BinaryAttribute(legacy_encoding=False, null=True)
    waiting = JSONAttribute(null=True)


class CampaignEntryRow(Model):
    """One entry of a campaign's history, in the same table: of kind `history#` and the name, in the order of time."""

    class Meta(Calls):
        table_name = NAMES.name("campaigns")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute()
    actor = UnicodeAttribute()
    event = UnicodeAttribute()
    detail = UnicodeAttribute(null=True)


@dataclass(frozen=True)
class Page:
    """A recorded page: its number, the digest of its manifest, and its state."""

    number: int
    digest: str
    lanes: tuple[str, ...]
    state: PageState
    tried: bool


def pages_key(name: CampaignName) -> str:
    return f"page#{name}"


def history_key(name: CampaignName) -> str:
    return f"history#{name}"


def page_key(number: int) -> str:
    return f"{number:06d}"


def list_key(campaign: Campaign) -> str:
    return f"{campaign.createdat}#{campaign.name}"


def row_of(campaign: Campaign) -> CampaignRow:
    return CampaignRow(
        KIND,
        campaign.name,
        plan=plan_of(campaign),
        createdat=campaign.createdat,
        state=campaign.state.value,
        revision=campaign.revision,
        prepared=as_fields(campaign.prepared),
        progress=as_fields(campaign.progress),
        number=campaign.progress.number,
    )


def plan_of(campaign: Campaign) -> dict[str, Any]:
    """Return the part of a campaign that never changes."""
    author = campaign.author
    return {
        "request": campaign.request.as_json(),
        "source": source_fields(campaign.source),
        "author": author.actor,
        "targets": None if author.targets is None else sorted(map(str, author.targets)),
        "canary": campaign.canary,
        "tolerance": campaign.tolerance,
    }


def campaign_of(row: CampaignRow) -> Campaign:
    plan = row.plan
    targets = plan["targets"]
    return Campaign(
        CampaignName(row.name),
        ChangeRequest.from_json(plan["request"]),
        source_of(plan["source"]),
        Author(plan["author"], None if targets is None else frozenset(map(parse_target_key, targets))),
        row.createdat,
        plan["canary"],
        plan["tolerance"],
        CampaignState(row.state),
        int(row.revision),
        row.why,
        row.approved_by,
        row.started_at,
        row.ended_at,
        CampaignName(row.undone_by) if row.undone_by else None,
        row.taken_over_by,
        Prepared(**row.prepared),
        progress_of(row.progress),
    )


def page_of(row: CampaignPageRow) -> Page:
    results = _results_of(row.results) if row.results is not None else (Result(),) * int(row.devices)
    state = PageState(results, row.waiting or {})
    return Page(int(row.name), row.digest, tuple(row.lanes), state, row.results is not None)


def encode_results(state: PageState) -> bytes:
    fields = [[each.outcome.value, each.code, each.generation] for each in state.results]
    return zlib.compress(json.dumps(fields, separators=(",", ":")).encode())


def _results_of(body: bytes) -> tuple[Result, ...]:
    return tuple(
        Result(Outcome(outcome), code, generation)
        for outcome, code, generation in strict_json.loads(zlib.decompress(body))
    )


def entry_of(row: CampaignEntryRow) -> CampaignEntry:
    return CampaignEntry(row.at, row.actor, CampaignEvent(row.event), row.detail or "")
