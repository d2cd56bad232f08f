"""Invites the first admin of a new lobby.

Cognito mails a temporary password, which the user must change at the first sign-in. An existing user is added to the
admin group and not changed otherwise.
"""

from typing import TYPE_CHECKING

from infra.errors import InfraError
from infra.users.passwords import new_password

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient


class UserExists(InfraError):
    """Another user has the user name: USER_EXISTS."""


def invite(cognito: "CognitoIdentityProviderClient", pool: str, email: str) -> str:
    """Invite `email` as an admin and return a message for the user. Raise `UserExists`."""
    name = email.partition("@")[0]
    message = f"{email} is invited as {name!r}, admin; Cognito mails the temporary password"
    try:
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=name,
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
            TemporaryPassword=new_password(),
            DesiredDeliveryMediums=["EMAIL"],
        )
    except cognito.exceptions.UsernameExistsException:
        attributes = cognito.admin_get_user(UserPoolId=pool, Username=name)["UserAttributes"]
        existing = next((each["Value"] for each in attributes if each["Name"] == "email"), None)
        if existing != email:
            raise UserExists(
                "USER_EXISTS", f"got {email}, but the user {name!r} has {existing}, want another address"
            ) from None
        message = f"{name!r} already exists and is now an admin"
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName="admin")
    return message
