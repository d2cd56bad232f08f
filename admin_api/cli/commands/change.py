"""Moving, releasing, revoking, retrying and proving: what somebody does to devices that the lobby knows.

What takes something away is asked about first, with what will happen; without a person to ask it wants --yes. Several
devices are done one after the other, and one that is refused holds the others up no more than it must.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from admin_api.cli import documents
from admin_api.cli.claim_requests import read_config
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands.waiting import PATIENCE, Timeout, Wait, follow
from admin_api.cli.completion import complete_target
from admin_api.cli.effects import moving, releasing, revoking
from admin_api.cli.errors import ApiRefused, wrong_use
from admin_api.cli.exits import Status, of_several, status_of
from admin_api.cli.follow import Goal, goal_of
from admin_api.cli.render import cells
from lobby.errors import LobbyError, NotFound
from lobby.names import Fingerprint, parse_code, parse_profile

app = typer.Typer()
Devices = Annotated[list[str], typer.Argument(metavar="DEVICE", help="Fingerprint, its first digits, label, or name.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Change = Callable[[Fingerprint], dict[str, Any] | None]


@command(app, "move")
def move(
    desk: CommandContext,
    devices: Devices,
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", help="Where to: account/Region or name.", autocompletion=complete_target),
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Another device profile. [default: its own]")] = None,
    config: Annotated[str | None, typer.Option(help="Another config, text or JSON. [default: its own]")] = None,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Timeout = PATIENCE,
) -> Status:
    """Send claimed devices to another target. The new place is made ready before the old one is taken away."""
    goal = desk.register.named(target).target
    more: dict[str, Any] = {"profile": parse_profile(profile)} if profile is not None else {}
    if config is not None:
        more["config"] = read_config(config)
    place = {"account": goal.account, "region": goal.region}
    known = _known(desk, devices)
    agree(desk, [moving(device, goal) for device in known], yes)

    def change(certid: Fingerprint) -> dict[str, Any] | None:
        return _one(desk.ask(documents.MOVE, certid=certid, target=place, **more)["moveDevice"])

    return _each(desk, known, change, timeout if wait else None)


@command(app, "confirm")
def confirm(
    desk: CommandContext,
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Fingerprint, its first digits, label, or name.")],
    code: Annotated[str, typer.Argument(metavar="CODE", help="The eight digits that it shows.")],
    wait: Wait = False,
    timeout: Timeout = PATIENCE,
) -> Status:
    """Prove that somebody stands at a claimed device, where its target asks for it. Five wrong codes end the claim."""
    said = parse_code(code)
    known = _known(desk, [device])

    def change(certid: Fingerprint) -> dict[str, Any] | None:
        return _one(desk.ask(documents.CONFIRM, certid=certid, code=said)["confirmPresence"])

    return _each(desk, known, change, timeout if wait else None)


@command(app, "release")
def release(desk: CommandContext, devices: Devices, yes: Yes = False) -> Status:
    """Take claims back: the devices return to the lobby; one that was never seen is forgotten."""
    known = _known(desk, devices)
    agree(desk, [releasing(device) for device in known], yes)

    def change(certid: Fingerprint) -> dict[str, Any] | None:
        released = desk.ask(documents.RELEASE, certid=certid)["releaseDevice"]
        return None if released["forgotten"] else _one(released["device"])

    return _each(desk, known, change, None)


@command(app, "revoke")
def revoke(
    desk: CommandContext,
    devices: Devices,
    why: Annotated[str, typer.Option(help="Kept in the history, 1 to 200 characters.")],
    yes: Yes = False,
) -> Status:
    """Ban certificates for good, here and in every target; also before they were ever seen."""
    known = _known(desk, devices, unseen=True)
    agree(desk, [revoking(device) for device in known], yes)
    return _each(
        desk, known, lambda certid: _one(desk.ask(documents.REVOKE, certid=certid, why=why)["revokeDevice"]), None
    )


@command(app, "retry")
def retry(desk: CommandContext, devices: Devices, wait: Wait = False, timeout: Timeout = PATIENCE) -> Status:
    """Have what failed, or was left unfinished, tried again."""
    known = _known(desk, devices)
    return _each(
        desk,
        known,
        lambda certid: _one(desk.ask(documents.RETRY, certid=certid)["retryDevice"]),
        timeout if wait else None,
    )


def _known(desk: CommandContext, named: Sequence[str], *, unseen: bool = False) -> list[dict[str, Any]]:
    """The devices as they are now, each once. Raises `NotFound`, before any is changed, for one that is not there."""
    certids = list(dict.fromkeys(desk.certid(text) for text in named))
    found = desk.look(certids)
    missing = [certid for certid in certids if certid not in found]
    if missing and not unseen:
        raise NotFound("UNKNOWN_DEVICE", f"got {missing[0]}, want the fingerprint of a device that the lobby knows")
    return [found.get(certid) or {"certid": certid, "devicename": None, "devstate": None} for certid in certids]


def agree(desk: CommandContext, consequences: Sequence[str], yes: bool) -> None:
    """Says what will be done, and asks. Raises `InvalidInput` CONFIRMATION_NEEDED where nobody can be asked,
    `LobbyError` NOT_CONFIRMED for a no."""
    for text in consequences:
        desk.screen.note(text)
    if yes:
        return
    if desk.around.confirm is None:
        raise wrong_use("got nobody to ask, want --yes", "CONFIRMATION_NEEDED")
    if not desk.around.confirm("Go on?"):
        raise LobbyError("NOT_CONFIRMED", "got a no; nothing was done")


def _one(answer: dict[str, Any] | None) -> dict[str, Any]:
    if answer is None:
        raise ApiRefused("REFUSED", "got nothing from the lobby, want the device")
    return answer


def _each(desk: CommandContext, known: Sequence[dict[str, Any]], change: Change, timeout: float | None) -> Status:
    """One after the other. A single device's refusal is the command's own."""
    goals: dict[Fingerprint, Goal] = {}
    failures: list[Status] = []
    with desk.screen.bar("devices", len(known)) as bar:
        for device in known:
            try:
                now = change(device["certid"])
            except ApiRefused as refusal:
                if len(known) == 1:
                    raise
                failures.append(status_of(refusal.code))
                _tell(desk, device, None, refusal)
            else:
                _tell(desk, device, now, None)
                if now is not None:
                    goals[device["certid"]] = goal_of(now)
            bar.advance(1)
    waited = follow(desk, goals, timeout) if timeout is not None and goals else Status.DONE
    return of_several(len(goals), len(failures)) if failures else waited


def _tell(desk: CommandContext, device: dict[str, Any], now: dict[str, Any] | None, refusal: ApiRefused | None) -> None:
    if desk.screen.as_json:
        told = {"code": refusal.code, "message": refusal.message} if refusal else {"code": None, "message": None}
        desk.screen.record({"certid": device["certid"], "ok": refusal is None, **told, "device": now})
    elif refusal is not None:
        desk.screen.say(f"{cells.name(device)}: {refusal.code}: {cells.clean(refusal.message)}")
    else:
        desk.screen.say(f"{cells.name(device)}: {now['devstate'] if now else 'forgotten'}")
