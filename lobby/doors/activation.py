"""Registers the certificate of an admitted device in the lobby, and activates it: first thing and policy, then the
status.

Every step can be repeated. The ledger has reserved the name for this certificate, so an existing thing with this name
belongs to it, regardless of the thing's attributes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from botocore.exceptions import ClientError

from lobby.names import Fingerprint, ThingName

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

_EXISTS: Final = "ResourceAlreadyExistsException"
NO_ATTRIBUTES: Final[Mapping[str, str]] = MappingProxyType({})


def registered(iot: "IoTClient", certid: Fingerprint, pem: str) -> str:
    """Register a certificate INACTIVE, without its CA, and return its ARN. A certificate that is registered already,
    by an earlier attempt, by another door or by a connection of the device, is used as it is."""
    try:
        return iot.register_certificate_without_ca(certificatePem=pem, status="INACTIVE")["certificateArn"]
    except ClientError as error:
        if error.response["Error"]["Code"] != _EXISTS:
            raise
    return iot.describe_certificate(certificateId=certid)["certificateDescription"]["certificateArn"]


def activate(
    iot: "IoTClient",
    name: ThingName,
    arn: str,
    policy: str,
    attributes: Mapping[str, str] = NO_ATTRIBUTES,
    status: Literal["ACTIVE", "INACTIVE"] = "ACTIVE",
) -> None:
    """Attach the certificate `arn` to its thing and `policy`, and set its status. An INACTIVE one then needs only the
    status to become active later. The thing gets `attributes`."""
    _ensure_thing(iot, name, attributes)
    iot.attach_thing_principal(thingName=name, principal=arn, thingPrincipalType="EXCLUSIVE_THING")
    iot.attach_policy(policyName=policy, target=arn)
    iot.update_certificate(certificateId=arn.rpartition("/")[2], newStatus=status)


def register_here(iot: "IoTClient", name: ThingName, certid: Fingerprint, pem: str, policy: str) -> None:
    """Register and activate a certificate of another door or lobby. The policy is attached last. So a certificate
    without a policy is one whose registration was interrupted, and an inactive one with a policy was deactivated by
    somebody."""
    arn = registered(iot, certid, pem)
    _ensure_thing(iot, name, NO_ATTRIBUTES)
    iot.attach_thing_principal(thingName=name, principal=arn, thingPrincipalType="EXCLUSIVE_THING")
    iot.update_certificate(certificateId=certid, newStatus="ACTIVE")
    iot.attach_policy(policyName=policy, target=arn)


def has_policy(iot: "IoTClient", arn: str) -> bool:
    """Return whether a certificate has a policy."""
    return bool(iot.list_attached_policies(target=arn)["policies"])


def _ensure_thing(iot: "IoTClient", name: ThingName, attributes: Mapping[str, str]) -> None:
    try:
        if attributes:
            iot.create_thing(thingName=name, attributePayload={"attributes": dict(attributes)})
        else:
            iot.create_thing(thingName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != _EXISTS:
            raise
        if attributes:
            iot.update_thing(thingName=name, attributePayload={"attributes": dict(attributes), "merge": True})
