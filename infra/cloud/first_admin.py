"""Invites the first admin of a new lobby: somebody must be able to sign in before anybody can be let in.

Cognito mails a temporary password, which has to be changed at the first sign-in. A person who is there already is
put into the admins' group, and nothing else about them is changed.
"""

from typing import TYPE_CHECKING

from infra.errors import InfraError
from infra.passwords import new_password

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient


class AlreadyThere(InfraError):
    """The user name is somebody else's: USER_EXISTS."""


def invite(cognito: "CognitoIdentityProviderClient", pool: str, email: str) -> str:
    """What was done, for people."""
    name = email.partition("@")[0]
    told = f"{email} is invited as {name!r}, admin; the temporary password is in the mail"
    try:
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=name,
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
            TemporaryPassword=new_password(),
            DesiredDeliveryMediums=["EMAIL"],
        )
    except cognito.exceptions.UsernameExistsException:
        found = cognito.admin_get_user(UserPoolId=pool, Username=name)["UserAttributes"]
        theirs = next((each["Value"] for each in found if each["Name"] == "email"), None)
        if theirs != email:
            message = f"got {email}, but {name!r} is there with {theirs}, want another address"
            raise AlreadyThere("USER_EXISTS", message) from None
        told = f"{name!r} was there already, and is an admin now"
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName="admin")
    return told
