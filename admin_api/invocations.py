"""Sends requests to the surveyor and the reconciler, which may access targets, and to the registrar.

The API cannot assume a target's role, because the target trusts only the commissioner's role. It has no permission for
certificates; the registrar has this permission. `lobby.contracts.targets` and `lobby.contracts.claim_certificates`
define the messages.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from admin_api.errors import ComparisonFailed, RegistrarFailed, SurveyFailed
from lobby.contracts.invocation import InvocationFailed, MalformedMessage, Request, RequestRefused, invoke
from lobby.contracts.targets import Comparison, ComparisonRequest, Survey, SurveyRequest
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.names import Region, Target

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

R = TypeVar("R")


def lambda_client(region: Region) -> Callable[[], "LambdaClient"]:
    """Return a function that creates the Lambda client at the first use, because most requests do not need it. API
    Gateway times out after 30 s, so the client has a shorter timeout and does not retry."""

    @cache
    def client() -> "LambdaClient":
        import boto3  # noqa: PLC0415  # importing it takes longer than the rest of a cold start's queries
        from botocore.config import Config  # noqa: PLC0415

        config = Config(connect_timeout=3, read_timeout=25, retries={"total_max_attempts": 1})
        return boto3.client("lambda", region_name=region, config=config)

    return client


def run_survey(client: "LambdaClient", function: str, target: Target) -> Survey:
    """Return the surveyor's findings in `target`. Raise `SurveyFailed` if it fails or its response is malformed."""
    try:
        return invoke(client, function, SurveyRequest(target))
    except InvocationFailed as error:
        raise SurveyFailed(f"the surveyor failed for {target}: {error}") from error
    except MalformedMessage as error:
        raise SurveyFailed(f"the surveyor's response for {target} is malformed: {error}") from error


def compare(
    client: "LambdaClient", function: str, target: Target, cursor: str | None, repair_as: str | None
) -> Comparison:
    """Return a page of differences between `target` and the ledger, repaired as the actor `repair_as` (None: only
    reported).

    Raise `InvalidInput` INVALID_CURSOR, `Conflict` with a device's reason code if the target cannot be compared, or
    `ComparisonFailed`."""
    try:
        return invoke(client, function, ComparisonRequest(target, cursor, repair_as))
    except RequestRefused as refused:
        kind = InvalidInput if refused.code == "INVALID_CURSOR" else Conflict
        raise kind(refused.code, refused.message) from None
    except InvocationFailed as error:
        raise ComparisonFailed(f"the reconciler failed for {target}: {error}") from error
    except MalformedMessage as error:
        raise ComparisonFailed(f"the reconciler's response for {target} is malformed: {error}") from error


def ask_registrar(client: "LambdaClient", function: str, request: Request[R]) -> R:
    """Return the registrar's response. Raise `InvalidInput`, `NotFound` or `Conflict` with the code of its refusal, or
    `RegistrarFailed`."""
    try:
        return invoke(client, function, request)
    except RequestRefused as refused:
        kinds = {"INVALID": InvalidInput, "UNKNOWN": NotFound}
        raise kinds.get(refused.code.partition("_")[0], Conflict)(refused.code, refused.message) from None
    except InvocationFailed as error:
        raise RegistrarFailed(f"the registrar failed: {error}") from error
    except MalformedMessage as error:
        raise RegistrarFailed(f"the registrar's response is malformed: {error}") from error
