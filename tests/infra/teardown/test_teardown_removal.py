"""Removing registrations: in the order that AWS requires, completely after any interruption, and only those of the
lobby."""

import json
from contextlib import suppress
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from moto.iot.models import iot_backends

from infra.errors import InfraError
from infra.teardown import inventory
from infra.teardown.fleet import remove_all
from infra.teardown.removal import Registration, remove
from infra.teardown.stacks import Stack
from infra.teardown.target import remove_devices
from lobby.lobby_names import LobbyNames
from tests.aws import HOME, Calls, CutOff, client
from tests.certificates import authority, fingerprint_of, pem_of
from tests.certificates import device as new_certificate
from tests.infra.teardown.registrations import POLICY, Registered, left, register, unpaced

CHANGES = ("UpdateThing", "UpdateCertificate", "Detach", "Delete")


def found() -> inventory.Inventory:
    return inventory.of_target(unpaced(), [POLICY], LobbyNames())


def ours(device: Registered) -> Registration:
    return Registration(device.certid, (device.thing,), (POLICY,))


def conflict(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "still attached"}}, "Delete")


def test_a_device_is_removed_in_the_order_that_aws_requires(calls: Calls) -> None:
    device = register("sensor-1")
    calls.forget()
    remove(unpaced(), ours(device))
    assert calls.names() == [
        "UpdateCertificate",
        "DetachPolicy",
        "DetachThingPrincipal",
        "DeleteCertificate",
        "DeleteThing",
    ]
    assert left() == (set(), set())


CLAIM = {"claim": f"1:default:left:111122223333/eu-west-1:{'ab' * 32}"}


def test_the_claim_of_a_thing_names_its_lobby(calls: Calls) -> None:
    """The attached policies do not matter. So the thing needs no additional attribute (it may have three)."""
    theirs = {name: value.replace("eu-west-1", "eu-west-1/staging") for name, value in CLAIM.items()}
    for name, policy, attributes in (("ours", None, CLAIM), ("theirs", None, theirs)):
        device = register(name, policy)
        merged = {"attributes": attributes, "merge": True}
        client("iot").update_thing(thingName=device.thing, attributePayload=merged)
    assert [(each.things, each.mark) for each in found().registrations] == [(("ours",), None)]
    remove_devices(unpaced(), found, lambda _line: None)
    assert left()[1] == {"theirs"}


@pytest.mark.parametrize(
    "attributes",
    [None, {"lobby": "device-lobby"}, CLAIM],
    ids=["earlier version", "with the lobby's name", "with a claim"],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_removal_that_is_cut_off_anywhere_is_completed_by_a_repetition(
    calls: Calls, when: str, attributes: dict[str, str] | None
) -> None:
    cuts = 0
    for number in range(1, 100):
        with calls.uncounted():
            device = register(f"sensor-{number}")
            if attributes is not None:
                merged = {"attributes": attributes, "merge": True}
                client("iot").update_thing(thingName=device.thing, attributePayload=merged)
        calls.forget()
        calls.cut_before, calls.cut_after = (number, None) if when == "before" else (None, number)
        try:
            remove_devices(unpaced(), found, lambda _line: None)
        except CutOff:
            cuts += 1
        calls.cut_before = calls.cut_after = None
        remove_devices(unpaced(), found, lambda _line: None)
        assert left() == (set(), set())
        if len(calls.made) < number:
            break
    assert cuts >= 8


def test_the_policy_can_be_deleted_afterwards(calls: Calls) -> None:
    register("sensor-1")
    with pytest.raises(ClientError, match="DeleteConflict"):
        client("iot").delete_policy(policyName=POLICY)
    remove_devices(unpaced(), found, lambda _line: None)
    client("iot").delete_policy(policyName=POLICY)


@pytest.mark.parametrize("code", ["DeleteConflictException", "InvalidRequestException"])
def test_a_deletion_is_repeated_while_aws_still_sees_an_attachment(calls: Calls, code: str) -> None:
    device = register("sensor-1")
    answers = {"DeleteCertificate": 2, "DeleteThing": 3}

    def late(operation: str) -> Any:
        def answer(_parameters: dict[str, Any], call: Any) -> Any:
            if answers[operation]:
                answers[operation] -= 1
                raise conflict(code)
            return call()

        return answer

    calls.instead = {operation: late(operation) for operation in answers}
    remove(unpaced(), ours(device))
    assert left() == (set(), set())


def test_resources_that_the_owner_attached_to_a_certificate_are_detached(calls: Calls) -> None:
    device = register("sensor-1")
    client("iot").create_policy(policyName="extra", policyDocument="{}")
    client("iot").attach_policy(policyName="extra", target=device.arn)
    client("iot").create_thing(thingName="gateway")
    client("iot").attach_thing_principal(thingName="gateway", principal=device.arn)
    remove(unpaced(), ours(device))
    assert left() == (set(), {"gateway"})


def test_only_registrations_of_this_lobby_are_removed(calls: Calls) -> None:
    register("ours")
    client("iot").create_policy(policyName="theirs", policyDocument="{}")
    others = [
        register("without-policy", policy=None),
        register("other-policy", policy="theirs"),
        register("other-lobby", policy="theirs", attributes={"certid": "0" * 64, "lobby": "device-lobby-staging"}),
        register("other-attribute", policy="theirs", attributes={"certid": "sensor"}),
        register("inactive", policy=None, status="INACTIVE"),
    ]
    client("iot").create_thing(thingName="alone", attributePayload={"attributes": {"certid": "1" * 64}})
    remove_devices(unpaced(), found, lambda _line: None)
    assert left() == ({each.certid for each in others}, {each.thing for each in others} | {"alone"})


def test_a_certificate_that_its_interrupted_registration_left_without_a_thing_is_removed(calls: Calls) -> None:
    device = register("sensor-1")
    client("iot").detach_thing_principal(thingName=device.thing, principal=device.arn)
    client("iot").delete_thing(thingName=device.thing)
    remove_devices(unpaced(), found, lambda _line: None)
    assert left() == (set(), set())


def test_a_policy_that_others_use_stops_the_removal_with_their_names(calls: Calls) -> None:
    other = register("other", attributes={"owner": "someone"})
    register("ours")
    with pytest.raises(InfraError, match=f"POLICY_IN_USE: .*{other.certid}"):
        remove_devices(unpaced(), found, lambda _line: None)
    assert left() == ({other.certid}, {other.thing})


def test_a_device_that_cannot_be_removed_is_reported_and_does_not_stop_the_others(calls: Calls) -> None:
    devices = [register(f"sensor-{number}") for number in range(3)]

    def refuse(parameters: dict[str, Any], call: Any) -> Any:
        if parameters["thingName"] == "sensor-1":
            raise conflict("AccessDeniedException")
        return call()

    calls.instead["DeleteThing"] = refuse
    lines: list[str] = []
    [failure] = remove_all(unpaced(), [ours(each) for each in devices], lines.append)
    assert "sensor-1" in failure
    assert "AccessDeniedException" in failure
    assert left() == (set(), {"sensor-1"})
    assert lines[0] == "3 devices to remove: at least 0 s (10 per second)"
    assert lines[-1].startswith("2 devices removed")


def test_devices_that_are_left_fail_the_command(calls: Calls) -> None:
    register("sensor-1")
    calls.fails["DeleteThing"] = conflict("AccessDeniedException")
    with pytest.raises(InfraError, match="DEVICES_LEFT: got 1 devices left"):
        remove_devices(unpaced(), found, lambda _line: None)


def renewed(name: str, policy: str | None = POLICY) -> tuple[Registered, str]:
    """Register a device that has renewed: the replaced certificate is INACTIVE, and both are attached to the thing."""
    device = register(name, policy, status="INACTIVE")
    pem = pem_of(new_certificate(authority(), name))
    new = fingerprint_of(pem)
    client("iot").register_certificate_without_ca(certificatePem=pem, status="ACTIVE")
    client("iot").attach_thing_principal(thingName=name, principal=device.arn.replace(device.certid, new))
    client("iot").attach_policy(policyName=POLICY, target=device.arn.replace(device.certid, new))
    return device, new


def refuse_attached_things(calls: Calls) -> None:
    """AWS IoT, unlike moto, deletes no thing that has principals (developer guide, "Delete a thing")."""

    iot = iot_backends[HOME.account][HOME.region]

    def answer(parameters: dict[str, Any], call: Any) -> Any:
        if iot.list_thing_principals(parameters["thingName"]):
            raise conflict("InvalidRequestException")
        return call()

    calls.instead["DeleteThing"] = answer


def test_both_certificates_of_a_renewed_device_are_removed_with_its_thing(calls: Calls) -> None:
    refuse_attached_things(calls)
    device, new = renewed("sensor-1")
    register("sensor-2")
    [one] = [each for each in found().registrations if each.things == ("sensor-1",)]
    assert (one.certid, one.more) == (device.certid, (new,))
    calls.forget()
    lines: list[str] = []
    remove_devices(unpaced(), found, lines.append)
    assert left() == (set(), set())
    assert calls.count()["DeleteThing"] == 2
    assert not any("not removed" in line for line in lines)


def test_the_removal_of_a_renewed_device_is_completed_by_a_repetition(calls: Calls) -> None:
    refuse_attached_things(calls)
    for number in range(1, 30):
        with calls.uncounted():
            renewed(f"sensor-{number}")
        calls.forget()
        calls.cut_before = number
        with suppress(CutOff):
            remove_devices(unpaced(), found, lambda _line: None)
        calls.cut_before = None
        remove_devices(unpaced(), found, lambda _line: None)
        assert left() == (set(), set()), number


def test_a_certificate_that_the_owner_attached_to_the_thing_is_not_removed(calls: Calls) -> None:
    refuse_attached_things(calls)
    register("sensor-1")
    owners = register("owners", policy=None, attributes={})
    client("iot").attach_thing_principal(thingName="sensor-1", principal=owners.arn)
    with pytest.raises(InfraError, match="DEVICES_LEFT"):
        remove_devices(unpaced(), found, lambda _line: None)
    assert left() == ({owners.certid}, {"sensor-1", "owners"})


def test_a_stack_is_reduced_to_many_large_policies_in_one_call() -> None:
    """A template in a call has at most 51,200 bytes (CloudFormation quotas), and a policy 2,048 characters."""
    statements = [{"Effect": "Allow", "Action": "iot:Publish", "Resource": f"topic/{n:024}"} for n in range(22)]
    document = {"Version": "2012-10-17", "Statement": statements}
    properties = {"PolicyName": "device-lobby-default", "PolicyDocument": document}
    assert len(json.dumps(document, separators=(",", ":"))) > 1_900
    sent: list[str] = []

    class CloudFormation:
        def update_stack(self, **parameters: Any) -> None:
            sent.append(parameters["TemplateBody"])

        def describe_stacks(self, **_parameters: Any) -> Any:
            return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]}

    policies = {f"Policy{n}": {"Type": "AWS::IoT::Policy", "Properties": properties} for n in range(24)}
    Stack(cast("Any", CloudFormation()), "DeviceLobbyTarget").update({"Resources": policies})
    assert len(sent[0].encode()) <= 51_200
