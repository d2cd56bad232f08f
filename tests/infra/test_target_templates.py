"""The template of a target for owners without this project: complete, valid, and equal to the deployed stacks."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped]  # it ships no types

from admin_api.templates.cloudformation import cloudformation
from admin_api.templates.source import TargetResources, resources_of
from admin_api.templates.terraform import terraform
from infra.settings import Settings
from infra.target_templates import target_templates
from lobby.domain.targets.target import PLACEHOLDER, PLACEHOLDER_EXTERNAL_ID, RegisteredTarget
from lobby.errors import NotFound
from lobby.names import parse_region, parse_target
from tests.infra.templates import LOBBY, settings, synthesized

HERE = parse_target("200000000002", "eu-west-1")
ROLE_REGION = parse_region("eu-central-1")
PROFILES = {
    "default.yaml": "policy: [{actions: [iot:Publish], resources: ['topic/app/${thing}']}]",
    "gateway.yaml": (
        "thing_type: {name: box, searchable_attributes: [model], description: A box}\n"
        "thing_groups: ['site:berlin', gateways]\nbilling_group: north"
    ),
    "camera.yaml": "thing_groups: [cameras]",
}


def registered(*profiles: str) -> RegisteredTarget:
    return RegisteredTarget(HERE, "Plant", "f00-external", profiles, "user:ann", "2026-11-22T12:00:00.000Z")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    directory = tmp_path_factory.mktemp("profiles")
    for name, content in PROFILES.items():
        (directory / name).write_text(content)
    target = {"account": HERE.account, "region": HERE.region, "externalId": "f00-external"}
    return settings(targets=[target | {"profiles": ["default", "gateway"]}], profiles=str(directory))


@pytest.fixture(scope="module")
def source(made: Settings) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(target_templates(made))
    return found


@pytest.fixture(scope="module")
def resources(source: dict[str, Any], made: Settings) -> TargetResources:
    return resources_of(source, registered("default", "gateway"), ROLE_REGION, made.profiles)


class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Reads CloudFormation's short forms."""


def _short(loader: Any, tag: str, node: Any) -> Any:
    value = loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else loader.construct_scalar(node)
    if tag == "Ref":
        return {"Ref": value}
    return {f"Fn::{tag}": value.split(".") if tag == "GetAtt" else value}


Loader.add_multi_constructor("!", _short)


def read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(text, Loader=Loader)  # noqa: S506  # a SafeLoader
    return found


def test_the_template_equals_the_deployed_stacks(resources: TargetResources, made: Settings, tmp_path: Path) -> None:
    text = cloudformation(resources, LOBBY).replace("!Ref AWS::Region", "!Ref Region")
    ours = read(text)["Resources"]
    stacks = synthesized(made, tmp_path)
    theirs = {**stacks.roles[0].template["Resources"], **stacks.targets[0].template["Resources"]}
    assert sorted(each["Type"] for each in ours.values()) == sorted(each["Type"] for each in theirs.values())
    for body in ours.values():
        wanted = [_plain(each["Properties"]) for each in theirs.values() if each["Type"] == body["Type"]]
        assert _plain(_in_region(body["Properties"])) in wanted


def test_the_template_leaves_the_registry_events_of_the_owners_account_as_they_are(made: Settings) -> None:
    """Also if the lobby's own account publishes them. The resources would need a Lambda, and Terraform cannot write
    them."""
    assert target_templates(replace(made, registry_events=True)) == target_templates(made)


def _in_region(value: Any) -> Any:
    """Resolve `Fn::Sub` for the target's Region."""
    if isinstance(value, dict):
        if set(value) == {"Fn::Sub"}:
            return str(value["Fn::Sub"]).replace("${AWS::Region}", HERE.region).replace("${!", "${")
        return {key: _in_region(each) for key, each in value.items()}
    return [_in_region(each) for each in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """Replace references by their kind, because logical ids differ."""
    if isinstance(value, dict):
        if set(value) <= {"Ref", "Fn::GetAtt"}:
            return "reference"
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def test_the_template_is_valid_in_every_region(resources: TargetResources) -> None:
    text = cloudformation(resources, LOBBY)
    for region in ("eu-west-1", "ap-southeast-2"):
        assert [str(each) for each in lint(text, config=ManualArgs(regions=[region]))] == []


def test_the_template_needs_no_assets_and_no_bootstrap(resources: TargetResources) -> None:
    text = cloudformation(resources, LOBBY)
    assert "BootstrapVersion" not in text
    assert "cdk" not in text.lower()
    assert len(text.encode()) < 51_200  # the limit of a template in a call (CloudFormation quotas)


def test_the_subscription_is_created_last(resources: TargetResources) -> None:
    """CloudFormation cannot delete it before it is confirmed, for example in a rollback."""
    created = read(cloudformation(resources, LOBBY))["Resources"]
    [subscription] = [each for each in created.values() if each["Type"] == "AWS::SNS::Subscription"]
    types = {created[name]["Type"] for name in subscription["DependsOn"]}
    assert {"AWS::IoT::Policy", "AWS::IoT::ThingType", "AWS::IoT::TopicRule", "AWS::SNS::TopicPolicy"} <= types


def test_a_stack_set_creates_the_role_once(resources: TargetResources) -> None:
    template = read(cloudformation(resources, LOBBY))
    assert template["Parameters"]["RoleRegion"]["Default"] == ROLE_REGION
    assert template["Conditions"] == {"CreatesRole": {"Fn::Equals": [{"Ref": "RoleRegion"}, {"Ref": "AWS::Region"}]}}
    conditional = {name: each for name, each in template["Resources"].items() if "Condition" in each}
    assert [(each["Type"], each["DeletionPolicy"]) for each in conditional.values()] == [("AWS::IAM::Role", "Retain")]


@pytest.mark.parametrize("write", [cloudformation, terraform])
def test_the_template_does_not_contain_the_placeholder(write: Any, resources: TargetResources) -> None:
    text = write(resources, LOBBY)
    for left in (PLACEHOLDER.account, PLACEHOLDER.region, PLACEHOLDER_EXTERNAL_ID):
        assert left not in text
    assert text.count("f00-external") == 1


@pytest.mark.parametrize("write", [cloudformation, terraform])
def test_every_resource_has_a_comment(write: Any, resources: TargetResources) -> None:
    lines = write(resources, LOBBY).splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith('resource "') or _is_head(lines, number)]
    roles = [number for number in heads if "aws_iam_role_policy" in lines[number]]
    for number in set(heads) - set(roles):
        assert lines[number - 1].strip().startswith("# "), lines[number]


def _is_head(lines: list[str], number: int) -> bool:
    return number + 1 < len(lines) and lines[number + 1].startswith("    Type: AWS::")


@pytest.mark.parametrize("write", [cloudformation, terraform])
def test_only_the_targets_profiles_are_included(write: Any, source: dict[str, Any], made: Settings) -> None:
    text = write(resources_of(source, registered("camera"), ROLE_REGION, made.profiles), LOBBY)
    assert "device-lobby-camera" in text
    assert "device-lobby-default" not in text.replace("device-lobby-*", "")
    names = [line.strip() for line in text.splitlines() if "gateways" in line]
    assert len(names) == 2  # only the role's permissions, which all Regions share


def test_a_profile_that_the_lobby_does_not_have_is_refused(source: dict[str, Any], made: Settings) -> None:
    with pytest.raises(NotFound, match="UNKNOWN_PROFILE"):
        resources_of(source, registered("submarine"), ROLE_REGION, made.profiles)


def test_the_terraform_configuration_has_every_resource(resources: TargetResources) -> None:
    text = terraform(resources, LOBBY)
    written = [kind.strip('"') for each in hcl2.loads(text)["resource"] for kind in each]
    roles = sum(each.type == "AWS::IAM::Role" for each in resources.resources)
    policies = sum(kind == "aws_iam_role_policy" for kind in written)
    assert len(written) - policies == len(resources.resources)
    assert policies == roles + 2  # the rules' role has three
    assert "default = false" in text  # the role belongs to the Region that was registered first


def test_terraforms_resources_have_different_names(source: dict[str, Any], made: Settings) -> None:
    changed = json.loads(json.dumps(source))
    resources = changed["region"]["Resources"]
    resources |= {key: {"Type": "AWS::IoT::ThingGroup", "Properties": {}} for key in ("GroupAB", "GroupAb", "GroupaB")}
    text = terraform(resources_of(changed, registered("default"), ROLE_REGION, made.profiles), LOBBY)
    names = [name for each in hcl2.loads(text)["resource"] for kind in each.values() for name in kind]
    groups = [name.strip('"') for name in names if name.strip('"').startswith("group")]
    assert groups == ["group_ab", "group_ab_2", "groupa_b"]


def test_a_large_template_names_a_bucket(source: dict[str, Any], made: Settings, resources: TargetResources) -> None:
    """CloudFormation accepts at most 51,200 bytes in a call (CloudFormation quotas)."""
    assert "BUCKET" not in cloudformation(resources, LOBBY)
    changed = json.loads(json.dumps(source))
    large = {f"Group{n}": {"Type": "AWS::IoT::ThingGroup", "Properties": {"X": "x" * 500}} for n in range(80)}
    changed["region"]["Resources"] |= large
    text = cloudformation(resources_of(changed, registered("default"), ROLE_REGION, made.profiles), LOBBY)
    assert len(text.encode()) > 51_200
    assert "--region eu-west-1 --s3-bucket BUCKET\n" in text
    assert "--template-url https://BUCKET.s3.eu-central-1.amazonaws.com/FILE" in text
    assert "--template-body" not in text


def test_terraforms_strings_contain_no_templates(resources: TargetResources) -> None:
    text = terraform(resources, LOBBY)
    assert "$${iot:Connection.Thing.ThingName}" in text
    assert [line.strip() for line in text.replace("$${", "").splitlines() if "${" in line] == [
        'Resource = "${aws_cloudwatch_log_group.arrival_errors.arn}:*"'
    ]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_accepts_the_configuration_as_formatted(resources: TargetResources, tmp_path: Path) -> None:
    """`terraform validate` needs the provider from its registry; `fmt` parses the configuration without it."""
    (tmp_path / "main.tf").write_text(terraform(resources, LOBBY))
    command = ["terraform", "fmt", "-check", "-diff", "-no-color", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


def test_a_property_that_terraform_does_not_know_is_reported(source: dict[str, Any], made: Settings) -> None:
    changed = json.loads(json.dumps(source))
    [topic] = [each for each in changed["region"]["Resources"].values() if each["Type"] == "AWS::SNS::Topic"]
    topic["Properties"]["FifoTopic"] = True
    with pytest.raises(LookupError, match="FifoTopic"):
        terraform(resources_of(changed, registered("default"), ROLE_REGION, made.profiles), LOBBY)
