"""Registry events (opt-in, `registryEvents`): AWS IoT publishes a message for each change of a thing, type or group.

They are a setting of an account and Region. A Lambda with inline code enables them when the stack is created, and
disables what it has enabled when the stack is deleted (`registry_events_code`).
"""

from pathlib import Path
from typing import Final

from aws_cdk import CfnResource, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from infra.nag_suppressions import suppress
from infra.parts import functions
from infra.parts.permissions import allow
from infra.settings import Settings
from lobby.deployment import NAMES
from lobby.names import Target

EVENTS: Final = (
    "THING",
    "THING_GROUP",
    "THING_TYPE",
    "THING_GROUP_MEMBERSHIP",
    "THING_GROUP_HIERARCHY",
    "THING_TYPE_ASSOCIATION",
)
"""The event types of the registry, without those of jobs and CAs (AWS IoT API reference, UpdateEventConfigurations)."""
QUERIES: Final = {
    "Thing": "SELECT * FROM '$aws/events/thing/#'",
    "ThingGroup": "SELECT * FROM '$aws/events/thingGroup/#'",
    "ThingType": "SELECT * FROM '$aws/events/thingType/#'",
    "ThingGroupMembership": "SELECT * FROM '$aws/events/thingGroupMembership/#'",
    "ThingGroupHierarchy": "SELECT * FROM '$aws/events/thingGroupHierarchy/#'",
    "ThingTypeAssociation": "SELECT * FROM '$aws/events/thingTypeAssociation/#'",
}
"""AWS IoT SQL for each kind. A rule on all events of AWS IoT would also be charged for each connection of a device."""
NAME: Final = "registry-events"
CODE: Final = Path(__file__).with_name("registry_events_code.py")
KIND: Final = "Custom::RegistryEvents"


def enable(scope: Stack, settings: Settings, where: Target) -> None:
    """Enable the registry events of the stack's account and Region."""
    role_name = f"{NAMES.name(NAME)}-{where.region}"  # a target has a stack in each of its Regions
    group = functions.log_group(scope, "RegistryEventsLog", f"/aws/lambda/{NAMES.name(NAME)}", settings)
    own_logs = allow("OwnLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], group.log_group_arn)
    configure = allow("Configure", ["iot:DescribeEventConfigurations", "iot:UpdateEventConfigurations"], "*")
    role = iam.Role(
        scope,
        "RegistryEventsRole",
        role_name=role_name,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"configure-events": iam.PolicyDocument(statements=[own_logs, configure])},
    )
    function = lambda_.Function(
        scope,
        "RegistryEvents",
        function_name=NAMES.name(NAME),
        handler="index.handler",
        code=lambda_.Code.from_inline(CODE.read_text()),
        runtime=lambda_.Runtime.PYTHON_3_13,
        timeout=Duration.seconds(60),
        role=role.without_policy_updates(),
        log_group=group,
    )
    CfnResource(
        scope,
        "RegistryEventsEnabled",
        type=KIND,
        properties={"ServiceToken": function.function_arn, "ServiceTimeout": "120", "Events": list(EVENTS)},
    )
    reason = "AWS defines no resource for these actions (Service Authorization Reference)"
    suppress(role, {"IAM5[Resource::*]": reason})
    suppress(function, {"L1": "the newest Python version that the handlers are tested with, see decision 3"})
