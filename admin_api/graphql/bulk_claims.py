"""Claims many devices for one target in one request, with a result for each device.

The number of devices, the caller's permission, the target, profile and configuration are validated first. An error in
them rejects the request and changes nothing. After that each device is independent: an error or an unexpected fault
affects only the device's own result. If a client sends the same list again, no device is claimed twice.
"""

from collections.abc import Sequence

import strawberry
from strawberry.scalars import JSON

from admin_api.graphql.connections import Statuses
from admin_api.graphql.context import Context
from admin_api.graphql.devices import Device, device_from
from admin_api.graphql.isolation import Refusal, isolated, refusal_of
from admin_api.graphql.limits import Resource
from admin_api.operations import claims
from admin_api.operations.user_limits import not_tried
from lobby.domain import device as ledger
from lobby.errors import InvalidInput, LobbyError
from lobby.names import Fingerprint, Target, ThingName, parse_thing_name
from lobby.text.label import decode_label

Outcome = ledger.Device | LobbyError | Refusal


@strawberry.type(description="The result of claiming one of several devices.")
class ClaimResult:
    certid: strawberry.ID = strawberry.field(description="The fingerprint or label as given.")
    ok: bool = strawberry.field(description="Whether the device is claimed.")
    code: str | None = strawberry.field(
        description="The error code, as in `extensions.code`; null on success."
        " NOT_TRIED: the time limit was reached; send the item again. docs/api.md lists the codes."
    )
    message: str | None = strawberry.field(description="The received and the expected value; null on success.")
    device: Device | None = strawberry.field(description="The claimed device, as in a list; null on error.")


@strawberry.type(description="The results of claiming several devices.")
class BulkClaim:
    results: list[ClaimResult] = strawberry.field(description="One result for each item of `certids`, in order.")


def claim_devices(
    context: Context,
    certids: Sequence[str],
    target: Target,
    profile: str | None,
    config: JSON | None,
    expected_names: Sequence[str | None] | None = None,
) -> BulkClaim:
    """Claim each device and return the results. Raise `InvalidInput` INVALID_COUNT or INVALID_CONFIG, `Forbidden` or
    `NotFound` if the request itself is invalid, or `RateLimited` if the caller may claim no device now."""
    context.quota.consume(Resource.FINGERPRINTS, len(certids))
    request = claims.claim_request_for(context.services, context.caller, target, profile, config)
    names = _names(certids, expected_names)
    parsed = [parsed_label(certid) for certid in certids]
    expected = {
        certid: name
        for certid, name in zip(parsed, names, strict=True)
        if not isinstance(certid, LobbyError) and name is not None
    }
    certids_given = [certid for certid in parsed if not isinstance(certid, LobbyError)]
    allowed = context.services.limits.allowed(context.caller, certids_given, target)
    certids_given, beyond = certids_given[:allowed], certids_given[allowed:]
    services, actor, time_is_up = context.services, context.caller.actor, context.quota.time_is_up
    claimed = isolated(
        context, certids_given, lambda some: services.ledger.claim_many(some, request, actor, time_is_up, expected)
    )
    outcomes = iter([*claimed, *([not_tried(allowed)] * len(beyond))])
    statuses = Statuses(context.services.connections, certids_given)
    results = []
    for text, certid in zip(certids, parsed, strict=True):
        outcome = certid if isinstance(certid, LobbyError) else next(outcomes)
        results.append(_result(context, text, outcome, statuses))
    return BulkClaim(results=results)


def _names(certids: Sequence[str], expected: Sequence[str | None] | None) -> list[ThingName | None]:
    """Return the expected name of each device. Raise `InvalidInput` INVALID_COUNT or INVALID_THING_NAME."""
    if expected is None:
        return [None] * len(certids)
    if len(expected) != len(certids):
        raise InvalidInput("INVALID_COUNT", f"got {len(expected)} expectedNames, want {len(certids)}, one per device")
    return [None if name is None else parse_thing_name(name) for name in expected]


def parsed_label(certid: str) -> Fingerprint | LobbyError:
    """Return the fingerprint, or the error for a text that is not one."""
    try:
        return decode_label(certid)
    except LobbyError as error:
        return error


def _result(context: Context, text: str, outcome: Outcome, statuses: Statuses) -> ClaimResult:
    certid = strawberry.ID(text)
    if isinstance(outcome, ledger.Device):
        device = device_from(outcome, context.caller, in_list=True, statuses=statuses)
        return ClaimResult(certid=certid, ok=True, code=None, message=None, device=device)
    code, message = refusal_of(context, outcome) or ("", "")
    return ClaimResult(certid=certid, ok=False, code=code, message=message, device=None)
