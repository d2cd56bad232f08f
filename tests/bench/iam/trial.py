"""One grant taken away: which job is then not done, and how that shows.

`LIKELY` says which job to try first, so that a run takes minutes; if that one is done all the same, every other is
tried. A grant without which every job is done is in excess, unless it is among `UNCHECKED`: those the emulator does not
ask for, and AWS does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lobby.domain.target import TARGET_ROLE
from tests.bench.iam import jobs
from tests.bench.iam.grants import Grant, Roles
from tests.bench.iam.stand import NotDone, Stand
from tests.bench.iam.upkeep import UPKEEP

JOBS: Final = jobs.JOBS | UPKEEP
COMMISSIONER: Final = "device-lobby-commissioner"
LIKELY: Final = {
    ("device-lobby-bouncer", "dynamodb:GetItem", "ledger"): "claimed first",
    ("device-lobby-bouncer", "dynamodb:UpdateItem", "ledger"): "claimed first",
    ("device-lobby-bouncer", "dynamodb:GetItem", "names"): "name taken",
    ("device-lobby-bouncer", "dynamodb:Query", "history"): "released unseen and admitted",
    ("device-lobby-receptionist", "iot:Publish", ""): "said hello again",
    ("device-lobby-commissioner", "dynamodb:GetItem", "ledger"): "revoked",
    ("device-lobby-commissioner", "iot:UpdateCertificate", ""): "revoked",
    ("device-lobby-commissioner", "iot:DeleteCertificate", ""): "refused and retried",
    ("device-lobby-commissioner", "iot:DescribeCertificate", ""): "admitted once refused and retried",
    ("device-lobby-commissioner", "iot:DetachThingPrincipal", ""): "admitted once refused and retried",
    ("device-lobby-admin-api", "dynamodb:BatchGetItem", ""): "claimed in bulk",
    ("device-lobby-admin-api", "dynamodb:DeleteItem", ""): "released unseen and admitted",
    ("device-lobby-admin-api", "dynamodb:Query", ""): "listed",
    ("device-lobby-admin-api", "dynamodb:PutItem", "targets"): "registered target",
    ("device-lobby-admin-api", "dynamodb:UpdateItem", "targets"): "registered target",
    ("device-lobby-admin-api", "lambda:InvokeFunction", "reconciler"): "mended",
    ("device-lobby-admin-api", "lambda:InvokeFunction", ""): "checked",
    ("device-lobby-admin-api", "s3:ListBucketVersions", ""): "anchored",
    ("device-lobby-arrivals", "dynamodb:GetItem", "targets"): "heard of",
    ("device-lobby-sweeper", "dynamodb:UpdateItem", "ledger"): "woken",
    ("device-lobby-sweeper", "dynamodb:PutItem", "history"): "woken",
    ("device-lobby-sweeper", "dynamodb:GetItem", "ledger"): "told again",
    ("device-lobby-sweeper", "iot:Publish", ""): "told again",
    ("device-lobby-sweeper", "iot:DescribeCertificate", ""): "may knock again",
    ("device-lobby-sweeper", "", ""): "woken",
    ("device-lobby-reconciler", "dynamodb:Query", "targets"): "went round",
    ("device-lobby-reconciler", "dynamodb:GetItem", "rounds"): "went round",
    ("device-lobby-reconciler", "dynamodb:PutItem", "rounds"): "went round",
    ("device-lobby-reconciler", "dynamodb:Query", "history"): "orphan put out of use",
    ("device-lobby-reconciler", "", ""): "mended",
    (TARGET_ROLE, "iot:List", ""): "mended",
    ("device-lobby-notary", "s3:PutObject", ""): "anchored",
    (TARGET_ROLE, "iot:DescribeCertificate", ""): "moved",
    (TARGET_ROLE, "iot:UpdateCertificate", ""): "moved",
    (TARGET_ROLE, "iot:Publish", ""): "moved",
    (TARGET_ROLE, "iot:ListAttachedPolicies", ""): "retried in place",
    (TARGET_ROLE, "iot:DescribeThing", ""): "name taken in target",
    (TARGET_ROLE, "iot:DetachPolicy", ""): "checked",
    (TARGET_ROLE, "iot:GetPolicy", ""): "checked",
}
"""By role, action and a part of the resource."""
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
    "s3:ListBucket": "without it an absent list looks forbidden (S3 API reference, GetObject); here it looks absent",
    "sqs:SendMessage": "failures are handed over with the function's or the rule's role (Lambda guide, 'Destinations')",
}
"""What the emulator grants without asking (decision 2); `tests/infra/test_permissions.py` holds them."""


@dataclass(frozen=True)
class Verdict:
    """`job` was not done, and `how`. Neither where it is in excess; `unchecked` says why nobody can tell."""

    grant: Grant
    job: str = ""
    how: str = ""
    unchecked: str = ""

    @property
    def in_excess(self) -> bool:
        return not self.job and not self.unchecked


def likely(grant: Grant) -> str:
    for (role, action, part), job in LIKELY.items():
        if role == grant.role and grant.action.startswith(action) and part in grant.where:
            return job
    return "onboard"


def tried(roles: Roles, grant: Grant, stand: Stand) -> Verdict:
    """The jobs without the grant, until one is not done."""
    if grant.action in UNCHECKED:
        return Verdict(grant, unchecked=UNCHECKED[grant.action])
    first = likely(grant)
    with roles.without(grant):
        for name in [first, *(name for name in JOBS if name != first)]:
            try:
                JOBS[name](stand)
            except NotDone as undone:
                return Verdict(grant, name, str(undone))
    return Verdict(grant)


def restarting(set_anew: Callable[[str], object], serving: Mapping[str, Sequence[str]]) -> Callable[[str], None]:
    """How a role's Lambdas, as `serving` names them, are started anew: `set_anew` changes something of a function's
    configuration."""

    def restart(role: str) -> None:
        for function in serving.get(role, ()):
            set_anew(function)

    return restart


def lines(verdicts: Sequence[Verdict]) -> tuple[tuple[str, ...], ...]:
    """For the printed matrix."""
    return tuple(
        (
            each.grant.role.removeprefix("device-lobby-"),
            each.grant.action,
            each.grant.where,
            each.job or ("not asked for here" if each.unchecked else "IN EXCESS"),
            each.how,
        )
        for each in verdicts
    )
