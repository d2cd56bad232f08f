"""A campaign: one operation on many devices, carried out in the cloud, with its states and who may start it.

The devices are fixed at the start, as pages of a manifest. A campaign above a size, and each revocation, needs the
approval of a second user. A campaign that stops leaves its changed devices as they are. An undo is a separate campaign.
An event that the table does not list for a state raises `Conflict`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from lobby.domain.campaigns.campaign_progress import Outcome, Prepared, Progress, actor_of
from lobby.domain.change_requests import ChangeOperation, ChangeRequest
from lobby.errors import Conflict, InvalidInput
from lobby.names import CampaignName, Target, parse_campaign_name

PAGE_SIZE: Final = 100
"""Devices of a page. The feeder records its progress after each page."""
MAX_CANARY: Final = PAGE_SIZE
"""The canary is at most one page of devices. It can be in several short pages at the start of the manifest."""
DEFAULT_TOLERANCE: Final = 0.1
_UNDO_SUFFIX: Final = "-undo"
_MOST_UNDOS: Final = 100


class CampaignState(StrEnum):
    """The state of a campaign."""

    PREPARING = "preparing"
    """The list of its devices is being made."""
    APPROVAL = "approval"
    """It waits for the approval of a second user."""
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    """It was cancelled, and the page in progress is being finished."""
    STOPPED = "stopped"
    """It has stopped itself. It can be resumed or cancelled."""
    CANCELLED = "cancelled"
    DONE = "done"


class CampaignEvent(StrEnum):
    """The events of a campaign. Each is an entry in its history."""

    CREATED = "created"
    PREPARED = "prepared"
    APPROVED = "approved"
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"
    CANCEL = "cancel"
    CANCELLED = "cancelled"
    FINISHED = "finished"
    UNDONE = "undone"


_S, _E = CampaignState, CampaignEvent
ENDED: Final = frozenset({_S.CANCELLED, _S.DONE})
TRANSITIONS: Final[Mapping[tuple[CampaignState, CampaignEvent], CampaignState]] = {
    (_S.PREPARING, _E.PREPARED): _S.RUNNING,
    (_S.APPROVAL, _E.APPROVED): _S.RUNNING,
    (_S.RUNNING, _E.PAUSED): _S.PAUSED,
    (_S.PAUSED, _E.RESUMED): _S.RUNNING,
    (_S.STOPPED, _E.RESUMED): _S.RUNNING,
    (_S.RUNNING, _E.STOPPED): _S.STOPPED,
    (_S.APPROVAL, _E.CANCEL): _S.CANCELLED,
    **dict.fromkeys(
        ((state, _E.CANCEL) for state in (_S.PREPARING, _S.RUNNING, _S.PAUSED, _S.STOPPED)),
        _S.STOPPING,
    ),
    (_S.STOPPING, _E.CANCELLED): _S.CANCELLED,
    (_S.RUNNING, _E.FINISHED): _S.DONE,
    **{(state, _E.UNDONE): state for state in ENDED},
}
"""(state, event) → the next state. A campaign that needs approval enters `APPROVAL` when it is prepared."""
UNDO: Final[Mapping[ChangeOperation, ChangeOperation]] = {
    ChangeOperation.CLAIM: ChangeOperation.RELEASE,
    ChangeOperation.MOVE: ChangeOperation.MOVE,
    ChangeOperation.CONFIGURE: ChangeOperation.CONFIGURE,
    ChangeOperation.RELEASE: ChangeOperation.CLAIM,
}
"""The operation that undoes another one. A revocation is permanent, and a retry has no previous place."""


class SourceKind(StrEnum):
    """Where the devices of a campaign come from."""

    LIST = "list"
    """A user's list, which is added in parts."""
    FILTER = "filter"
    FAILED = "failed"
    """The devices that failed or were refused in another campaign."""
    CHANGED = "changed"
    """The devices that another campaign has changed. They go back to their previous places."""


@dataclass(frozen=True)
class Source:
    """`campaign` is the other campaign; `filter` are the fields of the filter (`lobby.ledger.campaigns.selection`)."""

    kind: SourceKind
    campaign: CampaignName | None = None
    filter: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Author:
    """Who created a campaign, and the targets on which they may act (None: all). The right is checked again for each
    device when the device is changed."""

    actor: str
    targets: frozenset[Target] | None = None

    def require_target(self, target: Target) -> None:
        """Raise `Conflict` FORBIDDEN."""
        if self.targets is not None and target not in self.targets:
            raise Conflict("FORBIDDEN", f"got a device in {target}, on which {self.actor} may not act")


@dataclass(frozen=True)
class Campaign:
    """Times are ISO 8601 UTC. `tolerance` is the failure rate, 0 to 1, above which it stops; `canary` is the number of
    devices that must arrive first. `why` states why it has stopped. `taken_over_by` is the user who has resumed it
    after its author was blocked."""

    name: CampaignName
    request: ChangeRequest
    source: Source
    author: Author
    createdat: str
    canary: int = 0
    tolerance: float = DEFAULT_TOLERANCE
    state: CampaignState = CampaignState.PREPARING
    revision: int = 0
    """Counts the changes of its state."""
    why: str | None = None
    approved_by: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    undone_by: CampaignName | None = None
    taken_over_by: str | None = None
    prepared: Prepared = field(default_factory=Prepared)
    progress: Progress = field(default_factory=Progress)

    @property
    def actor(self) -> str:
        """The actor of its changes in the histories of devices."""
        return actor_of(self.name)

    @property
    def answerable(self) -> tuple[str, ...]:
        """The users who answer for it: its author, or the user who has taken it over, and who has approved it. Nobody
        for the work of a standby, which follows from the target's record."""
        if self.request.operation.is_of_targets:
            return ()
        return tuple(filter(None, (self.taken_over_by or self.author.actor, self.approved_by)))

    @property
    def undoes(self) -> CampaignName | None:
        return self.source.campaign if self.source.kind is SourceKind.CHANGED else None


@dataclass(frozen=True)
class CampaignEntry:
    """One entry of a campaign's history."""

    at: str
    actor: str
    event: CampaignEvent
    detail: str = ""


def needs_approval(request: ChangeRequest, size: int, above: int) -> bool:
    """Return whether a second user must approve a campaign that can change `size` devices. `above` is the largest size
    that needs no approval. A revocation always needs one, because it is permanent."""
    if request.operation.is_of_targets:
        return False  # the evacuation of the whole target was approved before
    return size > 0 and (request.operation is ChangeOperation.REVOKE or size > above)


def state_after(campaign: Campaign, event: CampaignEvent, *, approval: bool = False) -> CampaignState:
    """Return the next state. `approval`: the prepared campaign needs it. Raise `Conflict` NOT_ALLOWED."""
    following = TRANSITIONS.get((campaign.state, event))
    if following is None:
        raise Conflict("NOT_ALLOWED", f"got {event} for campaign {campaign.name}, which is {campaign.state}")
    if event is CampaignEvent.PREPARED and approval:
        return CampaignState.APPROVAL
    return following


def allowed(campaign: Campaign, event: CampaignEvent) -> bool:
    """Return whether the state of a campaign, and its operation for an undo, permit an event."""
    is_possible = event is not CampaignEvent.UNDONE or is_undoable(campaign)
    return is_possible and (campaign.state, event) in TRANSITIONS


def is_undoable(campaign: Campaign) -> bool:
    """Return whether a campaign of this operation can be undone once it has ended."""
    return campaign.request.operation in UNDO and campaign.undoes is None


def require_second_person(campaign: Campaign, actor: str) -> None:
    """Raise `Conflict` SECOND_PERSON_REQUIRED if `actor` has created the campaign."""
    if actor == campaign.author.actor:
        raise Conflict("SECOND_PERSON_REQUIRED", f"got the approval of {actor}, who created it; want another user's")


def require_limits(canary: object, tolerance: object) -> tuple[int, float]:
    """Return the canary and the tolerance of a new campaign. Raise `InvalidInput` INVALID_CANARY or
    INVALID_FAILURE_RATE."""
    if isinstance(canary, bool) or not isinstance(canary, int) or not 0 <= canary <= MAX_CANARY:
        raise InvalidInput("INVALID_CANARY", f"got {canary} devices, want 0 to {MAX_CANARY}")
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance <= 1:
        raise InvalidInput("INVALID_FAILURE_RATE", f"got {tolerance}, want 0 to 1")
    return canary, float(tolerance)


def leaves_devices(undo: Campaign) -> bool:
    """Return whether an undo has ended and has left devices that another undo may take back: it was cancelled, or the
    operation was not possible for some of them."""
    refused = undo.progress.count((Outcome.REFUSED,))
    return undo.state is CampaignState.CANCELLED or (undo.state is CampaignState.DONE and refused > 0)


def undo_request(campaign: Campaign, ended: CampaignName | None = None) -> ChangeRequest:
    """Return the request that undoes a campaign: each device goes back to its own previous place. `ended` is an undo
    that has left devices. Raise `Conflict` NOT_UNDOABLE or ALREADY_UNDONE, or NOT_ALLOWED while it has not ended."""
    if not is_undoable(campaign):
        what = "an undo" if campaign.undoes else f"a campaign of {campaign.request.operation}"
        raise Conflict("NOT_UNDOABLE", f"got {campaign.name}, which is {what}, want one that can be undone")
    require_not_undone(campaign, ended)
    state_after(campaign, CampaignEvent.UNDONE)
    return ChangeRequest(UNDO[campaign.request.operation])


def require_not_undone(campaign: Campaign, ended: CampaignName | None) -> None:
    """Raise `Conflict` ALREADY_UNDONE if another campaign than `ended` undoes it."""
    if campaign.undone_by not in (None, ended):
        raise Conflict("ALREADY_UNDONE", f"got campaign {campaign.name}, which {campaign.undone_by} undoes")


def undo_names(campaign: Campaign, wanted: str | None) -> Iterator[CampaignName]:
    """Yield the names that the campaign that undoes another may have: the wanted one, or the default ones. Raise
    `InvalidInput` INVALID_CAMPAIGN."""
    yield parse_campaign_name(wanted or f"{campaign.name}{_UNDO_SUFFIX}")
    for number in range(2, _MOST_UNDOS if not wanted else 0):
        yield parse_campaign_name(f"{campaign.name}{_UNDO_SUFFIX}-{number}")


def is_default_undo(campaign: Campaign, name: CampaignName) -> bool:
    """Return whether this is a default name of a campaign's undo."""
    rest = name.removeprefix(f"{campaign.name}{_UNDO_SUFFIX}")
    return rest != name and (rest == "" or rest.removeprefix("-").isdecimal())


def source_fields(source: Source) -> dict[str, Any]:
    """Return a source as an object for JSON."""
    return {"kind": source.kind.value, "campaign": source.campaign, "filter": dict(source.filter)}


def source_of(fields: Mapping[str, Any]) -> Source:
    name = fields["campaign"]
    return Source(SourceKind(fields["kind"]), CampaignName(name) if name else None, fields["filter"])
