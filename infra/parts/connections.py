"""The lifecycle events of the lobby account: their rule, the Lambda that records them, and AWS IoT's logs.

AWS IoT publishes the events without a setting; only the lobby's rules read them, because no device may subscribe to
them. AWS IoT's logs contain the cause of a refused connection or a failed rule. The settings of these logs belong to
the whole account and Region, so they are left out if somebody else has enabled the logs there: CloudFormation creates
no `AWS::IoT::Logging` then. The local cloud has no such settings.
"""

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.parts import functions, topic_rules
from infra.regions import region_parts as regions
from infra.settings import Settings
from lobby import wire
from lobby.deployment import NAMES

RULE: Final = NAMES.rule("connections")
IOT_LOGS: Final = "AWSIotLogsV2"
"""The name that AWS IoT gives its log group (AWS IoT developer guide, "Monitoring AWS IoT using CloudWatch Logs")."""
LOG_LEVEL: Final = "ERROR"
"""Each line costs money. At this level, a waiting device causes no lines."""


def make_rule(
    scope: Construct, settings: Settings, function: lambda_.Function, undelivered: sqs.Queue, role: iam.Role
) -> None:
    """Invoke `function` for each lifecycle event. `role` may send to `undelivered`."""
    topic_rules.allow_rule_to_invoke(function, RULE, settings.lobby)
    topic_rules.make_rule(
        scope,
        "ConnectionsRule",
        RULE,
        wire.CONNECTIONS_SQL,
        "Records which devices are connected to the lobby, and refused connections",
        topic_rules.to_lambda(function),
        topic_rules.to_queue(undelivered, role),
    )


def enable_iot_logs(scope: Construct, settings: Settings) -> None:
    """Have AWS IoT write its errors to CloudWatch, with the retention of all logs."""
    if settings.local or not settings.iot_logs:
        return
    lobby = settings.lobby
    group = logs.LogGroup(
        scope,
        "IotLog",
        log_group_name=IOT_LOGS,
        retention=functions.retention(settings),
        # The name is the account's. A group that is left from other logs of AWS IoT is imported; a group that must be
        # created would fail. CloudFormation imports only resources that it retains.
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    write = iam.PolicyStatement(
        sid="IotLogs",
        actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        resources=[group.log_group_arn],
    )
    name = regions.role_name("iot-logs", settings)
    role = topic_rules.rule_role(scope, "IotLogsRole", lobby, {"write-iot-logs": write}, name)
    settings_of_account = iot.CfnLogging(
        scope, "IotLogs", account_id=lobby.account, default_log_level=LOG_LEVEL, role_arn=role.role_arn
    )
    settings_of_account.node.add_dependency(role, group)
