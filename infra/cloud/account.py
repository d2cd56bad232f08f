"""Whose account is about to be touched: asked of AWS itself, shown, and confirmed by the person at the keyboard.

Refuses to go on with credentials of another account than the one that was named: a target's role in the wrong
account is a mistake that nobody notices.
"""

import os
from dataclasses import dataclass

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError

from infra.errors import InfraError
from lobby.names import AccountId, Region, parse_account, parse_region


class WrongAccount(InfraError):
    """The credentials do not lead where they should: NO_CREDENTIALS, NO_REGION, WRONG_ACCOUNT, WRONG_REGION."""


@dataclass(frozen=True)
class Caller:
    """Who deploys, and where."""

    account: AccountId
    region: Region
    arn: str
    session: boto3.Session


def caller(profile: str | None, region: str | None) -> Caller:
    """The account behind the credentials of `profile` or of the environment. Raises `WrongAccount`."""
    try:
        session = boto3.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))
        if session.region_name is None:
            raise WrongAccount("NO_REGION", "got no Region, want one: --region, AWS_REGION, or the profile's")
        who = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise WrongAccount(
            "NO_CREDENTIALS", f"got no usable credentials ({error}), want some: --profile, or the environment's"
        ) from None
    return Caller(parse_account(who["Account"]), parse_region(session.region_name), who["Arn"], session)


def expect(who: Caller, account: str, region: str) -> None:
    """Raises `WrongAccount` unless `who` acts in `account` and `region`."""
    if who.account != parse_account(account):
        raise WrongAccount("WRONG_ACCOUNT", f"got credentials of account {who.account}, want {account}: --profile?")
    if who.region != parse_region(region):
        raise WrongAccount("WRONG_REGION", f"got Region {who.region}, want {region}")


def confirm(who: Caller, what: str, yes: bool) -> None:
    """Shows what is about to happen and to whom; ends the program unless it is agreed to."""
    typer.echo(f"{what}\n  account  {who.account}\n  Region   {who.region}\n  as       {who.arn}")
    if not yes:
        typer.confirm("Go on?", abort=True)
