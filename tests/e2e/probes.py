"""What a role is tried with: a call for each action that matters, on each resource that a deployment has; what no role
may do to any, on one of a kind.

A call names its resource and as little else as it can: one that is allowed fails of itself, with nothing changed. A
grant that no call here fits fails a test, so that a new permission comes with its probe.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from lobby.names import Target

Params = Mapping[str, object]
DENIED: Final = {"AccessDenied", "AccessDeniedException", "ForbiddenException", "AuthorizationError"}
QUIET: Final = Config(parameter_validation=False, retries={"mode": "standard", "total_max_attempts": 1})
"""What is left out of a call is the service's to miss, once it has let the caller in."""
_AT_ONCE: Final = 4
_CERT: Final = "0" * 64
_NOBODY: Final = "nobody"
_TOO_LONG: Final = "x" * 200
"""A name that nothing can be made with."""


@dataclass(frozen=True)
class Probe:
    """`action` and `resource` as IAM is asked for them; "*" where AWS defines no resource for the action."""

    action: str
    resource: str
    service: str = field(compare=False)
    operation: str = field(compare=False)
    params: Params = field(compare=False)
    """More than the operation knows may be among them: such are left out."""

    def allowed_by(self, action: str, resource: str) -> bool:
        """Whether a grant of `action` on the pattern `resource` allows it."""
        return action == self.action and fnmatchcase(self.resource, resource)


@dataclass(frozen=True)
class Caller:
    """Somebody with temporary credentials, in a Region. `session` makes clients for the emulator."""

    session: Any
    credentials: Mapping[str, Any]
    region: str
    clients: dict[str, Any] = field(default_factory=dict, init=False)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.session.client(
                service, region_name=self.region, config=QUIET, **self.credentials
            )
        return self.clients[service]

    def may(self, probe: Probe) -> bool:
        """Whether it is let in; what then comes of it is not looked at."""
        client = self.client(probe.service)
        shape = client.meta.service_model.operation_model(probe.operation).input_shape
        params = {name: value for name, value in probe.params.items() if shape and name in shape.members}
        try:
            getattr(client, xform_name(probe.operation))(**params)
        except ClientError as error:
            return error.response["Error"]["Code"] not in DENIED
        return True

    def let_in(self, tried: Sequence[Probe]) -> set[Probe]:
        """Those of them that it may do."""
        for service in {probe.service for probe in tried}:
            self.client(service)
        with ThreadPoolExecutor(_AT_ONCE) as askers:
            return {probe for probe, may in zip(tried, askers.map(self.may, tried), strict=True) if may}


@dataclass(frozen=True)
class Names:
    """What there is in an account and Region."""

    indexes: Mapping[str, Sequence[str]]
    """Of each table."""
    queues: Sequence[str]
    functions: Sequence[str]
    buckets: Sequence[str]
    roles: Sequence[str]
    topics: Sequence[str]
    pools: Sequence[str]
    log_groups: Sequence[str]


def found(client: Any) -> Names:
    """`client` makes one of a service, as the account's root."""
    tables = [client("dynamodb").describe_table(TableName=name)["Table"] for name in _all(client, "dynamodb", "tables")]
    return Names(
        {each["TableName"]: [one["IndexName"] for one in each.get("GlobalSecondaryIndexes", [])] for each in tables},
        [url.rsplit("/", 1)[1] for url in client("sqs").list_queues().get("QueueUrls", [])],
        [each["FunctionName"] for each in _all(client, "lambda", "functions")],
        [each["Name"] for each in client("s3").list_buckets()["Buckets"]],
        [each["RoleName"] for each in _all(client, "iam", "roles")],
        [each["TopicArn"] for each in _all(client, "sns", "topics")],
        [each["Id"] for each in client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]],
        [each["logGroupName"] for each in client("logs").describe_log_groups()["logGroups"]],
    )


def _all(client: Any, service: str, what: str) -> list[Any]:
    """What a paginated call lists, whose answer has the name `what` in whichever case."""
    pages = client(service).get_paginator(f"list_{what}").paginate()
    return [
        each
        for page in pages
        for key in page
        if key.lower().removesuffix("names") in (what, what[:-1])
        for each in page[key]
    ]


def probes(where: Target, names: Names) -> list[Probe]:
    """Every probe of that account and Region."""
    return [
        *_dynamodb(where, names),
        *_iot(where),
        *_queues(where, names),
        *_functions(where, names),
        *_buckets(names),
        *_identities(where, names),
        *_others(where, names),
    ]


def _arn(where: Target, service: str, tail: str) -> str:
    return f"arn:aws:{service}:{where.region}:{where.account}:{tail}"


_ON_ITEMS: Final = ("GetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem")
_ON_A_TABLE: Final = ("DescribeTable", "UpdateTable", "DeleteTable", "UpdateTimeToLive", "UpdateContinuousBackups")


def _dynamodb(where: Target, names: Names) -> Iterator[Probe]:
    for table, indexes in names.indexes.items():
        arn = _arn(where, "dynamodb", f"table/{table}")
        for action in (*_ON_ITEMS, *(_ON_A_TABLE if table.endswith("-history") else ())):
            yield Probe(f"dynamodb:{action}", arn, "dynamodb", action, {"TableName": table})
        for action, items in (("BatchGetItem", {"Keys": []}), ("BatchWriteItem", [])):
            yield Probe(f"dynamodb:{action}", arn, "dynamodb", action, {"RequestItems": {table: items}})
        for index in indexes:
            params = {"TableName": table, "IndexName": index}
            yield Probe("dynamodb:Query", f"{arn}/index/{index}", "dynamodb", "Query", params)
    yield Probe("dynamodb:ListTables", "*", "dynamodb", "ListTables", {})
    yield Probe("dynamodb:ListStreams", "*", "dynamodbstreams", "ListStreams", {})


def iot_probes(where: Target) -> list[Probe]:
    return list(_iot(where))


def _iot(where: Target) -> Iterator[Probe]:
    arn = _arn(where, "iot", "")
    for resource, more, actions in (
        (
            f"cert/{_CERT}",
            {"certificateId": _CERT},
            "DescribeCertificate UpdateCertificate DeleteCertificate TransferCertificate",
        ),
        (
            f"cert/{_CERT}",
            {"target": f"{arn}cert/{_CERT}", "policyName": _NOBODY},
            "AttachPolicy DetachPolicy ListAttachedPolicies",
        ),
        (f"cert/{_CERT}", {"principal": f"{arn}cert/{_CERT}"}, "ListPrincipalThings"),
        (f"cacert/{_CERT}", {"certificateId": _CERT}, "DescribeCACertificate UpdateCACertificate DeleteCACertificate"),
        (f"thing/{_TOO_LONG}", {"thingName": _TOO_LONG}, "CreateThing UpdateThing"),
        (f"thing/{_NOBODY}", {"thingName": _NOBODY}, "DescribeThing DeleteThing ListThingPrincipals"),
        (
            "policy/device-lobby-nobody",
            {"policyName": "device-lobby-nobody"},
            "GetPolicy CreatePolicyVersion DeletePolicy ListTargetsForPolicy",
        ),
        ("policy/another", {"policyName": "another", "policyDocument": "{}"}, "GetPolicy CreatePolicy DeletePolicy"),
        (
            "rule/nobody",
            {"ruleName": _NOBODY},
            "GetTopicRule CreateTopicRule ReplaceTopicRule DeleteTopicRule DisableTopicRule",
        ),
        (
            "",
            {
                "thingName": _NOBODY,
                "principal": f"{arn}cert/{_CERT}",
                "certificatePem": "x",
                "caCertificate": "x",
                "certificateSigningRequest": "x",
            },
            "AttachThingPrincipal DetachThingPrincipal RegisterCertificate "
            "RegisterCertificateWithoutCA DescribeEndpoint "
            "RegisterCACertificate CreateCertificateFromCsr ListCertificates ListThings",
        ),
    ):
        for action in actions.split():
            yield Probe(f"iot:{action}", f"{arn}{resource}" if resource else "*", "iot", action, more)
    for topic in ("lobby/nobody", "app/nobody", "$aws/rules/lobby"):
        yield Probe("iot:Publish", f"{arn}topic/{topic}", "iot-data", "Publish", {"topic": topic, "payload": b"{}"})
    for action in ("GetThingShadow", "UpdateThingShadow", "DeleteThingShadow"):
        yield Probe(f"iot:{action}", f"{arn}thing/{_NOBODY}", "iot-data", action, {"thingName": _NOBODY})


def _queues(where: Target, names: Names) -> Iterator[Probe]:
    for number, queue in enumerate(names.queues):
        url = f"http://queue/{where.account}/{queue}"
        params = {"QueueUrl": url, "ReceiptHandle": "x", "VisibilityTimeout": 0}
        more = () if number else ("PurgeQueue", "SetQueueAttributes", "DeleteQueue")
        for action in ("SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes", *more):
            yield Probe(f"sqs:{action}", _arn(where, "sqs", queue), "sqs", action, params)
    for arn in names.topics:
        for action in ("Publish", "Subscribe", "SetTopicAttributes", "DeleteTopic"):
            yield Probe(f"sns:{action}", arn, "sns", action, {"TopicArn": arn, "Protocol": "sqs"})


_ON_CODE: Final = (
    "GetFunction",
    "DeleteFunction",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "AddPermission",
)


def _functions(where: Target, names: Names) -> Iterator[Probe]:
    for number, name in enumerate(names.functions):
        arn, params = _arn(where, "lambda", f"function:{name}"), {"FunctionName": name, "InvocationType": "DryRun"}
        yield Probe("lambda:InvokeFunction", arn, "lambda", "Invoke", params)
        for action in () if number else _ON_CODE:
            yield Probe(f"lambda:{action}", arn, "lambda", action, params)


def _buckets(names: Names) -> Iterator[Probe]:
    for bucket in names.buckets:
        for key in ("crl/nobody", "entries/nobody"):
            params = {"Bucket": bucket, "Key": key, "IfMatch": _NOBODY}
            for action in ("GetObject", "PutObject", "DeleteObject"):
                yield Probe(f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}", "s3", action, params)
        for action, operation in (
            ("ListBucket", "ListObjectsV2"),
            ("ListBucketVersions", "ListObjectVersions"),
            ("PutBucketPolicy", "PutBucketPolicy"),
            ("DeleteBucket", "DeleteBucket"),
        ):
            yield Probe(f"s3:{action}", f"arn:aws:s3:::{bucket}", "s3", operation, {"Bucket": bucket, "Policy": "{"})
    yield Probe("s3:ListAllMyBuckets", "*", "s3", "ListBuckets", {})


def _identities(where: Target, names: Names) -> Iterator[Probe]:
    for number, role in enumerate(names.roles):
        arn = f"arn:aws:iam::{where.account}:role/{role}"
        params = {
            "RoleName": role,
            "PolicyName": _NOBODY,
            "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
            "PolicyDocument": "{}",
        }
        more = () if number else ("AttachRolePolicy", "UpdateAssumeRolePolicy", "GetRolePolicy")
        for action in ("PutRolePolicy", *more):
            yield Probe(f"iam:{action}", arn, "iam", action, params)
        yield Probe("sts:AssumeRole", arn, "sts", "AssumeRole", {"RoleArn": arn, "RoleSessionName": _NOBODY})
    for action in ("CreateRole", "CreateUser", "CreateAccessKey"):
        yield Probe(f"iam:{action}", "*", "iam", action, {})
    for pool in names.pools:
        arn = _arn(where, "cognito-idp", f"userpool/{pool}")
        for action in ("AdminCreateUser", "AdminSetUserPassword", "AdminAddUserToGroup", "ListUsers"):
            yield Probe(f"cognito-idp:{action}", arn, "cognito-idp", action, {"UserPoolId": pool})


def _others(where: Target, names: Names) -> Iterator[Probe]:
    for group in names.log_groups[:1]:
        arn = _arn(where, "logs", f"log-group:{group}")
        for action in ("FilterLogEvents", "DeleteLogGroup"):
            yield Probe(f"logs:{action}", arn, "logs", action, {"logGroupName": group})
    for action in ("UpdateStack", "DeleteStack", "DescribeStacks"):
        stack = _arn(where, "cloudformation", "stack/DeviceLobby/x")
        yield Probe(f"cloudformation:{action}", stack, "cloudformation", action, {"StackName": "DeviceLobby"})
    for service, action in (
        ("cloudwatch", "PutMetricData"),
        ("cloudwatch", "DeleteAlarms"),
        ("cloudwatch", "DisableAlarmActions"),
        ("ssm", "GetParameter"),
        ("secretsmanager", "GetSecretValue"),
        ("events", "PutEvents"),
        ("kms", "Decrypt"),
    ):
        yield Probe(f"{service}:{action}", "*", service, action, {})
