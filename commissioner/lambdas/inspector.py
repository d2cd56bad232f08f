"""Lambda: reads what a target contains, on behalf of the reconciler, and deactivates one certificate at a time there.

Runs with the commissioner's role, as no other role may assume a target's role, but with narrower sessions: one that can
only read, or, to deactivate a certificate, one that can change only that certificate. It reads the register of targets
and nothing else of the ledger.
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from commissioner.errors import TargetRefusal
from commissioner.target_gateway.error_translation import NOT_FOUND, code_of, failures_as_refusals
from commissioner.target_gateway.registry import CERTID, certificate_arn, deactivate, facts_of
from commissioner.target_gateway.session_policies import Policy, deactivation_policy, reading_policy
from commissioner.target_gateway.sessions import Sessions, TargetSession
from lobby.aws.clients import at_init, client
from lobby.contracts import DeactivateRequest, Facts, FactsRequest, Thing, ThingsRequest, decode_inspector_request
from lobby.domain.profile import Profiles
from lobby.errors import NotFound
from lobby.invocation import encode_refusal
from lobby.ledger.targets import Targets
from lobby.names import Fingerprint, Target
from lobby.profiles import bundled_profiles
from lobby.settings import LobbySettings, read_settings

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_sts import STSClient

SECONDS_PER_REQUEST: Final = 10.0
"""Time for a list of devices. The reconciler requests the remaining ones again."""
THINGS_PER_PAGE: Final = 50
logger = Logger(service="inspector")


def inspect(iot: "IoTClient", target: Target, certid: Fingerprint, name: str, profiles: Profiles) -> Facts:
    """Return what the target has for one device."""
    arn = certificate_arn(target, certid)
    status = _or_none(lambda: iot.describe_certificate(certificateId=certid)["certificateDescription"]["status"])
    exists = status is not None
    things = _or_none(lambda: iot.list_principal_things(principal=arn)["things"]) if exists else None
    policies = _or_none(lambda: iot.list_attached_policies(target=arn)["policies"]) if exists else None
    thing = _or_none(lambda: iot.describe_thing(thingName=name))
    holder = thing.get("attributes", {}).get(CERTID, "") if thing else None
    is_own = thing is not None and holder == certid
    facts = _or_none(lambda: facts_of(iot, thing, profiles)) if is_own else None
    names = tuple(each["policyName"] for each in policies or ())
    return Facts(certid, status, tuple(things or ()), names, holder, facts)


def _or_none(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except ClientError as error:
        if code_of(error) == NOT_FOUND:
            return None
        raise


class Inspector:
    """`clock` returns monotonic seconds."""

    def __init__(
        self, targets: Targets, sts: "STSClient", profiles: Profiles, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._targets, self._sts, self._profiles, self._clock = targets, sts, profiles, clock

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return the response, or a refusal if the target denies access or does not answer."""
        request = decode_inspector_request(event)
        try:
            match request:
                case FactsRequest(target, devices):
                    return FactsRequest.encode_response(self._facts(target, devices))
                case ThingsRequest(target, token):
                    return ThingsRequest.encode_response(*self._things(target, token))
                case DeactivateRequest(target, certid):
                    return self._deactivate(target, certid)
        except TargetRefusal as refusal:
            return encode_refusal(refusal.code, refusal.message)

    def _facts(self, target: Target, wanted: Sequence[tuple[Fingerprint, str]]) -> list[Facts]:
        """Return the facts in order, for as many devices as there is time for, but at least for the first."""
        session, began, facts = self._session(target, reading_policy), self._clock(), list[Facts]()
        for certid, name in wanted:
            if facts and self._clock() - began > SECONDS_PER_REQUEST:
                break
            try:
                with failures_as_refusals(target):
                    facts.append(inspect(session.iot, target, certid, name, self._profiles))
            except TargetRefusal:
                if not facts:
                    raise
                break
        return facts

    def _things(self, target: Target, token: str | None) -> tuple[list[Thing], str | None]:
        """Return a page of the things that have the lobby's attribute, and the token of the next page."""
        session = self._session(target, reading_policy)
        more: Any = {"nextToken": token} if token else {}
        with failures_as_refusals(target):
            page = session.iot.list_things(maxResults=THINGS_PER_PAGE, **more)
        named = [(each["thingName"], each.get("attributes", {}).get(CERTID)) for each in page["things"]]
        return [Thing(name, certid) for name, certid in named if certid], page.get("nextToken")

    def _deactivate(self, target: Target, certid: Fingerprint) -> dict[str, Any]:
        session = self._session(target, lambda where: deactivation_policy(where, certid))
        with failures_as_refusals(target):
            deactivate(session.iot, certid)
        logger.warning("deactivated", extra={"target": str(target), "certid": certid})
        return {}

    def _session(self, target: Target, policy: Callable[[Target], Policy]) -> TargetSession:
        """Return a new session each time, so that none is stale."""
        try:
            with failures_as_refusals(target):
                return Sessions(self._sts, policy=policy).of(self._targets.get(target))
        except NotFound as unknown:
            raise TargetRefusal.with_advice("UNKNOWN_TARGET", unknown.message) from None


@at_init
def _inspector() -> Inspector:
    read_settings(LobbySettings, os.environ)
    return Inspector(Targets.read_only(), client("sts"), bundled_profiles())


def handler(event: dict[str, Any], _context: object, inspector: Inspector | None = None) -> dict[str, Any]:
    """Handle an `InspectorRequest` of the reconciler."""
    return (inspector or _inspector()).answer(event)
