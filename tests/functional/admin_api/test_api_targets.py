"""Targets: registration, listing, checks, and who gets the external id."""

from dataclasses import replace
from typing import Any

import pytest

from admin_api.target_registration import new_external_id
from lobby.contracts import Survey, SurveyFinding
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
