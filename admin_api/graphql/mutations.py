"""What may be changed: v0.1's addDevice as it was, and ours beside it.

Each is one event of the ledger, made in the caller's name. Refused is whatever the caller's role, the
registered targets or the device's state do not allow; then nothing has changed. Where several are asked for
in one request, one that is refused is null, beside its error, and the others stand; v0.1's addDevice promises
a device, so there one refusal leaves the answer without data.
"""

import strawberry
from strawberry.scalars import JSON

from admin_api import claims
from admin_api.graphql import bulk_claims
from admin_api.graphql.context import ABSENT, Info, given, operation
from admin_api.graphql.devices import Device, ReleasedDevice, shown_device
from admin_api.graphql.reconciliation import Reconciliation, reconciled
from admin_api.graphql.targets import TargetEntry, TargetInput, shown_target, target_named
from admin_api.services import Services
from admin_api.target_registration import require_iot_region
from lobby.errors import InvalidInput
from lobby.names import Target, parse_target, shown
from lobby.wire import decode_label

MAX_WHY = 200


@strawberry.type
class Mutation:
    @operation("v0.1. Claims a device for a target. Claimed for another one, it is moved, if you may move devices.")
    def add_device(self, info: Info, certid: strawberry.ID, targetaccount: str, targetregion: str) -> Device:
        context, target = info.context, parse_target(targetaccount, targetregion)
        row = claims.add(context.services, context.caller, decode_label(certid), target)
        return shown_device(row, context.caller)

    @operation("Claims a device for a target, before or after it is first seen. ALREADY_CLAIMED if it is.")
    def claim_device(
        self,
        info: Info,
        certid: strawberry.ID,
        target: TargetInput,
        profile: str | None = ABSENT,
        config: JSON | None = ABSENT,
    ) -> Device | None:
        context = info.context
        row = claims.claim(
            context.services, context.caller, decode_label(certid), target_named(target), given(profile), given(config)
        )
        return shown_device(row, context.caller)

    @operation("Claims up to 1,000 devices for one target, with a result for each.")
    def claim_devices(
        self,
        info: Info,
        certids: list[strawberry.ID],
        target: TargetInput,
        profile: str | None = ABSENT,
        config: JSON | None = ABSENT,
    ) -> bulk_claims.BulkClaim:
        return bulk_claims.claim_devices(info.context, certids, target_named(target), given(profile), given(config))

    @operation(
        "Proves that you stand at a device that is proving: the code that it shows. Five wrong ones end the claim."
    )
    def confirm_presence(self, info: Info, certid: strawberry.ID, code: str) -> Device | None:
        context = info.context
        return shown_device(
            claims.confirm(context.services, context.caller, decode_label(certid), code), context.caller
        )

    @operation("Sends a claimed device elsewhere. Profile and config stay unless they are given.")
    def move_device(
        self,
        info: Info,
        certid: strawberry.ID,
        target: TargetInput,
        profile: str | None = ABSENT,
        config: JSON | None = ABSENT,
    ) -> Device | None:
        context = info.context
        row = claims.move(
            context.services, context.caller, decode_label(certid), target_named(target), given(profile), given(config)
        )
        return shown_device(row, context.caller)

    @operation("Takes a claim back: the device returns to the lobby.")
    def release_device(self, info: Info, certid: strawberry.ID) -> ReleasedDevice | None:
        context, fingerprint = info.context, decode_label(certid)
        row = context.services.ledger.release(fingerprint, context.caller.actor)
        left = shown_device(row, context.caller) if row else None
        return ReleasedDevice(certid=strawberry.ID(fingerprint), forgotten=row is None, device=left)

    @operation("Bans a certificate for good, here and in every target, also before it was ever seen.")
    def revoke_device(self, info: Info, certid: strawberry.ID, why: str) -> Device | None:
        context = info.context
        row = context.services.ledger.revoke(decode_label(certid), _reason(why), context.caller.actor)
        return shown_device(row, context.caller)

    @operation("Has what failed, or was left unfinished, tried again.")
    def retry_device(self, info: Info, certid: strawberry.ID) -> Device | None:
        context = info.context
        return shown_device(context.services.ledger.retry(decode_label(certid), context.caller.actor), context.caller)

    @operation(
        "Compares a target with the ledger like reconcileTarget, and repairs the differences that the lobby can repair."
    )
    def repair_target(self, info: Info, account: str, region: str, after: str | None = ABSENT) -> Reconciliation | None:
        target = parse_target(account, region)
        return reconciled(info.context, target, given(after), info.context.caller.actor)

    @operation("Registers a target, or renames one and sets its profiles and `presence`; its external id stays.")
    def register_target(
        self,
        info: Info,
        account: str,
        region: str,
        name: str,
        profiles: list[str] | None = ABSENT,
        presence: bool | None = ABSENT,
    ) -> TargetEntry:
        context, register = info.context, info.context.services.targets
        wanted = parse_target(account, region)
        require_iot_region(wanted.region)
        require_elsewhere(wanted, info.context.services)
        target = register.register(wanted, name, tuple(profiles or ()), context.caller.actor, given(presence))
        return shown_target(target, register.all(), context)


def require_elsewhere(target: Target, services: Services) -> None:
    """A device's certificate can be either in the lobby or in a target of one account and Region, not both."""
    if (target.account, target.region) == (services.lobby_account, services.lobby_region):
        raise InvalidInput("INVALID_TARGET", f"got {target}, the lobby's own place, want another account or Region")


def _reason(why: str) -> str:
    text = why.strip()
    if not 0 < len(text) <= MAX_WHY or not text.isprintable():
        raise InvalidInput("INVALID_REASON", f"got {shown(why)}, want 1 to {MAX_WHY} printable characters")
    return text
