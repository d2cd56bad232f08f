"""Somebody with the root's rights is at the tables: whatever they do to a history, `lobbyctl history verify` names it.

The tables are put back as they were after each, which the anchors show, too; but for what was anchored meanwhile.
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
from typing import Any

import pytest

from infra.local.lobby_file import NAME
from infra.local.synthesis import ROOT
from lobby.domain.device import Entry
from lobby.ledger.items import entry_of_item, row_of
from lobby.ledger.models import HistoryRow, LedgerRow
from lobby.wire import notary_bucket
from tests.e2e.deployment import PATIENCE, Deployment, until

VERIFY = "query($id: ID!) { verifyHistory(certid: $id) { ok entries anchored pending seq code message } }"
HISTORY, LEDGER = str(HistoryRow.Meta.table_name), str(LedgerRow.Meta.table_name)
LIFE = 4
"""Entries of every victim."""
Item = dict[str, Any]


@dataclass
class Victim:
    """A device that was claimed, released, claimed again and moved, unseen; all four entries are anchored."""

    deployed: Deployment
    certid: str
    tables: Any

    def verdict(self) -> dict[str, Any]:
        found: dict[str, Any] = self.deployed.api("viewer").ask(VERIFY, id=self.certid)["verifyHistory"]
        return found

    def all_anchored(self) -> bool:
        return bool(self.verdict()["anchored"] == LIFE)

    def items(self) -> list[Item]:
        asked = {"KeyConditionExpression": "certid = :c", "ExpressionAttributeValues": {":c": {"S": self.certid}}}
        found: list[Item] = self.tables.query(TableName=HISTORY, **asked)["Items"]
        return found

    def row(self) -> Item:
        found: Item = self.tables.get_item(TableName=LEDGER, Key={"certid": {"S": self.certid}})["Item"]
        return found

    def put(self, item: Item) -> None:
        self.tables.put_item(TableName=HISTORY, Item=item)

    def remove(self, item: Item) -> None:
        self.tables.delete_item(TableName=HISTORY, Key={key: item[key] for key in ("certid", "seq")})

    def set_row(self, **fields: Item) -> None:
        self.tables.put_item(TableName=LEDGER, Item=self.row() | fields)


def victims(deployed: Deployment, count: int) -> list[Victim]:
    tables = deployed.client(deployed.lobby, "dynamodb")
    made = [Victim(deployed, secrets.token_hex(32), tables) for _ in range(count)]
    for each in made:
        deployed.claim(each.certid)
        deployed.release(each.certid)
        deployed.claim(each.certid)
        deployed.move(each.certid, deployed.targets[1])
    for each in made:
        until(each.all_anchored, each.verdict)
    return made


@pytest.fixture
def victim(deployed: Deployment) -> Victim:
    return victims(deployed, 1)[0]


@contextmanager
def put_back(*those: Victim) -> Iterator[None]:
    """The tables as they were."""
    before = [(each, each.items(), each.row()) for each in those]
    try:
        yield
    finally:
        for each, items, row in before:
            each.tables.put_item(TableName=LEDGER, Item=row)
            for item in items:
                each.put(item)


def lobbyctl(deployed: Deployment, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status, and what it says to a program."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LOBBYCTL_LOBBY": str(deployed.state / NAME)}
    command = [sys.executable, "-P", "-m", "admin_api.cli", "--json", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=4 * PATIENCE)
    assert done.stdout, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def entry(item: Item) -> Entry:
    found = entry_of_item(item)
    assert isinstance(found, Entry)
    return found


def forged(items: list[Item], first: int) -> list[Item]:
    """The entries from number `first` on, by somebody else, with every hash worked out anew."""
    made: list[Entry] = []
    for item in items[first - 1 :]:
        prior = made[-1].hash if made else entry(item).prior
        made.append(replace(entry(item), actor="user:mallory", prior=prior).sealed())
    return [row_of(each).to_dynamodb_dict() for each in made]


def altered(victim: Victim) -> None:
    key = {name: victim.items()[1][name] for name in ("certid", "seq")}
    how = {"UpdateExpression": "SET actor = :a", "ExpressionAttributeValues": {":a": {"S": "user:mallory"}}}
    victim.tables.update_item(TableName=HISTORY, Key=key, **how)


def removed(victim: Victim) -> None:
    victim.remove(victim.items()[1])


def truncated_with_the_row(victim: Victim) -> None:
    """As if it had never been moved."""
    items = victim.items()
    victim.remove(items[3])
    last = entry(items[2])
    assert last.target
    victim.set_row(
        version={"N": "3"}, head={"S": last.hash}, target={"S": last.target}, generation={"N": str(last.generation)}
    )


def tail_rewritten_with_the_row(victim: Victim) -> None:
    made = forged(victim.items(), 2)
    for item in made:
        victim.put(item)
    victim.set_row(head=made[-1]["hash"])


def put_over_the_last_with_the_row(victim: Victim) -> None:
    """By PutItem, which the table's own policy cannot deny."""
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


def test_every_history_of_this_lobby_is_whole(deployed: Deployment, victim: Victim) -> None:
    """Of all that the tests before this one did, by whatever door."""
    status, told = lobbyctl(deployed, "history", "verify", "--all")
    assert [each for each in told if not each["ok"]] == []
    assert (status, victim.certid in {each["certid"] for each in told}) == (0, True)


def test_each_tampering_is_found_with_its_entry_and_raises_the_alarm(deployed: Deployment) -> None:
    spared, *others = victims(deployed, 1 + len(TAMPERED))
    theirs = dict(zip(TAMPERED, others, strict=True))
    with put_back(*others):
        for tamper, victim in theirs.items():
            tamper(victim)
        status, told = lobbyctl(deployed, "history", "verify", spared.certid, *(each.certid for each in others))
    assert status == 1
    assert (told[0]["ok"], told[0]["anchored"]) == (True, LIFE)
    found = {tamper.__name__: (each["seq"], each["code"]) for tamper, each in zip(TAMPERED, told[1:], strict=True)}
    assert found == {tamper.__name__: wanted for tamper, wanted in TAMPERED.items()}
    assert [each.verdict()["ok"] for each in others] == [True] * len(others)
    for tamper, kind in ((altered, "MODIFY"), (put_over_the_last_with_the_row, "MODIFY"), (removed, "REMOVE")):
        until(partial(_alarm, deployed, theirs[tamper], kind))
    assert '"CloudWatchMetrics":[{"Namespace":"DeviceLobby"' in deployed.said_by("notary", "HistoryTampered")[0]


def _alarm(deployed: Deployment, victim: Victim, kind: str) -> list[str]:
    lines = deployed.said_by("notary", "history tampered with")
    return [line for line in lines if victim.certid in line and f'"event":"{kind}"' in line]


def test_what_is_put_where_an_entry_was_removed_is_anchored_too_and_shows_for_ever(victim: Victim) -> None:
    with put_back(victim):
        items = victim.items()
        [item] = forged(items, 4)
        victim.remove(items[3])
        victim.put(item)
        victim.set_row(head=item["hash"])
        until(lambda: victim.verdict()["code"] == "ANCHORED_TWICE", victim.verdict)
    assert (victim.verdict()["seq"], victim.verdict()["code"]) == (4, "ANCHORED_TWICE")


def test_an_anchor_that_somebody_deletes_shows_and_says_still_what_it_said(
    deployed: Deployment, victim: Victim
) -> None:
    """On AWS the bucket's policy denies it, and Object Lock keeps what is under the marker; here, only versions do."""
    s3: Any = deployed.client(deployed.lobby, "s3")
    bucket = notary_bucket(deployed.lobby.account, deployed.lobby.region)
    [key] = [
        each["Key"]
        for each in s3.list_objects_v2(Bucket=bucket, Prefix=f"entries/{victim.certid}/")["Contents"]
        if "/0000000003-" in each["Key"]
    ]
    s3.delete_object(Bucket=bucket, Key=key)
    assert (victim.verdict()["seq"], victim.verdict()["code"]) == (3, "ANCHOR_REMOVED")
    [marker] = s3.list_object_versions(Bucket=bucket, Prefix=key)["DeleteMarkers"]
    s3.delete_object(Bucket=bucket, Key=key, VersionId=marker["VersionId"])
    assert victim.verdict()["ok"]
