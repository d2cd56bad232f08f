"""The activity log: decisions about devices, and who made them, across all devices. A device's history contains every
entry of one device. The log contains the entries of all devices that a user, a campaign or the rule of an enrolment has
caused, such as claims, moves and revocations. It also contains entries in which a service acts for a user: it reports
or quarantines a device whose certificate seems to be copied, repeats work, repairs a target, requests a renewal that a
policy requires, or moves a device to or from a standby because a user has evacuated or returned its target. It records
who blocked or unblocked which user. It does not contain what devices cause: admissions, hellos, commissioning,
arrivals. The log is only for reading; verification uses the histories.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from lobby.domain.device import Entry
from lobby.domain.events.device_events import DeviceEvent
from lobby.domain.states import OPERATOR_EVENTS, Event
from lobby.errors import InvalidInput
from lobby.names import ActorKind, EnrolmentName, Fingerprint, Target, ThingName, shown

KEPT: Final = timedelta(days=90)
ALL: Final = "all"
LONGEST_ACTOR: Final = 300
STANDBY_DECISIONS: Final = (Event.PREPARE, Event.EVACUATE, Event.RETURN)
"""`PREPARED` is missing, because it is the result of the commissioner's work."""
DECISIONS: Final = frozenset(
    {*OPERATOR_EVENTS, *STANDBY_DECISIONS, Event.WAKE, Event.DEACTIVATE, Event.DUE, Event.SUSPECT}
)
"""The events by which a service acts for a user. Its other events follow from what devices do."""


@dataclass(frozen=True)
class Activity:
    """One entry of the log. `name` and `enrolment` are the device's values when the entry was recorded. `left` is the
    target that the device has left. An entry about a user has `user` instead of a device."""

    at: str
    actor: str
    event: str
    certid: Fingerprint | None
    seq: int
    name: ThingName | None
    before: str | None
    after: str | None
    target: str | None
    enrolment: EnrolmentName | None
    reason: str | None
    user: str | None = None
    left: str | None = None


LEAVING: Final = frozenset({Event.MOVE, Event.RELEASE, Event.EVACUATE, Event.RETURN, Event.TRANSFER})
"""The events after which a device may have another target, or none. A claim is missing: it follows a release."""
BLOCK: Final = "block"
UNBLOCK: Final = "unblock"
"""The events of a user."""


def activity_of_user(name: str, actor: str, at: str, *, blocked: bool) -> Activity:
    """Return the entry for a user who was blocked or unblocked."""
    event = BLOCK if blocked else UNBLOCK
    return Activity(at, actor, event, None, 0, None, None, None, None, None, None, name)


@dataclass(frozen=True)
class ActivityFilter:
    """Selects the entries that meet all conditions. Times are ISO 8601 UTC; `since` is included, `until` is not."""

    actor: str | None = None
    kind: ActorKind | None = None
    target: Target | None = None
    enrolment: EnrolmentName | None = None
    since: str | None = None
    until: str | None = None

    @property
    def partition(self) -> str:
        """The smallest partition that has all matching entries."""
        if self.actor is not None:
            return of_actor(self.actor)
        if self.enrolment is not None:
            return of_enrolment(self.enrolment)
        return of_target(str(self.target)) if self.target is not None else ALL

    @property
    def is_partial(self) -> bool:
        """Return whether the partition may have entries that do not match, other than by time."""
        conditions = (self.actor, self.enrolment, self.target)
        return self.kind is not None or sum(each is not None for each in conditions) > 1

    def matches(self, activity: Activity) -> bool:
        """Return whether an entry meets the conditions other than time."""
        return (
            self.actor in (None, activity.actor)
            and self.kind in (None, kind_of(activity.actor))
            and self.enrolment in (None, activity.enrolment)
            and (self.target is None or str(self.target) in (activity.target, activity.left))
        )


def kind_of(actor: str) -> ActorKind | None:
    """Return the kind of an actor; None if its name contains no kind."""
    kind, colon, name = actor.partition(":")
    return ActorKind(kind) if colon and name and kind in set(ActorKind) else None


def parse_actor(text: str) -> str:
    """Return an actor. Raise `InvalidInput` INVALID_ACTOR."""
    if len(text) <= LONGEST_ACTOR and kind_of(text) is not None:
        return text
    raise InvalidInput("INVALID_ACTOR", f"got {shown(text)}, want {', '.join(ActorKind)}, a colon and a name")


def leaves(entry: Entry) -> bool:
    """Return whether the device may have left a target with this entry."""
    return entry.event in LEAVING and entry.seq > 1


def has_place(entry: Entry) -> bool:
    """Return whether the target of this entry is the device's target, and not one that is cleared."""
    return entry.event not in (Event.RETIRE, Event.DEACTIVATE)


def activity_of(event: DeviceEvent, left: str | None = None) -> Activity | None:
    """Return the log's entry for an event; None if the log does not contain it. `left` is the device's target before
    an event that may leave it."""
    entry, device = event.entry, event.device
    kind = kind_of(entry.actor)
    if kind is None or (kind is ActorKind.SERVICE and entry.event not in DECISIONS):
        return None
    return Activity(
        entry.at,
        entry.actor,
        entry.event.value,
        entry.certid,
        entry.seq,
        device.devicename if device else None,
        entry.before.value if entry.before else None,
        entry.after.value if entry.after else None,
        entry.target,
        device.enrolment if device else None,
        entry.reason,
        left=left if left != entry.target else None,
    )


def partitions_of(activity: Activity) -> Iterator[str]:
    """Yield the partitions that have the entry."""
    yield ALL
    yield of_actor(activity.actor)
    for target in dict.fromkeys(filter(None, (activity.target, activity.left))):
        yield of_target(target)
    if activity.enrolment is not None:
        yield of_enrolment(activity.enrolment)


def of_actor(actor: str) -> str:
    return f"actor#{actor}"


def of_target(target: str) -> str:
    return f"target#{target}"


def of_enrolment(enrolment: EnrolmentName) -> str:
    return f"enrolment#{enrolment}"
