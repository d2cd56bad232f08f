"""The lobby's stack: the ledger, the Lambdas and their triggers, the API and its users, and the alarms.

One lobby per account and id (`lobby.lobby_names`), and one per Region. A lobby with several Regions has this stack in
each (`infra.regions.region_parts`). When the stack is deleted, the tables, the trust
bucket, the notary's bucket, the users and the log group of AWS IoT are retained.
"""

from typing import Final

from aws_cdk import CfnOutput, Environment, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import stack_names, target_templates
from infra.archive import delivery as archive
from infra.doors import provisioning, registration, renewal, vending
from infra.monitoring import alarms, mapping_alarms
from infra.nag_suppressions import suppress_lobby_findings
from infra.parts import (
    buckets,
    campaigns,
    connections,
    device_policies,
    endpoint,
    event_sources,
    events,
    front_door,
    functions,
    notary,
    operator_side,
    permissions,
    queues,
    reconciler_permissions,
    timers,
    topic_rules,
)
from infra.parts.functions import Code, Function
from infra.parts.tables import make_tables
from infra.regions import home_lease
from infra.regions import region_parts as regions
from infra.settings import Settings
from infra.users import sign_in
from lobby import wire
from lobby.deployment import NAMES
from lobby.ledger.models import HistoryRow, LedgerRow

FAILURES: Final = (permissions.UNDELIVERED, permissions.UNCOMMISSIONED, permissions.ARRIVALS_DEAD)


class LobbyStack(Stack):
    """The complete lobby, in its account and Region."""

    def __init__(self, scope: Construct, settings: Settings) -> None:
        lobby = settings.lobby
        super().__init__(
            scope,
            stack_names.LOBBY,
            stack_name=stack_names.LOBBY,
            env=Environment(account=lobby.account, region=lobby.region),
            description="Device Lobby: admits devices and assigns them to target accounts",
        )
        self.settings = settings
        generated = {target_templates.PATH: lambda: target_templates.target_templates(settings)}
        self.code = Code(settings, settings.bundle and self.bundling_required, generated)
        self.tables = make_tables(self, settings)
        trust = NAMES.trust_bucket(lobby.account, lobby.region)
        self.bucket = buckets.make_bucket(self, "Trust", trust, lifecycle_rules=[buckets.short_lived("templates/")])
        self.notary_bucket = notary.make_bucket(self, settings)
        self.queues = queues.make_queues(self, settings)
        self.functions: dict[str, lambda_.Function] = {}
        self.access_log = functions.log_group(self, "ApiLog", f"/aws/vendedlogs/apis/{NAMES.prefix}", settings)
        self.api = front_door.make_api(self, self.access_log)
        self.console_url = settings.console_url or f"{self.api.api_endpoint}/"
        self.sign_in = sign_in.make_sign_in(self, settings, self.console_url)
        self._device_side()
        provisioning.make_claim_door(self)
        self._connection_side()
        self._commissioner_side()
        self._history_side()
        self._scheduled_functions()
        operator_side.make_operator_side(self)
        vending.make_vending_door(self)
        renewal.make_renewal(self)
        home_lease.make_home_lease(self)
        for function in self.functions.values():
            # The functions depend on the tables, because a function fails without its table or index, even during an
            # update that adds an index.
            function.node.add_dependency(*self.tables.values())
        self._add_alarms()
        self._add_outputs()
        endpoint.make_endpoint(self, settings)
        suppress_lobby_findings(self)

    @property
    def ledger(self) -> dynamodb.ITableV2:
        return self.tables[LedgerRow]

    def make_function(
        self, function: Function, statements: list[iam.PolicyStatement], **environment: str
    ) -> lambda_.Function:
        """Create a function with its own role."""
        group = functions.log_group(
            self, f"{function.construct_id}Log", f"/aws/lambda/{function.full_name}", self.settings
        )
        role = functions.make_role(self, self.settings, function.name, statements, [group])
        created = functions.make_function(self, function, self.code, role, group, environment)
        self.functions[function.name] = created
        return created

    def _device_side(self) -> None:
        """Create the functions triggered by devices: registration and hello."""
        iot.CfnPolicy(
            self,
            "WaitingPolicy",
            policy_name=device_policies.WAITING,
            policy_document=device_policies.waiting_policy(self.settings.lobby),
        )
        lobby, queues = self.settings.lobby, self.queues
        bouncer = self.make_function(
            functions.BOUNCER,
            permissions.bouncer(self.settings),
            LOBBY_POLICY=device_policies.WAITING,
            TRUST_BUCKET=self.bucket.bucket_name,
            **registration.environment(self.settings, queues),
        )
        receptionist = self.make_function(
            functions.RECEPTIONIST,
            permissions.receptionist(self.settings),
            MARKS_QUEUE=self.queues.marks.queue_url,
            **endpoint.environment(self.settings),
        )
        names = (permissions.UNDELIVERED, permissions.REGISTRATIONS)
        send = permissions.allow("Send", ["sqs:SendMessage"], *(permissions.queue_arn(name, lobby) for name in names))
        role = self.rules_role = topic_rules.rule_role(
            self, "RulesRole", lobby, {"send": send}, regions.role_name("rules", self.settings)
        )
        registration.make_registration(self, self.settings, bouncer, queues, role)
        topic_rules.allow_rule_to_invoke(receptionist, wire.HELLO_RULE, lobby)
        topic_rules.make_rule(
            self,
            "HelloRule",
            wire.HELLO_RULE,
            wire.HELLO_SQL,
            "Invokes the receptionist for each hello of a device",
            topic_rules.to_lambda(receptionist),
            topic_rules.to_queue(queues.undelivered, role),
        )
        self.send_failures_to_queue("HelloFailures", receptionist)

    def _connection_side(self) -> None:
        """Create the function triggered when devices connect and disconnect."""
        function = self.make_function(
            functions.CONNECTIONS, permissions.connections(self.settings), **self._clone_policy
        )
        connections.make_rule(self, self.settings, function, self.queues.undelivered, self.rules_role)
        self.send_failures_to_queue("ConnectionsFailures", function)
        connections.enable_iot_logs(self, self.settings)

    def send_failures_to_queue(self, construct_id: str, function: lambda_.Function) -> None:
        event_sources.failures_to(self, construct_id, function, self.queues.undelivered)

    def _commissioner_side(self) -> None:
        """Create the functions triggered by changes of the ledger and by events in the targets."""
        commissioner = functions.COMMISSIONER
        enter_targets = (functions.EXPRESS, functions.SURVEYOR, functions.INSPECTOR, functions.MARKER)
        with_target_access = (commissioner, *enter_targets)
        groups = {
            each.name: functions.log_group(
                self, f"{each.construct_id}Log", f"/aws/lambda/{each.full_name}", self.settings
            )
            for each in with_target_access
        }
        statements = permissions.commissioner(self.settings)
        self.commissioner_role = functions.make_role(
            self, self.settings, commissioner.name, statements, list(groups.values())
        )
        own = {"UNCOMMISSIONED_QUEUE": self.queues.uncommissioned.queue_url, **endpoint.environment(self.settings)}
        identity, left = {"LOBBY": self.settings.key}, {"LEFT_THINGS": self.settings.left_things}
        environments = {
            **dict.fromkeys((commissioner, functions.EXPRESS), own | self._lane_queues | identity | left),
            functions.SURVEYOR: identity | left | {"ARRIVALS_QUEUE": self.queues.arrivals.queue_arn},
            functions.MARKER: identity,
        }
        for each in with_target_access:
            self.functions[each.name] = functions.make_function(
                self, each, self.code, self.commissioner_role, groups[each.name], environments.get(each, {})
            )
        stream = self.ledger.table_stream_arn or ""
        bell = self.make_function(functions.BELL, permissions.bell(self.settings, stream), **self._lane_queues)
        event_sources.rows_to(self, bell, stream, self.queues)
        workers = self.functions[commissioner.name], self.functions[functions.EXPRESS.name]
        event_sources.lanes_to(self, *workers, self.queues)
        campaigns.make_feeder(self)
        arrivals = self.make_function(
            functions.ARRIVALS,
            permissions.arrivals(self.settings),
            UNCONFIRMED_QUEUE=self.queues.unconfirmed.queue_url,
            MARKS_QUEUE=self.queues.marks.queue_url,
            **self._clone_policy,
        )
        event_sources.marks_to(self, self.functions[functions.MARKER.name], self.queues)
        event_sources.reports_to(self, arrivals, self.queues)

    @property
    def _clone_policy(self) -> dict[str, str]:
        """The environment of functions that look for copied certificates."""
        return {"CLONE_POLICY": self.settings.clone_policy}

    @property
    def _lane_queues(self) -> dict[str, str]:
        """The environment of functions that start workers."""
        return {"LANES_QUEUE": self.queues.lanes.queue_url, "EXPRESS_QUEUE": self.queues.express.queue_url}

    def _history_side(self) -> None:
        """Create the functions triggered by history entries."""
        stream = self.tables[HistoryRow].table_stream_arn or ""
        function = self.make_function(
            functions.NOTARY,
            permissions.notary(self.settings, stream),
            NOTARY_BUCKET=self.notary_bucket.bucket_name,
        )
        notary.entries_to(self, function, stream)
        self.webhooks, self.notices = events.make_events(self, stream, self.queues.undelivered)
        self.send_failures_to_queue("PublisherFailures", self.functions[functions.PUBLISHER.name])

    def _scheduled_functions(self) -> None:
        """Create the functions triggered by a schedule."""
        sweeper = self.make_function(
            functions.SWEEPER,
            permissions.sweeper(self.settings),
            TRUST_BUCKET=self.bucket.bucket_name,
            **endpoint.environment(self.settings),
            LANES_QUEUE=self.queues.lanes.queue_url,
            CAMPAIGNS_QUEUE=self.queues.campaigns.queue_url,
            MARKS_QUEUE=self.queues.marks.queue_url,
        )
        reconciler = self.make_function(
            functions.RECONCILER,
            reconciler_permissions.reconciler(self.settings),
            INSPECTOR_FUNCTION=functions.INSPECTOR.full_name,
            LOBBY=self.settings.key,
            TRUST_BUCKET=self.bucket.bucket_name,
        )
        timers.make_timer(self, functions.SWEEPER, sweeper, "rate(5 minutes)", {"sweep": "all"})
        timers.make_timer(self, functions.RECONCILER, reconciler, "rate(15 minutes)", {"round": "daily"})

    def _watch_mappings(self, alarm: alarms.Alarms) -> None:
        mapping_alarms.watch_bell(alarm)
        mapping_alarms.watch_progress(alarm, self.queues.registrations, "registrations")
        for reader in (functions.NOTARY.name, functions.PUBLISHER.name):
            mapping_alarms.watch_stream(alarm, self.tables[HistoryRow], self.functions[reader], reader)
        for queue, name in ((self.queues.marks, functions.MARKER.name), (self.webhooks, functions.COURIER.name)):
            mapping_alarms.watch_queue(alarm, queue, self.functions[name], name)

    def _add_alarms(self) -> None:
        alarm = alarms.make_alarms(self, self.settings)
        alarm.watch_failures(self.queues.of_failures, [name.removeprefix(NAMES.name("")) for name in FAILURES])
        alarm.watch_functions(self.functions)
        alarm.watch_age(self.functions[functions.BELL.name], self.queues.arrivals)
        alarm.watch_history(self.functions[functions.NOTARY.name], self.functions[functions.PUBLISHER.name])
        self._watch_mappings(alarm)
        for timer, minutes in ((functions.SWEEPER, 15), (functions.RECONCILER, 60), (functions.REGISTRAR, 15)):
            alarm.watch_timer(timer, minutes)
        home_lease.watch(alarm, self.settings)
        alarm.watch_authenticity()
        alarm.watch_claims()
        alarm.watch_api(self.api.api_id)
        alarm.watch_devices()
        archive.watch(alarm, self.settings)

    def _add_outputs(self) -> None:
        for name, value in (
            ("GraphqlUrl", f"{self.api.api_endpoint}{front_door.GRAPHQL}"),
            ("RegisterUrl", f"{self.api.api_endpoint}{vending.PATH}"),
            ("ConsoleUrl", self.console_url),
            ("ApiId", self.api.api_id),
            ("UserPoolId", self.sign_in.pool.user_pool_id),
            ("UserPoolClientId", self.sign_in.client.user_pool_client_id),
            ("CommissionerRoleArn", self.commissioner_role.role_arn),
            ("ArrivalsQueueArn", self.queues.arrivals.queue_arn),
            ("TrustBucket", self.bucket.bucket_name),
            ("NotaryBucket", self.notary_bucket.bucket_name),
        ):
            CfnOutput(self, name, value=value)
