"""The mutations: `addDevice` of v0.1, unchanged, and the later ones.

Each is one event in the ledger with the caller as its actor. An error means that nothing has changed. If one of several
mutations in a request fails, its result is null and the others are unaffected. `addDevice` of v0.1 returns a non-null
device, so an error there makes all of `data` null.
"""

from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from admin_api.graphql.alerts import AlertMutation
from admin_api.graphql.arguments import Account, After, Certid, Certids, Config, Profile, Region, described
from admin_api.graphql.bulk_changes import change_devices, shadows_of
from admin_api.graphql.bulk_claims import BulkClaim, claim_devices
from admin_api.graphql.campaigns import CampaignMutation
from admin_api.graphql.change_types import BulkChange, ChosenDevices, Shadows, WantedChange
from admin_api.graphql.claim_certificates import ClaimCertificateMutation
from admin_api.graphql.clones import ClonePolicy
from admin_api.graphql.context import ABSENT, Info, given, operation
from admin_api.graphql.devices import Device, ReleasedDevice, device_from
from admin_api.graphql.enrolment_mutations import EnrolmentMutation
from admin_api.graphql.enrolment_tokens import EnrolmentTokenMutation
from admin_api.graphql.lobby_regions import RegionMutation
from admin_api.graphql.reconciliation import Reconciliation, reconciled
from admin_api.graphql.serial_claims import SerialClaimMutation
from admin_api.graphql.standbys import StandbyMutation
from admin_api.graphql.targets import RegisteredTarget, TargetInput, target_from, target_named
from admin_api.graphql.transfers import TransferMutation
from admin_api.graphql.users import UserMutation
from admin_api.graphql.webhooks import WebhookMutation
from admin_api.operations import claims
from admin_api.operations.changes import change_device, changed
from admin_api.operations.target_registration import require_outside_lobby, require_region_with_iot
from lobby.domain.change_requests import MAX_WHY, ChangeOperation, ChangeRequest
from lobby.domain.lanes.lane import lane_to
from lobby.domain.lanes.lane_pace import DEFAULT_RATE, MAX_RATE, MIN_RATE
from lobby.domain.targets.target import RegisteredTarget as RegisteredTargetRow
from lobby.ledger.lanes.lane_register import Lanes
from lobby.names import parse_profile, parse_target
from lobby.text.label import decode_label

Chosen = Annotated[TargetInput, described("The target to claim the device for.")]
Code = Annotated[str, described("The eight digits that the device shows.")]
Why = Annotated[str, described(f"The reason, for the history: 1 to {MAX_WHY} printable characters.")]
Note = Annotated[
    str,
    described(f"How you know that there is one device, for the history: 1 to {MAX_WHY} printable characters."),
]
Name = Annotated[str, described("The name, which must not look like that of another target.")]
Profiles = Annotated[
    list[str] | None, described("The names of the profiles. Omitted: those it has; `default` for a new target.")
]
ExpectedName = Annotated[
    str | None,
    described("The thing name that the device is expected to have. It can be searched for until the device connects."),
]
ExpectedNames = Annotated[
    list[str | None] | None,
    described("The thing names that the devices are expected to have, in the order of `certids`; null for none."),
]
NewProfile = Annotated[str | None, described("The profile, one of the target's. Omitted: the device keeps its own.")]
NewConfig = Annotated[JSON | None, described("The configuration. Omitted: the device keeps its own.")]
Presence = Annotated[
    bool | None,
    described("Whether claims must be confirmed with a presence code. Omitted: as before; no for a new target."),
]
ClonePolicyArgument = Annotated[
    ClonePolicy | None,
    described(
        "The policy for devices whose certificates seem to be in use twice. Omitted: as before; LOBBY for a new target."
    ),
]
Rate = Annotated[
    float | None,
    described(
        f"Devices per second, {MIN_RATE:g} to {MAX_RATE:g}. Omitted: as before; {DEFAULT_RATE:g} for a new target."
    ),
]


@strawberry.type(description="The operations that change something. Each is recorded with the caller as its actor.")
class Mutation(
    EnrolmentMutation,
    ClaimCertificateMutation,
    EnrolmentTokenMutation,
    CampaignMutation,
    WebhookMutation,
    AlertMutation,
    StandbyMutation,
    SerialClaimMutation,
    UserMutation,
    RegionMutation,
    TransferMutation,
):
    @operation(
        "Claims a device for a target. A device that is claimed for another target is moved, if you may move devices.",
        deprecated="Of v0.1, kept for its clients. Use `claimDevice` or `moveDevice`.",
    )
    def add_device(self, info: Info, certid: Certid, targetaccount: Account, targetregion: Region) -> Device:
        context, target = info.context, parse_target(targetaccount, targetregion)
        row = claims.add(context.services, context.caller, decode_label(certid), target)
        return device_from(row, context.caller)

    @operation("Claims a device for a target, before or after its first connection. ALREADY_CLAIMED if it is claimed.")
    def claim_device(
        self,
        info: Info,
        certid: Certid,
        target: Chosen,
        profile: Profile = ABSENT,
        config: Config = ABSENT,
        expected_name: ExpectedName = ABSENT,
    ) -> Device | None:
        context, fingerprint, place = info.context, decode_label(certid), target_named(target)
        wanted = given(profile), given(config), given(expected_name)
        return device_from(claims.claim(context.services, context.caller, fingerprint, place, *wanted), context.caller)

    @operation("Claims up to 1,000 devices for one target, and returns a result for each.")
    def claim_devices(
        self,
        info: Info,
        certids: Certids,
        target: Chosen,
        profile: Profile = ABSENT,
        config: Config = ABSENT,
        expected_names: ExpectedNames = ABSENT,
    ) -> BulkClaim:
        place, names = target_named(target), given(expected_names)
        return claim_devices(info.context, certids, place, given(profile), given(config), names)

    @operation(
        "Confirms a claim with the presence code that the device shows, to prove that you are at the device."
        " The fifth wrong code ends the claim."
    )
    def confirm_presence(self, info: Info, certid: Certid, code: Code) -> Device | None:
        context = info.context
        row = claims.confirm(context.services, context.caller, decode_label(certid), code)
        return device_from(row, context.caller)

    @operation(
        "Moves a claimed device to another target. Omitted profile and config are kept, and shadows are left where they"
        " are."
    )
    def move_device(
        self,
        info: Info,
        certid: Certid,
        target: Chosen,
        profile: Profile = ABSENT,
        config: Config = ABSENT,
        shadows: Shadows = ABSENT,
    ) -> Device | None:
        wanted = given(profile), given(config), None, shadows_of(given(shadows))
        return _device(info, certid, ChangeRequest(ChangeOperation.MOVE, target_named(target), *wanted))

    @operation(
        "Changes the configuration or the profile of a claimed device. The target does not change. The device gets a"
        " new route. Omitted profile and config are kept."
    )
    def configure_device(
        self, info: Info, certid: Certid, profile: NewProfile = ABSENT, config: NewConfig = ABSENT
    ) -> Device | None:
        return _device(info, certid, ChangeRequest(ChangeOperation.CONFIGURE, None, given(profile), given(config)))

    @operation("Releases a claimed device, which returns to the lobby.")
    def release_device(self, info: Info, certid: Certid) -> ReleasedDevice | None:
        context, fingerprint = info.context, decode_label(certid)
        row = change_device(context.services, context.caller, fingerprint, ChangeRequest(ChangeOperation.RELEASE))
        device = device_from(row, context.caller) if row else None
        return ReleasedDevice(certid=strawberry.ID(fingerprint), forgotten=row is None, device=device)

    @operation("Revokes a device permanently, in the lobby and in every target, even before its first connection.")
    def revoke_device(self, info: Info, certid: Certid, why: Why) -> Device | None:
        return _device(info, certid, ChangeRequest(ChangeOperation.REVOKE, why=why))

    @operation("Retries failed or unfinished work: commissioning, admission, or clearing a previous target.")
    def retry_device(self, info: Info, certid: Certid) -> Device | None:
        return _device(info, certid, ChangeRequest(ChangeOperation.RETRY))

    @operation(
        "Requests a device in its target to renew its certificate, now and each day until it has. If it was not due,"
        " the deadline is in 30 days. CANNOT_RENEW: its client has not reported that it can. Can be repeated."
    )
    def renew_device(self, info: Info, certid: Certid) -> Device | None:
        return _device(info, certid, ChangeRequest(ChangeOperation.RENEW))

    @operation(
        "Dismisses the suspicion that a device's certificate is in use twice. The same evidence does not make"
        " it suspected again. NOT_SUSPECTED if it never was."
    )
    def dismiss_suspicion(self, info: Info, certid: Certid, why: Note) -> Device | None:
        return _device(info, certid, ChangeRequest(ChangeOperation.DISMISS, why=why))

    @operation(
        "Deactivates a device's certificate in the lobby and in every target, until liftQuarantine. Its claim stays."
    )
    def quarantine_device(self, info: Info, certid: Certid, why: Why) -> Device | None:
        return _device(info, certid, ChangeRequest(ChangeOperation.QUARANTINE, why=why))

    @operation(
        "Activates the certificate of a device in quarantine again. It continues with its claim, or waits in the lobby."
    )
    def lift_quarantine(self, info: Info, certid: Certid, why: Note) -> Device | None:
        return _device(info, certid, ChangeRequest(ChangeOperation.LIFT, why=why))

    @operation(
        "Moves, configures, releases, revokes, retries, renews or quarantines up to 1,000 devices, and returns a"
        " result for each. previewChange predicts the results. Can be repeated."
    )
    def change_devices(self, info: Info, change: WantedChange, devices: ChosenDevices) -> BulkChange:
        return change_devices(info.context, change, devices)

    @operation(
        "Compares a target with the ledger like reconcileTarget, and repairs the differences that the lobby can repair."
    )
    def repair_target(
        self, info: Info, account: Account, region: Region, after: After = ABSENT
    ) -> Reconciliation | None:
        target = parse_target(account, region)
        return reconciled(info.context, target, given(after), info.context.caller.actor)

    @operation(
        "Registers a target, or changes the name, profiles, `presence`, rate and `clones` of a registered one."
        " Its ExternalId stays."
    )
    def register_target(
        self,
        info: Info,
        account: Account,
        region: Region,
        name: Name,
        profiles: Profiles = ABSENT,
        presence: Presence = ABSENT,
        rate: Rate = ABSENT,
        clones: ClonePolicyArgument = ABSENT,
    ) -> RegisteredTarget:
        context, register = info.context, info.context.services.targets
        target = parse_target(account, region)
        require_region_with_iot(target.region)
        require_outside_lobby(target, context.services)
        known = tuple(parse_profile(profile) for profile in profiles or ())
        context.services.profiles.only(known)
        policy = given(clones)
        wanted = (given(presence), given(rate), str(policy.value) if policy else None)
        registered = register.register(target, name, known, context.caller.actor, *wanted)
        return target_from(registered, register.all(), context)

    @operation("Pauses a target: its devices wait, and no device is commissioned or cleared there.")
    def pause_target(self, info: Info, account: Account, region: Region) -> RegisteredTarget | None:
        context, register = info.context, info.context.services.targets
        registered = register.get(parse_target(account, region))
        Lanes().pause(lane_to(registered.target), context.caller.actor)
        return target_from(registered, register.all(), context)

    @operation("Resumes a paused target. Its devices continue within half a minute.")
    def resume_target(self, info: Info, account: Account, region: Region) -> RegisteredTarget | None:
        context, register = info.context, info.context.services.targets
        registered = register.get(parse_target(account, region))
        Lanes().resume(lane_to(registered.target))
        return target_from(registered, register.all(), context)

    @operation("Renames a target. INVALID_NAME or NAME_IMITATES for a name that could be mistaken for another one.")
    def rename_target(self, info: Info, account: Account, region: Region, name: Name) -> RegisteredTarget | None:
        target, actor = parse_target(account, region), info.context.caller.actor
        return _listed(info, info.context.services.target_administration.rename(target, name, actor))

    @operation("Archives a target: no device can be claimed for it. Its devices stay.")
    def archive_target(self, info: Info, account: Account, region: Region) -> RegisteredTarget | None:
        target, actor = parse_target(account, region), info.context.caller.actor
        return _listed(info, info.context.services.target_administration.archive(target, actor))

    @operation("Restores an archived target, so that devices can be claimed for it again.")
    def restore_target(self, info: Info, account: Account, region: Region) -> RegisteredTarget | None:
        target, actor = parse_target(account, region), info.context.caller.actor
        return _listed(info, info.context.services.target_administration.restore(target, actor))

    @operation(
        "Removes a target that was archived at least 30 seconds ago and has no devices. TARGET_IN_USE with their number"
        " otherwise. Its account is not changed."
    )
    def remove_target(self, info: Info, account: Account, region: Region) -> RegisteredTarget | None:
        target, actor = parse_target(account, region), info.context.caller.actor
        return _listed(info, info.context.services.target_administration.remove(target, actor))


def _device(info: Info, certid: str, request: ChangeRequest) -> Device:
    context = info.context
    return device_from(changed(context.services, context.caller, decode_label(certid), request), context.caller)


def _listed(info: Info, changed: RegisteredTargetRow) -> RegisteredTarget:
    return target_from(changed, info.context.services.targets.all(), info.context)
