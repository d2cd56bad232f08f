"""Deploying to AWS: the account is looked at and agreed to before anything is touched, and nobody is made admin by
mistake. What the CDK CLI is told is recorded instead of run."""

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
from infra.cloud.first_admin import AlreadyThere, invite

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
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []

    def synthesize(name: str, context: dict[str, Any]) -> Path:
        calls.append(("synth", name, context))
        return Path("assembly")

    def deploy(who: Any, profile: str | None, assembly: Path, stack: str) -> dict[str, str]:
        calls.append(("deploy", who.account, who.region, profile, stack))
        return {"RoleArn": "arn"}

    monkeypatch.setattr(commands, "synthesize", synthesize)
    monkeypatch.setattr(commands, "deploy", deploy)
    monkeypatch.setattr(commands, "ensure_bootstrapped", lambda *_: calls.append(("bootstrap",)))
    monkeypatch.setattr(commands, "take_down", lambda *_: calls.append(("destroy",)))
    return calls


def run(*arguments: str, answer: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(commands.app, list(arguments), input=answer)
    return done.exit_code, done.output


def test_the_account_behind_the_credentials_is_aws_s_word() -> None:
    who = caller(None, None)
    assert (who.account, who.region) == (HERE, "eu-west-1")


@pytest.mark.parametrize(
    ("account", "region", "code"), [("2" * 12, "eu-west-1", "WRONG_ACCOUNT"), (HERE, "eu-north-1", "WRONG_REGION")]
)
def test_credentials_that_lead_elsewhere_are_refused(account: str, region: str, code: str) -> None:
    with pytest.raises(WrongAccount, match=code):
        expect(caller(None, None), account, region)


def test_a_target_is_deployed_where_it_was_named_once_that_is_agreed_to(told: list[Any]) -> None:
    status, said = run(*TARGET, answer="y\n")
    assert (status, told[-1]) == (0, ("deploy", HERE, "eu-west-1", None, f"DeviceLobbyTarget-{HERE}-eu-west-1"))
    assert HERE in said
    [(_, _, context)] = [call for call in told if call[0] == "synth"]
    assert (context["lobby"], context["targets"][0]["externalId"]) == (f"{'1' * 12}/eu-central-1", "abc")


@pytest.mark.parametrize("command", [TARGET, ["aws"], ["destroy", "aws"], ["destroy", "target"]])
def test_nothing_is_touched_unless_it_is_agreed_to(told: list[Any], command: list[str]) -> None:
    status, _ = run(*command, answer="n\n")
    assert (status, told) == (1, [])


def test_a_target_in_another_account_than_the_credentials_is_refused_before_any_question(told: list[Any]) -> None:
    status, _ = run(*[word if word != HERE else "2" * 12 for word in TARGET], "--yes")
    assert (status, told) == (1, [])


def test_destroy_of_what_there_is_not_is_refused(told: list[Any]) -> None:
    status, said = run("destroy", "everything", "--yes")
    assert (status, told) == (2, [])
    assert "everything" in said


@pytest.fixture
def cognito() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("cognito-idp", region_name="eu-west-1")
    with Stubber(client) as answers:
        yield client, answers
        answers.assert_no_pending_responses()


USER = {"UserPoolId": "eu-west-1_pool", "Username": "ada"}


def is_there_with(answers: Stubber, email: str) -> None:
    answers.add_client_error("admin_create_user", "UsernameExistsException")
    found = {"Username": "ada", "UserAttributes": [{"Name": "email", "Value": email}]}
    answers.add_response("admin_get_user", found, USER)


def test_the_first_admin_is_invited_by_mail_and_made_an_admin(cognito: tuple[Any, Stubber]) -> None:
    client, answers = cognito
    answers.add_response(
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
    answers.add_response("admin_add_user_to_group", {}, USER | {"GroupName": "admin"})
    assert "invited" in invite(client, USER["UserPoolId"], "ada@example.com")


def test_who_is_there_already_is_made_an_admin_and_nothing_else(cognito: tuple[Any, Stubber]) -> None:
    client, answers = cognito
    is_there_with(answers, "ada@example.com")
    answers.add_response("admin_add_user_to_group", {}, USER | {"GroupName": "admin"})
    assert "already" in invite(client, USER["UserPoolId"], "ada@example.com")


def test_somebody_else_of_the_same_name_does_not_become_admin(cognito: tuple[Any, Stubber]) -> None:
    client, answers = cognito
    is_there_with(answers, "ada@elsewhere.example")
    with pytest.raises(AlreadyThere, match="USER_EXISTS"):
        invite(client, USER["UserPoolId"], "ada@example.com")
