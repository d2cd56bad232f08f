"""What a command will do to a device, in words, for whoever is asked whether to go on. Pure."""

from collections.abc import Mapping
from typing import Any

from admin_api.cli.render.cells import name, place
from lobby.names import State, Target

Device = Mapping[str, Any]
_SERVING = frozenset({State.CLAIMED, State.COMMISSIONED, State.ARRIVED, State.FAILED})


def moving(device: Device, goal: Target) -> str:
    """What moving it to `goal` means."""
    if device["devstate"] in _SERVING:
        return (
            f"{name(device)} leaves {place(device)} for {goal}: it is registered there first, then sent over, and its "
            "certificate is made inactive in the place it leaves."
        )
    if device["devstate"] == State.PROVING:
        return f"{name(device)} goes to {goal} instead of {place(device)}, where it has not been yet."
    return f"{name(device)} is expected for {goal} instead of {place(device)}."


def releasing(device: Device) -> str:
    """What releasing it means."""
    if device["devstate"] == State.EXPECTED:
        return f"{name(device)} was never seen: it is no longer expected for {place(device)}, and forgotten."
    if device["devstate"] == State.REFUSED:
        return f"{name(device)} stays refused, and its claim for {place(device)} is dropped."
    if device["devstate"] == State.PROVING:
        return f"{name(device)} waits in the lobby for another claim; nothing of it is in {place(device)} yet."
    return (
        f"{name(device)} leaves {place(device)} and goes back to the lobby, where it waits for another claim. Its "
        "certificate is made inactive in the place it leaves."
    )


def revoking(device: Device) -> str:
    """What revoking it means."""
    if device["devstate"] is None:
        return f"{name(device)} was never seen: it will never be let in. This cannot be undone."
    served = f", and cut off from {place(device)}" if device["devstate"] in _SERVING else ""
    return f"{name(device)} is banned for good, here and in every target{served}. This cannot be undone."
