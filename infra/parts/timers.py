"""Scheduled Lambdas: an EventBridge rule with a fixed event.

A failed run is not retried, because the next run continues its work. An alarm (`errors`) reports the failure.
"""

import json
from collections.abc import Mapping

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.parts.functions import Function


def make_timer(
    scope: Construct, function: Function, target: lambda_.Function, schedule: str, event: Mapping[str, str]
) -> None:
    """Invoke `target` on `schedule`, an EventBridge expression such as `rate(5 minutes)`."""
    rule = events.CfnRule(
        scope,
        f"{function.construct_id}Timer",
        name=function.full_name,
        description=f"Invokes the {function.name} on a schedule",
        schedule_expression=schedule,
        state="ENABLED",
        targets=[
            events.CfnRule.TargetProperty(
                id=function.name, arn=target.function_arn, input=json.dumps(event, separators=(",", ":"))
            )
        ],
    )
    target.add_permission("Timer", principal=iam.ServicePrincipal("events.amazonaws.com"), source_arn=rule.attr_arn)
    lambda_.CfnEventInvokeConfig(
        scope,
        f"{function.construct_id}Once",
        function_name=target.function_name,
        qualifier="$LATEST",
        maximum_retry_attempts=0,
        maximum_event_age_in_seconds=300,
    )
