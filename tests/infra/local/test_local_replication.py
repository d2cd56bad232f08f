"""Global tables of a stack: replicas, the delay of replication, and the newest write of an item."""

import itertools
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from infra.local.assembly import StackArtifact, deploy
from infra.local.emulator import Emulator
from infra.local.region_faults import CurrentFaults, RegionFaults
from lobby.names import parse_region
from tests.infra.local.emulated_cloud import until

HERE, THERE = parse_region("us-east-1"), parse_region("eu-central-1")
_NUMBERS: Final = itertools.count(1)
SLOW: Final = 3.0


class GlobalTable:
    """A table of a stack with a replica in another Region."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator, self.name = emulator, f"replicated-{next(_NUMBERS)}"
        properties = {
            "TableName": self.name,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            "Replicas": [{"Region": THERE}, {"Region": HERE}],
        }
        path = folder / "stack.json"
        path.write_text(
            json.dumps({"Resources": {"Table": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": properties}}})
        )
        session = emulator.session(emulator.layout.lobby.account, HERE)
        deploy(StackArtifact(f"Stack-{self.name}", "", path, (), None), {}, session.client)

    def client(self, region: Any, service: str = "dynamodb") -> Any:
        return self.emulator.session(self.emulator.layout.lobby.account, region).client(service)

    def put(self, region: Any, key: str, value: str) -> None:
        self.client(region).put_item(TableName=self.name, Item={"id": {"S": key}, "value": {"S": value}})

    def get(self, region: Any, key: str) -> str | None:
        found = self.client(region).get_item(TableName=self.name, Key={"id": {"S": key}}, ConsistentRead=True)
        return str(found["Item"]["value"]["S"]) if "Item" in found else None

    def has(self, region: Any, key: str, value: str) -> bool:
        return self.get(region, key) == value

    def records(self, region: Any) -> list[tuple[str, Any]]:
        """Return the event and the new value of each record in the stream of a replica."""
        streams = self.client(region, "dynamodbstreams")
        [stream] = streams.list_streams(TableName=self.name)["Streams"]
        [shard] = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found = streams.get_records(ShardIterator=iterator)["Records"]
        return [(each["eventName"], each["dynamodb"].get("NewImage", {}).get("value", {}).get("S")) for each in found]


@pytest.fixture
def table(emulator: Emulator, tmp_path: Path) -> Iterator[GlobalTable]:
    yield GlobalTable(emulator, tmp_path)
    emulator.set_regions(RegionFaults())


def test_a_stack_creates_the_replicas_of_its_table(table: GlobalTable) -> None:
    for region, other in ((HERE, THERE), (THERE, HERE)):
        described = table.client(region).describe_table(TableName=table.name)["Table"]
        assert [each["RegionName"] for each in described["Replicas"]] == [other]
        assert f":{region}:" in described["LatestStreamArn"]


def test_a_write_reaches_the_other_region_after_the_delay(table: GlobalTable) -> None:
    table.emulator.set_regions(RegionFaults(replication_seconds=SLOW))
    table.put(HERE, "a", "first")
    assert table.get(HERE, "a") == "first"
    assert table.get(THERE, "a") is None
    until(lambda: table.get(THERE, "a") == "first")
    assert table.records(THERE) == [("INSERT", "first")]


def test_a_deletion_reaches_the_other_region(table: GlobalTable) -> None:
    table.put(HERE, "a", "first")
    until(lambda: table.get(THERE, "a"))
    table.client(HERE).delete_item(TableName=table.name, Key={"id": {"S": "a"}})
    until(lambda: table.get(THERE, "a") is None)
    assert table.records(THERE) == [("INSERT", "first"), ("REMOVE", None)]


def test_the_writes_of_an_item_arrive_in_order(table: GlobalTable) -> None:
    for number in range(20):
        table.put(HERE, "a", str(number))
    until(lambda: table.get(THERE, "a") == "19")
    assert [value for _, value in table.records(THERE)] == [str(number) for number in range(20)]


def test_of_two_writes_during_a_cut_the_newest_wins_in_both_regions(table: GlobalTable) -> None:
    table.emulator.set_regions(RegionFaults(cuts=((HERE, THERE),)))
    table.put(HERE, "a", "older")
    table.put(THERE, "a", "newer")
    table.put(THERE, "b", "older")
    table.put(HERE, "b", "newer")
    assert (table.get(HERE, "a"), table.get(THERE, "b")) == ("older", "older")
    table.emulator.set_regions(RegionFaults())
    for key in ("a", "b"):
        for region in (HERE, THERE):
            until(partial(table.has, region, key, "newer"))
    assert ("MODIFY", "older") not in table.records(THERE)


def test_writes_for_a_region_that_is_down_wait(table: GlobalTable) -> None:
    table.emulator.set_regions(RegionFaults(down=(THERE,)))
    table.put(HERE, "a", "first")
    table.emulator.set_regions(RegionFaults(replication_seconds=0))
    until(lambda: table.get(THERE, "a") == "first")


def test_waiting_writes_survive_a_kill(tmp_path: Path, emulator: Emulator) -> None:
    """The saved state has them. A kill would stop the emulator of the other tests, so this reads the state."""
    table = GlobalTable(emulator, tmp_path)
    emulator.set_regions(RegionFaults(cuts=((HERE, THERE),)))
    table.put(HERE, "kept", "first")
    table.client(HERE).create_table(  # a change of the tables saves them
        TableName=f"{table.name}-other",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    saved = emulator.layout.state_dir / "services" / "dynamodb.json"

    def waiting() -> list[dict[str, Any]]:
        if not saved.exists():
            return []
        found = json.loads(saved.read_text())["payload"].get("local_replication", {}).get("waiting", [])
        return [each for each in found if each["table"] == table.name]

    [write] = until(waiting)
    emulator.set_regions(RegionFaults())
    assert (write["source"], write["region"], write["item"]["value"]) == (HERE, THERE, {"S": "first"})


def test_a_malformed_file_of_faults_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "regions.json").write_text('{"down": []}')
    with pytest.raises(KeyError):
        CurrentFaults(tmp_path)()


def test_a_negative_delay_is_refused() -> None:
    with pytest.raises(Exception, match=r"got -1 s for replication, want at least 0"):
        RegionFaults(replication_seconds=-1)
