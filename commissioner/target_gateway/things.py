"""Marks the things of devices in one target when a device arrives, and marks or removes them when it leaves.

A device's thing has the fingerprint of its first certificate as its `certid`. A mark is written only if the thing has
not changed since it was read (`expectedVersion`), so a newer registration of the device by any worker is never marked
as arrived or left. A thing with another device's `certid` or another lobby's claim is not changed.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from commissioner.target_gateway.error_translation import NOT_FOUND, code_of
from lobby.domain.targets.thing_claim import CERTID, CLAIM, Progress, ThingClaim, names_device, parse_claim
from lobby.names import Fingerprint, ThingName

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot.type_defs import AttributePayloadTypeDef

_CHANGED: Final = "VersionConflictException"
_READS: Final = 3
"""How often a thing is read before it counts as changed by a newer registration."""
_UNKNOWN: Final = "unknown"
"""The profile in the mark of a thing that an earlier version of the lobby registered without a claim."""


@dataclass(frozen=True)
class _Thing:
    """The properties of a thing, as read."""

    name: ThingName
    claim: str | None
    version: int


def mark(
    iot: "IoTClient", certid: Fingerprint, awaited: ThingClaim, name: ThingName, progress: Progress = Progress.ARRIVED
) -> bool:
    """Mark the thing of the device `certid` as arrived, or as awaited again, if it still has this claim. Return whether
    it was marked. Raise `ClientError`."""
    before = Progress.ARRIVED if progress is Progress.AWAITED else Progress.AWAITED
    thing = _own_thing(iot, certid, name)
    if thing is None or thing.claim != str(awaited.with_progress(before)):
        return False
    return _write(iot, thing, awaited.with_progress(progress)) is not None


def mark_left(iot: "IoTClient", certid: Fingerprint, name: ThingName, lobby: str, generation: int) -> int | None:
    """Mark the thing of a device that has left with the claim `generation` or an earlier one. Return the thing's new
    version; None if the thing must not be marked. Raise `ClientError`.

    The thing is read again if it has changed since it was read: by another worker, or by this mark, if its response was
    lost and the client repeated the request."""
    for _ in range(_READS):
        thing = _own_thing(iot, certid, name)
        if thing is None:
            return None
        claim = parse_claim(thing.claim) or ThingClaim(0, _UNKNOWN, lobby, certid)
        if claim.lobby != lobby or claim.generation > generation:
            return None
        if claim.progress is Progress.LEFT:
            return thing.version
        version = _write(iot, thing, claim.with_progress(Progress.LEFT))
        if version is not None:
            return version
    return None


def is_claimed_by_another(iot: "IoTClient", certificates: Collection[Fingerprint], name: ThingName, lobby: str) -> bool:
    """Return whether another lobby has registered the device with these certificates, and the device has not left.
    Raise `ClientError`."""
    attributes = _attributes_of(_described(iot, name))
    claim = parse_claim(attributes.get(CLAIM))
    is_own = names_device(attributes.get(CERTID), claim, certificates)
    return is_own and claim is not None and claim.is_held_by_another(lobby)


def remove(iot: "IoTClient", arns: Iterable[str], name: ThingName, version: int) -> None:
    """Remove the registration of a device that has left: its certificates (`arns`), which are INACTIVE, and finally the
    thing, which names the first certificate. Each step can be repeated. `version` is the version of the marked thing.
    Raise `ClientError`, also if the thing has changed since: the mark is then made again, unless a newer registration
    has changed it. AWS IoT refuses the deletion while it still counts the thing as attached."""
    for arn in arns:
        remove_certificate(iot, arn)
    _unless(NOT_FOUND, lambda: iot.delete_thing(thingName=name, expectedVersion=version))


def remove_certificate(iot: "IoTClient", arn: str) -> None:
    """Detach the policies and things of an INACTIVE certificate, then delete it. Each step can be repeated."""
    for policy in _listed(lambda: iot.list_attached_policies(target=arn)["policies"]):
        iot.detach_policy(policyName=policy["policyName"], target=arn)
    for thing in _listed(lambda: iot.list_principal_things(principal=arn)["things"]):
        iot.detach_thing_principal(thingName=thing, principal=arn)
    _unless(NOT_FOUND, lambda: iot.delete_certificate(certificateId=arn.rpartition("/")[2]))


def _own_thing(iot: "IoTClient", certid: Fingerprint, name: ThingName) -> _Thing | None:
    """Return the thing if it exists and belongs to this certificate."""
    found = _described(iot, name)
    attributes = _attributes_of(found)
    if found is None or attributes.get(CERTID) != certid:
        return None
    return _Thing(name, attributes.get(CLAIM), found["version"])


def _described(iot: "IoTClient", name: ThingName) -> Any:
    """Return the response of DescribeThing; None if there is no such thing."""
    try:
        return iot.describe_thing(thingName=name)
    except ClientError as error:
        if code_of(error) != NOT_FOUND:
            raise
        return None


def _attributes_of(thing: Any) -> dict[str, str]:
    return dict(thing.get("attributes", {})) if thing else {}


def _write(iot: "IoTClient", thing: _Thing, claim: ThingClaim) -> int | None:
    """Write the claim, and return the thing's new version; None if the thing has changed since it was read."""
    payload: AttributePayloadTypeDef = {"attributes": {CLAIM: str(claim)}, "merge": True}
    try:
        iot.update_thing(thingName=thing.name, attributePayload=payload, expectedVersion=thing.version)
    except ClientError as error:
        if code_of(error) not in (_CHANGED, NOT_FOUND):
            raise
        return None
    return thing.version + 1


def _listed(call: Any) -> list[Any]:
    try:
        return list(call())
    except ClientError as error:
        if code_of(error) != NOT_FOUND:
            raise
        return []


def _unless(code: str, call: Any) -> None:
    """Make the call, and accept this error."""
    try:
        call()
    except ClientError as error:
        if code_of(error) != code:
            raise
