"""Lambda: what a target has, as the reconciler asks for it; and the one thing that it may change there.

Runs with the commissioner's role, as nobody else may enter a target, but with less: a session that can only read, or,
to put a certificate out of use, one that can do nothing else and to no other. It knows nothing of the ledger but the
register of targets.
"""

import os
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from commissioner.errors import Refused, code_of, refusal
from commissioner.target_gateway.registry import CERTID, certificate_arn, deactivate
from commissioner.target_gateway.sessions import Sessions, TargetSession, deactivating_policy, reading_policy
from lobby.aws.clients import client
from lobby.contracts import DeactivateRequest, Facts, FactsRequest, Thing, ThingsRequest, decode_inspector_request
from lobby.errors import NotFound
from lobby.invocation import encode_refusal
from lobby.ledger.targets import Targets
from lobby.names import Fingerprint, Target
from lobby.settings import LobbySettings, read_settings

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_sts import STSClient

SECONDS: Final = 10.0
"""For devices; those that it had no time for are asked about again."""
THINGS: Final = 50
"""Things to a page."""
_ABSENT: Final = "ResourceNotFoundException"
logger = Logger(service="inspector")


def inspect(iot: "IoTClient", target: Target, certid: Fingerprint, name: str) -> Facts:
    """What is there of one device."""
    arn = certificate_arn(target, certid)
    status = _or_none(lambda: iot.describe_certificate(certificateId=certid)["certificateDescription"]["status"])
    there = status is not None
    things = _or_none(lambda: iot.list_principal_things(principal=arn)["things"]) if there else None
    policies = _or_none(lambda: iot.list_attached_policies(target=arn)["policies"]) if there else None
    holder = _or_none(lambda: iot.describe_thing(thingName=name).get("attributes", {}).get(CERTID, ""))
    return Facts(certid, status, tuple(things or ()), tuple(each["policyName"] for each in policies or ()), holder)


def _or_none(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except ClientError as error:
        if code_of(error) == _ABSENT:
            return None
        raise


class Inspector:
    """`clock` gives seconds that only ever grow."""

    def __init__(self, targets: Targets, sts: "STSClient", clock: Callable[[], float] = time.monotonic) -> None:
        self._targets, self._sts, self._clock = targets, sts, clock

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        """A refusal where the target lets nobody look, or does not answer."""
        request = decode_inspector_request(event)
        try:
            match request:
                case FactsRequest(target, devices):
                    return FactsRequest.encode_response(self._devices(target, devices))
                case ThingsRequest(target, token):
                    return ThingsRequest.encode_response(*self._things(target, token))
                case DeactivateRequest(target, certid):
                    return self._deactivate(target, certid)
        except Refused as refused:
            return encode_refusal(refused.code, refused.message)

    def _devices(self, target: Target, wanted: Sequence[tuple[Fingerprint, str]]) -> list[Facts]:
        """In order, as many as there is time for; of several, the first at least."""
        session, began, found = self._session(target, reading_policy), self._clock(), list[Facts]()
        for certid, name in wanted:
            if found and self._clock() - began > SECONDS:
                break
            try:
                found.append(inspect(session.iot, target, certid, name))
            except (ClientError, BotoCoreError) as error:
                if not found:
                    raise _refused(error, target) from error
                break
        return found

    def _things(self, target: Target, token: str | None) -> tuple[list[Thing], str | None]:
        """A page of the things that name a certificate as the lobby's do."""
        session = self._session(target, reading_policy)
        more: Any = {"nextToken": token} if token else {}
        try:
            page = session.iot.list_things(maxResults=THINGS, **more)
        except (ClientError, BotoCoreError) as error:
            raise _refused(error, target) from error
        named = [(each["thingName"], each.get("attributes", {}).get(CERTID)) for each in page["things"]]
        return [Thing(name, certid) for name, certid in named if certid], page.get("nextToken")

    def _deactivate(self, target: Target, certid: Fingerprint) -> dict[str, Any]:
        session = self._session(target, lambda where: deactivating_policy(where, certid))
        try:
            deactivate(session.iot, certid)
        except (ClientError, BotoCoreError) as error:
            raise _refused(error, target) from error
        logger.warning("deactivated", extra={"target": str(target), "certid": certid})
        return {}

    def _session(self, target: Target, policy: Callable[[Target], dict[str, Any]]) -> TargetSession:
        """A new one each time, so that none is out of date."""
        try:
            return Sessions(self._sts, policy=policy).of(self._targets.get(target))
        except NotFound as unknown:
            raise Refused("UNKNOWN_TARGET", unknown.message) from None
        except (ClientError, BotoCoreError) as error:
            raise _refused(error, target) from error


def _refused(error: ClientError | BotoCoreError, target: Target) -> Refused:
    told = refusal(error, str(target)) if isinstance(error, ClientError) else None
    return told or Refused("TARGET_UNREACHABLE", f"{target} answered {type(error).__name__}: {error}"[:400])


@cache
def _inspector() -> Inspector:
    read_settings(LobbySettings, os.environ)
    return Inspector(Targets.read_only(), client("sts"))


def handler(event: dict[str, Any], _context: object, inspector: Inspector | None = None) -> dict[str, Any]:
    """Takes an `InspectorRequest` of the reconciler."""
    return (inspector or _inspector()).answer(event)
