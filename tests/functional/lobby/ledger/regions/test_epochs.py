"""The epoch of the home in the rows of devices, and how a new home handles writes that were only partly replicated."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import boto3
import pytest

from lobby.domain.history.history_audit import first_broken_entry
from lobby.domain.identity import Identity
from lobby.domain.regions.home import LEASE_MS, MARGIN_MS
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict
from lobby.ledger import recount
from lobby.ledger.lists.counts import read_counts
from lobby.ledger.models import CountRow, HistoryRow, LedgerRow
from lobby.ledger.recount import correct
from lobby.ledger.regions import routing
from lobby.ledger.regions.home_fence import Fence
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Region, ThingName, parse_target
from tests.aws import Calls, Clock
from tests.regions import DUBLIN, FRANKFURT, Regions, regions

CERTID, NAME = Fingerprint("1a" * 32), ThingName("sensor-1")
TARGET = parse_target("1" * 12, "eu-west-1")


@pytest.fixture
def lobby(calls: Calls) -> Iterator[Regions]:
    with regions(calls) as several:
        several.keep(DUBLIN)
        with several.at(DUBLIN):
            ledger(DUBLIN).admit(Identity(CERTID, NAME, "PEM"), "service:bouncer")
        yield several


def ledger(region: Region) -> Ledger:
    return Ledger(region, Clock(), pause=lambda _attempt: None)


def epoch(region: Region) -> str | None:
    client = boto3.client("dynamodb", region_name=region)
    item = client.get_item(TableName=LedgerRow.Meta.table_name, Key={"certid": {"S": CERTID}})["Item"]
    return item["epoch"]["N"] if "epoch" in item else None


def lose_dublin(lobby: Regions) -> None:
    lobby.down = {DUBLIN}
    lobby.now += LEASE_MS + MARGIN_MS
    lobby.here = FRANKFURT
    assert lobby.lease(FRANKFURT).promote().done


def claim(region: Region) -> None:
    ledger(region).claim(CERTID, ClaimRequest(TARGET), "user:ann")


def test_a_lobby_with_one_region_records_no_epoch(ledger: Ledger) -> None:
    ledger.admit(Identity(CERTID, NAME, "PEM"), "service:bouncer")
    ledger.claim(CERTID, ClaimRequest(TARGET), "user:ann")
    assert epoch(DUBLIN) is None


def test_each_write_records_the_epoch_of_the_home(lobby: Regions) -> None:
    assert epoch(DUBLIN) == "1"
    lobby.replicate(DUBLIN, FRANKFURT)
    lose_dublin(lobby)
    with lobby.at(FRANKFURT):
        claim(FRANKFURT)
    assert epoch(FRANKFURT) == "2"


def test_a_row_that_a_newer_home_has_written_is_not_changed_by_an_older_one(lobby: Regions) -> None:
    client = boto3.client("dynamodb", region_name=DUBLIN)
    client.update_item(
        TableName=LedgerRow.Meta.table_name,
        Key={"certid": {"S": CERTID}},
        UpdateExpression="SET epoch = :newer",
        ExpressionAttributeValues={":newer": {"N": "2"}},
    )
    with lobby.at(DUBLIN), pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        claim(DUBLIN)


def test_a_new_home_continues_from_an_entry_whose_row_was_not_replicated(lobby: Regions) -> None:
    lobby.replicate(DUBLIN, FRANKFURT)
    with lobby.at(DUBLIN):
        claim(DUBLIN)
    lobby.replicate(DUBLIN, FRANKFURT, only=(HistoryRow,))
    lose_dublin(lobby)
    with lobby.at(FRANKFURT):
        after = ledger(FRANKFURT).claim(CERTID, ClaimRequest(parse_target("2" * 12, "eu-west-1")), "user:ben")
        history = ledger(FRANKFURT).history(CERTID)
    assert [(entry.seq, entry.actor) for entry in history] == [(1, "service:bouncer"), (2, "user:ann"), (3, "user:ben")]
    assert first_broken_entry(history, version=after.version, head=after.head) is None
    assert after.version == 3


def test_the_first_home_never_continues_from_an_entry_that_its_row_does_not_have(lobby: Regions) -> None:
    with lobby.at(DUBLIN):
        HistoryRow(CERTID, 2, at="2026-01-01", actor="x", event="claim", generation=1, prior="0", hash="1").save()
        with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
            claim(DUBLIN)


def test_counts_that_were_not_replicated_with_their_rows_are_corrected(lobby: Regions) -> None:
    lobby.replicate(DUBLIN, FRANKFURT)
    with lobby.at(DUBLIN):
        claim(DUBLIN)
    lobby.replicate(DUBLIN, FRANKFURT, only=(LedgerRow, HistoryRow))
    lose_dublin(lobby)
    with lobby.at(FRANKFURT):
        before, after = "knocking||", f"claimed|{TARGET}|"
        assert {tally.bucket.key: tally.count for tally in read_counts()} == {before: 1}
        assert correct() == {before: -1, after: 1}
        assert {tally.bucket.key: tally.count for tally in read_counts()} == {after: 1}
        assert correct() == {}


@pytest.fixture
def command(lobby: Regions) -> Iterator[Callable[[Region], int]]:
    """Runs the command in a Region, with a device that is not counted. Only the table's replicas name the lobby's
    Regions; moto's tables have none."""
    lobby.replicate(DUBLIN, FRANKFURT)
    for region in lobby.names:
        key = {"certid": {"S": CERTID}}
        boto3.client("dynamodb", region_name=region).update_item(
            TableName=LedgerRow.Meta.table_name, Key=key, UpdateExpression="REMOVE counted"
        )
    lobby.calls.instead["DescribeTable"] = lambda _params, call: with_replicas(call(), lobby.names)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(routing, "Fence", lambda own, votes, terms: Fence(own, votes, lobby.clock, terms))

        def run(region: Region) -> int:
            for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
                patched.setenv(name, region)
            patched.delenv("LOBBY_REGIONS")
            lobby.here = region
            return recount.main()

        yield run
        routing.uninstall()


def with_replicas(described: dict[str, Any], names: Sequence[Region]) -> dict[str, Any]:
    return {"Table": described["Table"] | {"Replicas": [{"RegionName": name} for name in names]}}


def written(region: Region) -> list[Any]:
    """Return the rows and counts that a recount can change."""
    client = boto3.client("dynamodb", region_name=region)
    return [client.scan(TableName=model.Meta.table_name)["Items"] for model in (LedgerRow, CountRow)]


def test_a_recount_writes_at_the_home(command: Callable[[Region], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert command(DUBLIN) == 0
    assert capsys.readouterr().out.startswith("devices counted: 1\n")


def test_a_recount_writes_nothing_in_a_region_that_is_not_home(
    command: Callable[[Region], int], capsys: pytest.CaptureFixture[str]
) -> None:
    before = written(FRANKFURT), written(DUBLIN)
    assert command(FRANKFURT) == 1
    assert (written(FRANKFURT), written(DUBLIN)) == before
    assert capsys.readouterr().err.startswith("NOT_HOME: ")


def test_counts_that_are_changing_are_not_corrected(lobby: Regions, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([{"knocking||": 1}, {"knocking||": 2}])
    monkeypatch.setattr(recount, "differences", lambda: next(answers))
    with lobby.at(DUBLIN):
        assert correct() == {}
