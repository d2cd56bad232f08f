"""CloudWatch alarms, all reported to the SNS topic `device-lobby-alarms`.

They report failed work in the on-failure queues, failing or throttled Lambdas, backlogs, stopped schedules, failed and
stuck devices, targets that differ from the ledger, forged arrivals, and changed histories.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.parts.functions import (
    ADMIN_API,
    ARRIVALS,
    BELL,
    COURIER,
    NOTARY,
    PREFIX,
    PUBLISHER,
    RECONCILER,
    REGISTRAR,
    SWEEPER,
    VENDING_AUTHORIZER,
    Function,
)
from infra.settings import Settings
from lobby.aws.metrics import (
    ARRIVALS_REJECTED,
    CLAIMS_LIMITED,
    EVENTS_UNDELIVERED,
    HISTORY_TAMPERED,
    NAMESPACE,
    TOKENS_REFUSED,
    WEBHOOKS_DISABLED,
)

_Comparison = cloudwatch.ComparisonOperator
_Missing = cloudwatch.TreatMissingData
_OLD_MINUTES = 5
_TOLERATED_TOKENS = 50
"""The number of wrong enrolment tokens in a period. One device that repeats its request each minute stays below
this."""
_PERIOD = Duration.minutes(5)
_REPORTED = (
    (
        SWEEPER,
        "DevicesFailed",
        "devices-failed",
        "devices have failed: each has a reason; correct the cause and retry them",
    ),
    (SWEEPER, "DevicesRefused", "devices-refused", "devices were refused: each has a reason"),
    (
        SWEEPER,
        "LanesStuck",
        "lanes-stuck",
        "devices wait in a lane that has made no progress for 15 minutes: run lobbyctl targets",
    ),
    (
        SWEEPER,
        "CampaignsStuck",
        "campaigns-stuck",
        "a campaign has not been processed for 15 minutes: see the log group of campaigns",
    ),
    (SWEEPER, "DevicesLate", "devices-late", "devices received their route 30 minutes ago and have not arrived"),
    (
        REGISTRAR,
        "ClaimCertificatesExpiring",
        "claim-certificates-expiring",
        "a claim certificate expires within 30 days: add a new one, then revoke it",
    ),
    (
        COURIER,
        EVENTS_UNDELIVERED,
        "events-undelivered",
        "a webhook has not accepted events: run lobbyctl webhooks list",
    ),
    (COURIER, WEBHOOKS_DISABLED, "webhooks-disabled", "a webhook was disabled: run lobbyctl webhooks list"),
    (RECONCILER, "DifferencesFound", "targets-differ", "a target differs from the ledger: run lobbyctl reconcile"),
    (
        RECONCILER,
        "TargetsNotCompared",
        "targets-not-compared",
        "a target was not compared completely: run lobbyctl reconcile --last",
    ),
    (
        RECONCILER,
        "RenewalsOverdue",
        "renewals-overdue",
        "devices have not renewed their certificates in time: see Device.renewal, and run lobbyctl overview",
    ),
    (
        RECONCILER,
        "AuthoritiesExpiring",
        "authorities-expiring",
        "a CA or revocation list will expire, or cannot be used: run lobbyctl overview",
    ),
    (
        RECONCILER,
        "CertificatesExpiring",
        "certificates-expiring",
        "certificates of devices expire within 90 days: set a renewal policy, or replace the devices' certificates",
    ),
)


@dataclass(frozen=True)
class Alarms:
    """Creates alarms that report to `topic`. `local`: the alarms are for the emulator, which has no metric math."""

    scope: Construct
    topic: sns.Topic
    local: bool

    def add(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        description: str,
        *,
        missing: bool = False,
        periods: int = 1,
    ) -> None:
        """Add an alarm for `metric` above `threshold` in each of the last `periods`. Missing data means no activity and
        does not raise the alarm. With `missing`, the alarm is for a metric below `threshold`, and missing data raises
        it."""
        alarm = cloudwatch.Alarm(
            self.scope,
            "".join(word.capitalize() for word in name.split("-")) + "Alarm",
            metric=metric,
            alarm_name=f"{PREFIX}-{name}",
            alarm_description=description,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=_Comparison.LESS_THAN_THRESHOLD if missing else _Comparison.GREATER_THAN_THRESHOLD,
            treat_missing_data=_Missing.BREACHING if missing else _Missing.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))

    def watch_failures(self, queues: Iterable[sqs.Queue], names: Iterable[str]) -> None:
        for queue, name in zip(queues, names, strict=True):
            waiting = queue.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="max")
            self.add(f"{name}-waiting", waiting, 0, f"{name} has failed work: inspect it, then redrive or purge it")

    def watch_timer(self, function: Function, minutes: int) -> None:
        """Add an alarm for a schedule that has not invoked its Lambda for `minutes`. Missing data raises the alarm, so
        it is also raised after the first deployment, until the first run."""
        runs = cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name="Invocations",
            dimensions_map={"RuleName": function.full_name},
            period=Duration.minutes(minutes),
            statistic="sum",
        )
        description = f"the schedule of {function.name} has not run for {minutes} minutes: see its EventBridge rule"
        self.add(f"{function.name}-stopped", runs, 1, description, missing=True)

    def watch_functions(self, functions: dict[str, lambda_.Function]) -> None:
        for name, function in functions.items():
            errors = function.metric_errors(period=_PERIOD, statistic="sum")
            throttles = function.metric_throttles(period=_PERIOD, statistic="sum")
            self.add(f"{name}-errors", errors, 0, f"{name} fails: see its log group")
            self.add(f"{name}-throttles", throttles, 0, f"{name} is throttled: check the account's Lambda concurrency")

    def watch_age(self, bell: lambda_.Function, arrivals: sqs.Queue) -> None:
        behind = bell.metric("IteratorAge", period=_PERIOD, statistic="max")
        oldest = arrivals.metric_approximate_age_of_oldest_message(period=_PERIOD, statistic="max")
        description = f"{BELL.name} is behind: claims have waited for over {_OLD_MINUTES} minutes for their lane"
        self.add(f"{BELL.name}-behind", behind, _OLD_MINUTES * 60_000, description)
        description = f"arrivals have waited in the queue for over {_OLD_MINUTES} minutes"
        self.add("arrivals-old", oldest, _OLD_MINUTES * 60, description)

    def watch_history(self, notary: lambda_.Function, publisher: lambda_.Function) -> None:
        tampered = cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=HISTORY_TAMPERED,
            dimensions_map={"service": NOTARY.name},
            period=Duration.minutes(1),
            statistic="sum",
        )
        description = "a history entry was changed or removed: see the notary's log, then run lobbyctl history verify"
        self.add("history-tampered", tampered, 0, description)
        for name, reader, what in ((NOTARY.name, notary, "anchor"), (PUBLISHER.name, publisher, "event")):
            behind = reader.metric("IteratorAge", period=_PERIOD, statistic="max")
            description = f"{name} is behind: entries have waited for their {what} for over {_OLD_MINUTES} minutes"
            self.add(f"{name}-behind", behind, _OLD_MINUTES * 60_000, description)

    def watch_authenticity(self) -> None:
        rejected = cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=ARRIVALS_REJECTED,
            dimensions_map={"service": ARRIVALS.name},
            period=_PERIOD,
            statistic="sum",
        )
        description = "the arrivals queue contained messages that SNS did not sign: see the log of arrivals"
        self.add("arrivals-rejected", rejected, 0, description)
        refused = cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=TOKENS_REFUSED,
            dimensions_map={"service": VENDING_AUTHORIZER.name},
            period=_PERIOD,
            statistic="sum",
        )
        description = f"requests with a wrong enrolment token: see the log of {VENDING_AUTHORIZER.name}"
        self.add("tokens-refused", refused, _TOLERATED_TOKENS, description)

    def watch_claims(self) -> None:
        limited = cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=CLAIMS_LIMITED,
            dimensions_map={"service": ADMIN_API.name},
            period=_PERIOD,
            statistic="sum",
        )
        description = "a technician claims too many devices or enters wrong codes: see lobbyctl activity"
        self.add("claims-limited", limited, 0, description)

    def watch_api(self, api_id: str) -> None:
        metric = cloudwatch.Metric(
            namespace="AWS/ApiGateway",
            metric_name="5xx",
            dimensions_map={"ApiId": api_id},
            period=_PERIOD,
            statistic="sum",
        )
        self.add("api-errors", metric, 0, "the API responds with 5xx: see the admin API's log group")

    def watch_devices(self) -> None:
        """Add alarms for the metrics of the sweeper, the reconciler and the courier (`lobby.aws.metrics`)."""
        for function, metric_name, name, description in _REPORTED:
            metric = cloudwatch.Metric(
                namespace=NAMESPACE,
                metric_name=metric_name,
                dimensions_map={"service": function.name},
                period=_PERIOD,
                statistic="sum",
            )
            self.add(name, metric, 0, description)


def make_alarms(scope: Construct, settings: Settings) -> Alarms:
    """Create the topic, encrypted with its own key: CloudWatch cannot use the AWS managed key for SNS."""
    own_account = {"StringEquals": {"aws:SourceAccount": settings.lobby.account}}
    cloudwatch_service = iam.ServicePrincipal("cloudwatch.amazonaws.com", conditions=own_account)
    key = kms.Key(
        scope,
        "AlarmsKey",
        description="Device Lobby: encrypts alarm notifications",
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.DESTROY,
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AllowAlarmsToEncrypt",
            principals=[cloudwatch_service],
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=["*"],
        )
    )
    topic = sns.Topic(scope, "AlarmsTopic", topic_name=f"{PREFIX}-alarms", master_key=key, enforce_ssl=True)
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AllowAlarmsToPublish",
            principals=[cloudwatch_service],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
        )
    )
    return Alarms(scope, topic, settings.local)
