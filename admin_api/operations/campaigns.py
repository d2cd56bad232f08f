"""Creates and controls campaigns of users. Checks the input against the caller's role and the targets. A user who
creates, approves, resumes or undoes a campaign must be permitted to make the same change to a single device for the
same target. The feeder checks each device again when it changes it. Pausing and cancelling need only the role, except
for the work of a standby, which only the users control who may start it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from admin_api.operations.changes import allowed_request
from admin_api.roles import Caller
from admin_api.services import Services
from lobby.domain.campaigns import campaign_transitions as transitions
from lobby.domain.campaigns.campaign import (
    DEFAULT_TOLERANCE,
    ENDED,
    Author,
    Campaign,
    CampaignEvent,
    CampaignState,
    Source,
    SourceKind,
    is_default_undo,
    leaves_devices,
    require_limits,
    undo_names,
    undo_request,
)
from lobby.domain.campaigns.campaign_progress import Prepared
from lobby.domain.change_requests import ChangeRequest, change_of
from lobby.domain.changes import Chosen
from lobby.errors import Conflict, InvalidInput
from lobby.ledger.campaigns.campaign_preparation import Candidate
from lobby.ledger.campaigns.campaign_sources import Part
from lobby.ledger.campaigns.selection import Selection
from lobby.ledger.clock import now, timestamp
from lobby.ledger.users.user_blocks import blocked_among
from lobby.names import CampaignName, Fingerprint, parse_campaign_name

_FINAL = (*ENDED, CampaignState.STOPPED)
logger = Logger(service="admin-api")


@dataclass(frozen=True)
class Devices:
    """The devices of a campaign: a list, a filter, or the devices that failed in another campaign."""

    listed: Sequence[Chosen] | None = None
    selection: Selection | None = None
    failed_of: str | None = None


@dataclass(frozen=True)
class NewCampaign:
    """A campaign as the caller enters it. `complete`: the list needs no further devices."""

    name: str
    request: ChangeRequest
    devices: Devices
    complete: bool = True
    canary: int = 0
    tolerance: float = DEFAULT_TOLERANCE


@dataclass(frozen=True)
class CampaignPreview:
    """The predicted results of a campaign, for as many devices as the time permitted. The rest begins at `cursor`."""

    sums: Prepared
    cursor: str | None


def preview(
    services: Services, caller: Caller, new: NewCampaign, after: str | None, time_is_up: Callable[[], bool]
) -> CampaignPreview:
    """Return the predicted results of a campaign. Raise the errors of `create`."""
    campaign = _campaign(services, caller, new)
    if new.devices.listed is not None:
        candidates = _candidates(new.devices.listed)
        return CampaignPreview(services.preparation.preview(campaign, candidates, deadline=time_is_up), None)
    sums, cursor = Prepared(), after
    while True:
        part = services.campaign_sources.part(campaign.source, cursor)
        sums = sums.plus(_sums_of(services, campaign, part, time_is_up))
        cursor = part.cursor
        if cursor is None or time_is_up():
            return CampaignPreview(sums, cursor)


def create(services: Services, caller: Caller, new: NewCampaign, time_is_up: Callable[[], bool]) -> Campaign:
    """Create a campaign and start it. Repeating it changes nothing. Raise `Forbidden`, `InvalidInput`, `NotFound`
    UNKNOWN_TARGET or UNKNOWN_CAMPAIGN, or `Conflict` TARGET_ARCHIVED, NOT_ALLOWED or CAMPAIGN_EXISTS, also for another
    list."""
    campaign = services.campaigns.create(_campaign(services, caller, new))
    if new.devices.listed is None:
        _start(services, campaign)
        return campaign
    other = Conflict("CAMPAIGN_EXISTS", f"got {campaign.name}, which exists with other devices; want a new name")
    return _added(services, campaign, new.devices.listed, 0, time_is_up, other, complete=new.complete)


def add(
    services: Services,
    caller: Caller,
    name: str,
    listed: Sequence[Chosen],
    offset: int,
    time_is_up: Callable[[], bool],
    *,
    complete: bool,
) -> Campaign:
    """Add devices to the list of a campaign that is being prepared. `offset` is the number of devices that the campaign
    already has, so a repeated call adds nothing. Raise `Conflict` NOT_ALLOWED or CHANGED_MEANWHILE."""
    campaign = services.campaigns.get(parse_campaign_name(name))
    if campaign.author.actor != caller.actor or campaign.source.kind is not SourceKind.LIST:
        message = f"got devices for {name}, want a campaign that you have created from a list"
        raise Conflict("NOT_ALLOWED", message)
    _require_may(caller, campaign)
    total = campaign.prepared.total
    message = f"got other devices after the first {offset} than before, or a wrong offset: it has {total} devices"
    other = Conflict("CHANGED_MEANWHILE", message)
    return _added(services, campaign, listed, offset, time_is_up, other, complete=complete)


def act(services: Services, caller: Caller, name: str, event: CampaignEvent) -> Campaign:
    """Approve, pause, resume or cancel a campaign. Repeating it changes nothing. Raise `NotFound` UNKNOWN_CAMPAIGN, or
    `Conflict` NOT_ALLOWED, SECOND_PERSON_REQUIRED or AUTHOR_BLOCKED."""
    found = services.campaigns.get(parse_campaign_name(name))
    if event in (CampaignEvent.APPROVED, CampaignEvent.RESUMED) or not may_control(caller, found):
        _require_may(caller, found)

    def decide(campaign: Campaign, at: str) -> Campaign:
        match event:
            case CampaignEvent.APPROVED:
                return transitions.approved(campaign, caller.actor, at, blocked_among(campaign.answerable))
            case CampaignEvent.PAUSED:
                return transitions.paused(campaign)
            case CampaignEvent.RESUMED:
                return transitions.resumed(campaign, caller.actor, blocked_among(campaign.answerable))
            case _:
                return transitions.cancelling(campaign, at)

    changed = services.campaigns.change(found.name, event, caller.actor, decide)
    _start(services, changed)
    return changed


def may_control(caller: Caller, campaign: Campaign) -> bool:
    """Return whether a user whose role permits an event of campaigns may use it for this one: for the work of a standby
    only if they may start it."""
    operation = campaign.request.operation
    return not operation.is_of_targets or caller.may(operation.mutation)


def undo(services: Services, caller: Caller, name: str, new_name: str | None) -> Campaign:
    """Create the campaign that returns the devices to their previous targets. After an undo that has left devices, a
    further one takes back the rest. Raise `Conflict` NOT_UNDOABLE, ALREADY_UNDONE, CAMPAIGN_EXISTS or NOT_ALLOWED."""
    campaign = services.campaigns.get(parse_campaign_name(name))
    if campaign.state is CampaignState.STOPPED:
        raise Conflict("NOT_ALLOWED", f"got campaign {name}, which can be resumed; want it cancelled first")
    ended = _ended_undo(services, campaign)
    back = _undo_name(services, campaign, new_name, ended)
    request = undo_request(replace(campaign, undone_by=None) if campaign.undone_by == back else campaign, ended)
    source = Source(SourceKind.CHANGED, campaign.name)
    author = Author(caller.actor, caller.own_targets)
    new = Campaign(back, request, source, author, timestamp(now()), 0, campaign.tolerance)
    _require_may(caller, new)
    services.campaigns.require_free(new)

    def decide(before: Campaign, _at: str) -> Campaign:
        return transitions.undone(before, back, ended)

    services.campaigns.change(campaign.name, CampaignEvent.UNDONE, caller.actor, decide, back)
    created = services.campaigns.create(new)
    _start(services, created)
    return created


def _ended_undo(services: Services, campaign: Campaign) -> CampaignName | None:
    """Return the undo of a campaign if it has ended and has left devices, or if another campaign has got its name
    before it was created."""
    found = services.campaigns.find(campaign.undone_by) if campaign.undone_by else None
    is_over = found is not None and (found.undoes != campaign.name or leaves_devices(found))
    return found.name if found is not None and is_over else None


def _undo_name(services: Services, campaign: Campaign, wanted: str | None, ended: CampaignName | None) -> CampaignName:
    """Return the name of a new undo, or of the present one, so that a request can be repeated, also after a request
    that was interrupted before it created the undo. Raise `Conflict` CAMPAIGN_EXISTS if it is that of an undo that has
    ended."""
    present = campaign.undone_by if wanted is None and ended is None else None
    if present is not None and (is_default_undo(campaign, present) or services.campaigns.find(present) is None):
        return present
    for name in undo_names(campaign, wanted):
        if ended is None or services.campaigns.find(name) is None:
            return name
    raise Conflict("CAMPAIGN_EXISTS", f"got {wanted or campaign.name}, want a new name for the undo")


def _campaign(services: Services, caller: Caller, new: NewCampaign) -> Campaign:
    request = allowed_request(caller, new.request)
    change_of(request, services.targets)  # raises if the target does not exist or takes no claims
    canary, tolerance = require_limits(new.canary, new.tolerance)
    at = timestamp(now())
    source = _source(services, new.devices)
    author = Author(caller.actor, caller.own_targets)
    return Campaign(parse_campaign_name(new.name), request, source, author, at, canary, tolerance)


def _source(services: Services, devices: Devices) -> Source:
    given = [each for each in vars(devices).values() if each is not None]
    if len(given) != 1:
        raise InvalidInput("INVALID_SELECTION", f"got {len(given)} of devices, filter and failedOf, want one of them")
    if devices.failed_of is not None:
        other = services.campaigns.get(parse_campaign_name(devices.failed_of))
        if other.state not in _FINAL:
            raise Conflict("NOT_ALLOWED", f"got campaign {other.name}, which is {other.state}; want one that has ended")
        return Source(SourceKind.FAILED, other.name)
    if devices.selection is None:
        return Source(SourceKind.LIST)
    if devices.selection == Selection():
        raise InvalidInput("INVALID_FILTER", "got an empty filter, want at least one condition")
    return Source(SourceKind.FILTER, None, devices.selection.fields())


def _sums_of(services: Services, campaign: Campaign, part: Part, time_is_up: Callable[[], bool]) -> Prepared:
    return services.preparation.preview(campaign, part.candidates, part.keep, time_is_up)


def _added(
    services: Services,
    campaign: Campaign,
    listed: Sequence[Chosen],
    offset: int,
    time_is_up: Callable[[], bool],
    other: Conflict,
    *,
    complete: bool,
) -> Campaign:
    """Add devices to a list, unless they were added before. Raise `other` if the list has other devices there."""
    candidates, prepared = _candidates(listed), campaign.prepared
    if prepared.total > offset:
        left = prepared.total - offset - len(candidates)
        is_same = left == 0 if complete else left > 0 or not prepared.complete
        if not is_same or not services.preparation.has(campaign, candidates, offset):
            raise other
        if prepared.complete or not complete or campaign.state is not CampaignState.PREPARING:
            return _completed(services, campaign)
        candidates = []
    elif prepared.total < offset or prepared.complete or campaign.state is not CampaignState.PREPARING:
        raise other
    added = services.preparation.add(campaign, candidates, complete=complete, deadline=time_is_up)
    if added is None:
        raise Conflict("CHANGED_MEANWHILE", f"got devices for {campaign.name}, to which others were added just now")
    return _completed(services, added)


def _completed(services: Services, campaign: Campaign) -> Campaign:
    """Start a campaign whose list is complete."""
    if not campaign.prepared.complete:
        return campaign
    above = services.approval_above
    started = services.campaigns.change(
        campaign.name,
        CampaignEvent.PREPARED,
        campaign.author.actor,
        lambda before, at: transitions.prepared(before, above, at),
    )
    _start(services, started)
    return started


def _candidates(listed: Sequence[Chosen]) -> list[Candidate]:
    """Return each device once, in order."""
    once: dict[Fingerprint, Chosen] = {}
    for each in listed:
        once.setdefault(each.certid, each)
    return [Candidate(each) for each in once.values()]


def _require_may(caller: Caller, campaign: Campaign) -> None:
    """Raise `Forbidden` if the caller may not change one device as the campaign does."""
    caller.require(campaign.request.operation.mutation)
    if campaign.request.target is not None:
        caller.require_target(campaign.request.target)


def _start(services: Services, campaign: Campaign) -> None:
    """Start the feeder. The ledger already has the change, so the sweeper starts the feeder if this call fails."""
    try:
        services.start_campaign(campaign)
    except (BotoCoreError, ClientError):
        logger.exception("campaign not started", extra={"campaign": campaign.name})
