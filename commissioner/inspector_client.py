"""Asks the inspector, which may enter targets, on behalf of the reconciler, which may not.

What comes back is read into values; a target that lets nobody look, or an inspector that does not answer, is a
`TargetRefused`, with one of the codes that a device's reason has.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.config import Config

from lobby.aws.clients import client
from lobby.contracts import DeactivateRequest, Facts, FactsRequest, Thing, ThingsRequest
from lobby.invocation import InvocationFailed, Request, RequestRefused, Send, invoke
from lobby.names import Fingerprint, Target, ThingName

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

_PATIENCE: Final = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 1})
"""The inspector is given up before whoever asks the reconciler gives that up."""
R = TypeVar("R")


class TargetRefused(Exception):
    """The target cannot be looked at now."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Inquiry:
    """Everything raises `TargetRefused`."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def facts(self, target: Target, wanted: Sequence[tuple[Fingerprint, ThingName]]) -> tuple[Facts, ...]:
        """In order; fewer than were asked for where time was short, but one at least."""
        return self._asked(FactsRequest(target, tuple(wanted))) if wanted else ()

    def things(self, target: Target, token: str | None) -> tuple[tuple[Thing, ...], str | None]:
        """A page of them, and the token of the next."""
        return self._asked(ThingsRequest(target, token))

    def deactivate(self, target: Target, certid: Fingerprint) -> None:
        self._asked(DeactivateRequest(target, certid))

    def _asked(self, request: Request[R]) -> R:
        try:
            return self._send(request)
        except RequestRefused as refused:
            raise TargetRefused(refused.code, refused.message) from None
        except InvocationFailed as error:
            raise TargetRefused("TARGET_UNREACHABLE", f"the target could not be inspected: {error}"[:400]) from error


def by_lambda(function: str) -> Send:
    """Asks the Lambda of this name."""

    @cache
    def made() -> "LambdaClient":
        found: LambdaClient = client("lambda", _PATIENCE)
        return found

    def send(request: Request[R]) -> R:
        return invoke(made(), function, request)

    return send
