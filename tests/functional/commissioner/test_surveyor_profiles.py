"""The dry run checks what the profiles of a target name: policies, thing types, groups, billing groups."""

from typing import Any

import pytest
from moto.iot.models import iot_backends

from lobby.domain.targets.profile import Profile, Profiles, ThingType
from tests.functional.commissioner.lobby_with_targets import A, LobbyWithTargets
from tests.functional.commissioner.survey_runs import ABSENT, deploy_reports, error, missing, surveyed

FLEET = Profiles.of(
    [
        Profile("default"),
        Profile(
            "camera",
            thing_type=ThingType("camera", ("model",)),
            thing_groups=("cameras", "outdoors"),
            billing_group="video",
        ),
    ]
)
NAMED = ["thing type camera", "thing group cameras", "thing group outdoors", "billing group video"]


@pytest.fixture
def fleet(lobby: LobbyWithTargets) -> Any:
    """A target with the profile `camera`, and its AWS IoT, in which everything that the profile names exists."""
    iot = iot_backends[A.account][A.region]
    with lobby.calls.uncounted():
        lobby.targets.register(A, "name", ("default", "camera"), "user:ann")
        iot.create_thing_type("camera", {"searchableAttributes": ["model"]})
        for group in ("cameras", "outdoors"):
            iot.create_thing_group(group, None, {})  # type: ignore[arg-type]  # for moto, no parent is None
        iot.create_billing_group("video", None)
        lobby.deploy_policy(A, "camera")
        deploy_reports()
    lobby.calls.fails = {operation: error(code, operation) for operation, code in ABSENT.items()}
    return iot


def test_everything_that_a_profile_names_is_checked(fleet: Any) -> None:
    findings, _ = surveyed(profiles=FLEET)
    assert set(NAMED) < set(findings)
    assert missing(findings) == []
    for step in ("AddThingToThingGroup cameras", "RemoveThingFromThingGroup outdoors", "AddThingToBillingGroup video"):
        assert findings[f"iot:{step}"] == (True, "found")


def test_a_missing_part_of_a_profile_is_reported_with_the_fix(fleet: Any) -> None:
    fleet.thing_types.clear()
    fleet.thing_groups.clear()
    fleet.billing_groups.clear()
    findings, _ = surveyed(profiles=FLEET)
    assert missing(findings) == NAMED
    for step in NAMED:
        kind = step.rpartition(" ")[0]
        want = f"missing: {A} has no such {kind}; deploy the target's stack with this profile"
        assert findings[step][1] == want


def test_a_thing_type_that_differs_is_reported(fleet: Any) -> None:
    fleet.describe_thing_type("camera").thing_type_properties["searchableAttributes"] = ["serial"]
    findings, _ = surveyed(profiles=FLEET)
    assert missing(findings) == ["thing type camera"]
    advice = "AWS IoT cannot change them, so give the profile's type another name"
    differs = f"differs: got searchable attributes serial, want model; {advice};"
    assert findings["thing type camera"][1].startswith(differs)


def test_a_deprecated_thing_type_is_reported(fleet: Any) -> None:
    fleet.deprecate_thing_type("camera", False)
    findings, _ = surveyed(profiles=FLEET)
    assert missing(findings) == ["thing type camera"]
    assert findings["thing type camera"][1].startswith("deprecated")


def test_a_dynamic_thing_group_is_reported(lobby: LobbyWithTargets, fleet: Any) -> None:
    """moto has no dynamic groups. A call that adds a thing to one is an invalid request, like one without the thing."""

    def describe(parameters: dict[str, Any], call: Any) -> Any:
        query = {"queryString": "thingName:x*"} if parameters["thingGroupName"] == "outdoors" else {}
        return call() | query

    lobby.calls.instead["DescribeThingGroup"] = describe
    findings, _ = surveyed(profiles=FLEET)
    assert missing(findings) == ["thing group outdoors"]
    assert findings["thing group outdoors"][1].startswith("a dynamic group, whose members AWS IoT selects by a query")


@pytest.mark.parametrize("document", ['{"Version":"2012-10-17","Statement":[]}', "no JSON"])
def test_a_policy_that_differs_from_its_profile_is_reported(fleet: Any, document: str) -> None:
    fleet.get_policy("device-lobby-camera").document = document
    findings, _ = surveyed(profiles=FLEET)
    assert missing(findings) == ["policy device-lobby-camera"]
    assert findings["policy device-lobby-camera"][1].startswith("differs from profile camera; deploy")


def test_a_membership_that_the_role_does_not_allow_is_named_with_its_group(lobby: LobbyWithTargets, fleet: Any) -> None:
    lobby.calls.fails["AddThingToThingGroup"] = error("AccessDeniedException", "AddThingToThingGroup")
    findings, _ = surveyed(profiles=FLEET)
    assert missing(findings) == ["iot:AddThingToThingGroup cameras", "iot:AddThingToThingGroup outdoors"]


def test_a_profile_that_the_lobby_does_not_have_is_reported(fleet: Any) -> None:
    findings, _ = surveyed(profiles=Profiles.of([Profile("default")]))
    assert missing(findings) == ["profile camera"]
    assert "this lobby has no such profile" in findings["profile camera"][1]
