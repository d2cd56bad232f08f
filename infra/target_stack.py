"""A target's stack: the devices' policies, and the report of arrivals to the lobby.

The commissioner's role is in a separate stack (`infra.role_stack`), because the Regions of an account share it. This
stack deploys the profiles' policies, so the commissioner can attach policies but cannot create or change them.
"""

import hashlib

from aws_cdk import CfnOutput, Environment, Stack
from aws_cdk import aws_iot as iot
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra import stack_names
from infra.archive import registry_events
from infra.nag_suppressions import suppress_target_findings
from infra.parts import functions, permissions, topic_rules
from infra.parts.permissions import allow
from infra.settings import Settings, TargetSettings
from lobby.deployment import NAMES
from lobby.domain.targets import target_rules
from lobby.domain.targets.profile import Profiles
from lobby.domain.targets.target import profile_policy


class TargetStack(Stack):
    """The resources of one target, in its account and Region."""

    def __init__(self, scope: Construct, settings: Settings, target: TargetSettings) -> None:
        where = target.target
        super().__init__(
            scope,
            stack_names.target_id(where),
            stack_name=stack_names.TARGET,
            env=Environment(account=where.account, region=where.region),
            description=f"Device Lobby: allows the lobby in account {settings.lobby.account} to register devices here",
        )
        self.settings, self.target = settings, target
        self._registry_groups(settings.profiles.only(target.profiles))
        for profile in target.profiles:
            iot.CfnPolicy(
                self,
                f"{profile.title().replace('-', '')}Policy",
                policy_name=profile_policy(profile),
                policy_document=settings.profiles.get(profile).policy_document(
                    f"arn:aws:iot:{where.region}:{where.account}"
                ),
            )
        self.topic = self._arrivals()
        if settings.registry_events:
            registry_events.enable(self, settings, where)
        CfnOutput(self, "DevicePolicies", value=",".join(map(profile_policy, target.profiles)))
        CfnOutput(self, "ArrivalsTopicArn", value=self.topic.topic_arn)
        self._subscribe_last()
        suppress_target_findings(self)

    def _registry_groups(self, profiles: Profiles) -> None:
        """Create the thing types, thing groups and billing groups that the profiles name."""
        for name, found in profiles.thing_types().items():
            properties = iot.CfnThingType.ThingTypePropertiesProperty(
                searchable_attributes=list(found.searchable) or None, thing_type_description=found.description or None
            )
            iot.CfnThingType(
                self, _construct_id("ThingType", name), thing_type_name=name, thing_type_properties=properties
            )
        for name in profiles.thing_groups():
            iot.CfnThingGroup(self, _construct_id("ThingGroup", name), thing_group_name=name)
        for name in profiles.billing_groups():
            iot.CfnBillingGroup(self, _construct_id("BillingGroup", name), billing_group_name=name)

    def _arrivals(self) -> sns.Topic:
        """Create the topic of the reports, the lobby's subscription to it, and the rules that publish to it."""
        managed_key = kms.Alias.from_alias_name(self, "SnsKey", "alias/aws/sns")
        topic = sns.Topic(
            self,
            "ArrivalsTopic",
            topic_name=permissions.ARRIVALS,
            master_key=managed_key,
            enforce_ssl=True,
            signature_version="2",  # SHA-256; the lobby verifies the signature
        )
        for place in self.settings.places:  # each Region can become home
            sns.CfnSubscription(
                self,
                "LobbySubscription" + ("" if place == self.settings.places[0] else _construct_id("", place.region)),
                topic_arn=topic.topic_arn,
                protocol="sqs",
                endpoint=permissions.queue_arn(permissions.ARRIVALS, place),
            )
        errors = functions.log_group(self, "ArrivalErrors", f"/{NAMES.prefix}/arrival-errors", self.settings)
        self._report_rules(topic, errors)
        return topic

    def _subscribe_last(self) -> None:
        """Create the subscriptions after everything else: CloudFormation cannot delete one that is not confirmed, so a
        failed deployment could not be rolled back."""
        subscriptions = [each for each in self.node.children if isinstance(each, sns.CfnSubscription)]
        others = [each for each in self.node.children if not isinstance(each, sns.CfnSubscription | CfnOutput)]
        for subscription in subscriptions:
            subscription.node.add_dependency(*others)

    def _report_rules(self, topic: sns.Topic, errors: logs.ILogGroup) -> None:
        """Create the rules, with one role for both: it may publish, look up things, and log errors."""
        where = self.target.target
        publish = allow("Publish", ["sns:Publish"], topic.topic_arn)
        write = allow(
            "Errors", ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], errors.log_group_arn
        )
        look_up = allow("LookUp", ["iot:DescribeThing"], permissions.iot_arn(where, "thing/*"))
        policies = {"report-to-the-lobby": publish, "log-errors": write, "look-up-things": look_up}
        name = NAMES.rule_role(where.region)
        role = topic_rules.rule_role(self, "RuleRole", where, policies, name)
        action = iot.CfnTopicRule.ActionProperty
        to_topic = action(
            sns=iot.CfnTopicRule.SnsActionProperty(
                target_arn=topic.topic_arn, role_arn=role.role_arn, message_format="RAW"
            )
        )
        to_log = action(
            cloudwatch_logs=iot.CfnTopicRule.CloudwatchLogsActionProperty(
                log_group_name=errors.log_group_name, role_arn=role.role_arn
            )
        )
        arn = target_rules.rule_role_arn(where.account, name)
        key = self.settings.key
        for construct_id, rule, sql, description in (
            (
                "ConnectedRule",
                target_rules.CONNECTED,
                target_rules.connected_sql(key, arn),
                "Reports to the lobby that a device has arrived",
            ),
            (
                "DuplicatesRule",
                target_rules.DUPLICATES,
                target_rules.duplicates_sql(key, arn),
                "Reports to the lobby that two clients use the identity of one device",
            ),
        ):
            topic_rules.make_rule(self, construct_id, NAMES.rule(rule), sql, description, to_topic, to_log)


def _construct_id(kind: str, name: str) -> str:
    """Return an id in letters and digits, different for different names."""
    plain = "".join(filter(str.isalnum, name))
    return f"{kind}{plain}" + ("" if plain == name else hashlib.sha256(name.encode()).hexdigest()[:8])
