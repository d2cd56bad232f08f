"""Tables, details and sentences about campaigns, and the results of each device as CSV.

Pure functions from the API's responses to text and rich renderables. Text of users and devices is made safe for a
terminal and for a spreadsheet.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table

from admin_api.cli.render import cells, tables
from admin_api.cli.render.csv_rows import safe_cell
from admin_api.cli.render.details import pairs

Campaign = Mapping[str, Any]
RESULT_COLUMNS: Final = ("certid", "devicename", "outcome", "code", "from", "profile", "devstate", "target", "reason")
_COUNTS: Final = ("done", "awaited", "waiting", "failed", "refused", "unchanged", "superseded", "pending")


def table(campaigns: Iterable[Campaign]) -> Table:
    result = tables.plain("NAME", "STATE", "OPERATION", "TARGET", "DEVICES", "PROGRESS", "CREATED BY")
    for each in campaigns:
        result.add_row(
            cells.clean(each["name"]),
            cells.clean(each["state"]),
            each["operation"].lower(),
            place(each["target"]),
            str(each["total"]),
            progress(each),
            cells.clean(each["createdBy"]),
        )
    return result


def details(campaign: Campaign, history: Iterable[Mapping[str, Any]]) -> RenderableType:
    ends = campaign["expectedEnd"]
    fields = [
        ("name", campaign["name"]),
        ("state", campaign["state"]),
        ("stopped because", campaign["stoppedBecause"]),
        ("operation", campaign["operation"].lower()),
        ("target", place(campaign["target"]) if campaign["target"] else None),
        ("profile", campaign["profile"]),
        ("config", campaign["config"]),
        ("reason", campaign["why"]),
        ("devices", f"{campaign['total']} ({_source(campaign)})"),
        ("progress", progress(campaign)),
        ("refused on creation", by_reason(campaign["refusals"])),
        ("failures", by_reason(campaign["failures"])),
        ("canary", _canary(campaign)),
        ("stops above", f"{campaign['maxFailureRate']:.0%} failures"),
        ("takes at least", duration(campaign["seconds"])),
        ("expected end", ends),
        ("waits for", campaign["waitsFor"]),
        ("created", f"{campaign['createdAt']} by {cells.clean(campaign['createdBy'])}"),
        ("approved by", campaign["approvedBy"]),
        ("taken over by", campaign["takenOverBy"]),
        ("started", campaign["startedAt"]),
        ("ended", campaign["endedAt"]),
        ("undoes", campaign["undoes"]),
        ("undone by", campaign["undoneBy"]),
    ]
    return Group(
        pairs((name, cells.clean(value)) for name, value in fields if value is not None),
        "",
        tables.target_history(history),
    )


def progress(campaign: Campaign) -> str:
    """Return how many devices have each outcome."""
    counts = campaign["counts"]
    return ", ".join(f"{counts[name]} {name}" for name in _COUNTS if counts[name]) or "no devices"


def preview_text(preview: Mapping[str, Any]) -> str:
    """Return a sentence for a preview."""
    limit = preview["limitedBy"]
    refusals = by_reason(preview["refusals"])
    parts = [f"{preview['changing']} of {preview['total']} devices will be changed"]
    parts += [f"{preview['unchanged']} are already as requested"] if preview["unchanged"] else []
    parts += [f"refused: {refusals}"] if refusals else []
    parts += [f"takes at least {duration(preview['seconds'])} at the rate of {place(limit)}"] if limit else []
    parts += ["a second user must approve it"] if preview["needsApproval"] else []
    return "; ".join(parts)


def by_reason(counts: Iterable[Mapping[str, Any]]) -> str | None:
    return ", ".join(f"{each['count']} {cells.clean(each['code'])}" for each in counts) or None


def duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def place(target: Mapping[str, Any] | None) -> str:
    return cells.clean(f"{target['account']}/{target['region']}") if target else cells.NONE


def result_cells(result: Mapping[str, Any]) -> list[str]:
    """Return the cells of a result in the order of `RESULT_COLUMNS`."""
    device = result["device"] or {}
    target = cells.target(device) if device.get("targetaccount") else None
    values = (
        result["certid"],
        device.get("devicename"),
        result["outcome"],
        result["code"],
        place(result["previousTarget"]) if result["previousTarget"] else None,
        result["previousProfile"],
        device.get("devstate"),
        target,
        device.get("reason"),
    )
    return [safe_cell(value) for value in values]


def results_table(results: Iterable[Mapping[str, Any]]) -> Table:
    table = tables.plain("DEVICE", "OUTCOME", "REASON", "FROM", "NOW")
    for each in results:
        device = each["device"]
        name = cells.name({**device, "certid": each["certid"]}) if device else cells.digits(each["certid"])
        now = f"{device['devstate']} {cells.target(device)}" if device else "no row"
        row = (name, each["outcome"], cells.clean(each["code"]), place(each["previousTarget"]), cells.clean(now))
        table.add_row(*row)
    return table


def _source(campaign: Campaign) -> str:
    other = campaign["sourceCampaign"]
    return f"{campaign['source']} in {cells.clean(other)}" if other else str(campaign["source"])


def _canary(campaign: Campaign) -> str | None:
    """Describe the canary. The number that was chosen can be larger than the campaign, whose size is known when it is
    prepared."""
    canary, total = campaign["canary"], campaign["total"]
    return f"{campaign['canaryArrived']} of {min(canary, total) if total else canary} arrived" if canary else None
