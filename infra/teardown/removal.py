"""Removes one device's registration from AWS IoT, in the order that AWS requires.

The certificate is set INACTIVE, its policies and things are detached, then it is deleted, and last the thing. Every
step succeeds if an earlier attempt has already done it. The thing names its certificate and exists until the last step,
so an interrupted removal is found and completed. The thing of a device that has renewed then names its other
certificates, one after the other. A detached thing counts as attached for some seconds (API reference,
DetachThingPrincipal), so a deletion that is refused for this reason is repeated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError

from infra.teardown.registry import Registry, code_of
from lobby.domain.targets.thing_claim import CERTID

_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each repetition of a deletion that is refused because a resource is still attached."""
_ATTACHED: Final = ("DeleteConflictException", "InvalidRequestException")


@dataclass(frozen=True, order=True)
class Registration:
    """A device's certificate, its things and the policies attached to it. `certid` is None if the certificate no longer
    exists. `mark` is an attribute that the thing gets first, unless it has it. `more` are the further certificates of a
    device that has renewed."""

    certid: str | None
    things: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    mark: tuple[str, str] | None = None
    more: tuple[str, ...] = ()


def remove(registry: Registry, device: Registration) -> None:
    """Remove the registration. Can be repeated. Raise `ClientError`, for example if another resource stays attached."""
    if device.mark is not None:
        for thing in device.things:
            _mark(registry, thing, *device.mark)
    if device.certid is not None:
        _remove_certificate(registry, device.certid, device)
    for certid in device.more:
        for thing in device.things:
            _mark(registry, thing, CERTID, certid)
        _remove_certificate(registry, certid, device)
    for thing in device.things:
        _until_detached(registry, lambda thing=thing: registry.call("DeleteThing", thingName=thing))  # type: ignore[misc]


def _mark(registry: Registry, thing: str, attribute: str, value: str) -> None:
    payload = {"attributes": {attribute: value}, "merge": True}
    registry.call_if_present("UpdateThing", thingName=thing, attributePayload=payload)


def _remove_certificate(registry: Registry, certid: str, device: Registration) -> None:
    arn = registry.certificate_arn(certid)
    if not registry.call_if_present("UpdateCertificate", certificateId=certid, newStatus="INACTIVE"):
        return
    _detach(registry, arn, device.policies, device.things)

    def detach_the_rest() -> None:
        policies = registry.call("ListAttachedPolicies", target=arn)["policies"]
        things = registry.call("ListPrincipalThings", principal=arn)["things"]
        _detach(registry, arn, tuple(each["policyName"] for each in policies), tuple(things))

    _until_detached(
        registry, lambda: registry.call_if_present("DeleteCertificate", certificateId=certid), detach_the_rest
    )


def _detach(registry: Registry, arn: str, policies: tuple[str, ...], things: tuple[str, ...]) -> None:
    for policy in policies:
        registry.call_if_present("DetachPolicy", policyName=policy, target=arn)
    for thing in things:
        registry.call_if_present("DetachThingPrincipal", thingName=thing, principal=arn)


def _until_detached(
    registry: Registry, delete: Callable[[], object], detach_the_rest: Callable[[], None] | None = None
) -> None:
    """Repeat a deletion while AWS IoT reports attached resources. Detach them between the repetitions."""
    for pause in (*_PAUSES, None):
        try:
            delete()
        except ClientError as error:
            if code_of(error) not in _ATTACHED or pause is None:
                raise
            registry.sleep(pause)
            if detach_the_rest is not None:
                detach_the_rest()
        else:
            return
