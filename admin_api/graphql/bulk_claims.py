"""Claiming many devices for one target in one request, with a result for each device.

What all devices have in common is validated first: their number, the caller's permission, target, profile and
configuration. An error there rejects the request and changes nothing. After that each device is independent: an error
or an unexpected fault affects only its own result. Sending the same list again claims nothing twice.
"""

from collections.abc import Sequence

import strawberry
from strawberry.scalars import JSON

from admin_api import claims, failures
from admin_api.graphql.connections import Statuses
from admin_api.graphql.context import Context
from admin_api.graphql.devices import Device, device_from
from admin_api.graphql.limits import Resource
from lobby.domain import device as ledger
from lobby.domain.transitions import ClaimRequest
from lobby.errors import LobbyError
from lobby.label import decode_label
from lobby.names import Fingerprint, Target

Refusal = tuple[str, str]
"""A code and a message."""
Outcome = ledger.Device | LobbyError | Refusal


@strawberry.type(description="The result of claiming one of several devices.")
class ClaimResult:
    certid: strawberry.ID = strawberry.field(description="The fingerprint or label as given.")
    ok: bool = strawberry.field(description="Whether the device is claimed.")
    code: str | None = strawberry.field(
        description="The error code, as in `extensions.code`; null on success."
        " NOT_TRIED: there was no time left; send it again. docs/api.md lists the codes."
    )
    message: str | None = strawberry.field(description="What was got and what is wanted; null on success.")
    device: Device | None = strawberry.field(description="The claimed device, as in a list; null on error.")


@strawberry.type(description="The results of claiming several devices.")
class BulkClaim:
    results: list[ClaimResult] = strawberry.field(description="One result for each item of `certids`, in order.")


def claim_devices(
    context: Context, certids: Sequence[str], target: Target, profile: str | None, config: JSON | None
) -> BulkClaim:
    """Claim each device and return the results. Raise `InvalidInput` INVALID_COUNT or INVALID_CONFIG, `Forbidden` or
    `NotFound` if the request itself is invalid."""
    context.quota.consume(Resource.FINGERPRINTS, len(certids))
    request = claims.claim_request_for(context.services, context.caller, target, profile, config)
    parsed = [_parse(certid) for certid in certids]
    certids_given = [certid for certid in parsed if not isinstance(certid, LobbyError)]
    outcomes = iter(_claim(context, certids_given, request))
    statuses = Statuses(context.services.connections, certids_given)
    results = []
    for text, certid in zip(certids, parsed, strict=True):
        outcome = certid if isinstance(certid, LobbyError) else next(outcomes)
        results.append(_result(context, text, outcome, statuses))
    return BulkClaim(results=results)


def _parse(certid: str) -> Fingerprint | LobbyError:
    try:
        return decode_label(certid)
    except LobbyError as error:
        return error


def _claim(
    context: Context, certids: Sequence[Fingerprint], request: ClaimRequest, earlier: Refusal | None = None
) -> list[Outcome]:
    """Claim the devices and return their outcomes. After an unexpected fault each half is claimed separately, down to
    the device that causes it; devices that are already claimed are not written again. `earlier` is the fault of an
    earlier attempt that may have claimed some of the devices: they are not reported as NOT_TRIED."""
    ledger_, quota = context.services.ledger, context.quota
    try:
        outcomes = ledger_.claim_many(certids, request, context.caller.actor, quota.time_is_up)
    except Exception as error:  # noqa: BLE001  # no fault of one device may affect the others
        refusal = failures.code_and_message(error, context.correlation_id)
        if len(certids) <= 1 or quota.time_is_up():
            return [refusal] * len(certids)
        half = len(certids) // 2
        return _claim(context, certids[:half], request, refusal) + _claim(context, certids[half:], request, refusal)
    return [earlier if earlier and _is_untried(outcome) else outcome for outcome in outcomes]


def _is_untried(outcome: Outcome) -> bool:
    return isinstance(outcome, LobbyError) and outcome.code == "NOT_TRIED"


def _result(context: Context, text: str, outcome: Outcome, statuses: Statuses) -> ClaimResult:
    certid = strawberry.ID(text)
    if isinstance(outcome, ledger.Device):
        device = device_from(outcome, context.caller, in_list=True, statuses=statuses)
        return ClaimResult(certid=certid, ok=True, code=None, message=None, device=device)
    if isinstance(outcome, LobbyError):
        outcome = failures.code_and_message(outcome, context.correlation_id)
    code, message = outcome
    return ClaimResult(certid=certid, ok=False, code=code, message=message, device=None)
