"""An AWS for the tests: moto, made to behave as AWS does where that matters here, and a record of every call.

What moto leaves out and AWS has: the CA's id in a certificate's description, a thing name that conflicts, and one
endpoint per account and Region. `Calls` sees each call of every client, PynamoDB's too; it can cut a Lambda off
before or after the n-th, or let something else happen just before one.
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
from botocore.client import BaseClient, ClientCreator
from botocore.loaders import JSONFileLoader
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.iot.exceptions import ResourceAlreadyExistsException
from moto.iot.models import FakeCertificate, FakeEndpoint, FakeThing, IoTBackend, iot_backends
from moto.iotdata.models import iotdata_backends

from lobby.ledger.counts import bucket_of
from lobby.ledger.items import device_of_image
from lobby.ledger.models import MODELS
from lobby.names import AccountId, Region, Target
from lobby.wire import trust_bucket
from tests.certificates import NOW

LOBBY = AccountId("123456789012")
REGION = Region("eu-west-1")
HOME = Target(LOBBY, REGION)
BUCKET = trust_bucket(LOBBY, REGION)
WAITING_POLICY = "device-lobby-waiting"
ENVIRONMENT = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",  # pragma: allowlist secret
    "AWS_SESSION_TOKEN": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "LOBBY_POLICY": WAITING_POLICY,
    "TRUST_BUCKET": BUCKET,
    "UNCOMMISSIONED_QUEUE": f"https://sqs.{REGION}.amazonaws.com/{LOBBY}/device-lobby-uncommissioned",
}


class Clock:
    """Stands still until it is moved on."""

    def __init__(self, moment: datetime = NOW) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **much: float) -> None:
        self.moment += timedelta(**much)


class CutOff(BaseException):
    """The Lambda is gone, from one call to the next: nothing catches this."""


@dataclass(frozen=True)
class Call:
    """One call as it was made."""

    service: str
    operation: str
    params: dict[str, Any] = field(repr=False)
    region: str


@dataclass
class Calls:
    """Every call, in order. `cut_before` and `cut_after` count from 1; `meanwhile` runs once, before the next call
    of that operation."""

    made: list[Call] = field(default_factory=list)
    cut_before: int | None = None
    cut_after: int | None = None
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)
    fails: dict[str, Exception] = field(default_factory=dict)
    """What the calls of an operation raise instead of happening, until it is taken out."""
    instead: dict[str, Callable[[dict[str, Any], Callable[[], Any]], Any]] = field(default_factory=dict)
    """What an operation does instead: it gets the parameters and the call itself, and answers."""
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
        """What the test itself asks of AWS."""
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
def aws() -> Iterator[Calls]:
    """An empty AWS with the lobby's tables, bucket and policy, and the record of what is asked of it."""
    calls, patch = Calls(), pytest.MonkeyPatch()
    original = BaseClient._make_api_call  # type: ignore[attr-defined]  # where PynamoDB and boto3 meet

    def make_api_call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        return calls.around(client, operation, params, lambda: original(client, operation, params))

    with patch.context() as patched:
        for name, value in ENVIRONMENT.items():
            patched.setenv(name, value)
        patched.delenv("AWS_PROFILE", raising=False)
        patched.setattr(BaseClient, "_make_api_call", make_api_call)
        patched.setattr(JSONFileLoader, "load_file", _loaded_once)
        patched.setattr(ClientCreator, "_create_client_class", _made_once)
        _as_aws_does(patched)
        with mock_aws(config={"iot": {"use_valid_cert": True}, "core": {"reset_boto3_session": False}}):
            with calls.uncounted():
                _lobby()
            yield calls


_load_file = cache(JSONFileLoader.load_file)
_loader = JSONFileLoader()


def _loaded_once(_self: JSONFileLoader, path: str) -> Any:
    """botocore reads its service models anew for every session, which takes longer than a test."""
    return _load_file(_loader, path)


_create_class = ClientCreator._create_client_class  # type: ignore[attr-defined]
_classes: dict[str, type[BaseClient]] = {}


def _made_once(creator: ClientCreator, service: str, model: Any) -> type[BaseClient]:
    """And makes a class of hundreds of methods for every client, likewise."""
    return _classes.get(service) or _classes.setdefault(service, _create_class(creator, service, model))


@cache
def client(service: str) -> Any:
    """A client of the lobby's account, made once: making one takes longer than what most tests do with it."""
    return boto3.client(service)  # type: ignore[call-overload]


@cache
def _empty_tables() -> dict[str, Any]:
    """As moto makes them from the models, once."""
    for model in MODELS:
        model.create_table(billing_mode="PAY_PER_REQUEST")
    return deepcopy(dynamodb_backends[LOBBY][REGION].tables)


def _lobby() -> None:
    dynamodb_backends[LOBBY][REGION].tables = deepcopy(_empty_tables())
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client("iot").create_policy(policyName=WAITING_POLICY, policyDocument="{}")


def _as_aws_does(patched: pytest.MonkeyPatch) -> None:
    described, create_thing = FakeCertificate.to_description_dict, IoTBackend.create_thing

    def with_ca(certificate: FakeCertificate) -> dict[str, Any]:
        known = {"caCertificateId": certificate.ca_certificate_id} if certificate.ca_certificate_id else {}
        return {**described(certificate), **known}

    def create_or_conflict(backend: IoTBackend, **wanted: Any) -> FakeThing:
        name, attributes = wanted["thing_name"], (wanted["attribute_payload"] or {}).get("attributes", {})
        found = next((thing for thing in backend.things.values() if thing.thing_name == name), None)
        if found is None:
            return create_thing(backend, **wanted)
        if found.attributes == attributes:
            return found
        raise ResourceAlreadyExistsException(f"Thing {name} already exists in account", name, found.arn)

    def endpoint(found: FakeEndpoint, kind: str, region: str) -> None:
        found.region_name, found.endpoint_type = region, kind
        found.endpoint = f"a1b2c3d4-ats.iot.{region}.amazonaws.com"

    patched.setattr(FakeCertificate, "to_description_dict", with_ca)
    patched.setattr(IoTBackend, "create_thing", create_or_conflict)
    patched.setattr(FakeEndpoint, "__init__", endpoint)


def kept() -> Any:
    """All that moto holds in tables and registries, to be brought back by `bring_back` in a test that begins there."""
    backends = {(account, region): vars(iot) for account, of in iot_backends.items() for region, iot in of.items()}
    return deepcopy((dynamodb_backends[LOBBY][REGION].tables, backends))


def bring_back(state: Any) -> None:
    """A registry that was not there then is empty again."""
    tables, backends = deepcopy(state)
    for account, of in iot_backends.items():
        for region in [region for region in of if (account, region) not in backends]:
            of[region].reset()
    dynamodb_backends[LOBBY][REGION].tables = tables
    for (account, region), held in backends.items():
        vars(iot_backends[account][region]).update(held)


def registry(target: Target = HOME) -> dict[str, Any]:
    """All that AWS IoT of one account and Region knows: certificates by status, things, what is attached."""
    backend = iot_backends[target.account][target.region]
    return {
        "certificates": {certid: found.status for certid, found in backend.certificates.items()},
        "things": {thing.thing_name: dict(thing.attributes) for thing in backend.things.values()},
        "principals": sorted(backend.principal_things),
        "policies": sorted(backend.principal_policies),
    }


def status(certid: str, target: Target = HOME) -> str | None:
    """A certificate's status in one account and Region."""
    found: str | None = registry(target)["certificates"].get(certid)
    return found


def published(target: Target = HOME) -> list[tuple[str, bytes]]:
    """What was published over AWS IoT's data plane of one account and Region."""
    sent: list[tuple[str, bytes]] = iotdata_backends[target.account][target.region].published_payloads
    return sent


def tables() -> dict[str, list[dict[str, Any]]]:
    """Every item of every table, in DynamoDB's own JSON; of the counts their sums, as their parts are random."""
    found = {model.Meta.table_name: items(model.Meta.table_name) for model in MODELS}
    return found | {"device-lobby-counts": [counts()]}


def counts() -> dict[str, int]:
    """What the parts of each count sum up to, where that is not nothing."""
    sums: Counter[str] = Counter()
    for part in items("device-lobby-counts"):
        sums[part["bucket"]["S"].rpartition("|")[0]] += int(part["count"]["N"])
    return {bucket: count for bucket, count in sums.items() if count}


def recounted() -> dict[str, int]:
    """The same, from the rows of the devices themselves."""
    return dict(Counter(bucket_of(device_of_image(row)).key for row in items("device-lobby-ledger")))


def empty(table: str) -> None:
    """Takes every item out of a table."""
    dynamodb_backends[LOBBY][REGION].tables[table] = deepcopy(_empty_tables()[table])


def item(certid: str) -> dict[str, Any] | None:
    """A device's item as DynamoDB holds it."""
    return next((found for found in items("device-lobby-ledger") if found["certid"] == {"S": certid}), None)


def items(table: str) -> list[dict[str, Any]]:
    """Every item of a table, in an order of its own."""
    found = dynamodb_backends[LOBBY][REGION].get_table(table).all_items()
    return sorted((row.to_json()["Attributes"] for row in found), key=str)
