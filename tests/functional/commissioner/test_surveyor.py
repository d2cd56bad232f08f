"""The dry run names every missing permission and everything that could not be checked, and changes nothing."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError
from moto.iot.models import iot_backends
from moto.sns.models import Subscription, sns_backends

from commissioner.lambdas import surveyor
from commissioner.lambdas.survey_reports import Reports
from commissioner.lambdas.surveyor import Wanted
from commissioner.target_gateway.sessions import Sessions
from lobby.domain.profile import Profile, Profiles, ThingType
from lobby.domain.target_rules import connected_sql, duplicates_sql
from lobby.lobby_names import LobbyNames
from tests import aws
from tests.functional.commissioner.lobby_with_targets import KEY, PROFILES, A, LobbyWithTargets, wall_clock

ABSENT = {
    "CreateThing": "ResourceNotFoundException",
    "UpdateThing": "ResourceNotFoundException",
    "DescribeThing": "ResourceNotFoundException",
    "RegisterCertificateWithoutCA": "CertificateValidationException",
    "DescribeCertificate": "ResourceNotFoundException",
    "UpdateCertificate": "ResourceNotFoundException",
    "AttachThingPrincipal": "ResourceNotFoundException",
    "AttachPolicy": "ResourceNotFoundException",
    "ListAttachedPolicies": "ResourceNotFoundException",
    "DetachPolicy": "ResourceNotFoundException",
    "ListPrincipalThings": "ResourceNotFoundException",
    "DeleteConnection": "ResourceNotFoundException",
}
"""AWS's answers to permitted calls that name resources that do not exist."""
LISTS = ("ListThings", "ListCertificates", "ListTargetsForPolicy")
STEPS = [
    "sts:AssumeRole",
    *(f"iot:{operation}" for operation in ABSENT if operation != "DeleteConnection"),
    "iot:ListThings",
    "iot:ListCertificates",
    "iot:ListTargetsForPolicy",
    "iot:DescribeEndpoint",
    "iot:DeleteConnection",
    "iot:Publish",
    "policy device-lobby-default",
    "rule device_lobby_connected",
    "rule device_lobby_duplicates",
    "subscription of device-lobby-arrivals",
]
QUEUE = "arn:aws:sqs:eu-west-1:999999999999:device-lobby-arrivals"
TOPIC = f"arn:aws:sns:{A.region}:{A.account}:device-lobby-arrivals"
REPORTS = Reports(KEY, QUEUE, LobbyNames())


def error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{operation}: {code}"}}, operation)


@pytest.fixture
def target(lobby: LobbyWithTargets) -> LobbyWithTargets:
    deploy_reports()
    lobby.calls.fails = {operation: error(code, operation) for operation, code in ABSENT.items()}
    return lobby


def deploy_reports() -> None:
    """Create the rules, the topic and the subscription of A, as its stack does."""
    role = f"arn:aws:iam::{A.account}:role/device-lobby-rules-{A.region}"
    for name, sql in (("connected", connected_sql(KEY, role)), ("duplicates", duplicates_sql(KEY, role))):
        actions = [{"sns": {"targetArn": TOPIC, "roleArn": role}}]
        iot_backends[A.account][A.region].create_topic_rule(
            f"device_lobby_{name}",
            sql=sql,
            actions=actions,
            rule_disabled=False,
            description="",
            error_action={},
            aws_iot_sql_version="2016-03-23",
        )
    sns = sns_backends[A.account][A.region]
    sns.create_topic("device-lobby-arrivals")
    sns.subscribe(TOPIC, QUEUE, "sqs")


def surveyed(
    account: str = A.account, profiles: Profiles = PROFILES, *, removal: bool = False
) -> tuple[dict[str, tuple[bool, str]], str | None]:
    sessions = Sessions(aws.client("sts"), wall_clock)
    wanted = Wanted(profiles, REPORTS, removal)
    answer = surveyor.handler({"account": account, "region": A.region}, None, sessions, wanted)
    return {each["step"]: (each["ok"], each["message"]) for each in answer["findings"]}, answer["endpoint"]


def missing(findings: dict[str, tuple[bool, str]]) -> list[str]:
    return [step for step, (ok, _) in findings.items() if not ok]


def test_in_a_ready_target_every_step_is_found_and_nothing_is_changed(target: LobbyWithTargets) -> None:
    before = aws.registry(A)
    findings, endpoint = surveyed()
    assert list(findings) == STEPS
    assert missing(findings) == []
    assert endpoint == "a1b2c3d4-ats.iot.eu-west-1.amazonaws.com"
    assert aws.registry(A) == before
    assert findings["iot:DescribeEndpoint"] == (True, endpoint)


@pytest.mark.parametrize("operation", [*ABSENT, *LISTS, "Publish"])
@pytest.mark.parametrize("code", ["AccessDeniedException", "ForbiddenException"])
def test_a_missing_permission_is_named(target: LobbyWithTargets, operation: str, code: str) -> None:
    target.calls.fails[operation] = error(code, operation)
    findings, endpoint = surveyed()
    assert missing(findings) == [f"iot:{operation}"]
    assert findings[f"iot:{operation}"][1].startswith("missing")
    assert endpoint is not None


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (error("AccessDeniedException", "DescribeEndpoint"), "missing"),
        (EndpointConnectionError(endpoint_url="https://iot.mars-1.amazonaws.com"), "could not be checked"),
    ],
)
def test_without_the_endpoint_the_calls_that_need_it_could_not_be_checked(
    target: LobbyWithTargets, fault: Exception, reason: str
) -> None:
    target.calls.fails["DescribeEndpoint"] = fault
    findings, endpoint = surveyed()
    assert endpoint is None
    assert missing(findings) == ["iot:DescribeEndpoint", "iot:DeleteConnection", "iot:Publish"]
    assert findings["iot:DescribeEndpoint"][1].startswith(reason)
    for step in ("iot:DeleteConnection", "iot:Publish"):
        assert findings[step][1] == "could not be checked: it needs iot:DescribeEndpoint; check again"


def test_all_missing_permissions_are_named_together(target: LobbyWithTargets) -> None:
    more = ("Publish", "GetPolicy", "DescribeEndpoint", "GetTopicRule", "ListSubscriptionsByTopic")
    for operation in (*ABSENT, *LISTS, *more):
        target.calls.fails[operation] = error("AccessDeniedException", operation)
    findings, _ = surveyed()
    assert missing(findings) == STEPS[1:]


def test_a_role_that_cannot_be_assumed_ends_the_survey_with_advice(target: LobbyWithTargets) -> None:
    target.calls.fails["AssumeRole"] = error("AccessDenied", "AssumeRole")
    findings, endpoint = surveyed()
    assert missing(findings) == list(findings) == ["sts:AssumeRole"]
    assert "ExternalId" in findings["sts:AssumeRole"][1]
    assert endpoint is None


def test_the_policy_of_every_profile_is_checked(target: LobbyWithTargets) -> None:
    with target.calls.uncounted():
        target.targets.register(A, "name", ("default", "camera"), "user:ann")
    findings, _ = surveyed()
    assert missing(findings) == ["policy device-lobby-camera"]
    assert "deploy" in findings["policy device-lobby-camera"][1]


FLEET = Profiles.of(
    [
        Profile("default"),
        Profile(
            "camera",
            thing_type=ThingType("camera", ("model",)),
            thing_groups=("cameras", "outdoors"),
            billing_group="video",
        ),
    ]
)
NAMED = ["thing type camera", "thing group cameras", "thing group outdoors", "billing group video"]


@pytest.fixture
def fleet(lobby: LobbyWithTargets) -> Any:
    """A target with the profile `camera`, and its AWS IoT, in which everything that the profile names exists."""
    iot = iot_backends[A.account][A.region]
    with lobby.calls.uncounted():
        lobby.targets.register(A, "name", ("default", "camera"), "user:ann")
        iot.create_thing_type("camera", {"searchableAttributes": ["model"]})
        for group in ("cameras", "outdoors"):
            iot.create_thing_group(group, None, {})  # type: ignore[arg-type]  # for moto, no parent is None
        iot.create_billing_group("video", None)
        lobby.deploy_policy(A, "camera")
        deploy_reports()
    lobby.calls.fails = {operation: error(code, operation) for operation, code in ABSENT.items()}
    return iot


def test_everything_that_a_profile_names_is_checked(fleet: Any) -> None:
    findings, _ = surveyed(profiles=FLEET)
    assert set(NAMED) < set(findings)
    assert missing(findings) == []
    for step in ("AddThingToThingGroup cameras", "RemoveThingFromThingGroup outdoors", "AddThingToBillingGroup video"):
        assert findings[f"iot:{step}"] == (True, "found")


def test_what_a_profile_names_and_the_target_lacks_is_reported_with_the_fix(fleet: Any) -> None:
    fleet.thing_types.clear()
    fleet.thing_groups.clear()
    fleet.billing_groups.clear()
    findings, _ = surveyed(profiles=FLEET)
    assert missing(findings) == NAMED
    for step in NAMED:
        kind = step.rpartition(" ")[0]
        want = f"missing: {A} has no such {kind}; deploy the target's stack with this profile"
        assert findings[step][1] == want


def test_a_thing_type_that_differs_is_reported(fleet: Any) -> None:
    fleet.describe_thing_type("camera").thing_type_properties["searchableAttributes"] = ["serial"]
    findings, _ = surveyed(profiles=FLEET)
    assert missing(findings) == ["thing type camera"]
    assert findings["thing type camera"][1].startswith("differs: got searchable attributes serial, want model;")


def test_a_deprecated_thing_type_is_reported(fleet: Any) -> None:
    fleet.deprecate_thing_type("camera", False)
    findings, _ = surveyed(profiles=FLEET)
    assert missing(findings) == ["thing type camera"]
    assert findings["thing type camera"][1].startswith("deprecated")


@pytest.mark.parametrize("document", ['{"Version":"2012-10-17","Statement":[]}', "no JSON"])
def test_a_policy_that_differs_from_its_profile_is_reported(fleet: Any, document: str) -> None:
    fleet.get_policy("device-lobby-camera").document = document
    findings, _ = surveyed(profiles=FLEET)
    assert missing(findings) == ["policy device-lobby-camera"]
    assert findings["policy device-lobby-camera"][1].startswith("differs from profile camera; deploy")


def test_a_membership_that_the_role_does_not_allow_is_named_with_its_group(lobby: LobbyWithTargets, fleet: Any) -> None:
    lobby.calls.fails["AddThingToThingGroup"] = error("AccessDeniedException", "AddThingToThingGroup")
    findings, _ = surveyed(profiles=FLEET)
    assert missing(findings) == ["iot:AddThingToThingGroup cameras", "iot:AddThingToThingGroup outdoors"]


def test_a_profile_that_the_lobby_does_not_have_is_reported(fleet: Any) -> None:
    findings, _ = surveyed(profiles=Profiles.of([Profile("default")]))
    assert missing(findings) == ["profile camera"]
    assert "this lobby has no such profile" in findings["profile camera"][1]


BUSY = error("ThrottlingException", "X")
UNCHECKED: list[tuple[str, Exception]] = [
    *((operation, BUSY) for operation in (*ABSENT, "Publish", "GetPolicy", "AssumeRole")),
    *((operation, ConnectTimeoutError(endpoint_url="x")) for operation in ("AssumeRole", "GetPolicy", "Publish")),
    ("CreateThing", error("ServiceUnavailableException", "X")),
    ("CreateThing", error("UnrecognizedClientException", "X")),
]


@pytest.mark.parametrize(("operation", "fault"), UNCHECKED)
def test_what_could_not_be_checked_is_not_reported_as_missing(
    target: LobbyWithTargets, operation: str, fault: Exception
) -> None:
    target.calls.fails[operation] = fault
    findings, _ = surveyed()
    [step] = missing(findings)
    assert findings[step][1].startswith("could not be checked")
    assert "again" in findings[step][1]


def test_the_console_recognizes_steps_that_could_not_be_checked() -> None:
    """The console counts these steps separately, by the start of their message."""
    source = (Path(__file__).parents[3] / "admin_api/console/src/pages/targets/check_summary.ts").read_text()
    assert 'const INCONCLUSIVE = "could not be checked";' in source


def test_an_absent_rule_topic_or_subscription_is_missing(target: LobbyWithTargets) -> None:
    iot_backends[A.account][A.region].rules.pop("device_lobby_connected")
    target.calls.fails["GetTopicRule"] = error("ResourceNotFoundException", "GetTopicRule")
    target.calls.fails["ListSubscriptionsByTopic"] = error("NotFound", "ListSubscriptionsByTopic")
    findings, _ = surveyed()
    assert missing(findings) == STEPS[-3:]
    for step in STEPS[-3:]:
        assert findings[step][1] == "missing: the target has none; deploy the target's stack again"


@pytest.mark.parametrize("code", ["UnauthorizedException", "AuthorizationError", "AccessDeniedException"])
def test_reports_that_the_role_may_not_read_are_unknown(target: LobbyWithTargets, code: str) -> None:
    """AWS answers UnauthorizedException for a rule that does not exist, too."""
    for operation in ("GetTopicRule", "ListSubscriptionsByTopic"):
        target.calls.fails[operation] = error(code, operation)
    findings, _ = surveyed()
    assert missing(findings) == STEPS[-3:]
    for step in STEPS[-3:]:
        assert findings[step][1].startswith(f"could not be checked: AWS answered {code}")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rule_disabled": True}, "disabled"),
        ({"sql": "SELECT * FROM '$aws/events/presence/connected/+'"}, "differs from this version's"),
        ({"actions": [{"sns": {"targetArn": f"{TOPIC}-2"}}]}, "differs: it does not publish"),
        ({"actions": []}, "differs: it does not publish"),
    ],
)
def test_a_rule_that_differs_is_reported(target: LobbyWithTargets, change: dict[str, Any], problem: str) -> None:
    rule = iot_backends[A.account][A.region].rules["device_lobby_connected"]
    for name, value in change.items():
        setattr(rule, name, value)
    findings, _ = surveyed()
    assert missing(findings) == ["rule device_lobby_connected"]
    assert findings["rule device_lobby_connected"][1].startswith(problem)


@pytest.mark.parametrize(
    ("subscriptions", "problem"),
    [([], "missing"), ([(QUEUE + "x", "arn")], "missing"), ([(QUEUE, "PendingConfirmation")], "not confirmed")],
)
def test_a_subscription_that_delivers_nothing_to_the_lobby_is_reported(
    target: LobbyWithTargets, subscriptions: list[tuple[str, str]], problem: str
) -> None:
    found = sns_backends[A.account][A.region].subscriptions
    found.clear()
    for endpoint, arn in subscriptions:
        subscription = Subscription(A.account, sns_backends[A.account][A.region].topics[TOPIC], endpoint, "sqs")
        subscription.arn = arn
        found[arn] = subscription
    findings, _ = surveyed()
    assert missing(findings) == [STEPS[-1]]
    assert findings[STEPS[-1]][1].startswith(problem)


def test_the_permissions_of_a_removal_are_checked_if_the_lobby_is_to_remove(target: LobbyWithTargets) -> None:
    operations = ["DetachThingPrincipal", "DeleteCertificate", "DeleteThing"]
    for operation in operations:
        target.calls.fails[operation] = error("AccessDeniedException", operation)
    assert missing(surveyed()[0]) == []
    assert missing(surveyed(removal=True)[0]) == [f"iot:{operation}" for operation in operations]


def test_an_unregistered_target_is_unknown(target: LobbyWithTargets) -> None:
    with pytest.raises(Exception, match="UNKNOWN_TARGET"):
        surveyed("3" * 12)


@pytest.mark.parametrize("event", [{}, {"account": "1"}, {"account": A.account, "region": "../x"}])
def test_an_invalid_target_is_rejected(target: LobbyWithTargets, event: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="INVALID_"):
        surveyor.handler(event, None, Sessions(aws.client("sts")), Wanted(PROFILES, REPORTS))
    assert target.calls.names() == []
