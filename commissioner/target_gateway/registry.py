"""AWS IoT's registry in one target: a device's certificate, thing and policy put there, or put out of use.

Every step may be repeated and finds done what an earlier try did. A thing carries its certificate's
fingerprint as an attribute, so AWS IoT itself refuses a second device of the same name, at no extra call.
Nothing is ever deleted here: what the lobby leaves behind is inactive and can do nothing.
"""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from commissioner.errors import Refused, code_of
from commissioner.target_gateway.sessions import TargetSession
from lobby.domain.device import Device
from lobby.domain.target import profile_policy
from lobby.names import Fingerprint, Target, ThingName
from lobby.wire import Reset, Route, lobby_topic

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

CERTID: Final = "certid"
_EXISTS: Final = "ResourceAlreadyExistsException"
_ABSENT: Final = "ResourceNotFoundException"


def certificate_arn(target: Target, certid: Fingerprint) -> str:
    return f"arn:aws:iot:{target.region}:{target.account}:cert/{certid}"


def register(session: TargetSession, device: Device, pem: str, name: ThingName) -> None:
    """The certificate ACTIVE, bound to its thing, with its profile's policy and no other's. Raises `ClientError` or
    `Refused` TARGET_NAME_TAKEN, TARGET_REVOKED_CERTIFICATE. The thing comes first: a name that is taken leaves no
    certificate behind."""
    certid, policy = device.certid, profile_policy(device.profile)
    arn = certificate_arn(session.target, certid)
    _ensure_thing(session.iot, certid, name)
    try:
        session.iot.register_certificate_without_ca(certificatePem=pem, status="ACTIVE")
    except ClientError as error:
        if code_of(error) != _EXISTS:
            raise
        _reactivate(session, certid)
    session.iot.attach_thing_principal(thingName=name, principal=arn)
    session.iot.attach_policy(policyName=policy, target=arn)
    if device.generation > 1:
        _drop_other_profiles(session.iot, arn, policy)


def _reactivate(session: TargetSession, certid: Fingerprint) -> None:
    """What was put out of use when the device left is in use again; what the target's owner has revoked is not."""
    status = session.iot.describe_certificate(certificateId=certid)["certificateDescription"]["status"]
    if status == "REVOKED":
        raise Refused("TARGET_REVOKED_CERTIFICATE", f"got certificate {certid}, which is REVOKED in {session.target}")
    if status != "ACTIVE":
        session.iot.update_certificate(certificateId=certid, newStatus="ACTIVE")


def _drop_other_profiles(iot: "IoTClient", arn: str, kept: str) -> None:
    """What an earlier claim in this target allowed is not allowed any more. Policies that are not ours stay."""
    for found in iot.list_attached_policies(target=arn)["policies"]:
        name = found["policyName"]
        if name.startswith(profile_policy("")) and name != kept:
            iot.detach_policy(policyName=name, target=arn)


def _ensure_thing(iot: "IoTClient", certid: Fingerprint, name: ThingName) -> None:
    try:
        iot.create_thing(thingName=name, attributePayload={"attributes": {CERTID: certid}})
    except ClientError as error:
        if code_of(error) != _EXISTS:
            raise
        holder = iot.describe_thing(thingName=name).get("attributes", {}).get(CERTID, "unknown")
        if holder != certid:
            raise Refused("TARGET_NAME_TAKEN", f"got thing {name}, which is of certificate {holder}") from None


def tell(session: TargetSession, name: ThingName, message: Route | Reset) -> None:
    """Something for a device that is, or may be, in this target."""
    session.iot_data.publish(topic=lobby_topic(name), qos=1, payload=message.encode())


def say_goodbye(session: TargetSession, name: ThingName) -> None:
    """Tells a device that listens in this target to go back to the lobby."""
    tell(session, name, Reset())


def deactivate(iot: "IoTClient", certid: Fingerprint) -> None:
    """The certificate can connect no more; AWS IoT ends its sessions within minutes (developer guide,
    "Activate or deactivate a client certificate"). One that was never registered is as good as inactive."""
    try:
        iot.update_certificate(certificateId=certid, newStatus="INACTIVE")
    except ClientError as error:
        if code_of(error) != _ABSENT:
            raise
