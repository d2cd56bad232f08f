"""Probes of IAM permissions: one AWS call for an action on a resource, and the callers that perform it.

A probe has its resource and as few other parameters as possible, so that an allowed call fails for another reason and
changes nothing. `iam_probe_calls` contains the probes.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

Params = Mapping[str, object]
DENIED: Final = {"AccessDenied", "AccessDeniedException", "ForbiddenException", "AuthorizationError"}
_CONFIG: Final = Config(parameter_validation=False, retries={"mode": "standard", "total_max_attempts": 1})
"""The service reports missing parameters only after it has authorized the caller."""
_WORKERS: Final = 4


@dataclass(frozen=True)
class Probe:
    """`action` and `resource` as in an IAM policy; "*" if AWS defines no resource for the action."""

    action: str
    resource: str
    service: str = field(compare=False)
    operation: str = field(compare=False)
    params: Params = field(compare=False)
    """Parameters that the operation does not have are omitted."""

    def allowed_by(self, action: str, resource: str) -> bool:
        """Return whether a grant of `action` on the pattern `resource` allows the probe."""
        return action == self.action and fnmatchcase(self.resource, resource)


@dataclass(frozen=True)
class Caller:
    """Credentials in a Region. `session` creates clients of the emulator."""

    session: Any
    credentials: Mapping[str, Any]
    region: str
    clients: dict[str, Any] = field(default_factory=dict, init=False)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.session.client(
                service, region_name=self.region, config=_CONFIG, **self.credentials
            )
        return self.clients[service]

    def may(self, probe: Probe) -> bool:
        """Return whether the caller is authorized. Any other error of the call is ignored."""
        client = self.client(probe.service)
        shape = client.meta.service_model.operation_model(probe.operation).input_shape
        params = {name: value for name, value in probe.params.items() if shape and name in shape.members}
        try:
            getattr(client, xform_name(probe.operation))(**params)
        except ClientError as error:
            return error.response["Error"]["Code"] not in DENIED
        return True

    def allowed(self, probes: Sequence[Probe]) -> set[Probe]:
        """Return the probes that the caller is authorized for."""
        for service in {probe.service for probe in probes}:
            self.client(service)
        with ThreadPoolExecutor(_WORKERS) as workers:
            return {probe for probe, may in zip(probes, workers.map(self.may, probes), strict=True) if may}


@dataclass(frozen=True)
class Resources:
    """The names of the resources in an account and Region."""

    indexes: Mapping[str, Sequence[str]]
    """The indexes of each table."""
    queues: Sequence[str]
    functions: Sequence[str]
    buckets: Sequence[str]
    roles: Sequence[str]
    topics: Sequence[str]
    pools: Sequence[str]
    log_groups: Sequence[str]
    keys: Sequence[str]
    """The ARNs of the keys in KMS."""


def list_resources(client: Any) -> Resources:
    """Return the existing resources. `client` returns a client of a service as the account's root user."""
    tables = [client("dynamodb").describe_table(TableName=name)["Table"] for name in _all(client, "dynamodb", "tables")]
    return Resources(
        {each["TableName"]: [one["IndexName"] for one in each.get("GlobalSecondaryIndexes", [])] for each in tables},
        [url.rsplit("/", 1)[1] for url in client("sqs").list_queues().get("QueueUrls", [])],
        [each["FunctionName"] for each in _all(client, "lambda", "functions")],
        [each["Name"] for each in client("s3").list_buckets()["Buckets"]],
        [each["RoleName"] for each in _all(client, "iam", "roles")],
        [each["TopicArn"] for each in _all(client, "sns", "topics")],
        [each["Id"] for each in client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]],
        [each["logGroupName"] for each in client("logs").describe_log_groups()["logGroups"]],
        [each["KeyArn"] for each in client("kms").list_keys()["Keys"]],
    )


def _all(client: Any, service: str, kind: str) -> list[Any]:
    """Return all items of the paginated call `list_<kind>`. The key of the result is `kind` in any case."""
    pages = client(service).get_paginator(f"list_{kind}").paginate()
    return [
        each
        for page in pages
        for key in page
        if key.lower().removesuffix("names") in (kind, kind[:-1])
        for each in page[key]
    ]
