"""Which profiles are accepted, and how a rejected one is reported: file, field, value, rule."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from lobby.domain.targets.profile import THING, Profile, Profiles, Statement, ThingType
from lobby.domain.targets.profile_rules import MAX_POLICY, parse_profiles
from lobby.errors import InvalidInput, LobbyError
from lobby.profiles import decode_profiles, encode_profiles
from tests.tiers import examples

OWN = "topic/app/${thing}"
FULL: dict[str, Any] = {
    "description": "A gateway",
    "policy": [
        {"actions": ["iot:Publish", "iot:Receive"], "resources": [OWN, "topic/$aws/things/${thing}/shadow/*"]},
        {"actions": ["iot:AssumeRoleWithCertificate"], "resources": ["rolealias/logs"], "shared": True},
    ],
    "thing_type": {"name": "gateway", "searchable_attributes": ["model"], "description": "A box"},
    "attributes": {"model": "X-1", "site": "berlin"},
    "thing_groups": ["gateways", "site:berlin"],
    "billing_group": "north",
    "enrolment_attributes": ["batch"],
    "enrolment_groups": ["lot-7"],
}


def parse(content: Any, **others: Any) -> Profiles:
    return parse_profiles({"default": {}, "gateway": content, **others}, lambda name: f"profiles/{name}.yaml")


def statement(**changes: Any) -> dict[str, Any]:
    return {"policy": [{"actions": ["iot:Publish"], "resources": [OWN]} | changes]}


def test_every_field_is_read() -> None:
    assert parse(FULL).get("gateway") == Profile(
        "gateway",
        (
            Statement(("iot:Publish", "iot:Receive"), (f"topic/app/{THING}", f"topic/$aws/things/{THING}/shadow/*")),
            Statement(("iot:AssumeRoleWithCertificate",), ("rolealias/logs",), shared=True),
        ),
        ThingType("gateway", ("model",), "A box"),
        (("model", "X-1"), ("site", "berlin")),
        ("gateways", "site:berlin"),
        "north",
        "A gateway",
        enrolment_attributes=("batch",),
        enrolment_groups=("lot-7",),
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            {"attributes": {"site": "x"}, "enrolment_attributes": ["site"], "thing_type": {"name": "t"}},
            "got 'site', want a",
        ),
        ({"enrolment_attributes": ["claim"]}, "got 'claim', want a name that neither attributes nor the lobby sets"),
        (
            {"attributes": {"a": "1"}, "enrolment_attributes": ["b"]},
            "got 1 attributes and 1 enrolment_attributes, want at",
        ),
        ({"thing_groups": ["g"], "enrolment_groups": ["g"]}, "got 'g', want a group that thing_groups does not have"),
        ({"enrolment_groups": ["a b"]}, "got 'a b', want 1 to 128"),
        ({"thing_groups": list("abcdef"), "enrolment_groups": list("uvwxyz")}, "want at most 10 with thing_groups"),
    ],
)
def test_what_enrolments_may_set_adds_to_a_profile_within_aws_iots_limits(content: Any, problem: str) -> None:
    with pytest.raises(InvalidInput) as rejected:
        parse(content)
    assert problem in rejected.value.message


def test_an_empty_profile_still_lets_the_device_be_moved() -> None:
    document = json.dumps(parse({}).get("default").policy_document("arn:aws:iot:eu-west-1:111111111111"))
    assert f":topicfilter/lobby/{THING}" in document
    assert f":topic/lobby/{THING}" in document
    assert f":client/{THING}" in document


HOSTILE: dict[str, tuple[Any, str]] = {
    "no mapping": ([], "gateway.yaml: content: got [], want the fields description, policy"),
    "nothing": (None, "gateway.yaml: content: got None"),
    "unknown field": ({"polices": []}, "gateway.yaml: content: got 'polices', want only the fields"),
    "field that is no text": ({1: []}, "got 1, want only the fields"),
    "policy as a document": ({"policy": {"Version": "2012-10-17"}}, "policy: got {'Version'"),
    "statement in IAM's form": ({"policy": [{"Effect": "Allow"}]}, "policy[0]: got 'Effect', want only the fields"),
    "no actions": (statement(actions=[]), "policy[0].actions: got [], want a list of 1 to"),
    "no resources": (statement(resources=[]), "policy[0].resources: got []"),
    "action as text": (statement(actions="iot:Publish"), "policy[0].actions: got 'iot:Publish', want a list"),
    "every action": (statement(actions=["iot:*"]), "policy[0].actions: got 'iot:*', want actions of devices"),
    "connecting as anyone": (statement(actions=["iot:Connect"], resources=["client/*"]), "got 'iot:Connect'"),
    "control plane": (statement(actions=["iot:CreateThing"]), "got 'iot:CreateThing'"),
    "other service": (statement(actions=["s3:GetObject"]), "got 's3:GetObject'"),
    "action in other case": (statement(actions=["iot:publish"]), "got 'iot:publish'"),
    "action twice": (statement(actions=["iot:Publish", "iot:Publish"]), "want each value once"),
    "shared as text": (statement(shared="yes"), "policy[0].shared: got 'yes', want true or false"),
    "every topic": (statement(resources=["topic/*"]), "got 'topic/*', want ${thing} as a whole level"),
    "every resource": (statement(resources=["*"]), "got '*', want a type and a name"),
    "every resource, shared": (statement(resources=["*"], shared=True), "got '*', want a type and a name"),
    "another's topic": (statement(resources=["topic/app/other"]), "want ${thing} as a whole level"),
    "prefix of names": (statement(resources=["topic/app/${thing}*"]), "want ${thing} as a whole level"),
    "suffix of names": (statement(resources=["topic/app/x${thing}"]), "want ${thing} as a whole level"),
    "wildcard before": (statement(resources=["topic/*/${thing}"]), "before any wildcard"),
    "one character before": (statement(resources=["topic/a?p/${thing}"]), "before any wildcard"),
    "filter before": (
        {"policy": [{"actions": ["iot:Subscribe"], "resources": ["topicfilter/+/${thing}"]}]},
        "before any wildcard",
    ),
    "client id": (statement(resources=["topic/app/${iot:ClientId}"]), "want no variable except ${thing}"),
    "unclosed variable": (statement(resources=["topic/app/${thing"]), "want no variable except ${thing}"),
    "unclosed, shared": (statement(resources=["topic/app/${iot:x"], shared=True), "want no variable except"),
    "other type": (statement(resources=["topicfilter/app/${thing}"]), "want one of type topic"),
    "mixed types": (statement(actions=["iot:Publish", "iot:Subscribe"]), "want one of type topic or topicfilter"),
    "whole ARN": (statement(resources=["arn:aws:iot:eu-west-1:1:topic/app/${thing}"]), "want one of type topic"),
    "no name": (statement(resources=["topic/"]), "want a type and a name"),
    "line break": (statement(resources=["topic/app/${thing}\n"]), "want a type and a name"),
    "not ASCII": (statement(resources=["topic/äpp/${thing}"]), "want a type and a name"),
    "number as resource": (statement(resources=[5]), "policy[0].resources: got 5"),
    "type with a space": ({"thing_type": {"name": "a b"}}, "thing_type.name: got 'a b', want 1 to 128 of"),
    "type without a name": ({"thing_type": {}}, "thing_type.name: got None"),
    "type as text": ({"thing_type": "gateway"}, "thing_type: got 'gateway', want the fields name"),
    "four searchable": (
        {"thing_type": {"name": "x", "searchable_attributes": ["a", "b", "c", "d"]}},
        "thing_type.searchable_attributes: got ['a', 'b', 'c', 'd'], want a list of 1 to 3",
    ),
    "long type name": ({"thing_type": {"name": "x" * 129}}, "thing_type.name: got"),
    "number as value": ({"attributes": {"model": 42}}, "attributes.model: got 42, want text of 1 to 800"),
    "boolean as value": ({"attributes": {"on": True}}, "attributes.on: got True, want text"),
    "empty value": ({"attributes": {"model": ""}}, "attributes.model: got ''"),
    "space in a value": ({"attributes": {"model": "X 1"}}, "attributes.model: got 'X 1'"),
    "umlaut in a value": ({"attributes": {"ort": "Köln"}}, "attributes.ort: got 'K\\xf6ln'"),
    "long value": ({"attributes": {"model": "x" * 801}}, "attributes.model: got"),
    "bad attribute name": ({"attributes": {"a b": "x"}}, "attributes: got 'a b', want a name of 1 to 128"),
    "number as name": ({"attributes": {5: "x"}}, "attributes: got 5, want a name"),
    "the lobby's own": ({"attributes": {"certid": "x"}}, "attributes.certid: got 'certid', want another name"),
    "attributes as a list": ({"attributes": ["a"]}, "attributes: got ['a'], want names with values"),
    "too many without a type": (
        {"attributes": dict.fromkeys("abc", "x")},
        "attributes: got 3 attributes, want at most 1 without a thing_type",
    ),
    "too many with a type": (
        {"thing_type": {"name": "t"}, "attributes": {f"a{n}": "x" for n in range(50)}},
        "attributes: got 50 attributes, want at most 48 with a thing type",
    ),
    "eleven groups": ({"thing_groups": [f"g{n}" for n in range(11)]}, "thing_groups: got ["),
    "group twice": ({"thing_groups": ["a", "a"]}, "thing_groups: got 'a', want each value once"),
    "group as text": ({"thing_groups": "a"}, "thing_groups: got 'a', want a list"),
    "dynamic group": ({"thing_groups": ["attributes.x:*"]}, "thing_groups: got 'attributes.x:*'"),
    "billing group as a list": ({"billing_group": ["a"]}, "billing_group: got ['a']"),
    "empty billing group": ({"billing_group": ""}, "billing_group: got ''"),
    "control character": ({"description": "a\x1b[2J"}, "description: got 'a\\x1b[2J'"),
    "large policy": (
        statement(resources=[f"topic/{'x' * 100}/{n}/${{thing}}" for n in range(20)]),
        f"want at most {MAX_POLICY}",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_broken_rule_is_reported_with_file_field_value_and_rule(case: str) -> None:
    content, message = HOSTILE[case]
    with pytest.raises(InvalidInput, match="INVALID_PROFILES") as raised:
        parse(content)
    assert message in raised.value.message
    assert all(line.startswith("profiles/gateway.yaml: ") for line in raised.value.message.splitlines())


@pytest.mark.parametrize(
    "resource",
    [
        "topic/${thing}",
        "topic/app/${thing}/*",
        "topic/app/${thing}/a?b",
        "topic/$aws/things/${thing}/shadow/name/*/update",
        "topic/a/${iot:Connection.Thing.ThingName}/b",
    ],
)
def test_the_devices_own_topics_are_accepted(resource: str) -> None:
    assert parse(statement(resources=[resource])).get("gateway").statements


@pytest.mark.parametrize(
    ("action", "resource"),
    [("iot:Publish", "topic/fleet/*"), ("iot:ListNamedShadowsForThing", "*"), ("iot:GetThingShadow", "thing/other")],
)
def test_other_resources_need_a_statement_that_says_so(action: str, resource: str) -> None:
    content = statement(actions=[action], resources=[resource])
    with pytest.raises(InvalidInput):
        parse(content)
    content["policy"][0]["shared"] = True
    assert parse(content).get("gateway").statements[0].shared


def test_all_problems_of_all_files_are_reported_together() -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_profiles({"a": {"x": 1}, "b": {"billing_group": 1, "thing_groups": 1}})
    assert [line.split(": ")[:2] for line in raised.value.message.splitlines()] == [
        ["a", "content"],
        ["b", "thing_groups"],
        ["b", "billing_group"],
        ["got no default, want it", "a claim without a profile uses it"],
    ]


def test_profiles_that_share_a_thing_type_must_agree_on_it() -> None:
    same = {"thing_type": {"name": "box", "searchable_attributes": ["a"]}}
    assert list(parse(same, other=same).thing_types()) == ["box"]
    with pytest.raises(InvalidInput, match=r"other.yaml: thing_type: got another box than in profiles/gateway.yaml"):
        parse(same, other={"thing_type": {"name": "box"}})


@pytest.mark.parametrize("name", ["Gateway", "../x", "a b", "", "x" * 33, "-x"])
def test_a_profile_has_a_name_that_a_claim_can_contain(name: str) -> None:
    with pytest.raises(InvalidInput, match="file name: got"):
        parse_profiles({"default": {}, name: {}})


def test_the_role_of_a_target_can_name_all_groups() -> None:
    contents = {f"p{n}": {"thing_groups": [f"g{n}-{each}" for each in range(10)]} for n in range(7)}
    with pytest.raises(InvalidInput, match="got 70 different thing groups in all profiles, want at most 60"):
        parse_profiles({"default": {}, **contents})


def test_the_role_of_a_target_can_name_all_types_and_groups() -> None:
    contents = {
        f"p{n}": {"thing_groups": [f"group-{n}"], "billing_group": f"billing-{n}", "thing_type": {"name": f"type-{n}"}}
        for n in range(39)
    }
    want = "got thing types and groups that need 10012 characters in the role of a target, want at most 7300"
    with pytest.raises(InvalidInput, match=want):
        parse_profiles({"default": {}, **contents})


@pytest.mark.parametrize("names", [("gw2", "gw-2"), ("a-b", "a--b"), ("a", "a-")])
def test_profiles_have_names_that_differ_in_more_than_dashes(names: tuple[str, str]) -> None:
    with pytest.raises(InvalidInput, match=rf"got profiles {min(names)} and {max(names)}, want names that differ"):
        parse_profiles({"default": {}, names[0]: {}, names[1]: {}})
    assert sorted(parse_profiles({"default": {}, "a-b": {}, "ab": {}}).by_name) == ["a-b", "ab", "default"]


def test_an_unknown_profile_is_reported_with_the_known_ones() -> None:
    with pytest.raises(LobbyError, match=r"UNKNOWN_PROFILE: got profile 'camera', want one of .*: default, gateway"):
        parse({}).get("camera")


_TEXT = some.text(max_size=8) | some.sampled_from(["policy", "actions", "*", "${thing}", "topic/app/${thing}", "name"])
_JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | _TEXT,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(_TEXT, inner, max_size=4),
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=examples(50))
@given(some.dictionaries(some.sampled_from(sorted(FULL)), _JSON))
def test_no_content_raises_anything_but_a_report(content: dict[str, Any]) -> None:
    try:
        found = parse(content)
    except InvalidInput:
        return
    assert decode_profiles(encode_profiles(found)) == found


def test_a_bundle_contains_the_profiles_that_were_read() -> None:
    found = parse(FULL)
    assert decode_profiles(encode_profiles(found)) == found
    assert encode_profiles(found) == encode_profiles(parse(FULL))
