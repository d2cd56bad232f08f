"""`campaigns preview` and `campaigns create`: one operation on many devices, from a list, a filter or another campaign.

The lobby fixes the devices of a filter when the campaign is created. The command sends a list in parts, and the last
part starts the campaign. So an interrupted command changes no device, and can be repeated.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from admin_api.cli.bulk.claim_requests import read_config
from admin_api.cli.command import TARGET_HELP, OptionGroup, command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.campaign_waiting import DEFAULT_TIMEOUT, Timeout, Wait, follow
from admin_api.cli.commands.confirmation import Yes, confirm
from admin_api.cli.commands.selection import Selection
from admin_api.cli.commands.shadow_option import SHADOWS_HELP, ShadowOption, shadow_fields
from admin_api.cli.completion import complete_target
from admin_api.cli.documents import campaigns as documents
from admin_api.cli.errors import usage_error
from admin_api.cli.exits import Status
from admin_api.cli.render import campaigns as render
from lobby.chunks import chunks
from lobby.names import Fingerprint, parse_campaign_name, parse_profile, shown

app = typer.Typer()
PART: Final = 1000
"""Devices of a list in one request."""
OPERATIONS: Final = (
    *("claim", "move", "configure", "release", "revoke", "retry"),
    *("renew", "quarantine", "lift", "dismiss"),
)
_WITH_TARGET: Final = ("claim", "move")
Operation = Annotated[str, typer.Option("--do", metavar="OPERATION", help=f"{', '.join(OPERATIONS)}.")]


@dataclass(frozen=True)
class Arguments(OptionGroup):
    """The arguments of the operation."""

    target: Annotated[
        str | None, typer.Option("--target", "-t", help=f"claim, move: {TARGET_HELP}", autocompletion=complete_target)
    ] = None
    profile: Annotated[str | None, typer.Option(help="claim, move, configure: the profile.")] = None
    config: Annotated[str | None, typer.Option(help="claim, move, configure: the config, text or JSON.")] = None
    why: Annotated[
        str | None, typer.Option(help="revoke, quarantine, lift, dismiss: the reason, 1 to 200 characters.")
    ] = None
    shadows: Annotated[ShadowOption | None, typer.Option(help=f"move: {SHADOWS_HELP}")] = None

    def change(self, context: CommandContext, operation: str) -> dict[str, Any]:
        """Return the API's `ChangeInput`. Raise `InvalidInput`."""
        if operation not in OPERATIONS:
            raise usage_error(f"got --do {shown(operation)}, want one of: {', '.join(OPERATIONS)}")
        change: dict[str, Any] = {"operation": operation.upper()}
        if operation in _WITH_TARGET or self.target is not None:
            goal = context.targets.find(self.target).target
            change["target"] = {"account": goal.account, "region": goal.region}
        change |= {} if self.profile is None else {"profile": parse_profile(self.profile)}
        change |= {} if self.config is None else {"config": read_config(self.config)}
        change |= {} if self.why is None else {"why": self.why}
        return change | shadow_fields(self.shadows)


@dataclass(frozen=True)
class More(OptionGroup):
    """Further ways to select devices."""

    enrolment: Annotated[str | None, typer.Option(help="Devices of this enrolment.")] = None
    model: Annotated[str | None, typer.Option(help="Devices of this product model.")] = None
    with_profile: Annotated[str | None, typer.Option(help="Devices whose claim has this profile.")] = None
    client_version: Annotated[str | None, typer.Option(help="Devices that report this client version.")] = None
    failed_of: Annotated[
        str | None, typer.Option(metavar="CAMPAIGN", help="The failed and refused devices of this campaign.")
    ] = None

    @property
    def attributes(self) -> dict[str, str]:
        fields = {
            "enrolment": self.enrolment,
            "model": self.model,
            "profile": self.with_profile,
            "clientVersion": self.client_version,
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True)
class Limits(OptionGroup):
    """When a campaign stops, and whether to ask first."""

    canary: Annotated[
        int,
        typer.Option(
            min=0, max=100, metavar="N", help="Number of devices that must arrive before the others are changed."
        ),
    ] = 0
    max_failures: Annotated[
        float, typer.Option(min=0, max=100, metavar="PERCENT", help="Failure rate above which the campaign stops.")
    ] = 10
    yes: Yes = False

    @property
    def fields(self) -> dict[str, float]:
        return {"canary": self.canary, "maxFailureRate": self.max_failures / 100}


@dataclass(frozen=True)
class Chosen:
    """The devices of a campaign: a list, or the arguments of the API that select them."""

    listed: tuple[Fingerprint, ...] | None
    arguments: Mapping[str, Any]

    def parts(self) -> Iterator[dict[str, Any]]:
        """Yield the arguments of each request."""
        if self.listed is None:
            yield dict(self.arguments)
        for part in chunks(self.listed or (), PART):
            yield {"devices": [{"certid": each} for each in part]}


@command(app, "preview")
def preview(
    context: CommandContext, operation: Operation, arguments: Arguments, selection: Selection, more: More
) -> None:
    """Show the predicted results of a campaign, and its duration. Changes nothing."""
    found = _preview(context, arguments.change(context, operation), _chosen(context, selection, more))
    context.screen.result(found, line=render.preview_text(found))


@command(app, "create")
def create(
    context: CommandContext,
    campaign: Annotated[
        str, typer.Argument(metavar="NAME", help="Name: 1 to 48 of a-z 0-9 -; it can be used only once.")
    ],
    operation: Operation,
    arguments: Arguments,
    selection: Selection,
    more: More,
    limits: Limits,
    wait: Wait = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Status:
    """Create a campaign: one operation on many devices, carried out in the cloud.

    The campaign starts immediately. Large campaigns and revocations first need the approval of a second user.
    """
    name, change = parse_campaign_name(campaign), arguments.change(context, operation)
    chosen = _chosen(context, selection, more)
    confirm(context, [render.preview_text(_preview(context, change, chosen))], limits.yes)
    created = _create(context, {"name": name, "change": change, **limits.fields}, list(chosen.parts()))
    if wait:
        return follow(context, name, timeout)
    approval = f"; next, another user: lobbyctl campaigns approve {name}" if created["state"] == "approval" else ""
    before = f" was created before, at {created['createdAt']}, and" if created["state"] in ("done", "cancelled") else ""
    context.screen.result(created, note=f"{name}{before} is {created['state']}{approval}")
    return Status.DONE


def _create(context: CommandContext, fixed: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Create the campaign with the first part, then add the other parts. A repeated call sends all parts again; the API
    adds none twice, and refuses other parts."""
    if not parts:
        raise usage_error("got no devices, want at least one")
    last = len(parts) - 1
    created: dict[str, Any] = {}
    with context.screen.progress_bar("sending", len(parts)) as bar:
        for number, part in enumerate(parts):
            if number == 0:
                answer = context.execute(documents.CREATE, **fixed, **part, complete=number == last)
            else:
                more = {"name": fixed["name"], "offset": number * PART, "complete": number == last}
                answer = context.execute(documents.ADD, **more, **part)
            created = next(iter(answer.values()))
            bar.advance(1)
    return created


def _preview(context: CommandContext, change: Mapping[str, Any], chosen: Chosen) -> dict[str, Any]:
    """Return the preview of all parts together. Targets work in parallel, so the duration is that of the target with
    the highest sum of the parts that it limits."""
    total: dict[str, Any] = {}
    limits: dict[tuple[str, str], tuple[float, Any]] = {}
    for part in chosen.parts():
        for found in context.pages(documents.PREVIEW, "previewCampaign", change=change, **part):
            total = _sum(total, found)
            if target := found["limitedBy"]:
                key = (target["account"], target["region"])
                limits[key] = (limits.get(key, (0.0, None))[0] + found["seconds"], target)
    if not total:
        raise usage_error("got no devices, want at least one")
    if limits:
        seconds, target = max(limits.values(), key=lambda each: each[0])
        total |= {"seconds": round(seconds, 1), "limitedBy": target}
    possible = total["changing"] + sum(each["count"] for each in total["refusals"])
    return total | {"needsApproval": total["needsApproval"] or possible > total["approvalAbove"]}


def _sum(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    if not one:
        return {name: value for name, value in other.items() if name != "pageInfo"}
    counts = Counter({each["code"]: each["count"] for each in one["refusals"]})
    counts.update({each["code"]: each["count"] for each in other["refusals"]})
    return {
        **{name: one[name] + other[name] for name in ("total", "changing", "unchanged", "seconds")},
        "refusals": [{"code": code, "count": count} for code, count in counts.most_common()],
        "limitedBy": one["limitedBy"] or other["limitedBy"],
        "needsApproval": one["needsApproval"] or other["needsApproval"],
        "approvalAbove": one["approvalAbove"],
    }


def _chosen(context: CommandContext, selection: Selection, more: More) -> Chosen:
    """Return the devices. Raise `InvalidInput` unless the options give them in exactly one way."""
    is_filter = selection.is_filter or bool(more.attributes)
    ways = {
        "devices": bool(selection.devices),
        "a file": selection.file is not None,
        "a filter": is_filter,
        "--failed-of": more.failed_of is not None,
    }
    given = [way for way, used in ways.items() if used]
    if len(given) != 1:
        want = "DEVICE..., --file, --failed-of, or a filter such as --state or --from"
        raise usage_error(f"got {' and '.join(given) or 'no device'}, want one of: {want}")
    if more.failed_of is not None:
        return Chosen(None, {"failedOf": parse_campaign_name(more.failed_of)})
    if is_filter:
        return Chosen(None, {"filter": selection.filter(context) | more.attributes})
    return Chosen(tuple(dict.fromkeys(each.certid for each in selection.listed(context))), {})
