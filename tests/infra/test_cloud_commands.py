"""Deployment to AWS: the account is shown and confirmed before any change, and only the invited user becomes admin.
Calls of the CDK CLI are recorded instead of run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws
from typer.testing import CliRunner

from infra.cloud import __main__ as commands
from infra.cloud.account import WrongAccount, caller, expect
from infra.cloud.first_admin import UserExists, invite

HERE = "123456789012"
TARGET = [
    "target",
    "--account",
    HERE,
    "--region",
    "eu-west-1",
    "--external-id",
    "abc",
    "--lobby-account",
    "1" * 12,
    "--lobby-region",
    "eu-central-1",
]


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # pragma: allowlist secret
        "AWS_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []

    def synthesize(name: str, context: dict[str, Any]) -> Path:
        calls.append(("synth", name, context))
        return Path("assembly")

    def deploy(identity: Any, profile: str | None, assembly: Path, stack: str) -> dict[str, str]:
        calls.append(("deploy", identity.account, identity.region, profile, stack))
        return {"RoleArn": "arn"}

    monkeypatch.setattr(commands, "synthesize", synthesize)
    monkeypatch.setattr(commands, "deploy", deploy)
    monkeypatch.setattr(commands, "ensure_bootstrapped", lambda *_: calls.append(("bootstrap",)))
    monkeypatch.setattr(commands, "destroy_stack", lambda *_: calls.append(("destroy",)))
    return calls


def run(*arguments: str, typed: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(commands.app, list(arguments), input=typed)
    return result.exit_code, result.output


def test_the_account_is_read_from_aws() -> None:
    identity = caller(None, None)
    assert (identity.account, identity.region) == (HERE, "eu-west-1")


@pytest.mark.parametrize(
    ("account", "region", "code"), [("2" * 12, "eu-west-1", "WRONG_ACCOUNT"), (HERE, "eu-north-1", "WRONG_REGION")]
)
def test_credentials_of_another_account_or_region_are_rejected(account: str, region: str, code: str) -> None:
    with pytest.raises(WrongAccount, match=code):
        expect(caller(None, None), account, region)


def test_a_target_is_deployed_to_the_named_account_after_confirmation(calls: list[Any]) -> None:
    status, output = run(*TARGET, typed="y\n")
    stacks = [f"DeviceLobbyTarget-{HERE}-eu-west-1", f"DeviceLobbyRole-{HERE}"]
    assert (status, calls[-2:]) == (0, [("deploy", HERE, "eu-west-1", None, stack) for stack in stacks])
    assert HERE in output
    [(_, _, context)] = [call for call in calls if call[0] == "synth"]
    assert (context["lobby"], context["targets"][0]["externalId"]) == (f"{'1' * 12}/eu-central-1", "abc")


def test_a_second_target_of_an_account_is_deployed_without_the_role(calls: list[Any]) -> None:
    assert run(*TARGET, "--without-role", "--yes")[0] == 0
    assert [call[-1] for call in calls if call[0] == "deploy"] == [f"DeviceLobbyTarget-{HERE}-eu-west-1"]


@pytest.mark.parametrize("command", [TARGET, ["aws"], ["destroy", "aws"], ["destroy", "target"]])
def test_nothing_is_changed_without_confirmation(calls: list[Any], command: list[str]) -> None:
    status, _ = run(*command, typed="n\n")
    assert (status, calls) == (1, [])


def test_a_target_in_another_account_is_rejected_before_confirmation(calls: list[Any]) -> None:
    status, _ = run(*[argument if argument != HERE else "2" * 12 for argument in TARGET], "--yes")
    assert (status, calls) == (1, [])


def test_destroy_rejects_an_unknown_deployment(calls: list[Any]) -> None:
    status, output = run("destroy", "everything", "--yes")
    assert (status, calls) == (2, [])
    assert "everything" in output


@pytest.fixture
def cognito() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("cognito-idp", region_name="eu-west-1")
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


USER = {"UserPoolId": "eu-west-1_pool", "Username": "ada"}


def add_existing_user(stubber: Stubber, email: str) -> None:
    stubber.add_client_error("admin_create_user", "UsernameExistsException")
    response = {"Username": "ada", "UserAttributes": [{"Name": "email", "Value": email}]}
    stubber.add_response("admin_get_user", response, USER)


def test_the_first_admin_is_invited_by_mail_and_added_to_the_group(cognito: tuple[Any, Stubber]) -> None:
    client, stubber = cognito
    stubber.add_response(
        "admin_create_user",
        {},
        USER
        | {
            "UserAttributes": [
                {"Name": "email", "Value": "ada@example.com"},
                {"Name": "email_verified", "Value": "true"},
            ],
            "TemporaryPassword": ANY,
            "DesiredDeliveryMediums": ["EMAIL"],
        },
    )
    stubber.add_response("admin_add_user_to_group", {}, USER | {"GroupName": "admin"})
    assert "invited" in invite(client, USER["UserPoolId"], "ada@example.com")


def test_an_existing_user_is_only_added_to_the_admin_group(cognito: tuple[Any, Stubber]) -> None:
    client, stubber = cognito
    add_existing_user(stubber, "ada@example.com")
    stubber.add_response("admin_add_user_to_group", {}, USER | {"GroupName": "admin"})
    assert "already" in invite(client, USER["UserPoolId"], "ada@example.com")


def test_another_user_with_the_same_name_does_not_become_admin(cognito: tuple[Any, Stubber]) -> None:
    client, stubber = cognito
    add_existing_user(stubber, "ada@elsewhere.example")
    with pytest.raises(UserExists, match="USER_EXISTS"):
        invite(client, USER["UserPoolId"], "ada@example.com")
