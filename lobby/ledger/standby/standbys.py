"""Sets the standby of a target, evacuates it, and returns it: each is one conditional write of the target's record.

From that write on, the receptionist uses the record. A campaign, which the record names, changes the rows of the
devices. If a caller is killed before it creates the campaign, the sweeper creates it. A repeated operation changes
nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from lobby.domain.campaigns.campaign import ENDED, Campaign, CampaignState
from lobby.domain.campaigns.campaign_rules import UNREADABLE
from lobby.domain.change_requests import ChangeOperation
from lobby.domain.shadows.shadow_choices import ShadowChoice, named
from lobby.domain.standby import standby_rules as rules
from lobby.domain.standby.standby import StandbyMode
from lobby.domain.states import PLACED_STATES, State
from lobby.domain.targets.target import RegisteredTarget, TargetEvent, standby_of
from lobby.errors import Conflict
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.clock import now, timestamp
from lobby.ledger.lists.counts import PREPARED, Tally, read_counts
from lobby.ledger.targets.target_registry import Targets
from lobby.ledger.targets.target_rows import write
from lobby.ledger.users.user_blocks import blocked_among
from lobby.names import Target

_MOVED: Final = (*PLACED_STATES, State.EXPECTED, State.CLAIMED, State.FAILED)
"""The states in which an evacuation changes a device."""


@dataclass(frozen=True)
class StandbyCounts:
    """Numbers of a target's devices: `placed` are registered in it, and `prepared` are also registered in its standby.
    `away` were evacuated and have not returned; `left` are still to be changed by an evacuation."""

    placed: int = 0
    prepared: int = 0
    away: int = 0
    left: int = 0


def counts_of(target: Target, tallies: Iterable[Tally]) -> StandbyCounts:
    """Return the counts of a target. Devices that were evacuated to it from other targets are not counted, because
    neither a preparation nor an evacuation of this target changes them."""
    placed = prepared = away = left = 0
    for tally in tallies:
        bucket, count = tally.bucket, tally.count
        if bucket.place == str(target):
            away += count
        elif bucket.target == target and bucket.place in (None, PREPARED):
            left += count if bucket.state in _MOVED else 0
            placed += count if bucket.state in PLACED_STATES else 0
            prepared += count if bucket.place == PREPARED and bucket.state in PLACED_STATES else 0
    return StandbyCounts(placed, prepared, away, left)


class Standbys:
    """`above` is the largest number of devices whose evacuation needs no second user. Every method raises `NotFound`
    UNKNOWN_TARGET or `Conflict` CHANGED_MEANWHILE."""

    def __init__(
        self,
        targets: Targets,
        campaigns: Campaigns,
        above: int,
        clock: Callable[[], datetime] = now,
        counts: Callable[[], Iterable[Tally]] = read_counts,
    ) -> None:
        self._targets, self._campaigns, self._above = targets, campaigns, above
        self._clock, self._counts = clock, counts

    def require(self, target: Target, standby: Target) -> tuple[RegisteredTarget, RegisteredTarget]:
        """Return both targets if one can be the standby of the other. Raise the errors of `set`."""
        registered, other = self._targets.get(target), self._targets.get(standby)
        rules.require_standby(registered, other)
        return registered, other

    def set(self, target: Target, standby: Target | None, mode: StandbyMode, actor: str) -> RegisteredTarget:
        """Set the standby of a target, or none. Raise `InvalidInput` INVALID_STANDBY, `NotFound` UNKNOWN_PROFILE, or
        `Conflict` TARGET_ARCHIVED, TARGET_EVACUATED, PRESENCE_REQUIRED or STANDBY_IN_USE."""
        registered, other = self.require(target, standby) if standby else (self._targets.get(target), None)
        rules.require_not_evacuated(registered)
        same = (registered.standby, registered.standby_mode) == (standby, mode) or registered.standby is standby
        if same and (standby is None or not self._has_devices(registered) or self._is_at_work(registered)):
            return registered
        if standby != registered.standby:
            self._require_nobody_away(registered)
        after = rules.with_standby(registered, standby, mode, actor, self._timestamp())
        detail = f"{standby}, certificates {mode.value}" if standby else "none"
        return write(registered, after, self._targets.entry(actor, TargetEvent.STANDBY, detail), named=other)

    def evacuate(self, target: Target, actor: str, why: str = "") -> RegisteredTarget:
        """Send the devices of a target to its standby, or record the request of `actor`, which a second user must
        confirm within an hour by the same call. The request of a blocked user does not count. Raise `Conflict`
        NO_STANDBY, TARGET_EVACUATED for its standby, or SECOND_PERSON_REQUIRED."""
        registered, at = self._targets.get(target), self._timestamp()
        after, standby = rules.evacuated(registered, actor, at, why), standby_of(registered)
        if registered.evacuated_at is not None:
            return self._again(registered, after, TargetEvent.EVACUATED)
        self._require_usable(standby)
        asked = rules.asked_by(registered, self._clock())
        asked = None if asked and blocked_among([asked]) else asked
        if asked in (None, actor) and counts_of(target, self._counts()).left > self._above:
            if asked is not None:
                message = f"got the request of {actor}, who has asked for it before; want another user's"
                raise Conflict("SECOND_PERSON_REQUIRED", message)
            entry = self._targets.entry(actor, TargetEvent.ASKED, why)
            return write(registered, rules.asking(registered, actor, at), entry)
        detail = "; ".join(filter(None, (f"to {standby}", why, f"asked for by {asked}" if asked else "")))
        entry = self._targets.entry(actor, TargetEvent.EVACUATED, detail)
        return write(registered, after, entry, usable=standby)

    def come_back(
        self,
        target: Target,
        actor: str,
        why: str = "",
        shadows: ShadowChoice | None = None,
        *,
        drill_only: bool = False,
    ) -> RegisteredTarget:
        """Bring the devices of a target back. `shadows`: what happens to their shadows in the standby. With
        `drill_only`, raise `Conflict` TARGET_EVACUATED if the target was evacuated in the meantime."""
        registered = self._targets.get(target)
        if drill_only:
            rules.require_not_evacuated(registered)
        after = rules.returned(registered, actor, self._timestamp(), why, shadows)
        if registered.evacuated_at is None:
            return self._again(registered, after, TargetEvent.RETURNED)
        detail = named(why, shadows) or ""
        return write(registered, after, self._targets.entry(actor, TargetEvent.RETURNED, detail))

    def drill(self, target: Target, share: float, actor: str) -> RegisteredTarget:
        """Send a share of a target's prepared devices to its standby. They stay there until `come_back`. Raise as
        `standby_rules.drilled`, or `Conflict` STANDBY_IN_USE while devices are away, or DRILL_TOO_LARGE."""
        registered = self._targets.get(target)
        after, standby = rules.drilled(registered, actor, self._timestamp(), share), standby_of(registered)
        self._require_usable(standby)
        self._require_nobody_away(registered)
        devices = round(counts_of(target, self._counts()).prepared * share)
        if devices > self._above:
            message = f"got a drill with about {devices} devices, want at most {self._above}, as of a campaign"
            raise Conflict("DRILL_TOO_LARGE", message)
        entry = self._targets.entry(actor, TargetEvent.DRILLED, f"{share:.2%} of the devices")
        return write(registered, after, entry, usable=standby)

    def follow(self, registered: RegisteredTarget) -> Campaign | None:
        """Return the campaign that does the last work on a target's devices, and create it if it does not exist. None
        if there is no such work, or if it has ended."""
        if registered.last_work is None:
            return None
        campaign = rules.campaign_of(rules.parse_work(registered.last_work), registered)
        found = self._campaigns.find(campaign.name) or self._campaigns.create(campaign)
        return None if found.state in ENDED else found

    def continue_evacuation(self, registered: RegisteredTarget, actor: str) -> RegisteredTarget:
        """Begin the evacuation of an evacuated target again, if its campaign has changed all its devices but others are
        left, because they were claimed in the meantime or another change was in progress, or if the campaign has lost
        its list. Otherwise, return the target unchanged. A campaign that a user has cancelled is not continued."""
        if registered.evacuated_at is None or registered.last_work is None or not self._may_continue(registered):
            return registered
        why = rules.parse_work(registered.last_work).why
        after = rules.evacuated(registered, actor, self._timestamp(), why)
        return self._again(registered, after, TargetEvent.EVACUATED)

    def _again(self, registered: RegisteredTarget, after: RegisteredTarget, event: TargetEvent) -> RegisteredTarget:
        """Begin the work on the devices that an earlier campaign has left, if there are any. A return also ends a drill
        that has not sent devices yet."""
        counts = counts_of(registered.target, self._counts())
        left = counts.left if event is TargetEvent.EVACUATED else counts.away
        wanted = rules.parse_work(str(after.last_work))
        last = rules.parse_work(registered.last_work).operation if registered.last_work else None
        is_same = last in (wanted.operation, ChangeOperation.DRILL)
        is_unended = is_same and self._is_at_work(registered)
        at_work = is_unended and not self._may_continue(registered)
        ends_drill = is_unended and last is ChangeOperation.DRILL
        if not ends_drill and (not left or at_work):
            return registered
        since = registered.evacuated_at if event is TargetEvent.EVACUATED else None
        entry = self._targets.entry(wanted.actor, event, f"again, for {left} devices")
        return write(registered, replace(after, evacuated_at=since), entry)

    def _is_at_work(self, registered: RegisteredTarget) -> bool:
        """Return whether the campaign of the last work is in progress, or still has to be created."""
        found = self._last_campaign(registered)
        return registered.last_work is not None and (found is None or found.state not in ENDED)

    def _last_campaign(self, registered: RegisteredTarget) -> Campaign | None:
        """Return the campaign of a target's last work; None if there is no such work, or the campaign does not exist
        yet."""
        if registered.last_work is None:
            return None
        return self._campaigns.find(rules.campaign_name(rules.parse_work(registered.last_work), registered.target))

    def _has_devices(self, registered: RegisteredTarget) -> bool:
        """Return whether devices are placed in a target. The counts do not show in which mode they are prepared, so a
        repeated preparation checks each of them."""
        return counts_of(registered.target, self._counts()).placed > 0

    def is_followed(self, registered: RegisteredTarget) -> bool:
        """Return whether the campaign of a target's last work exists, or none is needed."""
        return registered.last_work is None or self._last_campaign(registered) is not None

    def is_done(self, registered: RegisteredTarget) -> bool:
        """Return whether the campaign of a target's last work is done. One that was cancelled or stopped is not."""
        campaign = self._last_campaign(registered)
        return campaign is not None and campaign.state is CampaignState.DONE

    def _may_continue(self, registered: RegisteredTarget) -> bool:
        """Return whether the campaign of a target's last work changes no further devices, so that another one may work
        on those that are left: it is done, only follows devices until they arrive, or has stopped without its list."""
        campaign = self._last_campaign(registered)
        if campaign is None:
            return False
        match campaign.state:
            case CampaignState.RUNNING:
                return not campaign.progress.open and campaign.progress.fed >= campaign.prepared.pages
            case CampaignState.STOPPED:
                return campaign.why in UNREADABLE
            case _:
                return campaign.state is CampaignState.DONE

    def _require_usable(self, standby: Target) -> None:
        other = self._targets.get(standby)
        if other.evacuated_at is not None:
            raise Conflict("TARGET_EVACUATED", f"got standby {standby}, which was evacuated itself; return it first")

    def _require_nobody_away(self, registered: RegisteredTarget) -> None:
        away = counts_of(registered.target, self._counts()).away
        if away:
            message = (
                f"got {registered.target}, of which {away} devices are in {registered.standby}; want them back first"
            )
            raise Conflict("STANDBY_IN_USE", message)

    def _timestamp(self) -> str:
        return timestamp(self._clock())
