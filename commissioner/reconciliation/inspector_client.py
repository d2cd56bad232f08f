"""The reconciler's client for the inspector, which may read targets; the reconciler may not.

If the inspector refuses a request or does not answer, `TargetRefusal` is raised, with one of the codes of device
reasons.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.config import Config

from commissioner.errors import TargetRefusal
from lobby.aws.clients import client
from lobby.contracts.inspector import CertificatesRequest, DeactivateRequest, Facts, FactsRequest, Thing, ThingsRequest
from lobby.contracts.invocation import InvocationFailed, Request, RequestRefused, Send, invoke
from lobby.names import Fingerprint, Target, ThingName

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

R = TypeVar("R")
_NONE: Final[Mapping[Fingerprint, Fingerprint]] = MappingProxyType({})
_TIMEOUTS: Final = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 1})
"""Shorter than the timeout of the API's call to the reconciler."""


class InspectorClient:
    """Every method raises `TargetRefusal`."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def facts(
        self,
        target: Target,
        wanted: Sequence[tuple[Fingerprint, ThingName]],
        renewed: Mapping[Fingerprint, Fingerprint] = _NONE,
    ) -> tuple[Facts, ...]:
        """Return the facts in order; fewer than wanted if time is short, but at least one. `renewed` has the
        certificates in use of devices that have renewed."""
        return self._request(FactsRequest(target, tuple(wanted), renewed)) if wanted else ()

    def things(self, target: Target, token: str | None, pages: int = 1) -> tuple[tuple[Thing, ...], str | None]:
        """Return the things of some pages and the token of the next page."""
        return self._request(ThingsRequest(target, token, pages))

    def certificates(
        self, target: Target, profile: str | None, token: str | None, pages: int
    ) -> tuple[tuple[Fingerprint, ...], str | None]:
        """Return certificates of some pages, and the token of the next page: the certificates with the policy of
        `profile`, or the ACTIVE ones if `profile` is None."""
        return self._request(CertificatesRequest(target, profile, token, pages))

    def deactivate(self, target: Target, certid: Fingerprint) -> None:
        self._request(DeactivateRequest(target, certid))

    def _request(self, request: Request[R]) -> R:
        try:
            return self._send(request)
        except RequestRefused as refusal:
            raise TargetRefusal(refusal.code, refusal.message) from None
        except InvocationFailed as error:
            raise TargetRefusal("TARGET_UNREACHABLE", f"the target could not be inspected: {error}"[:400]) from error


def by_lambda(function: str) -> Send:
    """Return a `Send` that invokes the Lambda of this name."""

    @cache
    def lambda_client() -> "LambdaClient":
        created: LambdaClient = client("lambda", _TIMEOUTS)
        return created

    def send(request: Request[R]) -> R:
        return invoke(lambda_client(), function, request)

    return send
