"""AWS IoT topic rules: SQL from `lobby.wire`, one action, and an error action for undelivered messages.

A rule may invoke a Lambda by the function's permission for this rule and account. For every other action, the rule has
its own role with only the required permission.
"""

from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.parts.permissions import iot_arn
from lobby.names import Target

SQL_VERSION: Final = "2016-03-23"


def rule_role(
    scope: Construct,
    construct_id: str,
    where: Target,
    policies: Mapping[str, iam.PolicyStatement],
    name: str | None = None,
) -> iam.Role:
    """Create a role that only the rules of this account can assume."""
    return iam.Role(
        scope,
        construct_id,
        role_name=name,
        assumed_by=iam.ServicePrincipal(
            "iot.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": where.account}}
        ),
        inline_policies={key: iam.PolicyDocument(statements=[each]) for key, each in policies.items()},
    )


def make_rule(
    scope: Construct,
    construct_id: str,
    name: str,
    sql: str,
    description: str,
    action: iot.CfnTopicRule.ActionProperty,
    error_action: iot.CfnTopicRule.ActionProperty,
) -> iot.CfnTopicRule:
    return iot.CfnTopicRule(
        scope,
        construct_id,
        rule_name=name,
        topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
            sql=sql,
            aws_iot_sql_version=SQL_VERSION,
            description=description,
            rule_disabled=False,
            actions=[action],
            error_action=error_action,
        ),
    )


def to_lambda(function: lambda_.Function) -> iot.CfnTopicRule.ActionProperty:
    return iot.CfnTopicRule.ActionProperty(
        lambda_=iot.CfnTopicRule.LambdaActionProperty(function_arn=function.function_arn)
    )


def to_queue(queue: sqs.Queue, role: iam.Role) -> iot.CfnTopicRule.ActionProperty:
    return iot.CfnTopicRule.ActionProperty(
        sqs=iot.CfnTopicRule.SqsActionProperty(queue_url=queue.queue_url, role_arn=role.role_arn, use_base64=False)
    )


def allow_rule_to_invoke(function: lambda_.Function, rule: str, where: Target) -> None:
    """Allow the rule of this name, in this account and Region, to invoke the Lambda."""
    function.add_permission(
        "Rule",
        principal=iam.ServicePrincipal("iot.amazonaws.com"),
        source_arn=iot_arn(where, f"rule/{rule}"),
        source_account=where.account,
    )
