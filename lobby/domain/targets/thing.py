"""The properties of a thing in a target, the properties that the device's profile requires, and the changes between the
two. The lobby changes only properties that one of its profiles names. A thing type, attribute, group or billing group
that no profile names belongs to the target's owner and stays. A thing has at most one billing group, so a thing in a
billing group of the owner is not moved. AWS IoT removes the type of no thing that has more than three attributes, so a
thing with attributes of the owner can keep the type of another profile.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lobby.domain.enrolments.thing_settings import ThingSettings
from lobby.domain.targets.profile import MAX_UNTYPED_ATTRIBUTES, Profile, Profiles


@dataclass(frozen=True)
class ThingFacts:
    """The properties of a thing in AWS IoT that profiles can change. `others` is the number of its further attributes:
    the lobby's own, and the owner's."""

    thing_type: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    billing_group: str | None = None
    others: int = 0


@dataclass(frozen=True)
class ThingChanges:
    """The properties to add to a thing, and those of another profile to remove. `thing_type`: the type to set;
    `removes_type`: remove a type that another profile has set, because this profile has none. An attribute with an
    empty value is to be removed. `billing_group`: the group to join; `leaves`: the billing group to leave first.
    `owners_billing_group`: a billing group of the target's owner, in which the thing stays."""

    thing_type: str | None = None
    removes_type: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    joins: tuple[str, ...] = ()
    left_groups: tuple[str, ...] = ()
    billing_group: str | None = None
    leaves: str | None = None
    owners_billing_group: str | None = None

    @property
    def changes_type(self) -> bool:
        return self.thing_type is not None or self.removes_type

    @property
    def changes_groups(self) -> bool:
        return bool(self.joins or self.left_groups)

    def update(self) -> dict[str, Any]:
        """Return the arguments of `UpdateThing`; empty if type and attributes are right. An empty value removes an
        attribute (API reference, UpdateThing: attributePayload)."""
        found: dict[str, Any] = {}
        if self.thing_type is not None:
            found["thingTypeName"] = self.thing_type
        if self.removes_type:
            found["removeThingType"] = True
        if self.attributes:
            found["attributePayload"] = {"attributes": dict(self.attributes), "merge": True}
        return found


def changes(found: ThingFacts, profile: Profile, profiles: Profiles) -> ThingChanges:
    """Return the changes that `found` needs to match `profile`. `profiles` are all profiles of the lobby."""
    wanted_type = profile.thing_type.name if profile.thing_type else None
    wanted = dict(profile.attributes)
    changed = {name: value for name, value in wanted.items() if found.attributes.get(name) != value}
    removed = {name: "" for name in found.attributes if name in profiles.attribute_names() - wanted.keys()}
    billing = _billing(found.billing_group, profile.billing_group, profiles.billing_groups())
    return ThingChanges(
        thing_type=wanted_type if wanted_type != found.thing_type else None,
        removes_type=wanted_type is None
        and found.thing_type in profiles.thing_types()
        and found.others + len(wanted) <= MAX_UNTYPED_ATTRIBUTES,
        attributes=changed | removed,
        joins=tuple(group for group in profile.thing_groups if group not in found.groups),
        left_groups=tuple(
            group for group in found.groups if group in profiles.thing_groups() and group not in profile.thing_groups
        ),
        **billing,
    )


def _billing(found: str | None, wanted: str | None, ours: Collection[str]) -> dict[str, str | None]:
    if found == wanted:
        return {}
    if found is None or found in ours:
        return {"billing_group": wanted, "leaves": found}
    return {"owners_billing_group": found} if wanted else {}


def required(profile: Profile, settings: ThingSettings | None) -> Profile:
    """Return the properties that this profile and the device's enrolment require of the thing."""
    if settings is None:
        return profile
    given = {name: value for name, value in settings.attributes if name in profile.enrolment_attributes}
    groups = [group for group in settings.groups if group in profile.enrolment_groups]
    return replace(
        profile,
        attributes=tuple(sorted((dict(profile.attributes) | given).items())),
        thing_groups=tuple(dict.fromkeys((*profile.thing_groups, *groups))),
    )
