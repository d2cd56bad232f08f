"""Lambda: reads the registrations in a target for the reconciler, and deactivates one certificate at a time there.

It reads single devices, or lists things and certificates in pages, at a pace that leaves the target's owner half of
AWS's quota. It has the commissioner's role, because no other role may assume a target's role, but uses narrower
sessions. One kind can only read; the other can change only the certificate to deactivate. In the ledger, it reads only
the register of targets.
"""

import json
import os
import time
from collections.abc import Callable, Collection, Container
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from commissioner.errors import TargetRefusal
from commissioner.target_gateway.error_translation import NOT_FOUND, code_of, failures_as_refusals
from commissioner.target_gateway.registry import certificate_arn, deactivate, facts_of
from commissioner.target_gateway.session_policies import Policy, deactivation_policy, reading_policy
from commissioner.target_gateway.sessions import Sessions, TargetSession
from lobby.aws.clients import at_init, client
from lobby.aws.pacer import Pacer
from lobby.contracts.inspector import (
    CertificatesRequest,
    DeactivateRequest,
    Facts,
    FactsRequest,
    Thing,
    ThingsRequest,
    decode_inspector_request,
)
from lobby.contracts.invocation import encode_refusal
from lobby.domain.pacing import Pace
from lobby.domain.targets.profile import Profiles
from lobby.domain.targets.target import profile_policy
from lobby.domain.targets.thing_claim import CERTID, CLAIM
from lobby.errors import NotFound
from lobby.ledger.targets.target_registry import Targets
from lobby.names import Fingerprint, Target
from lobby.profiles import bundled_profiles
from lobby.settings import LobbySettings, read_settings

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_sts import STSClient

SECONDS_PER_REQUEST: Final = 10.0
"""Time for a list of devices, or of pages. The reconciler requests the remaining ones again."""
PAGE_SIZE: Final = 250
"""The maximum of ListThings, ListCertificates and ListTargetsForPolicy (API reference)."""
LARGEST_LIST: Final = 2_000_000
"""Bytes of things after which no further page is read. Lambda returns at most 6 MB (developer guide, "Lambda quotas"),
and the attributes of one page can be large."""
LARGEST_PAGE: Final = 3_000_000
"""Bytes of the things of one page, at most."""
_LARGEST_ATTRIBUTE: Final = 1_000
"""Bytes of an attribute with its name (128 and 800 characters; API reference, AttributePayload), and of a thing's own
fields."""
PACE: Final = Pace(5.0, burst=5)
"""Devices and pages per second: half of AWS IoT's default quota of each operation used here except DescribeThing (10/s;
General Reference, "AWS IoT Core endpoints and quotas"). The target's owner can use the rest."""
R = TypeVar("R")
logger = Logger(service="inspector")


def inspect(
    iot: "IoTClient",
    target: Target,
    certid: Fingerprint,
    name: str,
    profiles: Profiles,
    current: Fingerprint | None = None,
) -> Facts:
    """Return a device's registration in the target. `current` is its certificate in use after a renewal."""
    used = current or certid
    arn = certificate_arn(target, used)
    status = _or_none(lambda: iot.describe_certificate(certificateId=used)["certificateDescription"]["status"])
    exists = status is not None
    things = _or_none(lambda: iot.list_principal_things(principal=arn)["things"]) if exists else None
    policies = _or_none(lambda: iot.list_attached_policies(target=arn)["policies"]) if exists else None
    thing = _or_none(lambda: iot.describe_thing(thingName=name))
    holder = thing.get("attributes", {}).get(CERTID, "") if thing else None
    is_own = thing is not None and holder == certid
    facts = _or_none(lambda: facts_of(iot, thing, profiles)) if is_own else None
    names = tuple(each["policyName"] for each in policies or ())
    claim = thing["attributes"].get(CLAIM) if is_own else None
    return Facts(certid, status, tuple(things or ()), names, holder, facts, claim)


def _things_in_page(names: Collection[str]) -> int:
    """Return how many things a page may have if all have large attributes `names` and the lobby's two."""
    return max(1, min(PAGE_SIZE, LARGEST_PAGE // (_LARGEST_ATTRIBUTE * (len(names) + 2))))


def _thing(fields: Any, names: Container[str]) -> Thing | None:
    """Return a thing that names a certificate, with its attributes among `names`."""
    attributes = fields.get("attributes", {})
    if not attributes.get(CERTID):
        return None
    kept = {name: value for name, value in attributes.items() if name in names}
    return Thing(fields["thingName"], attributes[CERTID], fields.get("thingTypeName"), kept, attributes.get(CLAIM))


def _active(iot: "IoTClient", more: Any) -> tuple[list[Fingerprint], str | None]:
    page = iot.list_certificates(pageSize=PAGE_SIZE, ascendingOrder=True, **more)
    active = [each["certificateId"] for each in page["certificates"] if each["status"] == "ACTIVE"]
    return [Fingerprint(certid) for certid in active], page.get("nextMarker")


def _holders(iot: "IoTClient", profile: str, more: Any) -> tuple[list[Fingerprint], str | None]:
    """Return the certificates that have a policy. A policy can also have other targets, such as thing groups."""
    page = _or_none(lambda: iot.list_targets_for_policy(policyName=profile_policy(profile), pageSize=PAGE_SIZE, **more))
    arns = [] if page is None else page["targets"]
    certids = [arn.partition(":cert/")[2] for arn in arns if ":cert/" in arn]
    return [Fingerprint(certid) for certid in certids], page.get("nextMarker") if page else None


def _or_none(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except ClientError as error:
        if code_of(error) == NOT_FOUND:
            return None
        raise


class Inspector:
    """`clock` returns monotonic seconds. `pacer` delays every device and every page."""

    def __init__(
        self,
        targets: Targets,
        sts: "STSClient",
        profiles: Profiles,
        clock: Callable[[], float] = time.monotonic,
        pacer: Pacer | None = None,
    ) -> None:
        self._targets, self._sts, self._profiles, self._clock = targets, sts, profiles, clock
        self._pacer = pacer or Pacer(PACE)

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return the response, or a refusal if the target denies access or does not answer."""
        request = decode_inspector_request(event)
        try:
            match request:
                case FactsRequest():
                    return FactsRequest.encode_response(self._facts(request))
                case ThingsRequest(target, token, pages):
                    return ThingsRequest.encode_response(*self._things(target, token, pages))
                case CertificatesRequest(target, profile, token, pages):
                    return CertificatesRequest.encode_response(*self._certificates(target, profile, token, pages))
                case DeactivateRequest(target, certid):
                    return self._deactivate(target, certid)
        except TargetRefusal as refusal:
            return encode_refusal(refusal.code, refusal.message)

    def _facts(self, wanted: FactsRequest) -> list[Facts]:
        """Return the facts in order, for as many devices as time permits, but at least for the first."""
        target = wanted.target
        iot, devices = self._session(target, reading_policy).iot, iter(wanted.devices)

        def inspect_next() -> tuple[list[Facts], bool]:
            certid, name = next(devices)
            return [inspect(iot, target, certid, name, self._profiles, wanted.renewed.get(certid))], True

        return self._repeated(target, len(wanted.devices), inspect_next)

    def _things(self, target: Target, token: str | None, pages: int) -> tuple[list[Thing], str | None]:
        """Return the things with the lobby's attribute from some pages, and the token of the next page."""
        iot, following, names = self._session(target, reading_policy).iot, token, self._profiles.attribute_names()

        def next_page() -> tuple[list[Thing], bool]:
            nonlocal following
            more: Any = {"nextToken": following} if following else {}
            page = iot.list_things(maxResults=_things_in_page(names), **more)
            following = page.get("nextToken")
            return [each for each in (_thing(fields, names) for fields in page["things"]) if each], bool(following)

        return self._repeated(target, pages, next_page, lambda thing: len(json.dumps(asdict(thing)))), following

    def _certificates(
        self, target: Target, profile: str | None, token: str | None, pages: int
    ) -> tuple[list[Fingerprint], str | None]:
        """Return the fingerprints of some pages of certificates, and the token of the next page."""
        iot, following = self._session(target, reading_policy).iot, token

        def next_page() -> tuple[list[Fingerprint], bool]:
            nonlocal following
            more: Any = {"marker": following} if following else {}
            certids, following = _active(iot, more) if profile is None else _holders(iot, profile, more)
            return certids, bool(following)

        return self._repeated(target, pages, next_page), following

    def _repeated(
        self,
        target: Target,
        most: int,
        step: Callable[[], tuple[list[R], bool]],
        size_of: Callable[[R], int] = lambda _result: 0,
    ) -> list[R]:
        """Return the combined results of the steps. `step` also returns whether there is more. Stop after `most` steps,
        when time is up or the results are large (`size_of`, in bytes), or at a failure of a step after the first."""
        began, found, more, count, size = self._clock(), list[R](), most > 0, 0, 0
        while more and count < most and size < LARGEST_LIST:
            if count > 0 and self._clock() - began > SECONDS_PER_REQUEST:
                break
            self._pacer.wait()
            try:
                with failures_as_refusals(target):
                    results, more = step()
            except TargetRefusal:
                if count == 0:
                    raise
                break
            found += results
            size += sum(map(size_of, results))
            count += 1
        return found

    def _deactivate(self, target: Target, certid: Fingerprint) -> dict[str, Any]:
        session = self._session(target, lambda where: deactivation_policy(where, certid))
        with failures_as_refusals(target):
            deactivate(session.iot, certid)
        logger.warning("certificate deactivated", extra={"target": str(target), "certid": certid})
        return {}

    def _session(self, target: Target, policy: Callable[[Target], Policy]) -> TargetSession:
        """Return a new session each time, so that no session is stale."""
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
