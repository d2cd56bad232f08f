"""The registrations in the lobby's account: only those of the ledger and of the lobby's policy."""

from contextlib import suppress

from infra.teardown import inventory
from infra.teardown.target import remove_devices
from lobby.domain.identity import Identity
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.store import Ledger
from lobby.names import ThingName, parse_target
from tests.aws import HOME, WAITING_POLICY, Calls, CutOff, client
from tests.infra.teardown.registrations import Registered, left, register, unpaced

CLAIM_POLICIES = ("device-lobby-claim", "device-lobby-claim-keys")
TARGET = parse_target("222222222222", "eu-west-1")


def found() -> inventory.Inventory:
    return inventory.of_lobby(unpaced(), client("dynamodb"), [WAITING_POLICY])


def admitted(name: str) -> Registered:
    """Register a device as the bouncer does: without attributes."""
    device = register(name, WAITING_POLICY, {})
    Ledger(HOME.region).admit(Identity(device.certid, ThingName(name), "PEM"), "service:bouncer")
    return device


def remove() -> None:
    remove_devices(unpaced(), found, lambda _line: None)


def test_devices_of_the_ledger_are_removed_and_others_stay(calls: Calls) -> None:
    admitted("sensor-1")
    other = register("other", policy=None, attributes={})
    expected = register("expected", policy=None, attributes={})
    Ledger(HOME.region).claim(expected.certid, ClaimRequest(TARGET), "user:ada")
    remove()
    assert left() == ({other.certid, expected.certid}, {other.thing, expected.thing})


def test_a_refused_certificate_is_removed_and_the_thing_that_holds_its_name_stays(calls: Calls) -> None:
    holder = admitted("sensor-1")
    refused = register("copy", policy=None, attributes={}, status="INACTIVE")
    client("iot").detach_thing_principal(thingName="copy", principal=refused.arn)
    client("iot").delete_thing(thingName="copy")
    Ledger(HOME.region).refuse(refused.certid, ThingName("sensor-1"), "NAME_TAKEN", "taken", "service:bouncer")
    [one] = [each for each in found().registrations if each.certid == refused.certid]
    assert one.things == ()
    [two] = [each for each in found().registrations if each.certid == holder.certid]
    assert two.things == ("sensor-1",)


def test_a_device_without_a_row_is_found_by_the_lobbys_policy(calls: Calls) -> None:
    register("forgotten", WAITING_POLICY, {})
    remove()
    assert left() == (set(), set())


def test_claim_certificates_are_found_by_their_policies(calls: Calls) -> None:
    iot = client("iot")
    for policy in CLAIM_POLICIES:
        iot.create_policy(policyName=policy, policyDocument="{}")
    claim = register("claim", CLAIM_POLICIES[0], {})
    iot.attach_policy(policyName=CLAIM_POLICIES[1], target=claim.arn)
    iot.detach_thing_principal(thingName="claim", principal=claim.arn)
    iot.delete_thing(thingName="claim")
    remove_devices(unpaced(), lambda: inventory.of_lobby(unpaced(), client("dynamodb"), CLAIM_POLICIES), lambda _: None)
    assert left() == (set(), set())
    for policy in CLAIM_POLICIES:
        assert iot.list_targets_for_policy(policyName=policy)["targets"] == []


def test_an_interrupted_removal_is_completed_from_the_ledger(calls: Calls) -> None:
    for number in range(1, 60):
        with calls.uncounted():
            admitted(f"sensor-{number}")
        calls.forget()
        calls.cut_after = number
        with suppress(CutOff):
            remove()
        calls.cut_after = None
        remove()
        assert left() == (set(), set())
        if len(calls.made) < number:
            return
    raise AssertionError("the removal made more calls than were cut")


def test_without_tables_only_the_policy_counts(calls: Calls) -> None:
    device = admitted("sensor-1")
    client("dynamodb").delete_table(TableName="device-lobby-ledger")
    client("dynamodb").delete_table(TableName="device-lobby-names")
    assert [each.certid for each in found().registrations] == [device.certid]


def test_both_certificates_of_a_renewed_device_belong_to_its_registration(calls: Calls) -> None:
    """AWS IoT deletes a thing only after all its certificates, and devices are removed in parallel."""
    device, other = admitted("sensor-1"), register("other", WAITING_POLICY, {})
    iot = client("iot")
    iot.detach_thing_principal(thingName="other", principal=other.arn)
    iot.delete_thing(thingName="other")
    iot.attach_thing_principal(thingName="sensor-1", principal=other.arn)
    [one] = found().registrations
    assert (one.certid, one.things, one.more) == (device.certid, ("sensor-1",), (other.certid,))
    remove()
    assert left() == (set(), set())
