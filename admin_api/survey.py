"""Asking the surveyor: the Lambda that tries a target's role without changing anything.

The API may not assume that role itself (the target trusts the commissioner's role alone), so it invokes a
function that may.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from admin_api.errors import SurveyFailed
from lobby.contracts import Survey, SurveyRequest
from lobby.invocation import InvocationFailed, MalformedMessage, invoke
from lobby.names import Region, Target

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


def lambda_client(region: Region) -> Callable[[], "LambdaClient"]:
    """A client that is made when it is first asked for: most requests never need one. API Gateway waits for
    30 s; a survey that takes longer is given up before, and not tried twice."""

    @cache
    def client() -> "LambdaClient":
        import boto3  # noqa: PLC0415  # its import costs more than the rest of a cold start's queries
        from botocore.config import Config  # noqa: PLC0415

        patience = Config(connect_timeout=3, read_timeout=25, retries={"total_max_attempts": 1})
        return boto3.client("lambda", region_name=region, config=patience)

    return client


def run_survey(client: "LambdaClient", function: str, target: Target) -> Survey:
    """Return the surveyor's findings for `target`. Raise `SurveyFailed` if it fails or its answer is malformed."""
    try:
        return invoke(client, function, SurveyRequest(target))
    except InvocationFailed as error:
        raise SurveyFailed(f"the surveyor failed for {target}: {error}") from error
    except MalformedMessage as error:
        raise SurveyFailed(f"the surveyor's answer for {target} is malformed: {error}") from error
