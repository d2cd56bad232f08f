"""An attacker with the root user's permissions changes a history: `lobbyctl history verify` finds every change.

After each test the tables are restored, and the anchors confirm it, except for entries that were anchored during the
test.
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infra.local.lobby_file import NAME
from infra.local.synthesis import ROOT
from lobby import verify_history
from lobby.deployment import NAMES
from lobby.domain.device import Entry
from lobby.ledger.items import entry_of_item, row_of
from lobby.ledger.models import HistoryRow, LedgerRow
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment, until

VERIFY = "query($id: ID!) { verifyHistory(certid: $id) { ok entries anchored pending seq code message } }"
HISTORY, LEDGER = str(HistoryRow.Meta.table_name), str(LedgerRow.Meta.table_name)
ENTRIES = 4
"""The number of entries of every victim."""
Item = dict[str, Any]


@dataclass
class Victim:
    """A device that was never connected, but claimed, released, claimed and moved. All four entries are anchored."""

    deployed: Deployment
    certid: str
    tables: Any

    def verdict(self) -> dict[str, Any]:
        verdict: dict[str, Any] = self.deployed.api("viewer").ask(VERIFY, id=self.certid)["verifyHistory"]
        return verdict

    def all_anchored(self) -> bool:
        return bool(self.verdict()["anchored"] == ENTRIES)

    def items(self) -> list[Item]:
        query = {"KeyConditionExpression": "certid = :c", "ExpressionAttributeValues": {":c": {"S": self.certid}}}
        items: list[Item] = self.tables.query(TableName=HISTORY, **query)["Items"]
        return items

    def row(self) -> Item:
        row: Item = self.tables.get_item(TableName=LEDGER, Key={"certid": {"S": self.certid}})["Item"]
        return row

    def put(self, item: Item) -> None:
        self.tables.put_item(TableName=HISTORY, Item=item)

    def remove(self, item: Item) -> None:
        self.tables.delete_item(TableName=HISTORY, Key={key: item[key] for key in ("certid", "seq")})

    def set_row(self, **fields: Item) -> None:
        self.tables.put_item(TableName=LEDGER, Item=self.row() | fields)


def victims(deployed: Deployment, count: int) -> list[Victim]:
    tables = deployed.client(deployed.lobby, "dynamodb")
    created = [Victim(deployed, secrets.token_hex(32), tables) for _ in range(count)]
    for each in created:
        deployed.claim(each.certid)
        deployed.release(each.certid)
        deployed.claim(each.certid)
        deployed.move(each.certid, deployed.targets[1])
    for each in created:
        until(each.all_anchored, each.verdict)
    return created


@pytest.fixture
def victim(deployed: Deployment) -> Victim:
    return victims(deployed, 1)[0]


@contextmanager
def restored(*changed: Victim) -> Iterator[None]:
    """Restore the rows and histories at the end."""
    before = [(each, each.items(), each.row()) for each in changed]
    try:
        yield
    finally:
        for each, items, row in before:
            each.tables.put_item(TableName=LEDGER, Item=row)
            for item in items:
                each.put(item)


def lobbyctl(deployed: Deployment, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit status and the JSON output."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LOBBYCTL_LOBBY": str(deployed.state / NAME)}
    command = [sys.executable, "-P", "-m", "admin_api.cli", "--json", *words]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=4 * TIMEOUT_SECONDS
    )
    assert done.stdout, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def entry(item: Item) -> Entry:
    parsed = entry_of_item(item)
    assert isinstance(parsed, Entry)
    return parsed


def forged(items: list[Item], first: int) -> list[Item]:
    """Return the entries from number `first` on with another actor and recalculated hashes."""
    entries: list[Entry] = []
    for item in items[first - 1 :]:
        prior = entries[-1].hash if entries else entry(item).prior
        entries.append(replace(entry(item), actor="user:mallory", prior=prior).with_hash())
    return [row_of(each).to_dynamodb_dict() for each in entries]


def altered(victim: Victim) -> None:
    key = {name: victim.items()[1][name] for name in ("certid", "seq")}
    how = {"UpdateExpression": "SET actor = :a", "ExpressionAttributeValues": {":a": {"S": "user:mallory"}}}
    victim.tables.update_item(TableName=HISTORY, Key=key, **how)


def removed(victim: Victim) -> None:
    victim.remove(victim.items()[1])


def truncated_with_the_row(victim: Victim) -> None:
    """Remove the move."""
    items = victim.items()
    victim.remove(items[3])
    last = entry(items[2])
    assert last.target
    victim.set_row(
        version={"N": "3"}, head={"S": last.hash}, target={"S": last.target}, generation={"N": str(last.generation)}
    )


def tail_rewritten_with_the_row(victim: Victim) -> None:
    items = forged(victim.items(), 2)
    for item in items:
        victim.put(item)
    victim.set_row(head=items[-1]["hash"])


def put_over_the_last_with_the_row(victim: Victim) -> None:
    """Use PutItem, which the table's resource policy cannot deny."""
    [item] = forged(victim.items(), 4)
    victim.put(item)
    victim.set_row(head=item["hash"])


def all_taken_out(victim: Victim) -> None:
    for item in victim.items():
        victim.remove(item)
    victim.tables.delete_item(TableName=LEDGER, Key={"certid": {"S": victim.certid}})


def row_sent_elsewhere(victim: Victim) -> None:
    victim.set_row(target={"S": "666666666666/us-east-1"})


TAMPERED: dict[Callable[[Victim], None], tuple[int, str]] = {
    altered: (2, "ALTERED"),
    removed: (2, "MISSING"),
    truncated_with_the_row: (4, "MISSING"),
    tail_rewritten_with_the_row: (2, "REPLACED"),
    put_over_the_last_with_the_row: (4, "REPLACED"),
    all_taken_out: (1, "MISSING"),
    row_sent_elsewhere: (4, "ROW_DIFFERS"),
}


def test_every_history_of_this_lobby_is_valid(deployed: Deployment, victim: Victim) -> None:
    """All histories that the tests before this one wrote, through any interface."""
    status, output = lobbyctl(deployed, "history", "verify", "--all")
    assert [each for each in output if not each["ok"]] == []
    assert (status, victim.certid in {each["certid"] for each in output}) == (0, True)


def test_each_tampering_is_found_with_its_entry_and_raises_the_alarm(deployed: Deployment) -> None:
    spared, *others = victims(deployed, 1 + len(TAMPERED))
    theirs = dict(zip(TAMPERED, others, strict=True))
    with restored(*others):
        for tamper, victim in theirs.items():
            tamper(victim)
        status, output = lobbyctl(deployed, "history", "verify", spared.certid, *(each.certid for each in others))
    assert status == 1
    assert (output[0]["ok"], output[0]["anchored"]) == (True, ENTRIES)
    result = {tamper.__name__: (each["seq"], each["code"]) for tamper, each in zip(TAMPERED, output[1:], strict=True)}
    assert result == {tamper.__name__: expected for tamper, expected in TAMPERED.items()}
    assert [each.verdict()["ok"] for each in others] == [True] * len(others)
    for tamper, kind in ((altered, "MODIFY"), (put_over_the_last_with_the_row, "MODIFY"), (removed, "REMOVE")):
        until(partial(_alarm, deployed, theirs[tamper], kind))
    assert '"CloudWatchMetrics":[{"Namespace":"DeviceLobby"' in deployed.log_lines("notary", "HistoryTampered")[0]


def _alarm(deployed: Deployment, victim: Victim, kind: str) -> list[str]:
    lines = deployed.log_lines("notary", "history tampered with")
    return [line for line in lines if victim.certid in line and f'"event":"{kind}"' in line]


def test_an_entry_in_place_of_a_removed_one_is_anchored_too_and_stays_visible(victim: Victim) -> None:
    with restored(victim):
        items = victim.items()
        [item] = forged(items, 4)
        victim.remove(items[3])
        victim.put(item)
        victim.set_row(head=item["hash"])
        until(lambda: victim.verdict()["code"] == "ANCHORED_TWICE", victim.verdict)
    assert (victim.verdict()["seq"], victim.verdict()["code"]) == (4, "ANCHORED_TWICE")


def test_a_deleted_anchor_is_found_and_its_content_is_kept(deployed: Deployment, victim: Victim) -> None:
    """On AWS the bucket's policy denies the deletion, and Object Lock keeps the versions below the marker. Here only
    versioning keeps them."""
    s3: Any = deployed.client(deployed.lobby, "s3")
    bucket = NAMES.notary_bucket(deployed.lobby.account, deployed.lobby.region)
    third = victim.items()[2]["hash"]["S"]
    [key, *_] = [
        each["Key"]
        for each in s3.list_objects_v2(Bucket=bucket, Prefix=f"entries/{victim.certid}/")["Contents"]
        if third in each["Key"]
    ]
    s3.delete_object(Bucket=bucket, Key=key)
    assert victim.verdict()["code"] == "ANCHOR_REMOVED"
    assert victim.verdict()["seq"] <= 3, "the first entry of the run"
    [marker] = s3.list_object_versions(Bucket=bucket, Prefix=key)["DeleteMarkers"]
    s3.delete_object(Bucket=bucket, Key=key, VersionId=marker["VersionId"])
    assert victim.verdict()["ok"]


def test_an_exported_history_is_proven_without_the_lobby(
    deployed: Deployment, victim: Victim, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the key in the local cloud's KMS, and by a listing of the bucket. Then the export is altered."""
    out, bucket = tmp_path / "history.json", tmp_path / "bucket.json"
    status, [record] = lobbyctl(deployed, "history", "export", victim.certid, "--out", str(out))
    assert status == 0
    s3: Any = deployed.client(deployed.lobby, "s3")
    name = NAMES.notary_bucket(deployed.lobby.account, deployed.lobby.region)
    listed = s3.list_object_versions(Bucket=name, Prefix=f"entries/{victim.certid}/")["Versions"]
    bucket.write_text(json.dumps({"Versions": [{key: each[key] for key in ("Key", "VersionId")} for each in listed]}))
    named = ["--key", record["key"], "--anchors", str(bucket), "--device", victim.certid]
    assert verify_history.main([str(out), *named, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == ENTRIES
    out.write_text(out.read_text().replace('"event": "move"', '"event": "release"'))
    assert verify_history.main([str(out), *named]) == 1
    assert "entry 4 does not match its own hash" in capsys.readouterr().out
