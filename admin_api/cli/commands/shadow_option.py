"""`--shadows`: what happens to the shadows of devices that are moved or returned.

The option is sent only if the user gives it. So the commands without it also work with an earlier version of the lobby.
"""

from enum import StrEnum
from typing import Annotated

import typer


class ShadowOption(StrEnum):
    """The choices. `leave` is the default of the lobby."""

    LEAVE = "leave"
    MIGRATE = "migrate"
    RESET = "reset"


SHADOWS_HELP = (
    "The devices' shadows: leave them in the old target, migrate (copy) them to the new target, or reset (delete) those"
    " in the new target. [default: leave]"
)
Shadows = Annotated[ShadowOption | None, typer.Option(help=SHADOWS_HELP)]


def shadow_fields(choice: ShadowOption | None) -> dict[str, str]:
    """Return the field of the API's `ChangeInput`."""
    return {} if choice is None else {"shadows": choice.name}
