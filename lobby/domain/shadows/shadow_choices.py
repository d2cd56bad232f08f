"""What a move does with the shadows of a device: its desired and reported state, which AWS IoT keeps for its thing.

The choice is part of a move or a return. It stays on the row until the device is commissioned in its new target; once
the device has its route, nothing is copied or deleted. If the old target makes a copy impossible, the choice stays on
the row with the code of the failure, and a retry tries the copy again.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import Target, parse_target_key, shown

NOT_MIGRATED: Final = "SHADOWS_NOT_MIGRATED"
"""The reason of a device that was moved without its shadows."""


class ShadowChoice(StrEnum):
    """What happens to the shadows of a device that moves."""

    LEAVE = "leave"
    """They stay in the old target, with the thing."""
    MIGRATE = "migrate"
    """They are copied to the thing in the new target."""
    RESET = "reset"
    """The shadows of the thing in the new target are deleted, so that the device starts without any."""


@dataclass(frozen=True)
class Shadows:
    """The work of a move that is not carried out yet. `since` is the time of the request (ISO 8601), `source` the
    target where the device was, if it was in one. `code` is why the old target made the copy impossible."""

    choice: ShadowChoice
    since: str
    source: Target | None = None
    code: str | None = None

    @property
    def is_pending(self) -> bool:
        return self.code is None

    def pending(self) -> "Shadows":
        """Return the work to be tried again."""
        return replace(self, code=None)

    def __str__(self) -> str:
        """Return the text that the ledger stores."""
        return "|".join((self.choice.value, self.since, str(self.source or ""), self.code or ""))


@dataclass(frozen=True)
class ShadowOutcome:
    """The result of the work. `why` is for the history; `code` and `message` state why nothing was copied."""

    why: str
    code: str | None = None
    message: str | None = None


def parse_choice(text: object) -> ShadowChoice:
    """Return the choice in a text. Raise `InvalidInput` INVALID_SHADOWS."""
    if isinstance(text, str) and text in set(ShadowChoice):
        return ShadowChoice(text)
    raise InvalidInput("INVALID_SHADOWS", f"got {shown(text)}, want one of {', '.join(ShadowChoice)}")


def parse_shadows(text: str) -> Shadows:
    """Return what the ledger has stored. Raise `InvalidInput` INVALID_SHADOWS."""
    parts = text.split("|")
    if len(parts) != len(("choice", "since", "source", "code")):
        raise InvalidInput("INVALID_SHADOWS", f"got {shown(text)}, want choice|since|source|code")
    choice, since, source, code = parts
    return Shadows(parse_choice(choice), since, parse_target_key(source) if source else None, code or None)


def named(why: str | None, choice: ShadowChoice | None) -> str | None:
    """Return the reason of an entry, with the choice if one was made."""
    chosen = f"shadows: {choice}" if choice is not None else None
    return "; ".join(filter(None, (why, chosen))) or None
