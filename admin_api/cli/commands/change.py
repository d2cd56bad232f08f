"""`move`, `configure`, `release`, `revoke`, `retry`, `renew`: change devices that are named, listed or match a filter.

A command that takes devices out of service asks for confirmation, once for all devices. Without a terminal it requires
--yes. `confirm` enters the presence code of one device.
"""

from typing import Annotated, Any

import typer

from admin_api.cli.bulk.claim_requests import read_config
from admin_api.cli.command import TARGET_HELP, DeviceArgument, command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands import confirmation
from admin_api.cli.commands.changing import Request, carry_out
from admin_api.cli.commands.selection import Execution, Selection
from admin_api.cli.commands.shadow_option import Shadows, shadow_fields
from admin_api.cli.commands.waiting import DEFAULT_TIMEOUT, RENEWAL_TIMEOUT, Timeout, Wait, WaitRenewed, follow
from admin_api.cli.completion import complete_target
from admin_api.cli.documents import devices as documents
from admin_api.cli.errors import ApiRefused, usage_error
from admin_api.cli.exits import Status
from admin_api.cli.follow import Goal, goal_of
from admin_api.cli.render import cells
from lobby.names import parse_code, parse_profile

app = typer.Typer()
Profile = Annotated[str | None, typer.Option(help="New device profile. [default: unchanged]")]
Config = Annotated[str | None, typer.Option(help="New config, text or a JSON object. [default: unchanged]")]


@command(app, "move")
def move(
    context: CommandContext,
    selection: Selection,
    execution: Execution,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help=TARGET_HELP, autocompletion=complete_target)
    ] = None,
    profile: Profile = None,
    config: Config = None,
    shadows: Shadows = None,
    wait: Wait = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Status:
    """Move claimed devices to another target.

    A device is registered in the new target before its certificate in the old one is deactivated.
    """
    goal = context.targets.find(target).target
    change: dict[str, Any] = {"operation": "MOVE", "target": {"account": goal.account, "region": goal.region}}
    change |= _claim_fields(profile, config) | shadow_fields(shadows)
    request = Request(change, lambda device: confirmation.effect_of_move(device, goal))
    return carry_out(context, request, selection, execution, timeout if wait else None)


@command(app, "configure")
def configure(
    context: CommandContext,
    selection: Selection,
    execution: Execution,
    profile: Profile = None,
    config: Config = None,
    wait: Wait = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Status:
    """Change the config or profile of claimed devices.

    The target does not change. The devices get a new route with the new config.
    """
    fields = _claim_fields(profile, config)
    if not fields:
        raise usage_error("got neither --config nor --profile, want at least one of them")
    request = Request({"operation": "CONFIGURE"} | fields, confirmation.effect_of_configuration)
    return carry_out(context, request, selection, execution, timeout if wait else None)


@command(app, "confirm")
def confirm(
    context: CommandContext,
    device: DeviceArgument,
    code: Annotated[str, typer.Argument(metavar="CODE", help="The eight digits that the device shows.")],
    wait: Wait = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Status:
    """Confirm a claim with the code that the device shows.

    Needed for targets that require proof of presence. The fifth wrong code ends the claim.
    """
    presence_code = parse_code(code)
    certid = context.find_device(device)
    confirmed = context.execute(documents.CONFIRM, certid=certid, code=presence_code)["confirmPresence"]
    if confirmed is None:
        raise ApiRefused("REFUSED", "got no device in the lobby's answer, want the confirmed device")
    context.screen.result(
        {"certid": certid, "ok": True, "code": None, "message": None, "device": confirmed},
        line=f"{cells.name(confirmed)}: {cells.clean(confirmed['devstate'])}",
    )
    return follow(context, {certid: goal_of(confirmed)}, timeout) if wait else Status.DONE


@command(app, "release")
def release(context: CommandContext, selection: Selection, execution: Execution) -> Status:
    """Release devices: remove their claims and return them to the lobby.

    A device that has never connected is removed from the ledger.
    """
    request = Request({"operation": "RELEASE"}, confirmation.effect_of_release)
    return carry_out(context, request, selection, execution, None)


@command(app, "revoke")
def revoke(
    context: CommandContext,
    selection: Selection,
    execution: Execution,
    why: Annotated[str, typer.Option(help="The reason, for the history: 1 to 200 characters.")],
) -> Status:
    """Revoke devices permanently, in the lobby and in every target.

    A certificate can be revoked before it has ever connected.
    """
    request = Request({"operation": "REVOKE", "why": why}, confirmation.effect_of_revocation)
    return carry_out(context, request, selection, execution, None)


@command(app, "retry")
def retry(
    context: CommandContext,
    selection: Selection,
    execution: Execution,
    wait: Wait = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Status:
    """Retry failed or incomplete work: the registration in a target, or the clearing of a previous target.

    A device that is commissioned or arrived is registered in its target again and reconnects. A refused device may
    connect again. Asks for confirmation if you use a list or a filter, or if a device is commissioned or arrived.
    """
    request = Request({"operation": "RETRY"}, confirmation.effect_of_retry, confirmation.is_at_work)
    return carry_out(context, request, selection, execution, timeout if wait else None)


@command(app, "renew")
def renew(
    context: CommandContext,
    selection: Selection,
    execution: Execution,
    wait: WaitRenewed = False,
    timeout: Timeout = RENEWAL_TIMEOUT,
) -> Status:
    """Request devices to renew their certificates. The request is repeated each day until they have renewed.

    A device gets a new certificate for a new key. Both certificates work until it has arrived with the new one. The
    device must be in a target, and its client must be able to renew. Asks for confirmation if you use a list or a
    filter.
    """
    request = Request({"operation": "RENEW"}, confirmation.effect_of_renewal, lambda _device: False, Goal.RENEWED)
    return carry_out(context, request, selection, execution, timeout if wait else None)


def _claim_fields(profile: str | None, config: str | None) -> dict[str, Any]:
    fields: dict[str, Any] = {} if profile is None else {"profile": parse_profile(profile)}
    return fields if config is None else fields | {"config": read_config(config)}
