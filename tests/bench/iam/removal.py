"""Remove one grant and find the job that then fails.

`LIKELY` names the job to run first, so that a run takes minutes. If it succeeds, all other jobs run. If every job
succeeds without a grant, the grant is excess, unless its action is in `UNCHECKED`: AWS requires these actions, the
emulator does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lobby.domain.targets.target import TARGET_ROLE
from tests.bench.iam.api_jobs import API_JOBS
from tests.bench.iam.campaign_jobs import CAMPAIGN_JOBS
from tests.bench.iam.claim_jobs import CLAIM_JOBS
from tests.bench.iam.device_jobs import DEVICE_JOBS
from tests.bench.iam.enrolment_jobs import ENROLMENT_JOBS
from tests.bench.iam.event_jobs import EVENT_JOBS
from tests.bench.iam.fixture import JobFailed, JobFixture
from tests.bench.iam.grants import Grant, Roles, UsedPermissions
from tests.bench.iam.renewal_jobs import RENEWAL_JOBS
from tests.bench.iam.standby_jobs import STANDBY_JOBS
from tests.bench.iam.timer_jobs import TIMER_JOBS
from tests.bench.iam.vending_jobs import VENDING_JOBS

JOBS: Final = (
    DEVICE_JOBS
    | API_JOBS
    | TIMER_JOBS
    | ENROLMENT_JOBS
    | CLAIM_JOBS
    | VENDING_JOBS
    | RENEWAL_JOBS
    | CAMPAIGN_JOBS
    | STANDBY_JOBS
    | EVENT_JOBS
)
COMMISSIONER: Final = "device-lobby-commissioner"
USED: Final = "used"
"""In place of a failed job, for a grant that was not removed."""
LIKELY: Final = {
    ("device-lobby-campaigns", "", ""): "carry out campaigns",
    ("device-lobby-vending", "", ""): "vend certificates",
    ("device-lobby-vending-authorizer", "", ""): "vend certificates",
    ("device-lobby-renewer", "", ""): "renew certificate",
    ("device-lobby-bouncer", "lambda:", ""): "allocate by function",
    ("device-lobby-admin-api", "kms:", ""): "anchor history",
    ("device-lobby-admin-api", "dynamodb:PutItem", "activity"): "limit claims",
    ("device-lobby-admin-api", "dynamodb:ConditionCheckItem", ""): "evacuate and return",
    ("device-lobby-admin-api", "dynamodb:", "names"): "claim by serial number",
    ("device-lobby-bouncer", "dynamodb:DeleteItem", "enrolments"): "claim by serial number",
    ("device-lobby-sweeper", "dynamodb:PutItem", "targets"): "evacuate and return",
    ("device-lobby-sweeper", "dynamodb:GetItem", "targets"): "evacuate and return",
    ("device-lobby-admin-api", "dynamodb:", "campaigns"): "carry out campaigns",
    ("device-lobby-admin-api", "s3:", "campaigns"): "carry out campaigns",
    ("device-lobby-sweeper", "dynamodb:", "campaigns"): "carry out campaigns",
    ("device-lobby-provisioning", "", ""): "join by claim",
    ("device-lobby-registrar", "", ""): "join by claim",
    ("device-lobby-template", "", ""): "join by claim",
    ("device-lobby-admin-api", "lambda:InvokeFunction", "registrar"): "join by claim",
    ("device-lobby-bouncer", "dynamodb:", "enrolments"): "enrol by list",
    ("device-lobby-bouncer", "dynamodb:Query", "targets"): "enrol by list",
    ("device-lobby-admin-api", "dynamodb:", "webhooks"): "deliver to webhook",
    ("device-lobby-admin-api", "dynamodb:", "activity"): "publish events",
    ("device-lobby-admin-api", "dynamodb:", "enrolments"): "enrol by list",
    ("device-lobby-bouncer", "dynamodb:GetItem", "registrations"): "onboard",
    ("device-lobby-bouncer", "dynamodb:GetItem", "ledger"): "claim before connection",
    ("device-lobby-bouncer", "dynamodb:UpdateItem", "ledger"): "claim before connection",
    ("device-lobby-bouncer", "dynamodb:GetItem", "names"): "refuse taken name",
    ("device-lobby-bouncer", "dynamodb:Query", "history"): "release expected then admit",
    ("device-lobby-receptionist", "iot:Publish", ""): "answer hello",
    ("device-lobby-connections", "dynamodb:UpdateItem", ""): "find copy",
    ("device-lobby-connections", "dynamodb:PutItem", "history"): "find copy",
    ("device-lobby-connections", "dynamodb:GetItem", "targets"): "find copy",
    ("device-lobby-receptionist", "dynamodb:GetItem", "targets"): "evacuate and return",
    ("device-lobby-reconciler", "dynamodb:BatchGetItem", "certificates"): "reconcile daily",
    ("device-lobby-connections", "dynamodb:", ""): "report connections",
    ("device-lobby-arrivals", "dynamodb:", "connections"): "report takeovers in target",
    ("device-lobby-commissioner", "dynamodb:BatchGetItem", "ledger"): "revoke",
    ("device-lobby-commissioner", "iot:UpdateCertificate", ""): "revoke",
    ("device-lobby-commissioner", "iot:DeleteConnection", ""): "revoke",
    ("device-lobby-commissioner", "iot:DeleteCertificate", ""): "retry refused",
    ("device-lobby-commissioner", "iot:DescribeCertificate", ""): "retry refused after admission",
    ("device-lobby-commissioner", "iot:DetachThingPrincipal", ""): "retry refused after admission",
    ("device-lobby-admin-api", "dynamodb:BatchGetItem", "connections"): "report connections",
    ("device-lobby-admin-api", "dynamodb:BatchGetItem", "rounds"): "reconcile daily",
    ("device-lobby-admin-api", "dynamodb:BatchGetItem", "targets"): "onboard",
    ("device-lobby-admin-api", "dynamodb:BatchGetItem", ""): "claim in bulk",
    ("device-lobby-admin-api", "dynamodb:GetItem", "certificates"): "anchor history",
    ("device-lobby-admin-api", "dynamodb:DeleteItem", "targets"): "remove target",
    ("device-lobby-admin-api", "dynamodb:DeleteItem", ""): "release expected then admit",
    ("device-lobby-admin-api", "dynamodb:Query", "connections"): "report connections",
    ("device-lobby-admin-api", "dynamodb:", "lanes"): "pause target",
    ("device-lobby-admin-api", "dynamodb:Query", "by-turn"): "pause target",
    ("device-lobby-admin-api", "dynamodb:Query", ""): "list devices",
    ("device-lobby-admin-api", "s3:PutObject", ""): "open template",
    ("device-lobby-admin-api", "s3:GetObject", ""): "open template",
    ("device-lobby-admin-api", "dynamodb:PutItem", "targets"): "register target",
    ("device-lobby-admin-api", "dynamodb:UpdateItem", "targets"): "register target",
    ("device-lobby-admin-api", "lambda:InvokeFunction", "reconciler"): "repair inactive certificate",
    ("device-lobby-admin-api", "lambda:InvokeFunction", ""): "check targets",
    ("device-lobby-admin-api", "s3:ListBucketVersions", ""): "anchor history",
    ("device-lobby-arrivals", "dynamodb:GetItem", "targets"): "confirm arrivals topic",
    ("device-lobby-sweeper", "dynamodb:UpdateItem", "ledger"): "resume lost row",
    ("device-lobby-sweeper", "dynamodb:PutItem", "history"): "resume lost row",
    ("device-lobby-sweeper", "dynamodb:GetItem", "ledger"): "push route again",
    ("device-lobby-sweeper", "iot:Publish", ""): "push route again",
    ("device-lobby-sweeper", "iot:DescribeCertificate", ""): "readmit after crl",
    ("device-lobby-sweeper", "", ""): "resume lost row",
    ("device-lobby-reconciler", "dynamodb:Query", "targets"): "reconcile daily",
    ("device-lobby-reconciler", "dynamodb:GetItem", "rounds"): "reconcile daily",
    ("device-lobby-reconciler", "dynamodb:PutItem", "rounds"): "reconcile daily",
    ("device-lobby-reconciler", "dynamodb:BatchGetItem", "rounds"): "reconcile daily",
    ("device-lobby-reconciler", "dynamodb:Query", "history"): "deactivate orphaned certificate",
    ("device-lobby-reconciler", "", ""): "repair inactive certificate",
    (TARGET_ROLE, "iot:GetThingShadow", ""): "check targets",
    (TARGET_ROLE, "iot:UpdateThingShadow", ""): "check targets",
    (TARGET_ROLE, "iot:DeleteThingShadow", ""): "check targets",
    (TARGET_ROLE, "iot:ListNamedShadowsForThing", ""): "check targets",
    (TARGET_ROLE, "iot:ListCertificates", ""): "reconcile daily",
    (TARGET_ROLE, "iot:ListTargetsForPolicy", ""): "reconcile daily",
    (TARGET_ROLE, "iot:ListAttachedPolicies", ""): "retry in target",
    (TARGET_ROLE, "iot:List", ""): "repair inactive certificate",
    ("device-lobby-notary", "s3:PutObject", ""): "anchor history",
    ("device-lobby-publisher", "", ""): "publish events",
    ("device-lobby-courier", "", ""): "deliver to webhook",
    ("device-lobby-admin-api", "ssm:", ""): "deliver to webhook",
    ("device-lobby-admin-api", "sns:", ""): "subscribe to notices",
    (TARGET_ROLE, "iot:DescribeCertificate", ""): "move and return",
    (TARGET_ROLE, "iot:UpdateCertificate", ""): "move and return",
    (TARGET_ROLE, "iot:Publish", ""): "move and return",
    (TARGET_ROLE, "iot:DeleteConnection", ""): "check targets",
    (TARGET_ROLE, "iot:DescribeThing", ""): "fail for name taken in target",
    (TARGET_ROLE, "iot:DetachPolicy", ""): "check targets",
    (TARGET_ROLE, "iot:GetPolicy", ""): "check targets",
    (TARGET_ROLE, "iot:GetTopicRule", ""): "check targets",
    (TARGET_ROLE, "sns:ListSubscriptionsByTopic", ""): "check targets",
}
"""Job by role, prefix of the action, and part of the resource. The first match applies."""
_READ_BY_AWS: Final = ("iot:DescribeCertificate", "iot:DescribeThing", "iot:GetPolicy")
_LOGS: Final = "Lambda writes its log with the function's role (Lambda guide, 'Lambda execution role')"
_STREAM: Final = "a mapping reads its stream with the function's role (Lambda guide, 'Using Lambda with DynamoDB')"
_QUEUE: Final = "a mapping reads its queue with the function's role (Lambda guide, 'Using Lambda with Amazon SQS')"
_RULE: Final = "a rule's action runs with the rule's role (IoT guide, 'Granting an IoT rule the access it requires')"
UNCHECKED: Final = {
    "logs:CreateLogStream": _LOGS,
    "logs:PutLogEvents": _LOGS,
    "logs:DescribeLogStreams": _RULE,
    "dynamodb:DescribeStream": _STREAM,
    "dynamodb:GetRecords": _STREAM,
    "dynamodb:GetShardIterator": _STREAM,
    "dynamodb:ListStreams": _STREAM,
    "sqs:ReceiveMessage": _QUEUE,
    "sqs:DeleteMessage": _QUEUE,
    "sqs:GetQueueAttributes": _QUEUE,
    "sns:Publish": _RULE,
    "s3:ListBucket": "without it, S3 answers 403 for a missing object (API reference, GetObject); here 404",
    "sqs:ChangeMessageVisibility": "only failed registrations wait; the queue's own timeout applies without it",
    "sqs:SendMessage": "failures are sent with the function's or the rule's role (Lambda guide, 'Destinations')",
}
"""Reason by action that the emulator does not check (decision 2). `tests/infra/test_permissions.py` asserts these
grants."""
UNCHECKED_OF_ROLE: Final = {
    ("device-lobby-bouncer", "dynamodb:BatchGetItem"): "a batch is read with it; without it, each message alone",
    ("device-lobby-registrar", "iot:DeleteCertificate"): "only certificates that were issued an hour ago are deleted",
    ("device-lobby-registrar", "iot:ListAttachedPolicies"): "only acceptances that are 15 minutes old are examined",
    ("device-lobby-vending", "iot:DeleteCertificate"): "it deletes what it has issued if another request was faster",
}
"""Reason by role and action."""


@dataclass(frozen=True)
class Verdict:
    """`job` failed, at `step`. Both are empty for an excess grant. `unchecked` is the reason why it is not checked."""

    grant: Grant
    job: str = ""
    step: str = ""
    unchecked: str = ""

    @property
    def is_excess(self) -> bool:
        return not self.job and not self.unchecked

    @property
    def summary(self) -> str:
        return self.job or ("not checked here" if self.unchecked else "EXCESS")


def likely(grant: Grant) -> str:
    """Return the job to run first."""
    for (role, action, part), job in LIKELY.items():
        if role == grant.role and grant.action.startswith(action) and part in grant.where:
            return job
    return "onboard"


def unchecked(grant: Grant) -> str | None:
    """Return why no job needs the grant here, or None if one must."""
    if (grant.role, grant.action) == (COMMISSIONER, "dynamodb:GetItem") and "ledger" in grant.where:
        return "a row is read with its certificate, and again without it only after a conflict with another writer"
    if (grant.role, grant.action) == (COMMISSIONER, "dynamodb:Query") and "by-target" in grant.where:
        return "only the successor of a worker that was killed lists what that one has commissioned"
    if grant.role == "device-lobby-template" and grant.action in _READ_BY_AWS:
        return "AWS IoT reads what it provisions (its managed policy AWSIoTThingsRegistration); the emulator does not"
    return UNCHECKED_OF_ROLE.get((grant.role, grant.action)) or UNCHECKED.get(grant.action)


def check_use(grant: Grant, used: UsedPermissions) -> Verdict:
    """Say whether the jobs have used the grant, without removing it."""
    reason = unchecked(grant)
    return Verdict(grant, unchecked=reason or "", job="" if reason or not used.include(grant) else USED)


def check_grant(roles: Roles, grant: Grant, fixture: JobFixture, names: Sequence[str] = tuple(JOBS)) -> Verdict:
    """Run the jobs without the grant until one fails: the likely one, then the others in the order of `names`."""
    if reason := unchecked(grant):
        return Verdict(grant, unchecked=reason)
    first = likely(grant)
    with roles.without(grant):
        for name in [first, *(name for name in names if name != first)]:
            try:
                JOBS[name](fixture)
            except JobFailed as error:
                return Verdict(grant, name, str(error))
    return Verdict(grant)


def restart_with(
    restart_function: Callable[[str], object], functions_by_role: Mapping[str, Sequence[str]]
) -> Callable[[str], None]:
    """Return a function that restarts the Lambdas of a role."""

    def restart(role: str) -> None:
        for function in functions_by_role.get(role, ()):
            restart_function(function)

    return restart


def lines(verdicts: Sequence[Verdict]) -> tuple[tuple[str, ...], ...]:
    """Return the lines of the printed table."""
    return tuple(
        (
            each.grant.role.removeprefix("device-lobby-"),
            each.grant.action,
            each.grant.where,
            each.summary,
            each.step,
        )
        for each in verdicts
    )
