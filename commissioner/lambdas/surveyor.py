"""Lambda: the dry run behind `checkTarget`. It reports whether devices can be commissioned in a target, and which parts
are missing.

It has the commissioner's role, because no other role may assume a target's role. Each permission is tested with a call
that cannot take effect, because the named resource does not exist: AWS checks permissions before it looks up the
resource. The response lists every step and its result. Nothing in the target is changed.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from commissioner.lambdas.survey_checks import NO_THING, check, unknown
from commissioner.lambdas.survey_profiles import survey_profiles
from commissioner.lambdas.survey_reports import Reports, survey_reports
from commissioner.target_gateway.error_translation import code_of, target_refusal
from commissioner.target_gateway.registry import certificate_arn
from commissioner.target_gateway.session_policies import survey_policy
from commissioner.target_gateway.sessions import Sessions, TargetSession
from lobby.aws.clients import at_init, client
from lobby.contracts.targets import Survey, SurveyFinding, SurveyRequest
from lobby.deployment import NAMES
from lobby.domain.device import DEFAULT_PROFILE
from lobby.domain.targets.profile import Profiles
from lobby.domain.targets.target import RegisteredTarget, profile_policy
from lobby.ledger.targets.target_registry import Targets
from lobby.names import Fingerprint
from lobby.profiles import bundled_profiles
from lobby.settings import REMOVE, SurveyorSettings, read_settings
from lobby.wire import lobby_topic

NO_CERTIFICATE: Final = Fingerprint("0" * 64)
logger = Logger(service="surveyor")


@dataclass(frozen=True)
class Wanted:
    """The requirements of a target: `profiles` are the lobby's. With `removal`, the role must also permit removing
    registrations of devices that have left."""

    profiles: Profiles
    reports: Reports
    removal: bool = False


def survey(registered: RegisteredTarget, sessions: Sessions, wanted: Wanted) -> Survey:
    """Test every permission, and check every required part of the target."""
    try:
        session = sessions.of(registered)
    except ClientError as error:
        refusal = target_refusal(error, str(registered.target))
        message = refusal.message if refusal else unknown(code_of(error))
        return Survey((SurveyFinding("sts:AssumeRole", False, message),), None)
    except BotoCoreError as error:
        return Survey((SurveyFinding("sts:AssumeRole", False, unknown(error)),), None)
    findings = [SurveyFinding("sts:AssumeRole", True, f"assumed {registered.role_arn}")]
    findings += [check(step, call) for step, call in _permissions(session).items()]
    if wanted.removal:
        findings += [check(step, call) for step, call in _removal(session).items()]
    endpoint = check("iot:DescribeEndpoint", lambda: session.endpoint)
    findings.append(endpoint)
    findings += [_check_at(endpoint, step, call) for step, call in _messages(session).items()]
    findings += survey_profiles(session, wanted.profiles)
    findings += survey_reports(session, wanted.reports)
    return Survey(tuple(findings), endpoint.message if endpoint.ok else None)


def _permissions(session: TargetSession) -> dict[str, Callable[[], Any]]:
    iot, arn = session.iot, certificate_arn(session.target, NO_CERTIFICATE)
    policy = profile_policy(DEFAULT_PROFILE)
    return {
        "iot:CreateThing": lambda: iot.create_thing(thingName=NO_THING, thingTypeName=NO_THING),
        "iot:UpdateThing": lambda: iot.update_thing(thingName=NO_THING),
        "iot:DescribeThing": lambda: iot.describe_thing(thingName=NO_THING),
        "iot:RegisterCertificateWithoutCA": lambda: iot.register_certificate_without_ca(certificatePem="none"),
        "iot:DescribeCertificate": lambda: iot.describe_certificate(certificateId=NO_CERTIFICATE),
        "iot:UpdateCertificate": lambda: iot.update_certificate(certificateId=NO_CERTIFICATE, newStatus="INACTIVE"),
        "iot:AttachThingPrincipal": lambda: iot.attach_thing_principal(thingName=NO_THING, principal=arn),
        "iot:AttachPolicy": lambda: iot.attach_policy(policyName=policy, target=arn),
        "iot:ListAttachedPolicies": lambda: iot.list_attached_policies(target=arn),
        "iot:DetachPolicy": lambda: iot.detach_policy(policyName=policy, target=arn),
        "iot:ListPrincipalThings": lambda: iot.list_principal_things(principal=arn),
        "iot:ListThings": lambda: iot.list_things(maxResults=1),
        "iot:ListCertificates": lambda: iot.list_certificates(pageSize=1),
        "iot:ListTargetsForPolicy": lambda: iot.list_targets_for_policy(policyName=policy, pageSize=1),
    }


def _removal(session: TargetSession) -> dict[str, Callable[[], Any]]:
    """Return the calls that remove the registration of a device that has left."""
    iot, arn = session.iot, certificate_arn(session.target, NO_CERTIFICATE)
    return {
        "iot:DetachThingPrincipal": lambda: iot.detach_thing_principal(thingName=NO_THING, principal=arn),
        "iot:DeleteCertificate": lambda: iot.delete_certificate(certificateId=NO_CERTIFICATE),
        "iot:DeleteThing": lambda: iot.delete_thing(thingName=NO_THING),
    }


def _messages(session: TargetSession) -> dict[str, Callable[[], Any]]:
    """Return the calls of the data plane, which go to the target's own endpoint."""
    return {
        "iot:GetThingShadow": lambda: session.iot_data.get_thing_shadow(thingName=NO_THING),
        "iot:ListNamedShadowsForThing": lambda: session.iot_data.list_named_shadows_for_thing(thingName=NO_THING),
        "iot:UpdateThingShadow": lambda: session.iot_data.update_thing_shadow(thingName=NO_THING, payload=b"{}"),
        "iot:DeleteThingShadow": lambda: session.iot_data.delete_thing_shadow(thingName=NO_THING),
        "iot:DeleteConnection": lambda: session.iot_data.delete_connection(clientId=NO_THING),
        "iot:Publish": lambda: session.iot_data.publish(topic=lobby_topic(NO_THING), payload=b"{}"),
    }


def _check_at(endpoint: SurveyFinding, step: str, call: Callable[[], Any]) -> SurveyFinding:
    """Check a call to an endpoint. If the endpoint is unknown, the permission cannot be checked."""
    if endpoint.ok:
        return check(step, call)
    return SurveyFinding(step, False, f"could not be checked: it needs {endpoint.step}; check again")


@cache
def _wanted() -> Wanted:
    settings = read_settings(SurveyorSettings, os.environ)
    reports = Reports(settings.lobby, settings.arrivals_queue, NAMES)
    return Wanted(bundled_profiles(), reports, settings.left_things == REMOVE)


@at_init
def _sessions() -> Sessions:
    removal = _wanted().removal
    return Sessions(client("sts"), policy=lambda target: survey_policy(target, removal=removal))


def handler(
    event: dict[str, Any], _context: object, sessions: Sessions | None = None, wanted: Wanted | None = None
) -> dict[str, Any]:
    """Handle a `SurveyRequest`; return a `Survey`."""
    target = SurveyRequest.decode(event).target
    result = survey(Targets.read_only().get(target), sessions or _sessions(), wanted or _wanted())
    logger.info("surveyed", extra={"target": str(target), "missing": [f.step for f in result.findings if not f.ok]})
    return result.encode()
