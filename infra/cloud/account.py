"""The account to deploy to: read from AWS, shown, and confirmed by the user.

Credentials of another account than the requested one are rejected, because nobody would notice a target's role in the
wrong account.
"""

import os
from dataclasses import dataclass

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError, UnknownRegionError

from infra.cloud.limited_session import LimitedSession
from infra.errors import InfraError
from lobby.names import AccountId, Region, parse_account, parse_region
from lobby.wire import HELLO_RULE


class WrongAccount(InfraError):
    """The credentials are missing or for another account or Region: NO_CREDENTIALS, NO_REGION, WRONG_ACCOUNT,
    WRONG_REGION, WRONG_PARTITION, LOBBY_IN_REGION."""


@dataclass(frozen=True)
class Caller:
    """The identity that deploys, its account and Region."""

    account: AccountId
    region: Region
    arn: str
    session: boto3.Session


def caller(profile: str | None, region: str | None) -> Caller:
    """Return the identity of the credentials of `profile` or of the environment. Raise `WrongAccount`."""
    try:
        session = LimitedSession(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))
        if session.region_name is None:
            raise WrongAccount("NO_REGION", "got no Region, want --region, AWS_REGION, or one in the profile")
        _require_partition(session)
        identity = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError, ValueError, OSError) as error:  # also of numbers and files in AWS_… variables
        raise WrongAccount(
            "NO_CREDENTIALS", f"got no usable credentials ({error}), want --profile, or credentials in the environment"
        ) from None
    return Caller(parse_account(identity["Account"]), parse_region(session.region_name), identity["Arn"], session)


def _require_partition(session: boto3.Session) -> None:
    """Raise `WrongAccount` WRONG_PARTITION for China, GovCloud and other partitions: the ARNs in all templates have the
    partition `aws`, and no role of one partition can assume a role of another one."""
    try:
        partition = session.get_partition_for_region(session.region_name)
    except UnknownRegionError:
        return  # of a later version of AWS
    if partition != "aws":
        message = f"got {session.region_name} of the partition {partition}, want a Region of the partition aws"
        raise WrongAccount("WRONG_PARTITION", message)


def expect(identity: Caller, account: str, region: str) -> None:
    """Raise `WrongAccount` unless `identity` is in `account` and `region`."""
    if identity.account != parse_account(account):
        raise WrongAccount(
            "WRONG_ACCOUNT", f"got credentials of account {identity.account}, want {account}: use --profile"
        )
    if identity.region != parse_region(region):
        raise WrongAccount("WRONG_REGION", f"got Region {identity.region}, want {region}")


def require_region_without_lobby(identity: Caller) -> None:
    """Raise `WrongAccount` LOBBY_IN_REGION if another lobby is in this account and Region. A device connects to the
    endpoint of an account and Region, and AWS IoT sends each new certificate to all rules of that account and
    Region."""
    try:
        found = identity.session.client("iot").get_topic_rule(ruleName=HELLO_RULE)
    except ClientError:
        return  # AWS refuses to show a rule that does not exist
    message = f"got the rule {found['rule']['ruleName']} of another lobby in {identity.region}, want another Region"
    raise WrongAccount("LOBBY_IN_REGION", message)


def confirm(identity: Caller, action: str, yes: bool) -> None:
    """Show the action and the account. Unless `yes`, ask for confirmation and abort if it is denied."""
    typer.echo(f"{action}\n  account  {identity.account}\n  Region   {identity.region}\n  as       {identity.arn}")
    if not yes:
        typer.confirm("Continue?", abort=True)
