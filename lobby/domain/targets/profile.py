"""Device profiles: the registration of a device in its target, apart from its certificate.

A profile is an IoT policy, and optionally a thing type, attributes, thing groups, a billing group, and the age at which
certificates are renewed. The policy and the groups are created by the owner of the target account; the commissioner can
use only those that a profile names. `profile_rules` creates profiles from files and checks them. Every policy lets the
device connect as its own thing and receive the lobby's messages, because a device without the lobby topic could not be
moved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lobby.domain.renewals.renewal import RenewalPolicy
from lobby.errors import NotFound
from lobby.names import shown

THING: Final = "${iot:Connection.Thing.ThingName}"
"""The policy variable for the name of the connected thing (AWS IoT developer guide, "Thing policy variables")."""
LOBBY_TOPIC: Final = f"lobby/{THING}"
MAX_UNTYPED_ATTRIBUTES: Final = 3
"""Attributes of a thing without a thing type, the lobby's included (AWS IoT endpoints and quotas)."""


@dataclass(frozen=True)
class Statement:
    """Actions that are allowed on resources. A resource has no ARN prefix, such as `topic/app/…`. `shared`: some of the
    resources are not the device's own."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    shared: bool = False


@dataclass(frozen=True)
class ThingType:
    """`searchable` are attributes that AWS IoT indexes with the type, at most three."""

    name: str
    searchable: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Profile:
    """`attributes` are name and value pairs, in the order of their names. `enrolment_attributes` and
    `enrolment_groups` are what enrolments may set (`lobby.domain.enrolments.thing_settings`)."""

    name: str
    statements: tuple[Statement, ...] = ()
    thing_type: ThingType | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    thing_groups: tuple[str, ...] = ()
    billing_group: str | None = None
    description: str = ""
    renewal: RenewalPolicy | None = None
    enrolment_attributes: tuple[str, ...] = ()
    enrolment_groups: tuple[str, ...] = ()

    def policy_document(self, arn_prefix: str) -> dict[str, Any]:
        """Return the IoT policy. `arn_prefix` is `arn:aws:iot:<region>:<account>`."""
        return policy_document(arn_prefix, self.statements)


@dataclass(frozen=True)
class Profiles:
    """All profiles of a lobby, by name. When a device changes its profile, the types, attributes and groups that only
    other profiles name are removed, because the lobby has applied them. All others belong to the target's owner."""

    by_name: Mapping[str, Profile]

    @classmethod
    def of(cls, profiles: Iterable[Profile]) -> "Profiles":
        return cls({each.name: each for each in profiles})

    def get(self, name: str) -> Profile:
        """Return a profile. Raise `NotFound` UNKNOWN_PROFILE."""
        if name not in self.by_name:
            message = f"got profile {shown(name)}, want one of this lobby's profiles: {', '.join(sorted(self.by_name))}"
            raise NotFound("UNKNOWN_PROFILE", message)
        return self.by_name[name]

    def thing_types(self) -> dict[str, ThingType]:
        found = (each.thing_type for each in self.by_name.values())
        return {each.name: each for each in sorted(filter(None, found), key=lambda each: each.name)}

    def thing_groups(self) -> tuple[str, ...]:
        named = {group for each in self.by_name.values() for group in each.thing_groups}
        return tuple(sorted(named.union(self.enrolment_groups())))

    def billing_groups(self) -> tuple[str, ...]:
        return tuple(sorted({each.billing_group for each in self.by_name.values() if each.billing_group}))

    def attribute_names(self) -> frozenset[str]:
        named = frozenset(name for each in self.by_name.values() for name, _ in each.attributes)
        return named.union(self.enrolment_attributes())

    def enrolment_attributes(self) -> tuple[str, ...]:
        return tuple(sorted({name for each in self.by_name.values() for name in each.enrolment_attributes}))

    def enrolment_groups(self) -> tuple[str, ...]:
        return tuple(sorted({group for each in self.by_name.values() for group in each.enrolment_groups}))

    def without_billing_groups(self) -> "Profiles":
        return Profiles.of(replace(each, billing_group=None) for each in self.by_name.values())

    def only(self, names: Iterable[str]) -> "Profiles":
        """Return the profiles of these names. Raise `NotFound` UNKNOWN_PROFILE."""
        return Profiles.of(map(self.get, names))


def policy_document(arn_prefix: str, statements: Iterable[Statement]) -> dict[str, Any]:
    """Return a device's policy: it may connect as its own thing, receive the lobby's messages, and what `statements`
    allow. Access is granted by the thing of the connected certificate, never by the client id that a device chooses."""
    connect = {
        "Effect": "Allow",
        "Action": "iot:Connect",
        "Resource": f"{arn_prefix}:client/{THING}",
        "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": "true"}},
    }
    lobby = (
        Statement(("iot:Subscribe",), (f"topicfilter/{LOBBY_TOPIC}",)),
        Statement(("iot:Receive",), (f"topic/{LOBBY_TOPIC}",)),
    )
    rest = [_allow(arn_prefix, statement) for statement in (*lobby, *statements)]
    return {"Version": "2012-10-17", "Statement": [connect, *rest]}


def _allow(arn_prefix: str, statement: Statement) -> dict[str, Any]:
    resources = [each if each == "*" else f"{arn_prefix}:{each}" for each in statement.resources]
    return {"Effect": "Allow", "Action": _one_or_all(statement.actions), "Resource": _one_or_all(resources)}


def _one_or_all(values: Iterable[str]) -> str | list[str]:
    listed = list(values)
    return listed[0] if len(listed) == 1 else listed
