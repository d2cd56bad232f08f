"""Lambdas that the clock calls: a rule of EventBridge, with the event that it hands over.

A run that fails is not tried again, as the next one does what it left; that it failed is an alarm (`errors`).
"""

import json
from collections.abc import Mapping

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.functions import Function


def make_timer(
    scope: Construct, function: Function, made: lambda_.Function, schedule: str, event: Mapping[str, str]
) -> None:
    """`schedule` is EventBridge's expression, such as `rate(5 minutes)`."""
    rule = events.CfnRule(
        scope,
        f"{function.construct_id}Timer",
        name=function.full_name,
        description=f"Time for the {function.name}",
        schedule_expression=schedule,
        state="ENABLED",
        targets=[
            events.CfnRule.TargetProperty(
                id=function.name, arn=made.function_arn, input=json.dumps(event, separators=(",", ":"))
            )
        ],
    )
    made.add_permission("Timer", principal=iam.ServicePrincipal("events.amazonaws.com"), source_arn=rule.attr_arn)
    lambda_.CfnEventInvokeConfig(
        scope,
        f"{function.construct_id}Once",
        function_name=made.function_name,
        qualifier="$LATEST",
        maximum_retry_attempts=0,
        maximum_event_age_in_seconds=300,
    )
