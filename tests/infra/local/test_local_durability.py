"""State files, the journal of table writes, and both together when the emulator is stopped or killed."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from infra.local.emulator import Emulator
from infra.local.ministack import state_files
from infra.local.ministack.journal import Journal
from infra.local.ministack.patch_points import PatchPoint
from infra.local.ministack.state_files import StateWriter, file_of
from infra.local.ports import choose_layout
from tests.infra.local.emulated_cloud import Device, Identity, aws, free_ports, register, until

LOAD = PatchPoint("ministack.core.persistence", "load_state", ("service",))
SCOPED = PatchPoint("ministack.core.responses", "AccountRegionScopedDict")


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ministack.core.persistence.STATE_DIR", str(tmp_path / "services"))
    monkeypatch.setattr("ministack.core.persistence.PERSIST_STATE", True)


def test_the_emulator_loads_what_was_saved() -> None:
    things = SCOPED.resolve()()
    things.set_scoped("100000000001", "us-east-1", "lamp", {"attributes": {"certid": "ab"}})
    assert StateWriter().save("iot", {"things": things, "packed": b"\x00\xff"})
    loaded = LOAD.resolve()("iot")
    assert list(loaded["things"].all_items()) == list(things.all_items())
    assert loaded["packed"] == b"\x00\xff"


def test_unchanged_state_updates_only_the_modification_time() -> None:
    writer = StateWriter()
    assert writer.save("iot", {"a": 1})
    written = file_of("iot").stat()
    assert writer.save("iot", {"a": 1})
    again = file_of("iot").stat()
    assert again.st_ino == written.st_ino
    assert again.st_mtime_ns > written.st_mtime_ns
    assert writer.save("iot", {"a": 2})
    assert LOAD.resolve()("iot") == {"a": 2}


@pytest.mark.parametrize("state", [{"a": object()}, {"a": float}, [set()]])
def test_a_state_that_cannot_be_encoded_keeps_the_file(state: Any, caplog: pytest.LogCaptureFixture) -> None:
    writer = StateWriter()
    assert writer.save("iot", {"a": 1})
    assert not writer.save("iot", state)
    assert "could not save iot" in caplog.text
    assert LOAD.resolve()("iot") == {"a": 1}
    assert [each.name for each in file_of("iot").parent.iterdir()] == ["iot.json"]


def test_a_failed_write_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    Path(state_files.STATE_DIR.resolve()).write_text("a file in place of the folder")
    assert not StateWriter().save("iot", {})
    assert "could not save iot" in caplog.text


def test_the_next_process_reads_the_journal_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({"n": "1"})
    following = journal.rotate()
    journal.append({"n": "2"})
    journal.close()
    again = Journal(tmp_path)
    assert [entry["n"] for entry in again.since(1)] == ["1", "2"]
    assert [entry["n"] for entry in again.since(following)] == ["2"]
    assert again.number == following + 1


def test_journal_files_before_a_snapshot_are_deleted(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({"n": "1"})
    journal.delete_before(journal.rotate())
    assert list(Journal(tmp_path).since(1)) == []


def test_an_incomplete_journal_line_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text('{"n": "1"}\n{"n": "2')
    journal = Journal(tmp_path)
    journal.append({"n": "3"})
    journal.close()
    assert [entry["n"] for entry in Journal(tmp_path).since(1)] == ["1", "3"]


def _create_table(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )


@pytest.mark.e2e
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_rows_streams_and_endpoints_survive_a_restart(tmp_path: Path, how: str) -> None:
    emulator = Emulator(choose_layout(tmp_path, *free_ports()))
    emulator.start()
    try:
        dynamodb, identity = aws(emulator, 0, "dynamodb"), Identity("stays")
        _create_table(dynamodb)
        register(aws(emulator, 1, "iot"), identity)
        # The snapshot after the creation contains the table; the journal contains the rows that follow.
        until(lambda: '"ledger"' in _saved(tmp_path, "dynamodb") and identity.id in _saved(tmp_path, "iot"))
        for number in range(20):
            dynamodb.put_item(TableName="ledger", Item={"id": {"S": str(number)}})
        add = {"ExpressionAttributeValues": {":one": {"N": "1"}}, "UpdateExpression": "ADD times :one"}
        dynamodb.update_item(TableName="ledger", Key={"id": {"S": "0"}}, **add)
        if how == "killed":
            assert emulator.pid
            os.kill(emulator.pid, signal.SIGKILL)
            emulator.wait()
        emulator.stop()
        emulator.start()
        assert dynamodb.scan(TableName="ledger", Select="COUNT")["Count"] == 20
        assert dynamodb.get_item(TableName="ledger", Key={"id": {"S": "0"}})["Item"]["times"] == {"N": "1"}
        assert len(_stream(emulator, dynamodb)) == 21
        Device(emulator, identity, emulator.layout.server_name(emulator.layout.scopes()[1])).connect().close()
    finally:
        emulator.stop()


def _saved(state: Path, service: str) -> str:
    path = state / "services" / f"{service}.json"
    return path.read_text() if path.exists() else ""


def _stream(emulator: Emulator, dynamodb: Any) -> list[Any]:
    streams = aws(emulator, 0, "dynamodbstreams")
    arn = dynamodb.describe_table(TableName="ledger")["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records: list[Any] = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return records
