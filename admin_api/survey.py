"""Asking the surveyor: the Lambda that tries a target's role without changing anything.

The API may not assume that role itself (the target trusts the commissioner's role alone), so it invokes a
function that may. What comes back is checked before it is shown.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from admin_api.errors import SurveyFailed
from lobby.names import Region, Target

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


@dataclass(frozen=True)
class Step:
    """One thing that was tried: `step` names the permission or step, `message` says what to do if it failed."""

    step: str
    ok: bool
    message: str


@dataclass(frozen=True)
class Survey:
    """What stands and what is missing in a target; `endpoint` is its IoT host if that could be had."""

    findings: tuple[Step, ...]
    endpoint: str | None

    @property
    def ok(self) -> bool:
        return bool(self.findings) and all(finding.ok for finding in self.findings)


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


def invoke(client: "LambdaClient", function: str, target: Target) -> Survey:
    """Raises `SurveyFailed`."""
    request = json.dumps({"account": target.account, "region": target.region})
    answer = client.invoke(FunctionName=function, InvocationType="RequestResponse", Payload=request.encode())
    payload = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise SurveyFailed(f"the surveyor failed for {target}: {payload[:500]!r}")
    return read(payload, target)


def read(payload: bytes, target: Target) -> Survey:
    """The surveyor's answer, checked. Raises `SurveyFailed`."""
    try:
        body = json.loads(payload)
        found = tuple(_step(finding) for finding in body["findings"])
        endpoint = _endpoint(body.get("endpoint"))
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise SurveyFailed(f"the surveyor's answer for {target} is malformed ({fault!r}): {payload[:500]!r}") from fault
    return Survey(found, endpoint)


def _step(finding: dict[str, Any]) -> Step:
    step, ok, message = finding["step"], finding["ok"], finding["message"]
    if not (isinstance(step, str) and isinstance(ok, bool) and isinstance(message, str)):
        raise TypeError("a finding is not step, ok and message")
    return Step(step, ok, message)


def _endpoint(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("endpoint is no text")
    return value
