"""The attributes and thing groups that an enrolment sets on its devices' things in targets.

A profile states which of them enrolments may set (`enrolment_attributes`, `enrolment_groups`), so that the target's
owner creates the groups, the commissioner's role names them, and the number of attributes stays within AWS IoT's limit.
Settings that a device's profile does not permit are not applied (`thing.required`). `thing_settings_rules` reads a
user's input.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ThingSettings:
    """`attributes` are name and value pairs in the order of their names."""

    attributes: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()

    def encode(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        return {"attributes": dict(self.attributes), "groups": list(self.groups)}

    @classmethod
    def decode(cls, body: Mapping[str, Any]) -> "ThingSettings":
        return cls(tuple(sorted(body["attributes"].items())), tuple(body["groups"]))
