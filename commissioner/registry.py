"""AWS IoT's registry in one target: a device's certificate, thing and policy put there, or put out of use.

Every step may be repeated and finds done what an earlier try did. A thing carries its certificate's
fingerprint as an attribute, so AWS IoT itself refuses a second device of the same name, at no extra call.
Nothing is ever deleted here: what the lobby leaves behind is inactive and can do nothing.
"""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from commissioner.failures import Refused, code_of
from commissioner.sessions import TargetSession
from lobby.ledger.targets import profile_policy
from lobby.names import Fingerprint, Target, ThingName
from lobby.wire import Reset, lobby_topic

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

CERTID: Final = "certid"
_EXISTS: Final = "ResourceAlreadyExistsException"
_ABSENT: Final = "ResourceNotFoundException"


def certificate_arn(target: Target, certid: Fingerprint) -> str:
    return f"arn:aws:iot:{target.region}:{target.account}:cert/{certid}"


def register(session: TargetSession, certid: Fingerprint, pem: str, name: ThingName, profile: str) -> None:
    """The certificate ACTIVE, bound to its thing, with its profile's policy. Raises `ClientError` or `Refused`
    TARGET_NAME_TAKEN. The thing comes first: a name that is taken leaves no certificate behind."""
    arn = certificate_arn(session.target, certid)
    _ensure_thing(session.iot, certid, name)
    try:
        session.iot.register_certificate_without_ca(certificatePem=pem, status="ACTIVE")
    except ClientError as error:
        if code_of(error) != _EXISTS:
            raise
        session.iot.update_certificate(certificateId=certid, newStatus="ACTIVE")
    session.iot.attach_thing_principal(thingName=name, principal=arn)
    session.iot.attach_policy(policyName=profile_policy(profile), target=arn)


def _ensure_thing(iot: "IoTClient", certid: Fingerprint, name: ThingName) -> None:
    try:
        iot.create_thing(thingName=name, attributePayload={"attributes": {CERTID: certid}})
    except ClientError as error:
        if code_of(error) != _EXISTS:
            raise
        holder = iot.describe_thing(thingName=name).get("attributes", {}).get(CERTID, "unknown")
        if holder != certid:
            raise Refused("TARGET_NAME_TAKEN", f"got thing {name}, which is of certificate {holder}") from None


def say_goodbye(session: TargetSession, name: ThingName) -> None:
    """Tells a device that listens in this target to go back to the lobby."""
    session.iot_data.publish(topic=lobby_topic(name), qos=1, payload=Reset().encode())


def deactivate(iot: "IoTClient", certid: Fingerprint) -> None:
    """The certificate can connect no more; AWS IoT ends its sessions within minutes (developer guide,
    "Activate or deactivate a client certificate"). One that was never registered is as good as inactive."""
    try:
        iot.update_certificate(certificateId=certid, newStatus="INACTIVE")
    except ClientError as error:
        if code_of(error) != _ABSENT:
            raise
