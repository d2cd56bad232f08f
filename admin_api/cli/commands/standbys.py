"""`targets standby`, `evacuate` and `return`: prepare a second target for a target's devices, and use it.

`targets list` shows the progress. Each of these starts a campaign, which `campaigns show` follows.
"""

from enum import StrEnum
from typing import Annotated, Any

import typer

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.campaign_waiting import DEFAULT_TIMEOUT, Timeout, Wait, follow
from admin_api.cli.commands.confirmation import Yes, confirm
from admin_api.cli.commands.shadow_option import Shadows
from admin_api.cli.completion import complete_target
from admin_api.cli.documents import Document
from admin_api.cli.documents import standbys as documents
from admin_api.cli.errors import usage_error
from admin_api.cli.exits import Status
from admin_api.cli.render import cells
from lobby.names import Target

app = typer.Typer()
Named = Annotated[
    str, typer.Argument(metavar="TARGET", help="Target as account/Region or name.", autocompletion=complete_target)
]
Why = Annotated[str | None, typer.Option(help="The reason, for the histories.")]


class Certificates(StrEnum):
    """The status of the certificates in the standby before an evacuation."""

    ACTIVE = "active"
    INACTIVE = "inactive"


@command(app, "standby")
def standby(
    context: CommandContext,
    target: Named,
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="STANDBY", help="The standby as account/Region or name.", autocompletion=complete_target
        ),
    ] = None,
    certificates: Annotated[
        Certificates,
        typer.Option(help="ACTIVE certificates can be used immediately, INACTIVE ones only after an evacuation."),
    ] = Certificates.ACTIVE,
    none: Annotated[bool, typer.Option("--none", help="Remove the standby of the target.")] = False,
    wait: Wait = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Status | None:
    """Set the standby of a target: its devices are registered there in advance, so that they can be evacuated.

    Repeat the command to continue an interrupted preparation.
    """
    if (other is None) is not none:
        raise usage_error("got neither or both of STANDBY and --none, want one of them")
    found = context.targets.find(target).target
    place = context.targets.find(other).target if other is not None else None
    changed = _change(
        context,
        documents.SET,
        found,
        standby={"account": place.account, "region": place.region} if place else None,
        certificates=certificates.name,
    )
    if place is None:
        text = f"{found} has no standby now; its devices are cleared in the previous one"
    else:
        text = f"{place} is the standby of {found}, with {certificates.value} certificates; {_prepared(changed)}"
    return _report(context, changed, text, wait, timeout)


@command(app, "evacuate")
def evacuate(
    context: CommandContext,
    target: Named,
    why: Why = None,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Status | None:
    """Send the devices of a target to its standby. This takes effect immediately; the ledger is updated afterwards. If
    the target has many devices, a second admin must run the same command within an hour.
    """
    found = context.targets.find(target)
    effect = f"The devices of {found.target} ({cells.clean(found.name)}) go to its standby until you return them."
    confirm(context, [effect], yes)
    changed = _change(context, documents.EVACUATE, found.target, why=why)
    state = changed["standby"]
    if state["evacuatedAt"] is None:
        text = f"{found.target} is not evacuated yet: another admin must run the same command within an hour"
        return _report(context, changed, text, wait=False, timeout=timeout)
    text = f"{found.target} has been evacuated since {state['evacuatedAt']}; {_prepared(changed)}"
    return _report(context, changed, text, wait, timeout)


@command(app, "return")
def come_back(
    context: CommandContext,
    target: Named,
    why: Why = None,
    shadows: Shadows = None,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Status | None:
    """End an evacuation: the devices return to the target, at its rate."""
    found = context.targets.find(target)
    confirm(context, [f"The devices of {found.target} ({cells.clean(found.name)}) return to it."], yes)
    changed = _change(context, documents.RETURN, found.target, why=why, shadows=shadows.name if shadows else None)
    away = changed["standby"]["away"] if changed["standby"] else 0
    return _report(context, changed, f"{found.target} is in use again; {away} devices return to it", wait, timeout)


def _prepared(changed: dict[str, Any]) -> str:
    state = changed["standby"]
    return f"prepared {state['prepared']} of {state['placed']} devices"


def _change(context: CommandContext, document: Document, target: Target, **more: Any) -> dict[str, Any]:
    answer = context.execute(document, account=target.account, region=target.region, **more)
    changed: dict[str, Any] = next(iter(answer.values()))
    return changed


def _report(context: CommandContext, changed: dict[str, Any], text: str, wait: bool, timeout: float) -> Status | None:
    campaign = changed["standby"]["campaign"] if changed["standby"] else None
    hint = f"Follow it with: lobbyctl campaigns show {campaign} --wait" if campaign else None
    context.screen.result(changed, line=text, note=hint)
    return follow(context, campaign, timeout) if wait and campaign else None
