"""The activity log in the API: the actions of users, campaigns, rules and services on all devices.

A page is read from the partition with the fewest entries, so it can be short although more entries follow. The query
rejects a user together with an actor, and times without an offset.
"""

from enum import Enum
from typing import Annotated, Final

import strawberry

from admin_api.graphql.arguments import After, First, described
from admin_api.graphql.context import ABSENT, Context, Info, given, operation
from admin_api.graphql.targets import TargetInput, target_named
from lobby.domain.enrolments.enrolment_rules import parse_period
from lobby.domain.events import activity as domain
from lobby.domain.events.activity import ActivityFilter as Wanted
from lobby.domain.events.activity import parse_actor
from lobby.errors import InvalidInput
from lobby.ledger.activity.activity_log import MAX_PAGE
from lobby.ledger.lists.listing import DEFAULT_PAGE
from lobby.names import ActorKind, parse_enrolment_name, shown

_LONGEST_USER: Final = 300
_ACTORS: Final = "`user:<name>`, `campaign:<name>`, `rule:<enrolment>` or `service:<name>`"


@strawberry.enum(name="ActorKind", description="A kind of actor.")
class ActorKinds(Enum):
    USER = strawberry.enum_value(ActorKind.USER.value, description="A user.")
    CAMPAIGN = strawberry.enum_value(ActorKind.CAMPAIGN.value, description="A campaign; its users are in its history.")
    RULE = strawberry.enum_value(ActorKind.RULE.value, description="An enrolment that claims its devices.")
    SERVICE = strawberry.enum_value(
        ActorKind.SERVICE.value,
        description="A service that repeats work, repairs a target, or requests a renewal that a policy requires.",
    )


@strawberry.input(description="Which entries of the activity log are listed: those that meet all conditions.")
class ActivityFilter:
    user: str | None = strawberry.field(default=None, description="The name of the user; instead of `actor`.")
    actor: str | None = strawberry.field(default=None, description=f"Who did it: {_ACTORS}.")
    kind: ActorKinds | None = strawberry.field(default=None, description="The kind of actor.")
    target: TargetInput | None = strawberry.field(
        default=None, description="The target of the action, or the target that the device has left."
    )
    enrolment: str | None = strawberry.field(default=None, description="The enrolment of the device.")
    since: str | None = strawberry.field(
        default=None, description="Only entries from this time on: a date, or a time with its offset (ISO 8601)."
    )
    until: str | None = strawberry.field(default=None, description="Only entries before this time.")


@strawberry.type(description="One action on a device or a user.")
class Activity:
    at: str = strawberry.field(description="When, ISO 8601 UTC.")
    actor: str = strawberry.field(description=f"Who: {_ACTORS}.")
    event: str = strawberry.field(description="The event, as in the device's history; `block` or `unblock` of a user.")
    certid: strawberry.ID | None = strawberry.field(
        description="The fingerprint of the device; null for an action on a user."
    )
    user: str | None = strawberry.field(description="The user who was blocked or unblocked; null for a device.")
    seq: int = strawberry.field(description="The number of the entry in the device's history.")
    devicename: str | None = strawberry.field(description="The thing name that the device had.")
    before: str | None = strawberry.field(description="The state before; null if the device was not known.")
    after: str | None = strawberry.field(description="The state after; null if the row was removed.")
    target: str | None = strawberry.field(description="The target, as account/Region.")
    left: str | None = strawberry.field(
        description="The target that the device has left, as account/Region; null if it has left none."
    )
    enrolment: str | None = strawberry.field(description="The enrolment of the device.")
    reason: str | None = strawberry.field(description="The reason.")


@strawberry.type(description="A page of the activity log, the newest entry first.")
class ActivityPage:
    nodes: list[Activity] = strawberry.field(
        description="The entries. With several conditions, a page can have fewer entries than requested, or none."
    )
    next: str | None = strawberry.field(description="The cursor of the next page; null on the last page.")


@strawberry.type(description="The operations that read the activity log.")
class ActivityQuery:
    @operation(
        "Returns a page of the actions of users, campaigns, rules and services on devices, newest first; at most 100 on"
        " a page. Entries are kept for 90 days."
    )
    def activity(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002  # the argument's name
            ActivityFilter | None, described("The conditions; omitted for all entries.")
        ] = ABSENT,
        first: First = DEFAULT_PAGE,
        after: After = ABSENT,
    ) -> ActivityPage:
        return activity_page(info.context, given(filter), first, given(after))


def activity_page(context: Context, entered: ActivityFilter | None, first: int, after: str | None) -> ActivityPage:
    """Return a page of the activity log. Raise `InvalidInput` INVALID_COUNT, INVALID_CURSOR, INVALID_USER,
    INVALID_ACTOR, INVALID_TIME, or the errors of the parsers of target and enrolment."""
    if not 1 <= first <= MAX_PAGE:
        raise InvalidInput("INVALID_COUNT", f"got {first}, want 1 to {MAX_PAGE}")
    found, more = context.services.activity.page(_wanted(entered), first, after)
    return ActivityPage(nodes=[_activity_from(each) for each in found], next=more)


def _wanted(entered: ActivityFilter | None) -> Wanted:
    if entered is None:
        return Wanted()
    if entered.user is not None and not 0 < len(entered.user) <= _LONGEST_USER:
        raise InvalidInput("INVALID_USER", f"got {shown(entered.user)}, want the name of a user")
    if entered.user is not None and entered.actor is not None:
        raise InvalidInput("INVALID_ACTOR", "got both user and actor, want one of them")
    actor = f"user:{entered.user}" if entered.user is not None else entered.actor
    since, until = parse_period(entered.since, entered.until)
    return Wanted(
        parse_actor(actor) if actor is not None else None,
        ActorKind[entered.kind.name] if entered.kind is not None else None,
        target_named(entered.target) if entered.target is not None else None,
        parse_enrolment_name(entered.enrolment) if entered.enrolment is not None else None,
        since,
        until,
    )


def _activity_from(activity: domain.Activity) -> Activity:
    return Activity(
        at=activity.at,
        actor=activity.actor,
        event=activity.event,
        certid=strawberry.ID(activity.certid) if activity.certid is not None else None,
        user=activity.user,
        seq=activity.seq,
        devicename=activity.name,
        before=activity.before,
        after=activity.after,
        target=activity.target,
        left=activity.left,
        enrolment=activity.enrolment,
        reason=activity.reason,
    )
