"""AWS IoT's registry in one target: registers a device's certificate, thing and policy, or deactivates them.

Every step can be repeated and accepts the results of an earlier attempt. A thing gets the type, attributes and groups
of its device's profile, and two attributes that identify it: the fingerprint of its first certificate, so that AWS IoT
itself rejects a second device with the same name, and its claim, which the target's rules read. Nothing is deleted
here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from commissioner.errors import TargetRefusal
from commissioner.target_gateway.error_translation import NOT_FOUND, code_of
from commissioner.target_gateway.sessions import TargetSession
from lobby.aws.device_messages import send
from lobby.domain.device import Device
from lobby.domain.targets.profile import Profiles
from lobby.domain.targets.target import profile_policy
from lobby.domain.targets.thing import ThingChanges, ThingFacts, changes, required
from lobby.domain.targets.thing_claim import CERTID, CLAIM, IDENTITY_ATTRIBUTES, ThingClaim, names_device, parse_claim
from lobby.names import Fingerprint, Target, ThingName
from lobby.wire import RenewalRequest, Reset, Route

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient

_EXISTS: Final = "ResourceAlreadyExistsException"
logger: Final = Logger(service="commissioner")


@dataclass(frozen=True)
class Registration:
    """How a device is registered: the status of its certificates, and the generation of its claim there (None: the
    row's generation)."""

    status: str = "ACTIVE"
    generation: int | None = None


ACTIVE_NOW: Final = Registration()


def certificate_arn(target: Target, certid: Fingerprint) -> str:
    return f"arn:aws:iot:{target.region}:{target.account}:cert/{certid}"


def register(
    session: TargetSession,
    device: Device,
    name: ThingName,
    profiles: Profiles,
    lobby: str,
    is_former: Callable[[Fingerprint], bool],
    wanted: Registration = ACTIVE_NOW,
) -> None:
    """Register the device's certificates as `wanted`, bound to its thing, with the policy of its profile and of no
    other profile. The thing gets the profile's type, attributes and groups, and the claim of `lobby` (its key), which
    names the awaited certificate. During a renewal, there are two certificates. If the thing belongs to a former device
    whose name has gone to this one (`is_former`), the thing becomes this device's.

    Raise `ClientError`, or `TargetRefusal` TARGET_NAME_TAKEN or TARGET_REVOKED_CERTIFICATE. The thing is completed
    first, so that a taken name or a missing group leaves no certificate behind.
    """
    claim = ThingClaim(wanted.generation or device.generation, device.profile, lobby, device.awaited)
    _ensure_thing(session.iot, device, claim, name, profiles, is_former)
    for certificate, pem in device.pems().items():
        _register_certificate(session, device, certificate, pem, name, wanted.status)


def _register_certificate(
    session: TargetSession, device: Device, certificate: Fingerprint, pem: str, name: ThingName, status: str
) -> None:
    policy, arn = profile_policy(device.profile), certificate_arn(session.target, certificate)
    try:
        session.iot.register_certificate_without_ca(certificatePem=pem, status=status)  # type: ignore[arg-type]
    except ClientError as error:
        if code_of(error) != _EXISTS:
            raise
        if status == "ACTIVE":
            activate(session, certificate)
        else:
            deactivate(session.iot, certificate)
    session.iot.attach_thing_principal(thingName=name, principal=arn, thingPrincipalType="EXCLUSIVE_THING")
    session.iot.attach_policy(policyName=policy, target=arn)
    if device.generation > 1:
        detach_policies(session.iot, arn, kept=policy)


def activate(session: TargetSession, certid: Fingerprint) -> None:
    """Activate a registered certificate. If the target's owner has revoked it, it stays revoked."""
    status = session.iot.describe_certificate(certificateId=certid)["certificateDescription"]["status"]
    if status == "REVOKED":
        message = f"got certificate {certid}, which is REVOKED in {session.target}"
        raise TargetRefusal.with_advice("TARGET_REVOKED_CERTIFICATE", message)
    if status != "ACTIVE":
        session.iot.update_certificate(certificateId=certid, newStatus="ACTIVE")


def activate_in_lobby(iot: "IoTClient", certid: Fingerprint) -> None:
    """Activate a certificate in the lobby, unless it was deleted or an administrator has revoked it."""
    try:
        status = iot.describe_certificate(certificateId=certid)["certificateDescription"]["status"]
        if status == "INACTIVE":
            iot.update_certificate(certificateId=certid, newStatus="ACTIVE")
    except ClientError as error:
        if code_of(error) != NOT_FOUND:
            raise


def detach_policies(iot: "IoTClient", arn: str, kept: str | None = None) -> None:
    """Detach the policies of earlier claims in this target from a certificate. Policies that are not the lobby's stay
    attached."""
    for policy in iot.list_attached_policies(target=arn)["policies"]:
        name = policy["policyName"]
        if name.startswith(profile_policy("")) and name != kept:
            iot.detach_policy(policyName=name, target=arn)


def _ensure_thing(
    iot: "IoTClient",
    device: Device,
    claim: ThingClaim,
    name: ThingName,
    profiles: Profiles,
    is_former: Callable[[Fingerprint], bool],
) -> None:
    """Create the thing, or change an existing one as profile and enrolment require. Each step can be repeated."""
    certid, profile = device.certid, required(profiles.get(claim.profile), device.thing_settings)
    identity = {CERTID: certid, CLAIM: str(claim)}
    thing_type = profile.thing_type.name if profile.thing_type else None
    found = ThingFacts(thing_type, dict(profile.attributes))
    outdated: dict[str, str] = {}
    # AWS returns no error for an existing thing with the same type and attributes, whatever its groups are.
    may_exist = claim.generation > 1 and bool(profiles.thing_groups() or profiles.billing_groups())
    try:
        optional: Any = {"thingTypeName": thing_type} if thing_type else {}
        attributes = dict(profile.attributes) | identity
        iot.create_thing(thingName=name, attributePayload={"attributes": attributes}, **optional)
    except ClientError as error:
        if code_of(error) != _EXISTS:
            raise
        may_exist = True
    if may_exist:
        thing = _existing_thing(iot, device, claim, name, is_former)
        found = facts_of(iot, thing, profiles)
        outdated = {key: value for key, value in identity.items() if thing["attributes"].get(key) != value}
    wanted = changes(found, profile, profiles)
    _apply(iot, name, replace(wanted, attributes={**wanted.attributes, **outdated}))


def _existing_thing(
    iot: "IoTClient", device: Device, claim: ThingClaim, name: ThingName, is_former: Callable[[Fingerprint], bool]
) -> Any:
    """Return the thing, from DescribeThing: the device's own, also as another lobby has registered it, or that of a
    former device. Raise `TargetRefusal` TARGET_NAME_TAKEN."""
    thing = iot.describe_thing(thingName=name)
    attributes = thing.get("attributes", {})
    holder, held = attributes.get(CERTID, "unknown"), parse_claim(attributes.get(CLAIM))
    is_ours = held is not None and held.lobby == claim.lobby and held.certid == holder
    is_own = names_device(holder, held, device.known_certificates)
    if not is_own and not (is_ours and is_former(Fingerprint(holder))):
        message = f"got thing {name}, which belongs to certificate {holder}"
        raise TargetRefusal.with_advice("TARGET_NAME_TAKEN", message) from None
    return thing


def facts_of(iot: "IoTClient", thing: Any, profiles: Profiles) -> ThingFacts:
    """Return the properties of a thing from the response of DescribeThing. Its groups are listed only if a profile
    names any."""
    groups: list[str] = []
    if profiles.thing_groups():
        pages = iot.get_paginator("list_thing_groups_for_thing").paginate(thingName=thing["thingName"])
        groups = [group["groupName"] for page in pages for group in page["thingGroups"]]
    named, found = profiles.attribute_names(), thing.get("attributes", {})
    attributes = {key: value for key, value in found.items() if key in named}
    others = len({*IDENTITY_ATTRIBUTES, *found} - named)
    return ThingFacts(thing.get("thingTypeName"), attributes, tuple(groups), thing.get("billingGroupName"), others)


def _apply(iot: "IoTClient", name: ThingName, wanted: ThingChanges) -> None:
    update = wanted.update()
    if update:
        iot.update_thing(thingName=name, **update)
    for group in wanted.left_groups:  # first, because a thing is in at most ten groups
        iot.remove_thing_from_thing_group(thingName=name, thingGroupName=group)
    for group in wanted.joins:
        iot.add_thing_to_thing_group(thingName=name, thingGroupName=group)
    if wanted.leaves:
        iot.remove_thing_from_billing_group(thingName=name, billingGroupName=wanted.leaves)
    if wanted.billing_group:
        iot.add_thing_to_billing_group(thingName=name, billingGroupName=wanted.billing_group)


def publish(session: TargetSession, name: ThingName, message: Route | Reset | RenewalRequest) -> None:
    """Publish a message for a device that is connected to this target, or may be."""
    send(session.iot_data, name, message)


def deactivate(iot: "IoTClient", certid: Fingerprint) -> None:
    """Set the certificate INACTIVE. It can no longer be used to connect, and AWS IoT ends its sessions within minutes
    (developer guide, "Activate or deactivate a client certificate"). A certificate that is not registered needs no
    change."""
    try:
        iot.update_certificate(certificateId=certid, newStatus="INACTIVE")
    except ClientError as error:
        if code_of(error) != NOT_FOUND:
            raise


def disconnect(iot_data: Callable[[], "IoTDataPlaneClient"], name: ThingName) -> None:
    """End the device's connection and its session, with all waiting messages (API reference, DeleteConnection).

    The call only saves time, because AWS IoT ends the sessions of an inactive certificate anyway. So a failure is
    logged and not raised; for example, the role of an earlier version does not allow the call."""
    try:
        iot_data().delete_connection(clientId=name, cleanSession=True)
    except (ClientError, BotoCoreError) as error:
        if not isinstance(error, ClientError) or code_of(error) != NOT_FOUND:
            logger.warning("not disconnected", extra={"thing": name, "error": f"{type(error).__name__}: {error}"})
