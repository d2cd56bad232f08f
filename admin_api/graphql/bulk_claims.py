"""Claiming many devices for one target in one request, with a result for each.

What concerns all of them is settled once, first: how many there are, whether the caller may send anything
there, the target, its profile, the config. A fault there is the whole request's and changes nothing. After that
each device stands for itself: one that is refused, or that something unforeseen befalls, holds nobody up, and a
list that is sent twice claims nothing twice.
"""

from collections.abc import Sequence

import strawberry
from strawberry.scalars import JSON

from admin_api import claims, failures
from admin_api.graphql.context import Context
from admin_api.graphql.devices import Device, shown_device
from admin_api.graphql.limits import Share
from lobby.domain import device as ledger
from lobby.domain.transitions import ClaimRequest
from lobby.errors import LobbyError
from lobby.names import Fingerprint, Target
from lobby.wire import decode_label

Refusal = tuple[str, str]
"""A code and a message."""
Outcome = ledger.Device | LobbyError | Refusal


@strawberry.type(description="What became of one device of a bulk.")
class ClaimResult:
    certid: strawberry.ID = strawberry.field(description="As it was given.")
    ok: bool
    code: str | None = strawberry.field(
        description="Why not: as `extensions.code`; NOT_TRIED where the time was up, so send it again."
    )
    message: str | None
    device: Device | None = strawberry.field(description="As in a list: null unless it is claimed.")


@strawberry.type(description="What became of each.")
class BulkClaim:
    results: list[ClaimResult] = strawberry.field(description="One for each `certid` given, in that order.")


def claim_devices(
    context: Context, certids: Sequence[str], target: Target, profile: str | None, config: JSON | None
) -> BulkClaim:
    """Raises `InvalidInput` INVALID_COUNT or INVALID_CONFIG, `Forbidden`, `NotFound` for all of them together."""
    context.allowance.take(Share.FINGERPRINTS, len(certids))
    wish = claims.wish_for(context.services, context.caller, target, profile, config)
    read = [_read(certid) for certid in certids]
    outcomes = iter(_claim(context, [certid for certid in read if not isinstance(certid, LobbyError)], wish))
    results = []
    for given, certid in zip(certids, read, strict=True):
        outcome = certid if isinstance(certid, LobbyError) else next(outcomes)
        results.append(_result(context, given, outcome))
    return BulkClaim(results=results)


def _read(certid: str) -> Fingerprint | LobbyError:
    try:
        return decode_label(certid)
    except LobbyError as fault:
        return fault


def _claim(
    context: Context, certids: Sequence[Fingerprint], wish: ClaimRequest, broken: Refusal | None = None
) -> list[Outcome]:
    """What became of each. Where something unforeseen happens, halves are tried on their own, down to the device
    that it befalls; what is claimed already stays so, and is not written again. `broken`: what befell an earlier
    try, which may have claimed any of them, so that none can be said to be untried."""
    try:
        done = context.services.ledger.claim_many(certids, wish, context.caller.actor, context.allowance.time_is_up)
    except Exception as fault:  # noqa: BLE001  # whatever it is, the others shall stand
        refusal = failures.told_of_one(fault, context.correlation)
        if len(certids) <= 1 or context.allowance.time_is_up():
            return [refusal] * len(certids)
        half = len(certids) // 2
        return _claim(context, certids[:half], wish, refusal) + _claim(context, certids[half:], wish, refusal)
    return [broken if broken and _is_untried(outcome) else outcome for outcome in done]


def _is_untried(outcome: Outcome) -> bool:
    return isinstance(outcome, LobbyError) and outcome.code == "NOT_TRIED"


def _result(context: Context, given: str, outcome: Outcome) -> ClaimResult:
    certid = strawberry.ID(given)
    if isinstance(outcome, ledger.Device):
        device = shown_device(outcome, context.caller, whole=False)
        return ClaimResult(certid=certid, ok=True, code=None, message=None, device=device)
    refusal = failures.told_of_one(outcome, context.correlation) if isinstance(outcome, LobbyError) else outcome
    return ClaimResult(certid=certid, ok=False, code=refusal[0], message=refusal[1], device=None)
