"""`move`, `confirm`, `release`, `revoke` and `retry`: changes to devices that are already registered.

A command that takes a device out of service asks for confirmation first; without a terminal it requires --yes. Several
devices are changed one after the other; one that is refused does not stop the others.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from admin_api.cli import documents
from admin_api.cli.claim_requests import read_config
from admin_api.cli.command import DEVICE_HELP, TARGET_HELP, DeviceArgument, command
from admin_api.cli.command_context import CommandContext, unknown_device
from admin_api.cli.commands import confirmation
from admin_api.cli.commands.confirmation import Yes
from admin_api.cli.commands.waiting import DEFAULT_TIMEOUT, Timeout, Wait, follow
from admin_api.cli.completion import complete_target
from admin_api.cli.errors import ApiRefused
from admin_api.cli.exits import Status, of_several, status_of
from admin_api.cli.follow import Goal, goal_of
from admin_api.cli.render import cells
from lobby.names import Fingerprint, parse_code, parse_profile

app = typer.Typer()
Devices = Annotated[list[str], typer.Argument(metavar="DEVICE", help=DEVICE_HELP)]
Device = dict[str, Any]
Change = Callable[[Fingerprint], Device | None]
"""Change a device and return it, or None if its row was deleted."""


@command(app, "move")
def move(
    context: CommandContext,
    devices: Devices,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help=TARGET_HELP, autocompletion=complete_target)
    ] = None,
    profile: Annotated[str | None, typer.Option(help="New device profile. [default: unchanged]")] = None,
    config: Annotated[str | None, typer.Option(help="New config, text or a JSON object. [default: unchanged]")] = None,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Status:
    """Move claimed devices to another target.

    A device is registered in the new target before its certificate in the old one is deactivated.
    """
    goal = context.targets.find(target).target
    changes: dict[str, Any] = {"profile": parse_profile(profile)} if profile is not None else {}
    if config is not None:
        changes["config"] = read_config(config)
    target_input = {"account": goal.account, "region": goal.region}
    registered = _lookup(context, devices)
    confirmation.confirm(context, [confirmation.effect_of_move(device, goal) for device in registered], yes)

    def change(certid: Fingerprint) -> Device | None:
        return _required(context.execute(documents.MOVE, certid=certid, target=target_input, **changes)["moveDevice"])

    return _change_each(context, registered, change, timeout if wait else None)


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
    registered = _lookup(context, [device])

    def change(certid: Fingerprint) -> Device | None:
        return _required(context.execute(documents.CONFIRM, certid=certid, code=presence_code)["confirmPresence"])

    return _change_each(context, registered, change, timeout if wait else None)


@command(app, "release")
def release(context: CommandContext, devices: Devices, yes: Yes = False) -> Status:
    """Release devices from their target, back to the lobby.

    A device that has never connected is removed from the ledger.
    """
    registered = _lookup(context, devices)
    confirmation.confirm(context, [confirmation.effect_of_release(device) for device in registered], yes)

    def change(certid: Fingerprint) -> Device | None:
        released = context.execute(documents.RELEASE, certid=certid)["releaseDevice"]
        return None if released["forgotten"] else _required(released["device"])

    return _change_each(context, registered, change, None)


@command(app, "revoke")
def revoke(
    context: CommandContext,
    devices: Devices,
    why: Annotated[str, typer.Option(help="The reason, for the history: 1 to 200 characters.")],
    yes: Yes = False,
) -> Status:
    """Revoke devices permanently, in the lobby and in every target.

    A certificate can be revoked before it has ever connected.
    """
    registered = _lookup(context, devices, allow_unknown=True)
    confirmation.confirm(context, [confirmation.effect_of_revocation(device) for device in registered], yes)

    def change(certid: Fingerprint) -> Device | None:
        return _required(context.execute(documents.REVOKE, certid=certid, why=why)["revokeDevice"])

    return _change_each(context, registered, change, None)


@command(app, "retry")
def retry(context: CommandContext, devices: Devices, wait: Wait = False, timeout: Timeout = DEFAULT_TIMEOUT) -> Status:
    """Retry what failed or is incomplete: the registration in a target, or clearing a previous one."""
    registered = _lookup(context, devices)

    def change(certid: Fingerprint) -> Device | None:
        return _required(context.execute(documents.RETRY, certid=certid)["retryDevice"])

    return _change_each(context, registered, change, timeout if wait else None)


def _lookup(context: CommandContext, names: Sequence[str], *, allow_unknown: bool = False) -> list[Device]:
    """Return the current state of the devices, each once. Raise `NotFound` for one that is not registered."""
    certids = list(dict.fromkeys(context.find_device(text) for text in names))
    devices = context.lookup(certids)
    missing = [certid for certid in certids if certid not in devices]
    if missing and not allow_unknown:
        raise unknown_device(missing[0])
    return [devices.get(certid) or {"certid": certid, "devicename": None, "devstate": None} for certid in certids]


def _required(device: Device | None) -> Device:
    if device is None:
        raise ApiRefused("REFUSED", "got no device from the lobby, want the changed one")
    return device


def _change_each(context: CommandContext, devices: Sequence[Device], change: Change, timeout: float | None) -> Status:
    """Change the devices one after the other; with a timeout, follow them. Raise a single device's `ApiRefused`."""
    goals: dict[Fingerprint, Goal] = {}
    failures: list[Status] = []
    with context.screen.progress_bar("devices", len(devices)) as bar:
        for device in devices:
            try:
                changed = change(device["certid"])
            except ApiRefused as error:
                if len(devices) == 1:
                    raise
                failures.append(status_of(error.code))
                _show(context, device, None, error)
            else:
                _show(context, device, changed, None)
                if changed is not None:
                    goals[device["certid"]] = goal_of(changed)
            bar.advance(1)
    followed = follow(context, goals, timeout) if timeout is not None and goals else Status.DONE
    return of_several(len(goals), len(failures)) if failures else followed


def _show(context: CommandContext, device: Device, changed: Device | None, error: ApiRefused | None) -> None:
    if context.screen.as_json:
        reason = {"code": error.code if error else None, "message": error.message if error else None}
        context.screen.record({"certid": device["certid"], "ok": error is None, **reason, "device": changed})
    elif error is not None:
        context.screen.line(f"{cells.name(device)}: {error.code}: {cells.clean(error.message)}")
    else:
        context.screen.line(f"{cells.name(device)}: {changed['devstate'] if changed else 'removed'}")
