"""The probes: one call for each relevant action, on each resource of a deployment. If no role may perform an action on
a kind of resource, the action is probed on only one such resource. A test fails if a role has a grant without a probe,
so a new permission needs a new probe here.
"""

from collections.abc import Iterator
from typing import Final

from lobby.domain.enrolments.allocation import HOOK_PREFIX
from lobby.names import Target
from tests.e2e.iam_probes import Probe, Resources

_CERT: Final = "0" * 64
_NONE: Final = "nobody"
"""The name of a resource that does not exist."""
_TOO_LONG: Final = "x" * 200
"""A name that is too long to create anything with."""


def probes(scope: Target, resources: Resources) -> list[Probe]:
    """Return all probes of an account and Region."""
    return [
        *_dynamodb(scope, resources),
        *_iot(scope),
        *_queues(scope, resources),
        *_functions(scope, resources),
        *_allocation_hooks(scope),
        *_buckets(resources),
        *_iam_and_cognito(scope, resources),
        *_parameters_and_events(scope),
        *_other_services(scope, resources),
    ]


def _arn(scope: Target, service: str, tail: str) -> str:
    return f"arn:aws:{service}:{scope.region}:{scope.account}:{tail}"


_ITEM_ACTIONS: Final = ("GetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem")
_TABLE_ACTIONS: Final = ("DescribeTable", "UpdateTable", "DeleteTable", "UpdateTimeToLive", "UpdateContinuousBackups")


def _dynamodb(scope: Target, resources: Resources) -> Iterator[Probe]:
    for table, indexes in resources.indexes.items():
        arn = _arn(scope, "dynamodb", f"table/{table}")
        for action in (*_ITEM_ACTIONS, *(_TABLE_ACTIONS if table.endswith("-history") else ())):
            yield Probe(f"dynamodb:{action}", arn, "dynamodb", action, {"TableName": table})
        for action, items in (("BatchGetItem", {"Keys": []}), ("BatchWriteItem", [])):
            yield Probe(f"dynamodb:{action}", arn, "dynamodb", action, {"RequestItems": {table: items}})
        check = {"TransactItems": [{"ConditionCheck": {"TableName": table, "Key": {}, "ConditionExpression": "x"}}]}
        yield Probe("dynamodb:ConditionCheckItem", arn, "dynamodb", "TransactWriteItems", check)
        for index in indexes:
            params = {"TableName": table, "IndexName": index}
            yield Probe("dynamodb:Query", f"{arn}/index/{index}", "dynamodb", "Query", params)
    yield Probe("dynamodb:ListTables", "*", "dynamodb", "ListTables", {})
    yield Probe("dynamodb:ListStreams", "*", "dynamodbstreams", "ListStreams", {})


def iot_probes(scope: Target) -> list[Probe]:
    """Return the probes of AWS IoT, which need no existing resources."""
    return list(_iot(scope))


def _iot(scope: Target) -> Iterator[Probe]:
    arn = _arn(scope, "iot", "")
    for resource, more, actions in (
        (
            f"cert/{_CERT}",
            {"certificateId": _CERT},
            "DescribeCertificate UpdateCertificate DeleteCertificate TransferCertificate",
        ),
        (
            f"cert/{_CERT}",
            {"target": f"{arn}cert/{_CERT}", "policyName": _NONE},
            "AttachPolicy DetachPolicy ListAttachedPolicies",
        ),
        (f"cert/{_CERT}", {"principal": f"{arn}cert/{_CERT}"}, "ListPrincipalThings"),
        (f"cacert/{_CERT}", {"certificateId": _CERT}, "DescribeCACertificate UpdateCACertificate DeleteCACertificate"),
        (f"thing/{_TOO_LONG}", {"thingName": _TOO_LONG}, "CreateThing UpdateThing"),
        (f"thing/{_NONE}", {"thingName": _NONE}, "DescribeThing DeleteThing ListThingPrincipals"),
        (
            "policy/device-lobby-nobody",
            {"policyName": "device-lobby-nobody"},
            "GetPolicy CreatePolicyVersion DeletePolicy ListTargetsForPolicy",
        ),
        ("policy/device-lobby-waiting", {"policyName": "device-lobby-waiting"}, "GetPolicy"),
        ("policy/another", {"policyName": "another", "policyDocument": "{}"}, "GetPolicy CreatePolicy DeletePolicy"),
        *(
            (f"rule/device_lobby_{name}", {"ruleName": f"device_lobby_{name}"}, "GetTopicRule")
            for name in ("connected", "duplicates")
        ),
        (
            "rule/nobody",
            {"ruleName": _NONE},
            "GetTopicRule CreateTopicRule ReplaceTopicRule DeleteTopicRule DisableTopicRule",
        ),
        (
            "",
            {
                "thingName": _NONE,
                "principal": f"{arn}cert/{_CERT}",
                "certificatePem": "x",
                "caCertificate": "x",
                "certificateSigningRequest": "x",
            },
            "AttachThingPrincipal DetachThingPrincipal RegisterCertificate "
            "RegisterCertificateWithoutCA DescribeEndpoint "
            "RegisterCACertificate CreateCertificateFromCsr ListCertificates ListCACertificates ListThings",
        ),
    ):
        for action in actions.split():
            yield Probe(f"iot:{action}", f"{arn}{resource}" if resource else "*", "iot", action, more)
    for topic in ("lobby/nobody", "app/nobody", "$aws/rules/lobby"):
        yield Probe("iot:Publish", f"{arn}topic/{topic}", "iot-data", "Publish", {"topic": topic, "payload": b"{}"})
    yield Probe("iot:DeleteConnection", f"{arn}client/{_NONE}", "iot-data", "DeleteConnection", {"clientId": _NONE})
    for action in ("GetThingShadow", "UpdateThingShadow", "DeleteThingShadow", "ListNamedShadowsForThing"):
        yield Probe(f"iot:{action}", f"{arn}thing/{_NONE}", "iot-data", action, {"thingName": _NONE})


_QUEUE_ACTIONS: Final = (
    "SendMessage",
    "ReceiveMessage",
    "DeleteMessage",
    "GetQueueAttributes",
    "ChangeMessageVisibility",
)


def _queues(scope: Target, resources: Resources) -> Iterator[Probe]:
    for number, queue in enumerate(resources.queues):
        url = f"http://queue/{scope.account}/{queue}"
        params = {"QueueUrl": url, "ReceiptHandle": "x", "VisibilityTimeout": 0}
        more = () if number else ("PurgeQueue", "SetQueueAttributes", "DeleteQueue")
        for action in (*_QUEUE_ACTIONS, *more):
            yield Probe(f"sqs:{action}", _arn(scope, "sqs", queue), "sqs", action, params)
    for arn in resources.topics:
        for action in ("Publish", "Subscribe", "SetTopicAttributes", "DeleteTopic", "ListSubscriptionsByTopic"):
            yield Probe(f"sns:{action}", arn, "sns", action, {"TopicArn": arn, "Protocol": "sqs"})


_FUNCTION_ACTIONS: Final = (
    "GetFunction",
    "DeleteFunction",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "AddPermission",
)


def _functions(scope: Target, resources: Resources) -> Iterator[Probe]:
    for number, name in enumerate(resources.functions):
        arn, params = _arn(scope, "lambda", f"function:{name}"), {"FunctionName": name, "InvocationType": "DryRun"}
        yield Probe("lambda:InvokeFunction", arn, "lambda", "Invoke", params)
        for action in () if number else _FUNCTION_ACTIONS:
            yield Probe(f"lambda:{action}", arn, "lambda", action, params)


def _allocation_hooks(scope: Target) -> Iterator[Probe]:
    """Functions of the operator that the bouncer may invoke; none is deployed."""
    name = f"{HOOK_PREFIX}nobody"
    params = {"FunctionName": name, "InvocationType": "DryRun"}
    yield Probe("lambda:InvokeFunction", _arn(scope, "lambda", f"function:{name}"), "lambda", "Invoke", params)


def _buckets(resources: Resources) -> Iterator[Probe]:
    for bucket in resources.buckets:
        for key in ("campaigns/nobody", "crl/nobody", "entries/nobody", "templates/nobody"):
            params = {"Bucket": bucket, "Key": key, "IfMatch": _NONE}
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


def _iam_and_cognito(scope: Target, resources: Resources) -> Iterator[Probe]:
    for number, role in enumerate(resources.roles):
        arn = f"arn:aws:iam::{scope.account}:role/{role}"
        params = {
            "RoleName": role,
            "PolicyName": _NONE,
            "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
            "PolicyDocument": "{}",
        }
        more = () if number else ("AttachRolePolicy", "UpdateAssumeRolePolicy", "GetRolePolicy")
        for action in ("PutRolePolicy", *more):
            yield Probe(f"iam:{action}", arn, "iam", action, params)
        yield Probe("sts:AssumeRole", arn, "sts", "AssumeRole", {"RoleArn": arn, "RoleSessionName": _NONE})
    for action in ("CreateRole", "CreateUser", "CreateAccessKey"):
        yield Probe(f"iam:{action}", "*", "iam", action, {})
    for pool in resources.pools:
        arn = _arn(scope, "cognito-idp", f"userpool/{pool}")
        for action in ("AdminCreateUser", "AdminSetUserPassword", "AdminAddUserToGroup", "ListUsers"):
            yield Probe(f"cognito-idp:{action}", arn, "cognito-idp", action, {"UserPoolId": pool})


def _parameters_and_events(scope: Target) -> Iterator[Probe]:
    for name in ("device-lobby/vending", "device-lobby/webhooks/nobody"):
        # New tags with `Overwrite` are invalid, so that nothing is written.
        params = {"Name": f"/{name}", "Overwrite": True, "Tags": [{"Key": _NONE, "Value": _NONE}]}
        for action in ("GetParameter", "PutParameter", "DeleteParameter"):
            yield Probe(f"ssm:{action}", _arn(scope, "ssm", f"parameter/{name}"), "ssm", action, params)
    for bus in ("default", "device-lobby"):
        entries = {"Entries": [{"EventBusName": bus}]}
        yield Probe("events:PutEvents", _arn(scope, "events", f"event-bus/{bus}"), "events", "PutEvents", entries)
    yield Probe("events:ListRules", "*", "events", "ListRules", {})


def _other_services(scope: Target, resources: Resources) -> Iterator[Probe]:
    for group in resources.log_groups[:1]:
        arn = _arn(scope, "logs", f"log-group:{group}")
        for action in ("FilterLogEvents", "DeleteLogGroup"):
            yield Probe(f"logs:{action}", arn, "logs", action, {"logGroupName": group})
    for key in resources.keys:
        params = {"KeyId": key, "Message": b"x", "MessageType": "RAW", "SigningAlgorithm": "ECDSA_SHA_256"}
        for action in ("GetPublicKey", "Sign", "PutKeyPolicy", "ScheduleKeyDeletion"):
            yield Probe(f"kms:{action}", key, "kms", action, params)
    for action in ("UpdateStack", "DeleteStack", "DescribeStacks"):
        stack = _arn(scope, "cloudformation", "stack/DeviceLobby/x")
        yield Probe(f"cloudformation:{action}", stack, "cloudformation", action, {"StackName": "DeviceLobby"})
    for service, action in (
        ("cloudwatch", "PutMetricData"),
        ("cloudwatch", "DeleteAlarms"),
        ("cloudwatch", "DisableAlarmActions"),
        ("secretsmanager", "GetSecretValue"),
        ("kms", "Decrypt"),
    ):
        yield Probe(f"{service}:{action}", "*", service, action, {})
