"""Changes many devices (claim, move, configure, release and others): a preview, and the change with a result for each.

A change takes a list of devices. A preview also takes a filter, which it turns into a list page by page. The arguments
that apply to all devices are validated first; an error in them rejects the request. After that each device is
independent. A change is conditional on the generation from the preview, and can be repeated.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import strawberry

from admin_api.graphql.bulk_claims import parsed_label
from admin_api.graphql.change_types import (
    BulkChange,
    ChangeInput,
    ChangePreview,
    ChangeResult,
    ChosenDevice,
    PreviewedDevice,
    RefusalCount,
    ShadowOption,
)
from admin_api.graphql.connections import Statuses
from admin_api.graphql.context import Context, given
from admin_api.graphql.device_pages import PageInfo
from admin_api.graphql.devices import device_from
from admin_api.graphql.filters import DeviceFilter, filter_of, state_of
from admin_api.graphql.isolation import Refusal, isolated, refusal_of
from admin_api.graphql.limits import MAX_BULK, Resource
from admin_api.graphql.targets import target_named
from admin_api.operations.changes import change_for
from lobby.domain import device as ledger
from lobby.domain.change_requests import ChangeOperation, ChangeRequest
from lobby.domain.changes import Change, Chosen, generation_of
from lobby.errors import InvalidInput, LobbyError
from lobby.ledger.device_changes import Preview
from lobby.ledger.lists.filter_match import matches
from lobby.ledger.lists.listing import MAX_PAGE, Filter, devices

Parsed = Chosen | LobbyError
_NONE: Final = PageInfo(has_next_page=False, end_cursor=None)


def preview_change(
    context: Context,
    change: ChangeInput,
    chosen: Sequence[ChosenDevice] | None,
    wanted: DeviceFilter | None,
    first: int,
    after: str | None,
) -> ChangePreview:
    """Return the predicted results of `change` for the devices of a list, or for a page of those that match a filter.
    Raise `InvalidInput` INVALID_SELECTION, INVALID_COUNT or INVALID_CURSOR, and as `change_for` and `filter_of`."""
    decided = change_for(context.services, context.caller, request_of(change))
    if (chosen is None) == (wanted is None):
        got = "neither" if chosen is None else "both"
        raise InvalidInput("INVALID_SELECTION", f"got {got} of devices and filter, want one of them")
    if wanted is not None:
        filter_ = filter_of(wanted)
        found, page = _page(context, filter_, first, after)
        all_ = _previews(context, decided, [strawberry.ID(each.certid) for each in found], found)
        previewed = [each for each in all_ if each.device is None or matches(filter_, each.device.row)]
    else:
        chosen, page = chosen or [], _NONE
        context.quota.consume(Resource.FINGERPRINTS, len(chosen))
        previewed = _previews(context, decided, [each.certid for each in chosen], [_parsed(each) for each in chosen])
    refused = Counter(each.code for each in previewed if each.code is not None)
    return ChangePreview(
        total=len(previewed),
        changing=sum(each.changes for each in previewed),
        unchanged=sum(each.ok and not each.changes for each in previewed),
        refusals=[RefusalCount(code=code, count=count) for code, count in refused.most_common()],
        devices=previewed,
        page_info=page,
    )


def change_devices(context: Context, change: ChangeInput, chosen: Sequence[ChosenDevice]) -> BulkChange:
    """Change each device and return the results. Raise `InvalidInput` INVALID_COUNT, and as `change_for`."""
    context.quota.consume(Resource.FINGERPRINTS, len(chosen))
    decided = change_for(context.services, context.caller, request_of(change))
    parsed = [_parsed(each) for each in chosen]
    valid = [each for each in parsed if isinstance(each, Chosen)]
    services, actor, time_is_up = context.services, context.caller.actor, context.quota.time_is_up
    outcomes = iter(
        isolated(context, valid, lambda some: services.ledger.change_many(some, decided, actor, time_is_up))
    )
    statuses = Statuses(services.connections, [each.certid for each in valid])
    results = []
    for given_, each in zip(chosen, parsed, strict=True):
        outcome = each if isinstance(each, LobbyError) else next(outcomes)
        results.append(_result(context, given_.certid, outcome, statuses))
    return BulkChange(results=results)


def request_of(change: ChangeInput) -> ChangeRequest:
    """Return the arguments of a request, unchanged. Raise `InvalidInput` INVALID_ACCOUNT or INVALID_REGION."""
    target = given(change.target)
    return ChangeRequest(
        ChangeOperation(str(change.operation.value)),
        target_named(target) if target else None,
        given(change.profile),
        given(change.config),
        given(change.why),
        shadows_of(given(change.shadows)),
    )


def shadows_of(choice: ShadowOption | None) -> str | None:
    return None if choice is None else str(choice.value)


def _parsed(chosen: ChosenDevice) -> Parsed:
    certid = parsed_label(chosen.certid)
    if isinstance(certid, LobbyError):
        return certid
    try:
        return Chosen(certid, given(chosen.generation), state_of(given(chosen.devstate)))
    except InvalidInput as error:
        return error


def _page(context: Context, wanted: Filter, first: int, after: str | None) -> tuple[list[Chosen], PageInfo]:
    """Return up to `first` devices that match, from as many pages of the ledger as the time permits."""
    if not 1 <= first <= MAX_BULK:
        raise InvalidInput("INVALID_COUNT", f"got {first}, want 1 to {MAX_BULK}")
    context.quota.consume(Resource.LISTED, first)
    cursor = after or None
    found: list[Chosen] = []
    while True:
        page = devices(wanted, min(MAX_PAGE, first - len(found)), cursor)
        found += [Chosen(each.certid) for each in page.devices]
        cursor = page.cursor
        if cursor is None or len(found) == first or context.quota.time_is_up():
            return found, PageInfo(has_next_page=cursor is not None, end_cursor=cursor)


def _previews(
    context: Context, change: Change, texts: Sequence[strawberry.ID], parsed: Sequence[Parsed]
) -> list[PreviewedDevice]:
    valid = [each for each in parsed if isinstance(each, Chosen)]
    actor, time_is_up = context.caller.actor, context.quota.time_is_up
    previews = iter(
        isolated(context, valid, lambda some: context.services.ledger.preview_many(some, change, actor, time_is_up))
    )
    statuses = Statuses(context.services.connections, [each.certid for each in valid])
    result = []
    for text, each in zip(texts, parsed, strict=True):
        preview: Preview | LobbyError | Refusal = each if isinstance(each, LobbyError) else next(previews)
        before, outcome = (preview.device, preview.outcome) if isinstance(preview, Preview) else (None, preview)
        result.append(_previewed(context, text, before, outcome, statuses))
    return result


def _previewed(
    context: Context,
    text: strawberry.ID,
    before: ledger.Device | None,
    outcome: ledger.Device | LobbyError | Refusal | None,
    statuses: Statuses,
) -> PreviewedDevice:
    code, message = refusal_of(context, outcome) or (None, None)
    return PreviewedDevice(
        certid=text,
        ok=code is None,
        changes=code is None and outcome != before,
        code=code,
        message=message,
        generation=generation_of(before),
        state=outcome.devstate.value if isinstance(outcome, ledger.Device) else None,
        device=device_from(before, context.caller, in_list=True, statuses=statuses) if before else None,
    )


def _result(
    context: Context, text: strawberry.ID, outcome: ledger.Device | LobbyError | Refusal | None, statuses: Statuses
) -> ChangeResult:
    code, message = refusal_of(context, outcome) or (None, None)
    changed = outcome if isinstance(outcome, ledger.Device) else None
    return ChangeResult(
        certid=text,
        ok=code is None,
        code=code,
        message=message,
        forgotten=outcome is None,
        device=device_from(changed, context.caller, in_list=True, statuses=statuses) if changed else None,
    )
