"""Targets as people name them: `account/Region`, the name they are registered by, or nothing where there is but one.

Pure: the register comes from the API, where a technician sees those that they may claim for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from admin_api.cli.errors import wrong_use
from lobby.errors import NotFound
from lobby.names import Target, parse_profile, parse_target, parse_target_key, shown


@dataclass(frozen=True)
class Known:
    """A registered target."""

    target: Target
    name: str
    profiles: tuple[str, ...]


@dataclass(frozen=True)
class Register:
    """The targets that somebody may see."""

    known: tuple[Known, ...]

    @classmethod
    def of(cls, answer: Sequence[Mapping[str, Any]]) -> "Register":
        """From the API's `targets`."""
        return cls(
            tuple(
                Known(parse_target(each["account"], each["region"]), each["name"], tuple(each["profiles"]))
                for each in answer
            )
        )

    def named(self, text: str | None) -> Known:
        """Raises `InvalidInput` INVALID_TARGET, AMBIGUOUS_TARGET or TARGET_MISSING, `NotFound` UNKNOWN_TARGET."""
        if text is None or not text.strip():
            return self._only()
        wanted = text.strip()
        found = [each for each in self.known if each.name == wanted]
        found = found or [each for each in self.known if each.name.casefold() == wanted.casefold()]
        found = [each for each in self.known if str(each.target) == wanted] or found
        if len(found) == 1:
            return found[0]
        if found:
            places = ", ".join(str(each.target) for each in found)
            raise wrong_use(
                f"got {shown(text)}, the name of {len(found)} targets, want one of {places}", "AMBIGUOUS_TARGET"
            )
        if "/" in wanted:
            parse_target_key(wanted)
        raise NotFound("UNKNOWN_TARGET", f"got {shown(text)}, want {self._choices()}")

    def require_profile(self, known: Known, profile: str) -> str:
        """Raises `InvalidInput` INVALID_PROFILE, `NotFound` UNKNOWN_PROFILE."""
        if parse_profile(profile) not in known.profiles:
            raise NotFound(
                "UNKNOWN_PROFILE", f"got {shown(profile)} for {known.target}, want one of: {', '.join(known.profiles)}"
            )
        return profile

    def _only(self) -> Known:
        if len(self.known) == 1:
            return self.known[0]
        raise wrong_use(f"got no target, want {self._choices()}", "TARGET_MISSING")

    def _choices(self) -> str:
        names = ", ".join(f"{each.target} ({each.name})" for each in self.known)
        return f"one of: {names}" if names else "one that is registered, and none is that you may claim for"
