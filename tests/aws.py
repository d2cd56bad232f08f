"""AWS for tests: moto, with corrections where it differs from AWS in relevant ways (`moto_corrections`), and a record
of every call.

`Calls` records the calls of every client, including PynamoDB's. It can interrupt a Lambda before or after the n-th
call, replace a call, or run other code just before one.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.iot.models import iot_backends
from moto.iotdata.models import iotdata_backends
from moto.s3.models import s3_backends

from lobby.deployment import NAMES
from lobby.ledger.items import device_of_image
from lobby.ledger.lists.counts import bucket_of, totals
from lobby.ledger.models import MODELS
from lobby.ledger.registration_rows import RegistrationRow
from lobby.names import AccountId, Region, Target
from tests import direct_dynamodb, fast_moto, moto_corrections, moto_kms
from tests.certificates import NOW

LOBBY = AccountId("123456789012")
REGION = Region("eu-west-1")
HOME = Target(LOBBY, REGION)
BUCKET = NAMES.trust_bucket(LOBBY, REGION)
WAITING_POLICY = "device-lobby-waiting"
_QUEUE = f"https://sqs.{REGION}.amazonaws.com/{LOBBY}/device-lobby"
_PLAIN = ("registrations", "undelivered", "uncommissioned", "unconfirmed", "marks", "webhooks")
_QUEUES = (*_PLAIN, "lanes.fifo", "express.fifo", "campaigns.fifo")
ENVIRONMENT = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",  # pragma: allowlist secret
    "AWS_SESSION_TOKEN": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "LOBBY_POLICY": WAITING_POLICY,
    "TRUST_BUCKET": BUCKET,
    "REGISTRATIONS_PER_SECOND": "5",
    "LOBBY": f"{LOBBY}/{REGION}",
    "LEFT_THINGS": "mark",
    "CAMPAIGN_APPROVAL_ABOVE": "1000",
    "CLONE_POLICY": "flag",
    "ARRIVALS_QUEUE": f"arn:aws:sqs:{REGION}:{LOBBY}:device-lobby-arrivals",
    **{f"{name.partition('.')[0].upper()}_QUEUE": f"{_QUEUE}-{name}" for name in _QUEUES},
}


class Clock:
    """A clock that changes only with `advance`."""

    def __init__(self, time: datetime = NOW) -> None:
        self.time = time

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **by: float) -> None:
        self.time += timedelta(**by)


class CutOff(BaseException):
    """The Lambda is interrupted between two calls. A `BaseException`, so that nothing catches it."""


@dataclass(frozen=True)
class Call:
    """A recorded call."""

    service: str
    operation: str
    params: dict[str, Any] = field(repr=False)
    region: str


@dataclass
class Calls:
    """All calls, in order. `cut_before` and `cut_after` are numbers of calls, from 1, at which `CutOff` is raised;
    `meanwhile` runs once, before the next call of an operation."""

    made: list[Call] = field(default_factory=list)
    cut_before: int | None = None
    cut_after: int | None = None
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)
    fails: dict[str, Exception] = field(default_factory=dict)
    """The exception that calls of an operation raise, until it is removed."""
    instead: dict[str, Callable[[dict[str, Any], Callable[[], Any]], Any]] = field(default_factory=dict)
    """A replacement for an operation: it gets the parameters and the call, and returns the response."""
    _off: bool = False

    def names(self) -> list[str]:
        return [call.operation for call in self.made]

    def count(self) -> Counter[str]:
        return Counter(self.names())

    def of(self, operation: str) -> list[Call]:
        return [call for call in self.made if call.operation == operation]

    def forget(self) -> None:
        self.made.clear()

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Do not record calls of the test itself."""
        before, self._off = self._off, True
        try:
            yield
        finally:
            self._off = before

    def around(self, client: BaseClient, operation: str, params: dict[str, Any], call: Callable[[], Any]) -> Any:
        if self._off:
            return call()
        self.made.append(Call(client.meta.service_model.service_name, operation, params, client.meta.region_name))
        if operation in self.meanwhile:
            with self.uncounted():
                self.meanwhile.pop(operation)()
        if len(self.made) == self.cut_before:
            raise CutOff
        if operation in self.fails:
            raise self.fails[operation]
        answer = self.instead[operation](params, call) if operation in self.instead else call()
        if len(self.made) == self.cut_after:
            raise CutOff
        return answer


@contextmanager
def aws(*, over_http: bool = False) -> Iterator[Calls]:
    """An empty AWS with the lobby's tables, bucket and policy. Yields the record of its calls. With `over_http`, all
    calls go through botocore's HTTP client, for faults below it."""
    fast_moto.install()
    calls = Calls()
    with pytest.MonkeyPatch.context() as patched:
        for name, value in ENVIRONMENT.items():
            patched.setenv(name, value)
        patched.delenv("AWS_PROFILE", raising=False)
        if not over_http:
            direct_dynamodb.install(patched)
        _record(calls, patched)
        moto_corrections.correct(patched)
        moto_kms.correct(patched)
        with mock_aws(config={"iot": {"use_valid_cert": True}, "core": {"reset_boto3_session": False}}):
            with calls.uncounted():
                _create_lobby()
            yield calls


def _record(calls: Calls, patched: pytest.MonkeyPatch) -> None:
    original = BaseClient._make_api_call  # type: ignore[attr-defined]  # PynamoDB and boto3 both use it

    def make_api_call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        return calls.around(client, operation, params, lambda: original(client, operation, params))

    patched.setattr(BaseClient, "_make_api_call", make_api_call)


@cache
def client(service: str) -> Any:
    """Return a cached client of the lobby's account: creating one takes longer than most tests."""
    return boto3.client(service)  # type: ignore[call-overload]


def create_tables() -> None:
    """Create the lobby's tables, empty."""
    dynamodb_backends[LOBBY][REGION].tables = deepcopy(_empty_tables())


@cache
def _empty_tables() -> dict[str, Any]:
    """Return empty tables, which moto creates from the models once. In a test within another AWS, moto keeps the tables
    of the outer one, so they are set aside."""
    backend = dynamodb_backends[LOBBY][REGION]
    outer, backend.tables = backend.tables, type(backend.tables)()
    for model in MODELS:
        model.create_table(billing_mode="PAY_PER_REQUEST")
    created, backend.tables = backend.tables, outer
    return created


def _create_lobby() -> None:
    create_tables()
    s3_backends[LOBBY]["aws"].create_bucket(BUCKET, REGION)
    iot_backends[LOBBY][REGION].create_policy(WAITING_POLICY, {})


def snapshot() -> Any:
    """Return the content of moto's tables and IoT registries, for `restore`."""
    backends = {(account, region): vars(iot) for account, of in iot_backends.items() for region, iot in of.items()}
    return deepcopy((dynamodb_backends[LOBBY][REGION].tables, backends))


def restore(state: Any) -> None:
    """Restore a snapshot. A registry that did not exist then becomes empty."""
    tables, backends = deepcopy(state)
    for account, of in iot_backends.items():
        for region in [region for region in of if (account, region) not in backends]:
            of[region].reset()
    dynamodb_backends[LOBBY][REGION].tables = tables
    for (account, region), held in backends.items():
        vars(iot_backends[account][region]).update(held)


def registry(target: Target = HOME) -> dict[str, Any]:
    """Return the content of the AWS IoT registry of an account and Region: certificates, things, attachments."""
    backend = iot_backends[target.account][target.region]
    return {
        "certificates": {certid: found.status for certid, found in backend.certificates.items()},
        "things": {thing.thing_name: dict(thing.attributes) for thing in backend.things.values()},
        "principals": sorted(backend.principal_things),
        "policies": sorted(backend.principal_policies),
    }


def status(certid: str, target: Target = HOME) -> str | None:
    """Return a certificate's status in an account and Region."""
    found = iot_backends[target.account][target.region].certificates.get(certid)
    return str(found.status) if found else None


def published(target: Target = HOME) -> list[tuple[str, bytes]]:
    """Return what was published over AWS IoT's data plane in an account and Region."""
    sent: list[tuple[str, bytes]] = iotdata_backends[target.account][target.region].published_payloads
    return sent


def tables() -> dict[str, list[dict[str, Any]]]:
    """Return all items of all tables, in DynamoDB JSON. Counts are returned as sums, because the shards are random.
    Leases are omitted, because they record how the work was done, not its result."""
    found = {model.Meta.table_name: items(model.Meta.table_name) for model in MODELS if model is not RegistrationRow}
    return found | {"device-lobby-counts": [counts()]}


def counts() -> dict[str, int]:
    """Return the sum of each count's shards, without zero."""
    shards = ((shard["bucket"]["S"], int(shard["count"]["N"])) for shard in items("device-lobby-counts"))
    return {bucket: count for bucket, count in totals(shards).items() if count}


def recounted() -> dict[str, int]:
    """Return the counts computed from the rows."""
    return dict(Counter(bucket_of(device_of_image(row)).key for row in items("device-lobby-ledger")))


def empty(table: str) -> None:
    """Remove all items of a table."""
    dynamodb_backends[LOBBY][REGION].tables[table] = deepcopy(_empty_tables()[table])


def item(certid: str) -> dict[str, Any] | None:
    """Return a device's item in DynamoDB JSON."""
    return next((found for found in items("device-lobby-ledger") if found["certid"] == {"S": certid}), None)


def items(table: str) -> list[dict[str, Any]]:
    """Return all items of a table, in a stable order."""
    found = dynamodb_backends[LOBBY][REGION].get_table(table).all_items()
    return sorted((row.to_json()["Attributes"] for row in found), key=str)
