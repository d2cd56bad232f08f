"""The lobby's Lambdas: their definitions, and their roles, log groups and code.

Each has its own role, except express, surveyor, inspector and marker, which use the commissioner's role, because
targets trust only this role. Roles have their complete policy inline, so a function never exists without its
permissions, and CDK adds none. Each function has a log group with explicit name, format and retention.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.bundling import bundles
from infra.bundling.bundles import Bundle, Platform
from infra.regions import region_parts as regions
from infra.setting_values import RETENTION_DAYS
from infra.settings import Settings
from lobby import profiles
from lobby.deployment import NAMES
from lobby.lobby_names import ENVIRONMENT

PREFIX: Final = NAMES.prefix
_IDENTITY: Final = {ENVIRONMENT: NAMES.id} if NAMES.id else {}
_MACHINES: Final = {"aarch64": lambda_.Architecture.ARM_64, "arm64": lambda_.Architecture.ARM_64}
_RETENTION: Final = dict(zip(RETENTION_DAYS, logs.RetentionDays, strict=False))
"""All retention periods, ordered by days, with INFINITE last."""


@dataclass(frozen=True)
class Function:
    """The definition of a Lambda. `timeout` is in seconds, `memory` in MB. `continues_itself`: a run may send the
    message that starts the next run. By default, Lambda drops such messages after about 16 runs (Lambda developer
    guide, "Recursive loop detection")."""

    name: str
    handler: str
    bundle: Bundle
    timeout: int
    memory: int = 512
    continues_itself: bool = False

    @property
    def full_name(self) -> str:
        return f"{PREFIX}-{self.name}"

    @property
    def construct_id(self) -> str:
        return "".join(word.capitalize() for word in self.name.split("-"))


BOUNCER: Final = Function("bouncer", "lobby.doors.registration_queue.handler", bundles.BOUNCER, timeout=30)
PROVISIONING: Final = Function("provisioning", "lobby.doors.provisioning.handler", bundles.BOUNCER, 5, memory=1024)
"""AWS IoT waits 5 s for a hook, including a cold start. More memory also gives more CPU."""
REGISTRAR: Final = Function("registrar", "lobby.doors.registrar.handler", bundles.BOUNCER, timeout=120)
VENDING: Final = Function("vending", "lobby.doors.vending_requests.handler", bundles.BOUNCER, timeout=20)
VENDING_AUTHORIZER: Final = Function(
    "vending-authorizer", "lobby.doors.vending_authorizer.handler", bundles.CORE, timeout=10
)
RENEWER: Final = Function("renewer", "lobby.doors.renewal.handler", bundles.BOUNCER, timeout=20)
RECEPTIONIST: Final = Function("receptionist", "lobby.receptionist.handler", bundles.CORE, timeout=15)
CONNECTIONS: Final = Function("connections", "lobby.connections.handler", bundles.CORE, timeout=15)
BELL: Final = Function("bell", "commissioner.lambdas.bell.handler", bundles.CORE, timeout=30)
COMMISSIONER: Final = Function(
    "commissioner", "commissioner.lambdas.lane.handler", bundles.CORE, timeout=80, continues_itself=True
)
"""The worker of a lane. It starts calls for 40 s, then waits for those in progress. If rows are left, it sends the
token of the next run."""
EXPRESS: Final = Function("express", COMMISSIONER.handler, bundles.CORE, timeout=COMMISSIONER.timeout)
"""The same code, for single claims. Bulk claims never use its environments, so a warm one is usually free."""
CAMPAIGNS: Final = Function(
    "campaigns", "commissioner.lambdas.campaigns.handler", bundles.CORE, timeout=60, continues_itself=True
)
"""The feeder of campaigns. It starts pages for 20 s, then completes the page in progress and sends the token of the
next run."""
SURVEYOR: Final = Function("surveyor", "commissioner.lambdas.surveyor.handler", bundles.CORE, timeout=20)
ARRIVALS: Final = Function("arrivals", "lobby.arrivals.handler", bundles.BOUNCER, timeout=30)
NOTARY: Final = Function("notary", "lobby.notary.handler", bundles.CORE, timeout=60)
PUBLISHER: Final = Function("publisher", "lobby.publisher.handler", bundles.CORE, timeout=60)
COURIER: Final = Function("courier", "lobby.webhooks.courier.handler", bundles.CORE, timeout=60)
ADMIN_API: Final = Function("admin-api", "admin_api.handler.handler", bundles.ADMIN_API, timeout=29, memory=1024)
"""An HTTP API waits 29 s at most; the surveyor, which the admin API calls, has a shorter timeout."""
PAGES: Final = Function("pages", "admin_api.pages_handler.handler", bundles.ADMIN_API, timeout=10)
"""The console's pages and files. It uses the API's bundle and has no permissions."""
INSPECTOR: Final = Function("inspector", "commissioner.lambdas.inspector.handler", bundles.CORE, timeout=20)
MARKER: Final = Function("marker", "commissioner.lambdas.marker.handler", bundles.CORE, timeout=60)
SWEEPER: Final = Function("sweeper", "commissioner.lambdas.sweeper.handler", bundles.CORE, timeout=120)
RECONCILER: Final = Function("reconciler", "commissioner.lambdas.reconciler.handler", bundles.BOUNCER, timeout=900)
"""A part of the daily run takes most of this time. A page for the API ends before the API's timeout."""
HOME_LEASE: Final = Function("home-lease", "lobby.lease_renewal.handler", bundles.CORE, timeout=60)
"""Only in a lobby with several Regions (`infra.regions.home_lease`)."""
FUNCTIONS: Final = (
    BOUNCER,
    PROVISIONING,
    REGISTRAR,
    VENDING,
    VENDING_AUTHORIZER,
    RENEWER,
    RECEPTIONIST,
    CONNECTIONS,
    BELL,
    COMMISSIONER,
    EXPRESS,
    CAMPAIGNS,
    SURVEYOR,
    INSPECTOR,
    MARKER,
    ARRIVALS,
    NOTARY,
    PUBLISHER,
    COURIER,
    ADMIN_API,
    PAGES,
    SWEEPER,
    RECONCILER,
)


@dataclass
class Code:
    """The bundles, each built at most once. With `wanted` false, a placeholder that must not be deployed is used."""

    settings: Settings
    wanted: bool
    generated: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    """Further files of the admin API's bundle, by their name in it."""
    _built: dict[str, lambda_.Code] = field(default_factory=dict)

    @property
    def platform(self) -> Platform:
        return bundles.this_machine() if self.settings.local else bundles.AWS

    @property
    def runtime(self) -> lambda_.Runtime:
        return lambda_.Runtime(f"python{self.platform.python}", lambda_.RuntimeFamily.PYTHON)

    @property
    def architecture(self) -> lambda_.Architecture:
        return _MACHINES.get(self.platform.machine, lambda_.Architecture.X86_64)

    def of(self, bundle: Bundle) -> lambda_.Code:
        if bundle.name not in self._built:
            self._built[bundle.name] = self._build(bundle)
        return self._built[bundle.name]

    def _build(self, bundle: Bundle) -> lambda_.Code:
        if not self.wanted:
            placeholder = bundles.ROOT / "requirements"
            return lambda_.Code.from_asset(str(placeholder), asset_hash=f"not-bundled-{bundle.name}")
        if self.settings.console and not self.settings.local:
            bundles.require_page(bundle)
        files = {profiles.PATH: profiles.encode_profiles(self.settings.profiles)}
        if bundle is bundles.ADMIN_API:
            files |= {name: content() for name, content in self.generated.items()}
        built = bundles.build(bundle, self.platform, added=files)
        return lambda_.Code.from_asset(str(built.path), asset_hash=built.sha256)


def log_group(scope: Construct, construct_id: str, name: str, settings: Settings) -> logs.LogGroup:
    """Create a log group that is deleted with the stack: permanent records are in the ledger."""
    return logs.LogGroup(
        scope, construct_id, log_group_name=name, retention=retention(settings), removal_policy=RemovalPolicy.DESTROY
    )


def retention(settings: Settings) -> logs.RetentionDays:
    """Return how long logs are kept."""
    return _RETENTION[settings.log_retention]


def function_arn(function: Function, settings: Settings) -> str:
    return f"arn:aws:lambda:{settings.lobby.region}:{settings.lobby.account}:function:{function.full_name}"


def make_role(
    scope: Construct,
    settings: Settings,
    name: str,
    statements: Sequence[iam.PolicyStatement],
    log_groups: Sequence[logs.LogGroup],
) -> iam.Role:
    """Create a Lambda's role, `device-lobby-<name>`, with all its permissions."""
    reaching = regions.reach(name, statements, settings)
    own_logs = iam.PolicyStatement(
        sid="OwnLogs",
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[group.log_group_arn for group in log_groups],
    )
    return iam.Role(
        scope,
        f"{''.join(word.capitalize() for word in name.split('-'))}Role",
        role_name=regions.role_name(name, settings),
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={f"{PREFIX}-{name}": iam.PolicyDocument(statements=[own_logs, *reaching])},
    )


def make_function(
    scope: Construct,
    function: Function,
    code: Code,
    role: iam.Role,
    group: logs.LogGroup,
    environment: Mapping[str, str],
) -> lambda_.Function:
    """Create the Lambda. CDK adds nothing to its role."""
    return lambda_.Function(
        scope,
        function.construct_id,
        function_name=function.full_name,
        handler=function.handler,
        code=code.of(function.bundle),
        runtime=code.runtime,
        architecture=code.architecture,
        memory_size=function.memory,
        timeout=Duration.seconds(function.timeout),
        role=role.without_policy_updates(),
        log_group=group,
        logging_format=lambda_.LoggingFormat.JSON,
        # The platform's lines for each run (start, report) are disabled, because metrics have the durations, and log
        # lines of runs without a result cost money. Timeouts and failed initialisations are still logged.
        system_log_level_v2=lambda_.SystemLogLevel.WARN,
        tracing=lambda_.Tracing.DISABLED,
        recursive_loop=lambda_.RecursiveLoop.ALLOW if function.continues_itself else None,
        environment={
            "POWERTOOLS_SERVICE_NAME": function.name,
            **_IDENTITY,
            **regions.environment(code.settings),
            **environment,
        },
    )
