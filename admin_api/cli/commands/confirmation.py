"""Asks for confirmation before a change, with a sentence per device about the effect.

The sentences state the effect in the lobby and in the target, because some changes cannot be undone. Without a
terminal, a command that must ask requires --yes.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from admin_api.cli.command_context import CommandContext
from admin_api.cli.errors import usage_error
from admin_api.cli.render.cells import name, target
from lobby.errors import LobbyError
from lobby.names import State, Target

Device = Mapping[str, Any]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
_CLAIM_HELD: Final = frozenset({State.CLAIMED, State.COMMISSIONED, State.ARRIVED, State.FAILED})
_AT_WORK: Final = frozenset({State.COMMISSIONED, State.ARRIVED})


def confirm(context: CommandContext, effects: Sequence[str], yes: bool) -> None:
    """Print the effects and, without `yes`, ask whether to continue.

    Raise `InvalidInput` CONFIRMATION_NEEDED if there is no terminal to ask in, `LobbyError` NOT_CONFIRMED for a no."""
    for text in effects:
        context.screen.note(text)
    if yes:
        return
    if context.environment.confirm is None:
        raise usage_error("cannot ask for confirmation without a terminal, want --yes", "CONFIRMATION_NEEDED")
    if not context.environment.confirm("Continue?"):
        raise LobbyError("NOT_CONFIRMED", "not confirmed; nothing was changed")


def effect_of_move(device: Device, goal: Target) -> str:
    """Describe what moving the device to `goal` does."""
    if device["devstate"] in _CLAIM_HELD:
        return (
            f"{name(device)} moves from {target(device)} to {goal}: it is registered in {goal} first, then sent there, "
            "and its certificate in the old target is deactivated."
        )
    if device["devstate"] == State.PROVING:
        return f"{name(device)} moves to {goal}; it is not registered in {target(device)} yet."
    return f"{name(device)} is expected for {goal} instead of {target(device)}."


def effect_of_configuration(device: Device) -> str:
    """Describe what changing the device's config or profile does."""
    if device["devstate"] == State.EXPECTED:
        return f"{name(device)} has never connected; it gets the new configuration when it does."
    if device["devstate"] == State.PROVING:
        return f"{name(device)} shows a new code; the configuration is sent when the claim is confirmed."
    return f"{name(device)} stays in {target(device)}; it is registered there again and gets a new route."


def is_at_work(device: Device) -> bool:
    """Return whether a retry would interrupt the device in its target."""
    return device["devstate"] in _AT_WORK


def effect_of_retry(device: Device) -> str:
    """Describe what retrying a device does."""
    if is_at_work(device):
        return f"{name(device)} is {device['devstate']}; it is registered in {target(device)} again and reconnects."
    return f"The unfinished work for {name(device)} is started again."


def effect_of_renewal(device: Device) -> str:
    """Describe what asking a device to renew does."""
    return f"{name(device)} must renew its certificate; it leaves {target(device)} for a few seconds."


def effect_of_release(device: Device) -> str:
    """Describe what releasing the device does."""
    if device["devstate"] == State.EXPECTED:
        return (
            f"{name(device)} has never connected: its claim for {target(device)} is removed and it is no longer "
            "expected."
        )
    if device["devstate"] == State.REFUSED:
        return f"{name(device)} stays refused, and its claim for {target(device)} is removed."
    if device["devstate"] == State.PROVING:
        return f"{name(device)} waits in the lobby for another claim; it is not registered in {target(device)} yet."
    return (
        f"{name(device)} returns from {target(device)} to the lobby and waits for another claim. Its certificate in "
        "the target is deactivated."
    )


def effect_of_quarantine(device: Device) -> str:
    """Describe what a quarantine of the device does."""
    disconnected = f" and disconnected from {target(device)}" if device["devstate"] in _CLAIM_HELD else ""
    return (
        f"{name(device)} is deactivated in the lobby and in every target{disconnected}, until you lift the quarantine."
    )


def effect_of_lift(device: Device) -> str:
    """Describe what lifting the quarantine of the device does."""
    goes_on = f"is registered in {target(device)} again" if device["targetaccount"] else "waits in the lobby"
    return f"The certificate of {name(device)} is activated again, and the device {goes_on}."


def effect_of_dismissal(device: Device) -> str:
    """Describe what dismissing the suspicion of the device does."""
    return f"{name(device)} is no longer suspected and continues to work."


def effect_of_revocation(device: Device) -> str:
    """Describe what revoking the device does."""
    if device["devstate"] is None:
        return f"{name(device)} has never connected and will always be refused. This cannot be undone."
    disconnected = f" and disconnected from {target(device)}" if device["devstate"] in _CLAIM_HELD else ""
    return (
        f"{name(device)} is revoked permanently, in the lobby and in every target{disconnected}. This cannot be undone."
    )
