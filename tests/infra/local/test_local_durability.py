"""State files, the journal of table writes, and both together when the emulator is stopped or killed."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.local.emulator import Emulator
from infra.local.ministack import state_files
from infra.local.ministack.durability import release_messages
from infra.local.ministack.journal import Journal
from infra.local.ministack.patch_points import PatchPoint
from infra.local.ministack.stack_changes import STACKS, StackChanges
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


def test_services_saved_together_are_loaded() -> None:
    writer = StateWriter()
    assert writer.save("iot", {"a": 1})
    assert writer.save_together({"iot": {"a": 2}, "sqs": {"b": 1}, "sns": {}})
    assert [LOAD.resolve()(name) for name in ("iot", "sqs", "sns")] == [{"a": 2}, {"b": 1}, {}]
    assert not writer.save_together({"iot": {"a": 3}, "sqs": {"b": object()}})
    assert writer.save_together({"iot": {"a": 2}, "sqs": {"b": 2}})
    assert [LOAD.resolve()(name) for name in ("iot", "sqs")] == [{"a": 2}, {"b": 2}]
    assert [each.name for each in file_of("iot").parent.parent.iterdir()] == ["services"]


class Killed(BaseException):
    """Raised where the process is killed."""


@pytest.mark.parametrize("call", range(1, 9))
def test_a_kill_leaves_all_services_as_before_or_as_after(call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert StateWriter().save_together({"iot": {"a": 1}, "sqs": {"a": 1}, "sns": {"a": 1}})
    calls = iter(range(1, 100))

    def until_the_kill(original: Callable[..., Any]) -> Callable[..., Any]:
        def change(*arguments: Any) -> Any:
            if next(calls) == call:
                raise Killed
            return original(*arguments)

        return change

    with monkeypatch.context() as patched:
        for name in ("write_bytes", "rename", "replace", "rmdir"):
            patched.setattr(Path, name, until_the_kill(getattr(Path, name)))
        with pytest.raises(Killed):
            StateWriter().save_together({"iot": {"a": 2}, "sqs": {"a": 2}, "sns": {"a": 2}})
    state_files.finish_saving()
    loaded = [LOAD.resolve()(name)["a"] for name in ("iot", "sqs", "sns")]
    assert loaded == [1 if call <= 4 else 2] * 3
    assert [each.name for each in file_of("iot").parent.parent.iterdir()] == ["services"]


def test_messages_in_flight_are_visible_after_a_restart_and_delayed_ones_are_not() -> None:
    received, delayed, waiting = (
        {"visible_at": at, "receive_count": n} for at, n in ((180.0, 1), (180.0, 0), (5.0, 1))
    )
    release_messages([{"messages": [received, delayed, waiting]}, {"messages": []}], 10.0)
    assert [each["visible_at"] for each in (received, delayed, waiting)] == [10.0, 180.0, 5.0]


def test_a_stack_is_in_progress_until_it_is_done_or_has_taken_too_long() -> None:
    stacks, clock = STACKS.resolve(), iter([0.0, 0.0, 299.0, 301.0])
    changes = StackChanges(lambda: next(clock))
    stacks.set_scoped("100000000001", "us-east-1", "lobby", {"StackStatus": "REVIEW_IN_PROGRESS"})
    try:
        assert not changes.in_progress()
        before = changes.current()
        stacks.get_scoped("100000000001", "us-east-1", "lobby")["StackStatus"] = "CREATE_IN_PROGRESS"
        assert [changes.in_progress() for _ in range(3)] == [True, True, False]
        stacks.get_scoped("100000000001", "us-east-1", "lobby")["StackStatus"] = "CREATE_COMPLETE"
        assert not changes.in_progress()
        assert changes.current() != before
    finally:
        stacks._data.clear()


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
        until(lambda: '"ledger"' in _saved(tmp_path, "dynamodb") and _is_saved_with_policy(tmp_path, identity))
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


@pytest.mark.e2e
def test_an_emulator_that_is_not_durable_writes_no_state(tmp_path: Path) -> None:
    with Emulator(choose_layout(tmp_path, *free_ports()), durable=False) as emulator:
        dynamodb = aws(emulator, 0, "dynamodb")
        _create_table(dynamodb)
        dynamodb.put_item(TableName="ledger", Item={"id": {"S": "0"}})
        assert dynamodb.scan(TableName="ledger", Select="COUNT")["Count"] == 1
    assert not _saved(tmp_path, "dynamodb")
    assert not list((tmp_path / "journal").iterdir())


def _saved(state: Path, service: str) -> str:
    path = state / "services" / f"{service}.json"
    return path.read_text() if path.exists() else ""


def _is_saved_with_policy(state: Path, identity: Identity) -> bool:
    """Return whether the snapshot has the policy of the certificate, too, which is attached after the registration."""
    saved = _saved(state, "iot")
    certificates = json.loads(saved)["payload"]["certificates"]["data"].values() if saved else ()
    return any(each["certificateId"] == identity.id and each["attachedPolicies"] for each in certificates)


def _stream(emulator: Emulator, dynamodb: Any) -> list[Any]:
    streams = aws(emulator, 0, "dynamodbstreams")
    arn = dynamodb.describe_table(TableName="ledger")["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records: list[Any] = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return records
