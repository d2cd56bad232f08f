"""Targets: registration, listing, checks, and who gets the external id."""

from dataclasses import replace
from typing import Any

import pytest

from admin_api.operations.target_registration import new_external_id
from lobby.contracts.targets import Survey, SurveyFinding
from lobby.domain.transitions import ClaimRequest
from lobby.names import parse_target
from tests.functional.admin_api.api_on_moto import EXTERNAL_ID, HERE, THERE, Lobby, at

REGISTER = """
mutation($account: String!, $region: String!, $name: String!, $profiles: [String!]) {
  registerTarget(account: $account, region: $region, name: $name, profiles: $profiles) {
    account region name profiles createdBy externalId setupCommand
  }
}"""
TARGETS = "{ targets { account region name profiles externalId setupCommand } }"
CHECK = """
query($account: String!, $region: String!) {
  checkTarget(account: $account, region: $region) { account region ok endpoint findings { step ok message } }
}"""


def test_a_registered_target_has_a_setup_command(lobby: Lobby) -> None:
    variables = at("333333333333/eu-north-1") | {"name": "North", "profiles": ["default", "camera"]}
    registered = lobby.ask(REGISTER, variables, ("admin",)).data["registerTarget"]
    assert registered | {"externalId": "", "setupCommand": ""} == {
        **variables,
        "createdBy": "user:alice",
        "externalId": "",
        "setupCommand": "",
    }
    assert registered["setupCommand"] == (
        f"./deploy.sh target --account 333333333333 --region eu-north-1 --external-id {registered['externalId']}"
        " --lobby-account 999999999999 --lobby-region eu-west-1 --profiles default,camera"
    )


def test_a_second_region_shares_the_external_id_and_omits_the_role(lobby: Lobby) -> None:
    second = replace(HERE, region=THERE.region)
    registered = lobby.ask(REGISTER, at(second) | {"name": "Second"}, ("admin",)).data["registerTarget"]
    assert registered["externalId"] == EXTERNAL_ID
    assert registered["setupCommand"].endswith("--lobby-region eu-west-1 --without-role")
    first, *_ = lobby.ask(TARGETS, groups=("admin",)).data["targets"]
    assert (first["region"], "--without-role" in first["setupCommand"]) == (HERE.region, False)


def test_the_setup_command_of_a_lobby_that_removes_things_permits_it(lobby: Lobby) -> None:
    """The role of a target permits it only if the owner deploys the role with this setting."""
    removing = replace(lobby, removes_left_things=True)
    commands = [each["setupCommand"] for each in removing.ask(TARGETS, groups=("admin",)).data["targets"]]
    assert all(command.endswith(" --remove-left-things") for command in commands)


def test_registering_again_keeps_the_external_id_and_profiles(lobby: Lobby) -> None:
    again = lobby.ask(REGISTER, at(HERE) | {"name": "Renamed"}, ("admin",)).data["registerTarget"]
    assert (again["name"], again["externalId"], again["profiles"]) == ("Renamed", EXTERNAL_ID, ["default", "camera"])


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"account": "1"}, "INVALID_ACCOUNT"),
        ({"region": "Mars"}, "INVALID_REGION"),
        ({"region": "eu-nowhere-1"}, "INVALID_REGION"),
        ({"name": ""}, "INVALID_NAME"),
        ({"name": "x" * 65}, "INVALID_NAME"),
        ({"name": "a\nb"}, "INVALID_NAME"),
        ({"profiles": ["a b"]}, "INVALID_PROFILE"),
        ({"profiles": ["default", "submarine"]}, "UNKNOWN_PROFILE"),
    ],
)
def test_a_malformed_target_is_not_registered(lobby: Lobby, changed: dict[str, Any], code: str) -> None:
    variables = at("333333333333/eu-north-1") | {"name": "North"} | changed
    assert lobby.ask(REGISTER, variables, ("admin",)).code == code
    assert len(lobby.targets.all()) == 2


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_only_admins_get_external_ids(lobby: Lobby, role: str) -> None:
    for target in lobby.ask(TARGETS, groups=(role,)).data["targets"]:
        assert (target["externalId"], target["setupCommand"]) == (None, None)
    assert {t["externalId"] for t in lobby.ask(TARGETS, groups=("admin",)).data["targets"]} == {EXTERNAL_ID}


def test_a_technician_gets_only_their_targets(lobby: Lobby) -> None:
    listed = lobby.ask(TARGETS, groups=("technician", f"target:{THERE}")).data["targets"]
    assert [(target["account"], target["externalId"]) for target in listed] == [(THERE.account, None)]
    assert lobby.ask(TARGETS, groups=("technician",)).data["targets"] == []


def test_a_check_returns_the_findings_of_the_surveyor(lobby: Lobby) -> None:
    findings = (
        SurveyFinding("sts:AssumeRole", True, "assumed"),
        SurveyFinding("iot:GetPolicy", False, "deploy the target stack"),
    )
    lobby.surveys[HERE] = Survey(findings, None)
    assert lobby.ask(CHECK, at(HERE)).data["checkTarget"] == {
        **at(HERE),
        "ok": False,
        "endpoint": None,
        "findings": [{"step": step.step, "ok": step.ok, "message": step.message} for step in findings],
    }
    assert lobby.ask(CHECK, at(THERE)).data["checkTarget"]["ok"] is True


def test_a_target_that_is_not_registered_is_not_surveyed(lobby: Lobby) -> None:
    assert lobby.ask(CHECK, at("333333333333/eu-west-1")).code == "UNKNOWN_TARGET"
    assert lobby.surveyed == []


def test_an_external_id_is_random_and_alphanumeric() -> None:
    ids = {new_external_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(one) == 32 and one.isalnum() for one in ids)


def change(lobby: Lobby, operation: str, target: Any = HERE, role: str = "admin", **more: str) -> Any:
    names = "".join(f", ${name}: String!" for name in more)
    passed = "".join(f", {name}: ${name}" for name in more)
    call = f"{operation}(account: $account, region: $region{passed}) {{ name archivedAt }}"
    document = f"mutation($account: String!, $region: String!{names}) {{ {call} }}"
    return lobby.ask(document, at(target) | more, (role,))


def archived(lobby: Lobby) -> None:
    assert change(lobby, "archiveTarget").data["archiveTarget"]["archivedAt"] is not None


def test_a_target_is_renamed(lobby: Lobby) -> None:
    assert change(lobby, "renameTarget", name="North").data["renameTarget"]["name"] == "North"
    assert change(lobby, "renameTarget", name="There").code == "NAME_IMITATES"
    assert change(lobby, "renameTarget", name=" x").code == "INVALID_NAME"
    assert lobby.targets.get(HERE).name == "North"


def test_an_archived_target_is_listed_only_on_request(lobby: Lobby) -> None:
    archived(lobby)
    assert [each["region"] for each in lobby.ask(TARGETS).data["targets"]] == [THERE.region]
    everything = lobby.ask("{ targets(includeArchived: true) { region archivedAt } }").data["targets"]
    assert [(each["region"], each["archivedAt"] is not None) for each in everything] == [
        (HERE.region, True),
        (THERE.region, False),
    ]


CLAIMS = {
    "claimDevice": "mutation($id: ID!, $t: TargetInput!) { claimDevice(certid: $id, target: $t) { devstate } }",
    "claimDevices": (
        "mutation($id: ID!, $t: TargetInput!) { claimDevices(certids: [$id], target: $t) { results { ok } } }"
    ),
    "moveDevice": "mutation($id: ID!, $t: TargetInput!) { moveDevice(certid: $id, target: $t) { devstate } }",
    "addDevice": (
        "mutation($id: ID!, $a: String!, $r: String!)"
        " { addDevice(certid: $id, targetaccount: $a, targetregion: $r) { devstate } }"
    ),
}


@pytest.mark.parametrize("operation", CLAIMS)
def test_an_archived_target_takes_no_claims(lobby: Lobby, operation: str) -> None:
    certid = lobby.waiting(1)
    if operation == "moveDevice":
        lobby.ledger.claim(certid, ClaimRequest(THERE), "user:alice")
    archived(lobby)
    where = {"a": HERE.account, "r": HERE.region} if operation == "addDevice" else {"t": at(HERE)}
    answer = lobby.ask(CLAIMS[operation], {"id": certid, **where})
    assert answer.code == "TARGET_ARCHIVED"
    device = lobby.ledger.get(certid)
    assert device is not None
    assert device.target == (THERE if operation == "moveDevice" else None)


def test_a_restored_target_takes_claims_again(lobby: Lobby) -> None:
    archived(lobby)
    assert change(lobby, "restoreTarget").data["restoreTarget"]["archivedAt"] is None
    answer = lobby.ask(CLAIMS["claimDevice"], {"id": lobby.waiting(1), "t": at(HERE)})
    assert answer.data["claimDevice"]["devstate"] == "claimed"


def test_devices_of_an_archived_target_can_be_released(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    archived(lobby)
    document = "mutation($id: ID!) { releaseDevice(certid: $id) { device { devstate } } }"
    assert lobby.ask(document, {"id": certid}).data["releaseDevice"]["device"]["devstate"] == "inlobby"


def test_a_target_is_removed_in_two_steps(lobby: Lobby) -> None:
    assert change(lobby, "removeTarget").code == "TARGET_NOT_ARCHIVED"
    archived(lobby)
    assert change(lobby, "removeTarget").code == "TARGET_ARCHIVED_JUST_NOW"
    assert change(lobby, "removeTarget", parse_target("3" * 12, "eu-west-1")).code == "UNKNOWN_TARGET"


def test_the_history_of_a_target_is_returned(lobby: Lobby) -> None:
    archived(lobby)
    document = """query($account: String!, $region: String!) {
      targetHistory(account: $account, region: $region) { actor event detail } }"""
    entries = lobby.ask(document, at(HERE)).data["targetHistory"]
    assert [(each["actor"], each["event"]) for each in entries] == [("setup", "registered"), ("user:alice", "archived")]


@pytest.mark.parametrize("operation", ["renameTarget", "archiveTarget", "restoreTarget", "removeTarget"])
def test_only_admins_change_targets(lobby: Lobby, operation: str) -> None:
    more = {"name": "North"} if operation == "renameTarget" else {}
    assert change(lobby, operation, role="operator", **more).code == "FORBIDDEN"
    assert (lobby.targets.get(HERE).name, lobby.targets.get(HERE).archivedat) == ("Here", None)


TEMPLATE = """query($account: String!, $region: String!, $format: TemplateFormat) {
  targetTemplate(account: $account, region: $region, format: $format) { fileName content quickCreateUrl } }"""


@pytest.mark.parametrize(
    ("wanted", "name", "content"),
    [
        ("CLOUDFORMATION", "device-lobby-target-111111111111-eu-west-1.yaml", "Type: AWS::IoT::Policy"),
        ("TERRAFORM", "device-lobby-target-111111111111-eu-west-1.tf", 'resource "aws_iot_policy"'),
    ],
)
def test_admins_get_a_template_of_a_target(lobby: Lobby, wanted: str, name: str, content: str) -> None:
    template = lobby.ask(TEMPLATE, at(HERE) | {"format": wanted}, ("admin",)).data["targetTemplate"]
    assert template["fileName"] == name
    assert content in template["content"]
    assert EXTERNAL_ID in template["content"]
    assert "999999999999/eu-west-1" in template["content"]
    assert "gateway" not in template["content"]  # a profile that the target does not have
    link = "https://eu-west-1.console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/create/review?"
    link += "templateURL=https%3A%2F%2Fbucket.s3.amazonaws.com%2F111111111111%3Fsigned&stackName=DeviceLobbyTarget"
    assert template["quickCreateUrl"] == (link if wanted == "CLOUDFORMATION" else None)


def test_only_admins_get_templates(lobby: Lobby) -> None:
    assert lobby.ask(TEMPLATE, at(HERE)).code == "FORBIDDEN"
    assert lobby.ask(TEMPLATE, at("333333333333/eu-west-1"), ("admin",)).code == "UNKNOWN_TARGET"


def test_the_template_of_a_second_region_leaves_the_role_to_the_first(lobby: Lobby) -> None:
    second = replace(HERE, region=THERE.region)
    lobby.ask(REGISTER, at(second) | {"name": "Second"}, ("admin",))
    template = lobby.ask(TEMPLATE, at(second), ("admin",)).data["targetTemplate"]
    assert f'Default: "{HERE.region}"' in template["content"]
