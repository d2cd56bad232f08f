"""Invokes a Lambda function of the operator that chooses a device's target.

The device waits for the answer, so it must come within `TIMEOUT`, and a call is not repeated: the function would run
twice. Every failure is `HookFailed`, with its cause.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lobby import strict_json
from lobby.aws.clients import client

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

TIMEOUT: Final = 3
"""Seconds."""
_MAX_ANSWER: Final = 32 * 1024
_MAX_TEXT: Final = 300


class HookFailed(Exception):
    """The function gave no answer."""


@cache
def lambda_client(timeout: float = TIMEOUT) -> "LambdaClient":
    config = Config(connect_timeout=1, read_timeout=timeout, retries={"total_max_attempts": 1})
    invoking: LambdaClient = client("lambda", config)
    return invoking


def invoke(
    function: str,
    request: Mapping[str, Any],
    get: Callable[[float], "LambdaClient"] = lambda_client,
    timeout: float = TIMEOUT,
) -> Any:
    """Return the function's answer, parsed as JSON. `timeout` is in seconds. Raise `HookFailed`."""
    try:
        response = get(timeout).invoke(FunctionName=function, Payload=json.dumps(request).encode())
        payload = response["Payload"].read(_MAX_ANSWER + 1)
    except (ClientError, BotoCoreError) as error:
        raise HookFailed(f"{function} gave no answer within {timeout} s: {error}"[:_MAX_TEXT]) from None
    if "FunctionError" in response:
        raise HookFailed(f"{function} failed: {payload[:_MAX_TEXT].decode(errors='replace')!r}")
    if len(payload) > _MAX_ANSWER:
        raise HookFailed(f"{function} returned more than {_MAX_ANSWER} bytes")
    try:
        return strict_json.loads(payload)
    except strict_json.RepeatedName as error:
        raise HookFailed(f"{function} returned JSON that is ambiguous: {error}") from None
    except ValueError:
        raise HookFailed(f"{function} returned {payload[:80]!r}, want JSON") from None
