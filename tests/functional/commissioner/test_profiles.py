"""A thing gets the type, attributes and groups of its device's profile, also after an interruption."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from moto.iot.models import iot_backends

from commissioner.lambdas.inspector import inspect
from commissioner.reconciliation.comparison import Repair, compare
from commissioner.target_gateway.sessions import Sessions
from lobby.domain.states import State
from lobby.domain.targets.profile import Profile, Profiles, ThingType
from lobby.domain.transitions import ClaimRequest
from tests import aws
from tests.aws import Clock, CutOff
from tests.functional.commissioner.lobby_with_targets import ANN, KEY, ONE, A, B, LobbyWithTargets, Record, wall_clock

FLEET = Profiles.of(
    [
        Profile("default"),
        Profile(
            "gateway",
            thing_type=ThingType("gateway"),
            attributes=(("model", "X-1"), ("site", "berlin")),
            thing_groups=("gateways", "berlin"),
            billing_group="north",
        ),
        Profile("camera", attributes=(("site", "bonn"),), thing_groups=("cameras",), billing_group="south"),
    ]
)
GATEWAY = ("gateway", {"model": "X-1", "site": "berlin", "certid": ONE}, {"gateways", "berlin"}, "north")
CAMERA = (None, {"site": "bonn", "certid": ONE}, {"cameras"}, "south")
DEFAULT: tuple[Any, ...] = (None, {"certid": ONE}, set(), None)


def fleet(lobby: LobbyWithTargets) -> LobbyWithTargets:
    """Give both targets the three profiles, with the types and groups that they name."""
    lobby.profiles = FLEET
    with lobby.calls.uncounted():
        for target in (A, B):
            lobby.targets.register(target, f"name {target}", tuple(FLEET.by_name), ANN)
            iot = iot_backends[target.account][target.region]
            iot.create_thing_type("gateway", {})
            for group in (*FLEET.thing_groups(), "the-owners"):
                iot.create_thing_group(group, None, {})  # type: ignore[arg-type]  # for moto, no parent is None
            for billing_group in (*FLEET.billing_groups(), "the-owners"):
                iot.create_billing_group(billing_group, None)
            for profile in ("gateway", "camera"):
                lobby.deploy_policy(target, profile)
    lobby.server = lobby.new_server()
    return lobby


def thing(target: Any = A) -> tuple[Any, ...]:
    """Return type, attributes, groups and billing group of the device's thing, without its claim."""
    iot = iot_backends[target.account][target.region]
    found = iot.describe_thing("sensor-1")
    kind = found.thing_type.thing_type_name if found.thing_type else None
    groups = {group["groupName"] for group in iot.list_thing_groups_for_thing("sensor-1")}
    attributes = {name: value for name, value in found.attributes.items() if name != "claim"}
    return kind, attributes, groups, found.billing_group_name


def change_profile(lobby: LobbyWithTargets, profile: str) -> Record:
    with lobby.calls.uncounted():
        lobby.ledger.move(ONE, ClaimRequest(A, profile), ANN)
    return lobby.record(ONE)


def differences(lobby: LobbyWithTargets) -> list[Repair | None]:
    iot = Sessions(aws.client("sts"), wall_clock).of(lobby.targets.get(A)).iot
    facts = inspect(iot, A, ONE, "sensor-1", FLEET)
    return [each.repair for each in compare(lobby.device(), facts, FLEET, KEY)]


def new_gateway(lobby: LobbyWithTargets) -> Record:
    return lobby.claim(profile="gateway")


def gateway_to_camera(lobby: LobbyWithTargets) -> Record:
    assert lobby.deliver(lobby.claim(profile="gateway")) == []
    lobby.calls.forget()
    return change_profile(lobby, "camera")


def gateway_to_default(lobby: LobbyWithTargets) -> Record:
    assert lobby.deliver(lobby.claim(profile="gateway")) == []
    lobby.calls.forget()
    return change_profile(lobby, "default")


SCENARIOS: dict[Callable[[LobbyWithTargets], Record], tuple[Any, ...]] = {
    new_gateway: GATEWAY,
    gateway_to_camera: CAMERA,
    gateway_to_default: DEFAULT,
}


@cache
def outcome(scenario: Callable[[LobbyWithTargets], Record], cut_before: int | None) -> tuple[Any, int]:
    """Return what the device's thing has in the end, and the number of calls."""
    with aws.aws() as calls:
        lobby = fleet(LobbyWithTargets(calls, Clock()))
        record = scenario(lobby)
        calls.cut_before = cut_before
        if cut_before is not None:
            with pytest.raises(CutOff):
                lobby.deliver(record)
            calls.cut_before = None
            lobby.server = lobby.new_server()
        made = len(calls.made)
        assert lobby.deliver(record) == []
        assert lobby.device().devstate is State.COMMISSIONED
        return thing(), len(calls.made) - made


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_thing_gets_exactly_what_its_profile_names(scenario: Callable[[LobbyWithTargets], Record]) -> None:
    assert outcome(scenario, None)[0] == SCENARIOS[scenario]


def test_a_thing_leaves_groups_before_it_joins_others() -> None:
    """A thing is in at most ten groups, so two profiles with ten each need this order (AWS IoT quotas)."""
    with aws.aws() as calls:
        lobby = fleet(LobbyWithTargets(calls, Clock()))
        record = gateway_to_camera(lobby)
        assert lobby.deliver(record) == []
        changed = [name for name in calls.names() if "ThingGroup" in name and not name.startswith("List")]
        assert changed == ["RemoveThingFromThingGroup"] * 2 + ["AddThingToThingGroup"]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_an_interruption_before_any_call_does_not_change_the_thing(
    scenario: Callable[[LobbyWithTargets], Record],
) -> None:
    _, length = outcome(scenario, None)
    found = {number: outcome(scenario, number)[0] for number in range(1, length + 1)}
    assert found == dict.fromkeys(found, SCENARIOS[scenario])


def test_the_owners_attributes_and_groups_stay(lobby: LobbyWithTargets) -> None:
    fleet(lobby)
    assert lobby.deliver(lobby.claim(profile="gateway")) == []
    iot = iot_backends[A.account][A.region]
    iot.describe_thing("sensor-1").attributes["theirs"] = "kept"
    iot.add_thing_to_thing_group("the-owners", None, "sensor-1", None)
    assert lobby.deliver(change_profile(lobby, "camera")) == []
    _, attributes, groups, billing_group = CAMERA
    # AWS IoT does not remove the type of a thing with four attributes.
    assert thing() == ("gateway", attributes | {"theirs": "kept"}, groups | {"the-owners"}, billing_group)
    assert differences(lobby) == []


def test_the_type_is_removed_if_the_owners_attributes_permit_it(lobby: LobbyWithTargets) -> None:
    fleet(lobby)
    assert lobby.deliver(lobby.claim(profile="gateway")) == []
    iot_backends[A.account][A.region].describe_thing("sensor-1").attributes["theirs"] = "kept"
    assert lobby.deliver(change_profile(lobby, "default")) == []
    assert thing() == (None, {"certid": ONE, "theirs": "kept"}, set(), None)


def test_a_thing_in_the_owners_billing_group_stays_there(lobby: LobbyWithTargets) -> None:
    fleet(lobby)
    assert lobby.deliver(lobby.claim()) == []
    iot = iot_backends[A.account][A.region]
    iot.add_thing_to_billing_group("the-owners", None, "sensor-1", None)
    assert lobby.deliver(change_profile(lobby, "gateway")) == []
    assert lobby.device().devstate is State.COMMISSIONED
    assert thing() == (*GATEWAY[:3], "the-owners")


def remove_type(iot: Any) -> None:
    iot.thing_types.clear()


def deprecate_type(iot: Any) -> None:
    iot.deprecate_thing_type("gateway", False)


def remove_group(iot: Any) -> None:
    iot.delete_thing_group("berlin")


def remove_billing_group(iot: Any) -> None:
    iot.delete_billing_group("north")


@pytest.mark.parametrize("remove", [remove_type, deprecate_type, remove_group, remove_billing_group])
def test_a_missing_part_of_a_profile_is_the_reason(lobby: LobbyWithTargets, remove: Callable[[Any], None]) -> None:
    fleet(lobby)
    remove(iot_backends[A.account][A.region])
    assert lobby.deliver(lobby.claim(profile="gateway")) == []
    device = lobby.device()
    assert (device.devstate, device.reason) == (State.FAILED, "TARGET_PROFILE_INCOMPLETE")
    assert "deploy the target's stack again" in str(device.message)
    assert aws.registry(A)["certificates"] == {}


def test_a_profile_that_the_lobby_no_longer_has_is_the_reason(lobby: LobbyWithTargets) -> None:
    fleet(lobby)
    record = lobby.claim(profile="gateway")
    lobby.profiles = Profiles.of([Profile("default")])
    lobby.server = lobby.new_server()
    assert lobby.deliver(record) == []
    assert lobby.device().reason == "UNKNOWN_PROFILE"
    assert "want one of this lobby's profiles: default" in str(lobby.device().message)


def test_a_profile_without_groups_needs_no_further_call(lobby: LobbyWithTargets) -> None:
    fleet(lobby)
    assert lobby.deliver(lobby.claim()) == []
    assert [call for call in lobby.calls.names() if "Group" in call or call == "UpdateThing"] == []


def spoil_type(iot: Any) -> None:
    iot.describe_thing("sensor-1").thing_type = None


def spoil_attributes(iot: Any) -> None:
    iot.describe_thing("sensor-1").attributes["site"] = "bonn"


def spoil_groups(iot: Any) -> None:
    iot.remove_thing_from_thing_group("berlin", None, "sensor-1", None)


def spoil_billing_group(iot: Any) -> None:
    iot.remove_thing_from_billing_group("north", None, "sensor-1", None)


@pytest.mark.parametrize("spoil", [spoil_type, spoil_attributes, spoil_groups, spoil_billing_group])
def test_a_retry_corrects_what_a_comparison_finds(lobby: LobbyWithTargets, spoil: Callable[[Any], None]) -> None:
    fleet(lobby)
    assert lobby.deliver(lobby.claim(profile="gateway")) == []
    spoil(iot_backends[A.account][A.region])
    assert thing() != GATEWAY

    assert differences(lobby) == [Repair.RETRY]
    assert lobby.deliver(lobby.retry()) == []
    assert thing() == GATEWAY
    assert differences(lobby) == []
