"""Finds a target by `account/Region` or by its registered name. If there is only one target, the user need not name it.

Pure code. The targets come from the API, which returns to a technician only the targets that they may claim for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from admin_api.cli.errors import usage_error
from lobby.errors import NotFound
from lobby.names import Target, parse_profile, parse_target, parse_target_key, shown


@dataclass(frozen=True)
class RegisteredTarget:
    """A target with its registered name and device profiles. An archived target takes no claims. It is found if the
    user names it, but not offered as a choice."""

    target: Target
    name: str
    profiles: tuple[str, ...]
    archived: bool = False


@dataclass(frozen=True)
class TargetLookup:
    """The targets that the user may see."""

    targets: tuple[RegisteredTarget, ...]

    @classmethod
    def of(cls, nodes: Sequence[Mapping[str, Any]]) -> "TargetLookup":
        """Create the lookup from the API's `targets`."""
        return cls(
            tuple(
                RegisteredTarget(
                    parse_target(each["account"], each["region"]),
                    each["name"],
                    tuple(each["profiles"]),
                    each.get("archivedAt") is not None,
                )
                for each in nodes
            )
        )

    @property
    def open(self) -> tuple[RegisteredTarget, ...]:
        """The targets that take claims."""
        return tuple(each for each in self.targets if not each.archived)

    def find(self, text: str | None) -> RegisteredTarget:
        """Return the target that `text` identifies; without a text, the only one.

        Raise `InvalidInput` INVALID_TARGET, AMBIGUOUS_TARGET or TARGET_MISSING, or `NotFound` UNKNOWN_TARGET."""
        if text is None or not text.strip():
            return self._only()
        name = text.strip()
        matches = self._matching(name)
        if len(matches) == 1:
            return matches[0]
        if matches:
            keys = ", ".join(str(each.target) for each in matches)
            message = f"got {shown(text)}, the name of {len(matches)} targets; want one of {keys}"
            raise usage_error(message, "AMBIGUOUS_TARGET")
        if "/" in name:
            parse_target_key(name)
        raise NotFound("UNKNOWN_TARGET", f"got {shown(text)}, want {self._choices()}")

    def require_profile(self, registered: RegisteredTarget, profile: str) -> str:
        """Return `profile` if the target has it. Raise `InvalidInput` INVALID_PROFILE or `NotFound` UNKNOWN_PROFILE."""
        if parse_profile(profile) not in registered.profiles:
            profiles = ", ".join(registered.profiles)
            message = f"got {shown(profile)} for {registered.target}, want one of: {profiles}"
            raise NotFound("UNKNOWN_PROFILE", message)
        return profile

    def _matching(self, name: str) -> list[RegisteredTarget]:
        """Find it by account/Region, otherwise by exact name, otherwise by name regardless of case."""
        matches = (
            [each for each in self.targets if str(each.target) == name],
            [each for each in self.targets if each.name == name],
            [each for each in self.targets if each.name.casefold() == name.casefold()],
        )
        return next((targets for targets in matches if targets), [])

    def _only(self) -> RegisteredTarget:
        if len(self.open) == 1:
            return self.open[0]
        raise usage_error(f"got no target, want {self._choices()}", "TARGET_MISSING")

    def _choices(self) -> str:
        names = ", ".join(f"{each.target} ({each.name})" for each in self.open)
        return f"one of: {names}" if names else "a registered target, but there is none that you may claim for"
