"""The AWS clients for registration, made in this one place from what the command line said.

The account is asked for, never assumed: it names the trust bucket, and is shown before anything is changed.
What AWS refuses comes out as `RegistrationError` AWS_REFUSED or NO_AWS with the call and the reason, no traceback.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lobby.errors import InvalidInput
from lobby.names import parse_account, parse_region
from pki.errors import RegistrationError
from pki.lobby_account import Lobby


@dataclass(frozen=True)
class Access:
    """How to reach the lobby's account; what is None comes from the AWS configuration of the user."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None


def connect(access: Access) -> Lobby:
    """The lobby that `access` leads to. Raises `InvalidInput` INVALID_REGION, `RegistrationError`."""
    with expected_failures():
        session = boto3.Session(profile_name=access.profile, region_name=access.region)
        if session.region_name is None:
            raise InvalidInput("INVALID_REGION", "got no Region, want --region or one in the AWS configuration")
        region = parse_region(session.region_name)
        # An endpoint of one's own has no host name per bucket.
        s3_config = Config(s3={"addressing_style": "path"}) if access.endpoint_url else None
        account = session.client("sts", endpoint_url=access.endpoint_url).get_caller_identity()["Account"]
        return Lobby(
            parse_account(account),
            region,
            session.client("iot", endpoint_url=access.endpoint_url),
            session.client("s3", endpoint_url=access.endpoint_url, config=s3_config),
        )


@contextmanager
def expected_failures() -> Iterator[None]:
    """Turn what AWS and the network say into our own errors."""
    try:
        yield
    except ClientError as err:
        reason = err.response.get("Error", {})
        raise RegistrationError(
            "AWS_REFUSED", f"got {reason.get('Code')} from {err.operation_name}: {reason.get('Message')}"
        ) from err
    except BotoCoreError as err:
        raise RegistrationError("NO_AWS", f"got {err}, want AWS credentials and a way to AWS") from err
