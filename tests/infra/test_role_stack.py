"""The stack of the commissioner's role in a target account: its trusted principals and its permissions."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.role_stack import commissioning
from lobby.domain.targets.profile_rules import MAX_IN_ROLE, parse_profiles
from lobby.errors import InvalidInput
from lobby.names import parse_target
from tests.infra.templates import Stacks, settings, synthesized

IOT = "arn:aws:iot:*:200000000002:"


def test_the_role_trusts_only_the_commissioner_with_the_external_id(stacks: Stacks) -> None:
    role = stacks.roles[0].the("AWS::IAM::Role", RoleName="lobby_commissioner_role")
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Action"] == "sts:AssumeRole"
    assert trust["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::100000000001:role/device-lobby-commissioner"},
        "StringEquals": {"sts:ExternalId": "the-first-account-s"},
    }


def test_the_principal_is_the_lobbys_account_so_that_the_trust_survives_a_new_lobby(stacks: Stacks) -> None:
    [trust] = stacks.roles[0].the("AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": "arn:aws:iam::100000000001:root"}


def test_the_role_can_only_register_devices(stacks: Stacks) -> None:
    assert stacks.roles[0].grants("lobby_commissioner_role") == {
        "iot:RegisterCertificateWithoutCA": {"*"},
        "iot:AttachThingPrincipal": {"*"},
        "iot:DescribeEndpoint": {"*"},
        "iot:UpdateCertificate": {f"{IOT}cert/*"},
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
        "iot:ListAttachedPolicies": {"*"},
        "iot:ListPrincipalThings": {f"{IOT}cert/*"},
        "iot:ListThings": {"*"},
        "iot:ListCertificates": {"*"},
        "iot:ListTargetsForPolicy": {f"{IOT}policy/device-lobby-*"},
        "iot:DetachPolicy": {f"{IOT}cert/*"},
        "iot:AttachPolicy": {f"{IOT}cert/*"},
        "iot:CreateThing": {f"{IOT}thing/*"},
        "iot:DescribeThing": {f"{IOT}thing/*"},
        "iot:UpdateThing": {f"{IOT}thing/*"},
        "iot:GetThingShadow": {f"{IOT}thing/*"},
        "iot:UpdateThingShadow": {f"{IOT}thing/*"},
        "iot:DeleteThingShadow": {f"{IOT}thing/*"},
        "iot:ListNamedShadowsForThing": {f"{IOT}thing/*"},
        "iot:GetPolicy": {f"{IOT}policy/device-lobby-*"},
        "iot:Publish": {f"{IOT}topic/lobby/*"},
        "iot:DeleteConnection": {f"{IOT}client/*"},
        "iot:GetTopicRule": {f"{IOT}rule/device_lobby_connected", f"{IOT}rule/device_lobby_duplicates"},
        "sns:ListSubscriptionsByTopic": {"arn:aws:sns:*:200000000002:device-lobby-arrivals"},
    }


def test_the_role_may_remove_what_devices_left_only_if_the_lobby_is_to_do_it(
    tmp_path: Path, stacks: Stacks, nag: bool
) -> None:
    removing = synthesized(settings(leftThings="remove"), tmp_path, nag=nag).roles[0].grants("lobby_commissioner_role")
    kept = stacks.roles[0].grants("lobby_commissioner_role")
    assert {action: removing[action] for action in removing.keys() - kept.keys()} == {
        "iot:DeleteThing": {f"{IOT}thing/*"},
        "iot:DeleteCertificate": {f"{IOT}cert/*"},
        "iot:DetachThingPrincipal": {"*"},
    }


def test_the_regions_of_an_account_share_one_role_outside_their_stacks(stacks: Stacks) -> None:
    assert len(stacks.targets) == 2
    assert len(stacks.roles) == 1
    for stack in stacks.targets:
        assert "lobby_commissioner_role" not in [each["RoleName"] for each in stack.of_type("AWS::IAM::Role")]


def test_the_role_can_use_the_groups_of_profiles_and_no_others(tmp_path: Path, nag: bool) -> None:
    (tmp_path / "default.yaml").write_text("{}")
    (tmp_path / "gateway.yaml").write_text(
        "thing_type: {name: box}\nthing_groups: ['site:berlin', gateways]\nbilling_group: north\n"
    )
    stacks = synthesized(settings(profiles=str(tmp_path)), tmp_path / "out", nag=nag)
    grants = stacks.roles[0].grants("lobby_commissioner_role")
    groups = {f"{IOT}thing/*", f"{IOT}thinggroup/gateways", f"{IOT}thinggroup/site:berlin"}
    assert grants["iot:AddThingToThingGroup"] == grants["iot:RemoveThingFromThingGroup"] == groups
    assert grants["iot:DescribeThingGroup"] == groups - {f"{IOT}thing/*"}
    assert grants["iot:AddThingToBillingGroup"] == {f"{IOT}thing/*", f"{IOT}billinggroup/north"}
    assert grants["iot:DescribeThingType"] == {f"{IOT}thingtype/box"}
    # The role covers all Regions. A Region's stack contains the resources of its own profiles.
    assert stacks.targets[0].of_type("AWS::IoT::ThingGroup") == []


def test_only_an_adopted_role_is_retained_until_the_next_deployment(tmp_path: Path, stacks: Stacks) -> None:
    adopting = synthesized(settings(adoptRole="true"), tmp_path).roles[0]
    [adopted], [role] = (
        [each for each in stack.template["Resources"].values() if each["Type"] == "AWS::IAM::Role"]
        for stack in (adopting, stacks.roles[0])
    )
    assert (adopted["DeletionPolicy"], adopted["Metadata"]["adopted"]) == ("Retain", "true")
    assert "DeletionPolicy" not in role
    assert adopted["Properties"] == role["Properties"]


@pytest.mark.parametrize(
    "each",
    [
        lambda name: {"thing_groups": [name]},
        lambda name: {"billing_group": name},
        lambda name: {"thing_groups": [name], "billing_group": name, "thing_type": {"name": name}},
    ],
    ids=["groups", "billing groups", "all"],
)
def test_the_largest_profiles_fit_in_the_role(each: Any) -> None:
    """IAM refuses inline policies of more than 10,240 characters (IAM quotas)."""
    removing = settings(leftThings="remove")
    for length in range(8, 129, 2):
        contents = {"default": {}} | {f"p{n}": each(f"{n:0{length}}") for n in range(39)}
        try:
            profiles = parse_profiles(contents)
        except InvalidInput:
            break
        chosen = commissioning(parse_target("2" * 12, "eu-west-1"), replace(removing, profiles=profiles))
        statements = [one.to_json() for one in chosen]
        text = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
        assert len(text) <= 10_240, length
    with pytest.raises(InvalidInput, match=f"in the role of a target, want at most {MAX_IN_ROLE}"):
        parse_profiles(contents)
