"""The lobby's Lambdas: what each is, and how all of them are made.

Each has a role of its own but the surveyor and the inspector, which look at targets with the commissioner's: they trust
that one only.
Roles carry their whole policy inline, so that a function never exists without it, and nothing is granted behind our
back. Each has its log group, whose name, format and age are ours, not Lambda's defaults.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import bundles
from infra.bundles import Bundle, Platform
from infra.settings import RETENTION_DAYS, Settings

PREFIX: Final = "device-lobby"
_MACHINES: Final = {"aarch64": lambda_.Architecture.ARM_64, "arm64": lambda_.Architecture.ARM_64}
_RETENTION: Final = dict(zip(RETENTION_DAYS, logs.RetentionDays, strict=False))
"""The enumeration is in the order of days, with INFINITE last."""


@dataclass(frozen=True)
class Function:
    """What a Lambda is made of, before anything is deployed. `timeout` is in seconds, `memory` in MB."""

    name: str
    handler: str
    bundle: Bundle
    timeout: int
    memory: int = 512

    @property
    def full_name(self) -> str:
        return f"{PREFIX}-{self.name}"

    @property
    def construct_id(self) -> str:
        return "".join(word.capitalize() for word in self.name.split("-"))


BOUNCER: Final = Function("bouncer", "lobby.doors.registration.handler", bundles.BOUNCER, timeout=30)
RECEPTIONIST: Final = Function("receptionist", "lobby.receptionist.handler", bundles.CORE, timeout=15)
COMMISSIONER: Final = Function("commissioner", "commissioner.lambdas.stream.handler", bundles.CORE, timeout=120)
SURVEYOR: Final = Function("surveyor", "commissioner.lambdas.surveyor.handler", bundles.CORE, timeout=20)
ARRIVALS: Final = Function("arrivals", "lobby.arrivals.handler", bundles.CORE, timeout=30)
NOTARY: Final = Function("notary", "lobby.notary.handler", bundles.CORE, timeout=60)
ADMIN_API: Final = Function("admin-api", "admin_api.handler.handler", bundles.ADMIN_API, timeout=29, memory=1024)
"""29 s is what an HTTP API waits at most; the surveyor, which it calls, has to be done before that."""
INSPECTOR: Final = Function("inspector", "commissioner.lambdas.inspector.handler", bundles.CORE, timeout=20)
SWEEPER: Final = Function("sweeper", "commissioner.lambdas.sweeper.handler", bundles.CORE, timeout=120)
RECONCILER: Final = Function("reconciler", "commissioner.lambdas.reconciler.handler", bundles.CORE, timeout=900)
"""A part of a round takes most of that; a page for the API has to be done before the API is."""
FUNCTIONS: Final = (
    BOUNCER,
    RECEPTIONIST,
    COMMISSIONER,
    SURVEYOR,
    INSPECTOR,
    ARRIVALS,
    NOTARY,
    ADMIN_API,
    SWEEPER,
    RECONCILER,
)


@dataclass
class Code:
    """The bundles, each made at most once. Unless `wanted`, a stand-in is there that must not be deployed."""

    settings: Settings
    wanted: bool
    _made: dict[str, lambda_.Code] = field(default_factory=dict)

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
        if bundle.name not in self._made:
            self._made[bundle.name] = self._make(bundle)
        return self._made[bundle.name]

    def _make(self, bundle: Bundle) -> lambda_.Code:
        if not self.wanted:
            stand_in = bundles.ROOT / "requirements"
            return lambda_.Code.from_asset(str(stand_in), asset_hash=f"not-bundled-{bundle.name}")
        if self.settings.console and not self.settings.local:
            bundles.require_page(bundle)
        made = bundles.build(bundle, self.platform)
        return lambda_.Code.from_asset(str(made.path), asset_hash=made.sha256)


def log_group(scope: Construct, construct_id: str, name: str, settings: Settings) -> logs.LogGroup:
    """Logs go with the stack: what must be remembered is in the ledger."""
    kept = _RETENTION[settings.log_retention]
    return logs.LogGroup(scope, construct_id, log_group_name=name, retention=kept, removal_policy=RemovalPolicy.DESTROY)


def function_arn(function: Function, settings: Settings) -> str:
    return f"arn:aws:lambda:{settings.lobby.region}:{settings.lobby.account}:function:{function.full_name}"


def make_role(
    scope: Construct,
    name: str,
    statements: Sequence[iam.PolicyStatement],
    log_groups: Sequence[logs.LogGroup],
) -> iam.Role:
    """A Lambda's role, named `device-lobby-<name>`, with everything it may do."""
    own_logs = iam.PolicyStatement(
        sid="OwnLogs",
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[group.log_group_arn for group in log_groups],
    )
    return iam.Role(
        scope,
        f"{''.join(word.capitalize() for word in name.split('-'))}Role",
        role_name=f"{PREFIX}-{name}",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={f"{PREFIX}-{name}": iam.PolicyDocument(statements=[own_logs, *statements])},
    )


def make_function(
    scope: Construct,
    function: Function,
    code: Code,
    role: iam.Role,
    group: logs.LogGroup,
    environment: Mapping[str, str],
) -> lambda_.Function:
    """The Lambda itself. CDK may add nothing to its role."""
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
        tracing=lambda_.Tracing.DISABLED,
        environment={"POWERTOOLS_SERVICE_NAME": function.name, **environment},
    )
