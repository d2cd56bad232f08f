"""Dry runs of a target that is ready: the responses of its AWS, the expected steps, and the surveyor's findings."""

from botocore.exceptions import ClientError
from moto.iot.models import iot_backends
from moto.sns.models import sns_backends

from commissioner.lambdas import surveyor
from commissioner.lambdas.survey_reports import Reports
from commissioner.lambdas.surveyor import Wanted
from commissioner.target_gateway.sessions import Sessions
from lobby.domain.targets.profile import Profiles
from lobby.domain.targets.target_rules import connected_sql, duplicates_sql
from lobby.lobby_names import LobbyNames
from tests import aws
from tests.functional.commissioner.lobby_with_targets import KEY, PROFILES, A, wall_clock

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
    "GetThingShadow": "ResourceNotFoundException",
    "ListNamedShadowsForThing": "ResourceNotFoundException",
    "UpdateThingShadow": "InvalidRequestException",
    "DeleteThingShadow": "ResourceNotFoundException",
    "DeleteConnection": "ResourceNotFoundException",
}
"""AWS's answers to permitted calls that name resources that do not exist."""
AT_ENDPOINT = [f"iot:{operation}" for operation in list(ABSENT)[-5:]]
"""The steps of the data plane, which need the endpoint."""
LISTS = ("ListThings", "ListCertificates", "ListTargetsForPolicy")
STEPS = [
    "sts:AssumeRole",
    *(f"iot:{operation}" for operation in list(ABSENT)[:-5]),
    "iot:ListThings",
    "iot:ListCertificates",
    "iot:ListTargetsForPolicy",
    "iot:DescribeEndpoint",
    *AT_ENDPOINT,
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
