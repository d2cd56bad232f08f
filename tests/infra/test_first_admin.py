"""Only the invited user becomes the first admin, even if a user with the same name exists."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from infra.cloud.first_admin import UserExists, invite


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
