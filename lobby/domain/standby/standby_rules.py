"""Which target can be the standby of another, when a target can be evacuated, and the work on its devices that follows.

Two targets can be each other's standby. Chains are not followed: the devices of a target go to its standby, while the
standby's own devices keep their own standby. The work is a campaign. Its name follows from the target's record, so any
process can create a missing one.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from lobby.domain.campaigns.campaign import Author, Campaign, Source, SourceKind
from lobby.domain.change_requests import ChangeOperation, ChangeRequest
from lobby.domain.shadows.shadow_choices import ShadowChoice, parse_choice
from lobby.domain.standby.standby import StandbyMode
from lobby.domain.targets.target import RegisteredTarget, standby_of
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.names import CampaignName, Target

ASKED_FOR: Final = timedelta(hours=1)
"""How long an evacuation waits for a second user."""
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Work:
    """The last work on all devices of a target: its kind, start (ISO 8601 UTC), user and reason."""

    operation: ChangeOperation
    at: str
    actor: str
    why: str = ""
    share: float | None = None
    """For a drill: the share of the devices, 0 to 1."""
    shadows: ShadowChoice | None = None
    """For a return: what happens to the shadows of the devices."""

    def __str__(self) -> str:
        more = self.shadows or ("" if self.share is None else f"{self.share:g}")
        actor = self.actor.replace("%", "%25").replace("|", "%7C")  # a user's name can contain a bar
        return "|".join((self.operation.value, self.at, actor, more, self.why))


def parse_work(text: str) -> Work:
    """Return the work that a target's record states."""
    operation, at, actor, more, why = text.split("|", 4)
    shadows = parse_choice(more) if more and operation == ChangeOperation.RETURN else None
    share = float(more) if more and shadows is None else None
    actor = actor.replace("%7C", "|").replace("%25", "%")
    return Work(ChangeOperation(operation), at, actor, why, share, shadows)


def campaign_name(work: Work, target: Target) -> CampaignName:
    """Return the name of the campaign that does the work, at most 48 characters."""
    seconds, digits = int(datetime.fromisoformat(work.at).timestamp()), ""
    while seconds:
        seconds, digit = divmod(seconds, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return CampaignName(f"{work.operation.value}-{target.account}-{target.region}-{digits}")


def campaign_of(work: Work, registered: RegisteredTarget) -> Campaign:
    """Return the new campaign that does the work. It contains the devices of the target. For a return, it contains the
    devices of the standby, and those that were evacuated go back."""
    target = registered.target
    place = registered.standby if work.operation is ChangeOperation.RETURN and registered.standby else target
    request = ChangeRequest(work.operation, target, why=work.why or None, shadows=work.shadows)
    filter_ = {"target": str(place)} | ({"home": str(target)} if place != target else {})
    filter_ |= {} if work.share is None else {"share": f"{work.share:g}"}
    source = Source(SourceKind.FILTER, None, filter_)
    return Campaign(campaign_name(work, target), request, source, Author(work.actor), work.at, 0, 1.0)


def require_standby(registered: RegisteredTarget, standby: RegisteredTarget) -> None:
    """Raise `InvalidInput` INVALID_STANDBY, `NotFound` UNKNOWN_PROFILE, or `Conflict` TARGET_ARCHIVED, TARGET_EVACUATED
    or PRESENCE_REQUIRED."""
    if registered.target == standby.target:
        raise InvalidInput("INVALID_STANDBY", f"got {standby.target} as its own standby, want another target")
    for each in (registered, standby):
        if each.archivedat is not None:
            raise Conflict("TARGET_ARCHIVED", f"got {each.target}, archived at {each.archivedat}; want it in use")
        require_not_evacuated(each)
    missing = sorted(set(registered.profiles) - set(standby.profiles))
    if missing:
        have = ", ".join(standby.profiles)
        message = f"got {standby.target} with profiles {have}, want also {', '.join(missing)} of {registered.target}"
        raise NotFound("UNKNOWN_PROFILE", message)
    if standby.presence and not registered.presence:
        message = f"got {standby.target}, which requires proof of presence, want a standby that does not"
        raise Conflict("PRESENCE_REQUIRED", message)


def require_not_evacuated(registered: RegisteredTarget) -> None:
    """Raise `Conflict` TARGET_EVACUATED."""
    if registered.evacuated_at is not None:
        message = f"got {registered.target}, evacuated at {registered.evacuated_at}; return it first"
        raise Conflict("TARGET_EVACUATED", message)


def with_standby(
    registered: RegisteredTarget, standby: Target | None, mode: StandbyMode, actor: str, at: str
) -> RegisteredTarget:
    """Return the target with another standby, whose preparation is its last work."""
    work = str(Work(ChangeOperation.PREPARE, at, actor))
    return replace(registered, standby=standby, standby_mode=mode, evacuation_asked=None, last_work=work)


def evacuated(registered: RegisteredTarget, actor: str, at: str, why: str) -> RegisteredTarget:
    """Return the evacuated target. Raise `Conflict` NO_STANDBY."""
    standby_of(registered)
    work = str(Work(ChangeOperation.EVACUATE, at, actor, why))
    return replace(registered, evacuated_at=at, evacuation_asked=None, last_work=work)


def returned(
    registered: RegisteredTarget, actor: str, at: str, why: str, shadows: ShadowChoice | None = None
) -> RegisteredTarget:
    work = str(Work(ChangeOperation.RETURN, at, actor, why, shadows=shadows))
    ended = at if registered.evacuated_at else registered.returned_at
    return replace(registered, evacuated_at=None, evacuation_asked=None, last_work=work, returned_at=ended)


def drilled(registered: RegisteredTarget, actor: str, at: str, share: object) -> RegisteredTarget:
    """Return the target of a drill. Raise `Conflict` NO_STANDBY or TARGET_EVACUATED, or `InvalidInput`
    INVALID_SHARE."""
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        raise InvalidInput("INVALID_SHARE", f"got {share}, want more than 0 and at most 1")
    standby_of(registered)
    require_not_evacuated(registered)
    work = str(Work(ChangeOperation.DRILL, at, actor, f"drill of {share:.2%}", float(share)))
    return replace(registered, last_work=work)


def asked_by(registered: RegisteredTarget, now: datetime) -> str | None:
    """Return the user whose evacuation waits for a second user; None if there is none."""
    at, _, actor = (registered.evacuation_asked or "").partition("|")
    return actor if at and now - datetime.fromisoformat(at) < ASKED_FOR else None


def asking(registered: RegisteredTarget, actor: str, at: str) -> RegisteredTarget:
    return replace(registered, evacuation_asked=f"{at}|{actor}")
