"""Lambda: the dry run behind `checkTarget`: can devices be commissioned in this target, and if not, why not.

Runs with the commissioner's role, as no other role may assume a target's role. Each permission is tested with a call
that cannot take effect, because the resource it names does not exist: AWS checks permissions before it looks up the
resource. The response lists every step and its result; nothing in the target is changed.
"""

import os
from collections.abc import Callable
from typing import Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from commissioner.target_gateway.error_translation import DENIED, NOT_FOUND, code_of, message_of, target_refusal
from commissioner.target_gateway.registry import certificate_arn
from commissioner.target_gateway.session_policies import survey_policy
from commissioner.target_gateway.sessions import Sessions, TargetSession
from lobby.aws.clients import at_init, client
from lobby.contracts import Survey, SurveyFinding, SurveyRequest
from lobby.domain.device import DEFAULT_PROFILE
from lobby.domain.target import RegisteredTarget, profile_policy
from lobby.ledger.targets import Targets
from lobby.names import Fingerprint, ThingName
from lobby.settings import LobbySettings, read_settings
from lobby.wire import lobby_topic

NO_CERTIFICATE: Final = Fingerprint("0" * 64)
NO_THING: Final = ThingName("device-lobby-no-such-thing")
_PERMITTED: Final = {
    NOT_FOUND,
    "InvalidRequestException",
    "CertificateValidationException",
    "ValidationException",
    "CertificateStateException",
    "CertificateConflictException",
    "ResourceAlreadyExistsException",
}
"""Error codes that AWS returns only after the permission check."""
logger = Logger(service="surveyor")


def survey(registered: RegisteredTarget, sessions: Sessions) -> Survey:
    """Test every permission, and look for the policy of every profile."""
    try:
        session = sessions.of(registered)
    except ClientError as error:
        refusal = target_refusal(error, str(registered.target))
        message = refusal.message if refusal else _unknown(code_of(error))
        return Survey((SurveyFinding("sts:AssumeRole", False, message),), None)
    except BotoCoreError as error:
        return Survey((SurveyFinding("sts:AssumeRole", False, _unknown(error)),), None)
    findings = [SurveyFinding("sts:AssumeRole", True, f"assumed {registered.role_arn}")]
    findings += [_test(step, call) for step, call in _permissions(session).items()]
    findings += [_test_policy(session, profile) for profile in registered.profiles]
    endpoint = _test("iot:DescribeEndpoint", lambda: session.endpoint)
    return Survey((*findings, endpoint), endpoint.message if endpoint.ok else None)


def _permissions(session: TargetSession) -> dict[str, Callable[[], Any]]:
    iot, arn = session.iot, certificate_arn(session.target, NO_CERTIFICATE)
    policy = profile_policy(DEFAULT_PROFILE)
    return {
        "iot:CreateThing": lambda: iot.create_thing(thingName=NO_THING, thingTypeName=NO_THING),
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
        "iot:Publish": lambda: session.iot_data.publish(topic=lobby_topic(NO_THING), payload=b"{}"),
    }


def _test(step: str, call: Callable[[], Any], absent: str | None = None) -> SurveyFinding:
    """Make the call and judge the answer. `absent` is the message for a resource that must exist; without it, a
    missing resource is the expected answer."""
    try:
        result = call()
    except ClientError as error:
        code = code_of(error)
        if code in DENIED:
            return SurveyFinding(step, False, f"missing: {code} ({message_of(error)})")
        if absent is not None and code == NOT_FOUND:
            return SurveyFinding(step, False, f"missing: {absent}")
        if code not in _PERMITTED:
            return SurveyFinding(step, False, _unknown(code))
    except BotoCoreError as error:
        return SurveyFinding(step, False, _unknown(error))
    else:
        return SurveyFinding(step, True, result if isinstance(result, str) else "found")
    return SurveyFinding(step, True, "found")


def _test_policy(session: TargetSession, profile: str) -> SurveyFinding:
    name = profile_policy(profile)
    absent = f"{session.target} has no such policy; deploy the target's stack with this profile"
    return _test(f"policy {name}", lambda: session.iot.get_policy(policyName=name), absent)


def _unknown(answer: object) -> str:
    return f"could not be checked: AWS answered {answer}; check again"


@at_init
def _sessions() -> Sessions:
    read_settings(LobbySettings, os.environ)
    return Sessions(client("sts"), policy=survey_policy)


def handler(event: dict[str, Any], _context: object, sessions: Sessions | None = None) -> dict[str, Any]:
    """Handle a `SurveyRequest`; return a `Survey`."""
    target = SurveyRequest.decode(event).target
    result = survey(Targets.read_only().get(target), sessions or _sessions())
    logger.info("surveyed", extra={"target": str(target), "missing": [f.step for f in result.findings if not f.ok]})
    return result.encode()
