"""Claiming many devices for one target in one request, with a result for each.

What concerns all of them is settled once, first: how many there are, whether the caller may send anything
there, the target, its profile, the config. A fault there is the whole request's and changes nothing. After that
each device stands for itself: one that is refused holds nobody up, and a list that was sent twice claims
nothing twice.
"""

from collections.abc import Sequence

import strawberry
from strawberry.scalars import JSON

from admin_api import claims, failures
from admin_api.context import Context
from admin_api.device_types import Device, shown_device
from lobby.errors import LobbyError
from lobby.ledger import device as ledger
from lobby.names import Fingerprint, Target
from lobby.wire import decode_label

Outcome = ledger.Device | LobbyError


@strawberry.type(description="What became of one device of a bulk.")
class ClaimResult:
    certid: strawberry.ID = strawberry.field(description="As it was given.")
    ok: bool
    code: str | None = strawberry.field(
        description="Why not: as `extensions.code`, or NOT_TRIED where the time was up. Nothing has changed then."
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
    context.allowance.take(len(certids))
    wish = claims.wish_for(context.services, context.caller, target, profile, config)
    read = [_read(certid) for certid in certids]
    wanted = list(dict.fromkeys(certid for certid in read if not isinstance(certid, LobbyError)))
    done = context.services.ledger.claim_many(wanted, wish, context.caller.actor, context.allowance.time_is_up)
    outcomes = dict(zip(wanted, done, strict=True))
    return BulkClaim(
        results=[
            _result(context, given, found if isinstance(found, LobbyError) else outcomes[found])
            for given, found in zip(certids, read, strict=True)
        ]
    )


def _read(certid: str) -> Fingerprint | LobbyError:
    try:
        return decode_label(certid)
    except LobbyError as fault:
        return fault


def _result(context: Context, certid: str, outcome: Outcome) -> ClaimResult:
    given = strawberry.ID(certid)
    if isinstance(outcome, LobbyError):
        code, message = failures.told_of_one(outcome, context.correlation)
        return ClaimResult(certid=given, ok=False, code=code, message=message, device=None)
    device = shown_device(outcome, context.caller, whole=False)
    return ClaimResult(certid=given, ok=True, code=None, message=None, device=device)
