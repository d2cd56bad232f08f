"""The deployment's AWS sessions, whose requests are limited in time and size (`lobby.limited_requests`).

Without these limits, a server that sends one byte per minute would block a deployment forever. botocore repeats a
request that is too late as it repeats one without an answer, a few times. The CDK's own requests are not concerned.
"""

from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ReadTimeoutError

from lobby.limited_requests import Failures, Limits, limit_requests

LIMITS: Final = Limits(seconds=90.0)
"""botocore waits 60 s for a packet, and a whole response may take a little longer."""


class NoCompleteResponse(ReadTimeoutError):
    """botocore repeats the request after it, as after any read timeout."""

    fmt = "no complete response from {endpoint_url} within {seconds:g} s: check the network and the proxy"


class ResponseTooLarge(BotoCoreError):
    """Not of AWS, or of another server in its place."""

    fmt = "got a response of more than {size:,} bytes, want one of AWS: check the network and the proxy"


class LimitedSession(boto3.Session):
    """A session whose clients have the limits, in each Region."""

    def client(self, *args: Any, **options: Any) -> Any:
        return limit_requests(super().client(*args, **options), Failures(_late, _large), LIMITS)


def _late(server: str, seconds: float) -> NoCompleteResponse:
    return NoCompleteResponse(endpoint_url=server, seconds=seconds)


def _large(size: int) -> ResponseTooLarge:
    return ResponseTooLarge(size=size)
