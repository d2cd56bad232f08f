"""The part of a survey about profiles: whether a target has everything that its profiles name, with the same content.

The target's owner deploys policies, thing types and groups; the lobby can only check them. A policy whose content
differs from the profile's is reported, because devices would have other permissions there than the profile states.
"""

from collections.abc import Callable, Iterator
from typing import Any

from commissioner.lambdas.survey_checks import NO_THING, check
from commissioner.target_gateway.sessions import TargetSession
from lobby import strict_json
from lobby.contracts.targets import SurveyFinding
from lobby.domain.targets.profile import Profile, Profiles, ThingType
from lobby.domain.targets.target import profile_policy


def survey_profiles(session: TargetSession, profiles: Profiles) -> Iterator[SurveyFinding]:
    """Yield the findings about the profiles of the session's target. `profiles` are all profiles of the lobby."""
    known = [name for name in session.registered.profiles if name in profiles.by_name]
    for name in session.registered.profiles:
        if name in profiles.by_name:
            yield _check_policy(session, profiles.by_name[name])
        else:
            message = (
                "missing: this lobby has no such profile; deploy it with the profile's file, or take it from the target"
            )
            yield SurveyFinding(f"profile {name}", False, message)
    wanted = profiles.only(known)
    for thing_type in wanted.thing_types().values():
        yield _check_type(session, thing_type)
    for group in wanted.thing_groups():
        yield from _check_group(session, group)
    for group in wanted.billing_groups():
        yield from _check_billing_group(session, group)


def _check_policy(session: TargetSession, profile: Profile) -> SurveyFinding:
    name = profile_policy(profile.name)
    wanted = profile.policy_document(f"arn:aws:iot:{session.target.region}:{session.target.account}")
    step = f"policy {name}"
    return _check_existing(
        step,
        lambda: session.iot.get_policy(policyName=name)["policyDocument"],
        _absent(session, "policy"),
        lambda found: _same_document(found, wanted) or f"differs from profile {profile.name}",
    )


def _check_type(session: TargetSession, wanted: ThingType) -> SurveyFinding:
    def judge(found: Any) -> str | bool:
        if found["thingTypeMetadata"].get("deprecated"):
            return "deprecated, so no thing can get it; restore it"
        searchable = set(found["thingTypeProperties"].get("searchableAttributes", []))
        got, want = ", ".join(sorted(searchable)) or "none", ", ".join(sorted(wanted.searchable)) or "none"
        fixed = "AWS IoT cannot change them, so give the profile's type another name"
        return searchable == set(wanted.searchable) or f"differs: got searchable attributes {got}, want {want}; {fixed}"

    describe = session.iot.describe_thing_type
    return _check_existing(
        f"thing type {wanted.name}",
        lambda: describe(thingTypeName=wanted.name),
        _absent(session, "thing type"),
        judge,
    )


def _check_group(session: TargetSession, name: str) -> Iterator[SurveyFinding]:
    def judge(found: Any) -> str | bool:
        """AWS IoT adds no thing to a dynamic group, whatever the permissions (API reference, AddThingToThingGroup)."""
        is_dynamic = found.get("queryString") is not None
        return not is_dynamic or "a dynamic group, whose members AWS IoT selects by a query; delete it"

    iot = session.iot
    step, absent = f"thing group {name}", _absent(session, "thing group")
    yield _check_existing(step, lambda: iot.describe_thing_group(thingGroupName=name), absent, judge)
    for step, call in (
        ("iot:AddThingToThingGroup", iot.add_thing_to_thing_group),
        ("iot:RemoveThingFromThingGroup", iot.remove_thing_from_thing_group),
    ):
        yield check(f"{step} {name}", _call(call, thingName=NO_THING, thingGroupName=name))


def _check_billing_group(session: TargetSession, name: str) -> Iterator[SurveyFinding]:
    iot, absent = session.iot, _absent(session, "billing group")
    yield check(f"billing group {name}", lambda: iot.describe_billing_group(billingGroupName=name), absent)
    for step, call in (
        ("iot:AddThingToBillingGroup", iot.add_thing_to_billing_group),
        ("iot:RemoveThingFromBillingGroup", iot.remove_thing_from_billing_group),
    ):
        yield check(f"{step} {name}", _call(call, thingName=NO_THING, billingGroupName=name))


def _call(call: Callable[..., Any], **arguments: str) -> Callable[[], Any]:
    return lambda: call(**arguments)


def _absent(session: TargetSession, kind: str) -> str:
    return f"{session.target} has no such {kind}; deploy the target's stack with this profile"


def _check_existing(
    step: str, call: Callable[[], Any], absent: str, judge: Callable[[Any], str | bool]
) -> SurveyFinding:
    """Check that the resource exists and matches the profile. `judge` returns True, or how the resource differs."""
    found: list[Any] = []
    finding = check(step, lambda: found.append(call()), absent)
    verdict = judge(found[0]) if finding.ok and found else True
    if verdict is True:
        return finding
    return SurveyFinding(step, False, f"{verdict}; deploy the target's stack with this profile again")


def _same_document(found: str, wanted: dict[str, Any]) -> bool:
    try:
        return bool(strict_json.loads(found) == wanted)
    except ValueError:
        return False
