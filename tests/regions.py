"""A lobby in several Regions, for tests: tables in each, replication on request, and Regions that are down or cut off.

`at` runs code as a process in one Region. Replication happens only when a test calls `replicate`, so its delay is
exactly what the test says: an item that has changed in the source since the last call is copied, unless it has also
changed in the destination and `keeps` states that the destination's write is later.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from enum import Enum
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from moto.dynamodb.models import dynamodb_backends
from moto.iot.models import iot_backends
from pynamodb.models import Model

from lobby.ledger.models import MODELS
from lobby.ledger.regions import routing
from lobby.ledger.regions.home_fence import Fence
from lobby.ledger.regions.home_lease import HomeLease
from lobby.ledger.regions.home_votes import Votes, client_of
from lobby.ledger.regions.routing import Access
from lobby.names import Region
from tests.aws import LOBBY, WAITING_POLICY, Calls, CutOff

DUBLIN, FRANKFURT, OHIO = Region("eu-west-1"), Region("eu-central-1"), Region("us-east-2")
START = 1_800_000_000_000
"""The time at which tests begin, in ms since 1970."""
MINUTE = 60_000


class Fault(Enum):
    """What happens to one call."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    NO_CONNECTION = "no connection"
    RESPONSE_LOST = "response lost"


class Regions:
    """The Regions of one lobby. `now` is the time in ms; `down` are Regions that do not answer, `cut` pairs of Regions
    that do not reach each other. The call number `fault_at` that reaches a Region has the `fault`."""

    def __init__(self, names: Sequence[Region], calls: Calls) -> None:
        self.names, self.calls, self.now = tuple(names), calls, START
        self.down: set[Region] = set()
        self.cut: set[frozenset[Region]] = set()
        self.here = self.names[0]
        self.reached, self.fault_at, self.fault = 0, 0, Fault.KILLED_BEFORE
        empty = deepcopy(dynamodb_backends[LOBBY][self.names[0]].tables)
        for name in self.names[1:]:
            dynamodb_backends[LOBBY][name].tables = deepcopy(empty)
            iot_backends[LOBBY][name].create_policy(WAITING_POLICY, {})
        self._seen = {name: self._content(name) for name in self.names}

    def clock(self) -> int:
        return self.now

    def around(self, client: BaseClient, call: Callable[[], Any]) -> Any:
        region = Region(client.meta.region_name)
        if region in self.down or frozenset({self.here, region}) in self.cut:
            raise ConnectTimeoutError(endpoint_url=f"https://{client.meta.service_model.service_name}.{region}")
        self.reached += 1
        fault = self.fault if self.reached == self.fault_at else None
        if fault is Fault.KILLED_BEFORE:
            raise CutOff
        if fault is Fault.NO_CONNECTION:
            raise ConnectTimeoutError(endpoint_url="https://dynamodb")
        answer = call()
        if fault is Fault.KILLED_AFTER:
            raise CutOff
        if fault is Fault.RESPONSE_LOST:
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return answer

    @contextmanager
    def at(self, region: Region, access: Access = Access.HOME) -> Iterator[None]:
        """Run the block in a new process of this Region."""
        before, self.here = self.here, region
        routing.install(Fence(region, Votes(), self.clock), access)
        try:
            yield
        finally:
            self.here = before
            routing.uninstall()

    def lease(self, region: Region) -> HomeLease:
        return HomeLease(region, self.names, Votes(), self.clock)

    def keep(self, region: Region) -> str:
        """Run the lease renewal of a Region."""
        before, self.here = self.here, region
        try:
            return self.lease(region).keep()
        finally:
            self.here = before

    def pass_minutes(self, minutes: int) -> None:
        """Let time pass. The renewals of all Regions that are up run every minute."""
        for _ in range(minutes):
            self.now += MINUTE
            for name in self.names:
                if name not in self.down:
                    self.keep(name)

    def replicate(
        self, source: Region, destination: Region, *, keeps: bool = False, only: Sequence[type[Model]] = MODELS
    ) -> None:
        """Copy what has changed in the source since the last replication. `only`: the other tables are late, as the
        items of one transaction can arrive separately."""
        there, here = self._content(source), self._content(destination)
        tables = {model.Meta.table_name for model in only}
        for key in there.keys() | self._seen[source].keys():
            if there.get(key) == self._seen[source].get(key) or key[0] not in tables:
                continue
            if keeps and here.get(key) != self._seen[destination].get(key):
                continue
            self._store(destination, key, there.get(key))
        late = {key: item for key, item in self._seen[source].items() if key[0] not in tables}
        self._seen[source] = {key: item for key, item in there.items() if key[0] in tables} | late
        self._seen[destination] = self._content(destination)

    def _content(self, region: Region) -> dict[tuple[str, ...], dict[str, Any]]:
        found = {}
        for model in MODELS:
            name = model.Meta.table_name
            table = dynamodb_backends[LOBBY][region].get_table(name)
            for item in table.all_items():
                attributes = item.to_json()["Attributes"]
                keys = [next(iter(attributes[key].values())) for key in table.table_key_attrs]
                found[(name, *keys)] = deepcopy(attributes)
        return found

    def _store(self, region: Region, key: tuple[str, ...], item: dict[str, Any] | None) -> None:
        table, client = dynamodb_backends[LOBBY][region].get_table(key[0]), client_of(region)
        with self.calls.uncounted():
            if item is not None:
                client.put_item(TableName=key[0], Item=item)
                return
            names = {each["AttributeName"]: each["AttributeType"] for each in table.attr}
            parts = zip(table.table_key_attrs, key[1:], strict=True)
            BaseClient._make_api_call(  # type: ignore[attr-defined]
                client, "DeleteItem", {"TableName": key[0], "Key": {name: {names[name]: part} for name, part in parts}}
            )


@contextmanager
def regions(calls: Calls, *names: Region) -> Iterator[Regions]:
    """A lobby with these Regions, by default two, within `tests.aws.aws`."""
    lobby = Regions(names or (DUBLIN, FRANKFURT), calls)
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def make_api_call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        return lobby.around(client, lambda: original(client, operation, params))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", make_api_call)
        patched.setenv("LOBBY_REGIONS", ",".join(lobby.names))
        yield lobby
    for name in lobby.names[1:]:
        dynamodb_backends[LOBBY][name].tables.clear()
