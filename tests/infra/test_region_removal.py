"""The removal of a lobby with several Regions, and of one of its Regions: order, refusals, and continuation."""

import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from infra.cloud import __main__ as commands
from infra.cloud import lobby_regions, removals
from infra.teardown import lobby_regions as teardown
from infra.teardown import regions
from infra.teardown.lobby_regions import RegionStays, WholeRemoval, check_removable, home_of, unprotect_replicas
from lobby.domain.regions.home import Vote
from lobby.ledger.models import TargetRow
from lobby.ledger.regions.home_votes import Votes
from lobby.names import Region, parse_region
from tests.aws import CutOff
from tests.infra.recorded_deployment import RecordedCalls, record_lobby_deployments, recorded_removal

FIRST, SECOND, THIRD = map(parse_region, ("eu-west-1", "eu-central-1", "us-east-1"))
HERE = "123456789012"
TABLES = "AWS::DynamoDB::GlobalTable"
TABLE: Any = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "kind", "AttributeType": "S"},
        {"AttributeName": "target", "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "target", "KeyType": "RANGE"}],
}


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", FIRST)
    with mock_aws():
        yield


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> RecordedCalls:
    """The lobby has three Regions, and the first one is home."""
    calls = record_lobby_deployments(monkeypatch)
    calls.stack.found = "CREATE_COMPLETE"
    monkeypatch.setattr(commands, "start_admissions", lambda _session: None)
    monkeypatch.setattr(lobby_regions, "streams_of", lambda _client: {})
    monkeypatch.setattr(lobby_regions, "begin_home", lambda _client: None)
    for each in (lobby_regions, teardown):
        monkeypatch.setattr(each, "replicas_of", lambda _client: {FIRST, SECOND, THIRD})
    monkeypatch.setattr(removals, "home_of", lambda _session, _region: FIRST)
    monkeypatch.setattr(removals, "LobbyRemoval", recorded_removal("LobbyRemoval", calls))
    return calls


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands.app, list(arguments))
    return result.exit_code, result.output


class Stacks(dict[str, list[str]]):
    """The types of the resources of the lobby's stack, by the Region that has one."""

    def of(self, client: Any, _name: str) -> Any:
        kinds = self.get(client.meta.region_name)

        class Found:
            def status(self) -> str | None:
                return None if kinds is None else "CREATE_COMPLETE"

            def resources(self, kind: str) -> list[str]:
                return [each for each in kinds or () if each == kind]

        return Found()


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Stacks:
    found = Stacks()
    for module in (teardown, removals, regions):
        monkeypatch.setattr(module, "Stack", found.of)
    return found


def test_a_lobby_is_removed_in_all_regions_doors_first_and_the_first_region_last(
    calls: RecordedCalls, stacks: Stacks
) -> None:
    status, output = run("destroy", "aws", "--regions", f"{FIRST},{SECOND},{THIRD}", "--yes")
    assert status == 0, output
    places = [f"{HERE}/{region}" for region in (FIRST, SECOND, THIRD)]
    assert calls == [
        *(("rules", place) for place in places),
        *(("stop admissions", place) for place in places),
        *(("LobbyRemoval", place, False) for place in reversed(places)),
    ]
    assert f"Region 2 of 3: {SECOND}" in output


def test_an_interrupted_removal_continues_with_the_regions_that_are_left() -> None:
    left = [FIRST, SECOND, THIRD]

    class Removal:
        def __init__(self, region: Region) -> None:
            self.region = region

        def require_own_rules(self) -> None: ...

        def stop_admissions(self) -> None: ...

        def run(self, **_: bool) -> None:
            if self.region == SECOND and THIRD not in left and not interrupted:
                interrupted.append(True)
                raise CutOff
            if self.region in left:
                assert left[-1] == self.region
                left.remove(self.region)

    interrupted: list[bool] = []
    several: Any = {region: Removal(region) for region in left}
    with pytest.raises(CutOff):
        WholeRemoval(several, lambda _line: None).run(keep_devices=False)
    assert left == [FIRST, SECOND]
    WholeRemoval(several, lambda _line: None).run(keep_devices=False)
    assert left == []


@pytest.mark.parametrize(
    ("left", "home", "has_tables", "code"),
    [
        ([SECOND], FIRST, True, f"REGIONS_LEFT: .*want --regions {FIRST},{SECOND}"),
        ([SECOND], FIRST, False, f"REGION_IS_HOME: .*regions promote {SECOND}"),
        ([SECOND], SECOND, False, None),
        ([SECOND], None, False, None),
        ([], FIRST, True, None),
    ],
)
def test_a_region_with_the_tables_or_the_home_is_not_removed_before_the_others(
    left: list[str], home: Region | None, has_tables: bool, code: str | None
) -> None:
    if code is None:
        check_removable(FIRST, left, home, has_tables=has_tables)
        return
    with pytest.raises(RegionStays, match=code):
        check_removable(FIRST, left, home, has_tables=has_tables)


def test_the_first_region_is_not_removed_while_another_has_its_stack(calls: RecordedCalls, stacks: Stacks) -> None:
    stacks[FIRST] = [TABLES]
    stacks[SECOND] = []
    status, output = run("destroy", "aws", "--region", FIRST, "--yes")
    assert (status, list(calls)) == (1, [])
    assert f"REGIONS_LEFT: got {FIRST}, whose stack has the tables of the lobby in {SECOND}, too" in output


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (f"{FIRST},{SECOND}", "WRONG_REGIONS: .*want all"),
        (f"{FIRST},{THIRD},{SECOND}", f"FIRST_REGION: .* want {SECOND}, which has the tables"),
    ],
)
def test_all_regions_must_be_named_with_the_first_one_first(
    calls: RecordedCalls, stacks: Stacks, named: str, message: str
) -> None:
    stacks[SECOND] = [TABLES]
    status, output = run("destroy", "aws", "--regions", named, "--yes")
    assert (status, list(calls)) == (1, [])
    assert re.search(message, output)


def test_a_removed_region_leaves_in_one_update_after_its_replicas_are_unprotected(
    calls: RecordedCalls, stacks: Stacks
) -> None:
    tables = boto3.client("dynamodb", THIRD)
    tables.create_table(TableName=TargetRow.Meta.table_name, DeletionProtectionEnabled=True, **TABLE)
    status, output = run("aws", "--regions", f"{FIRST},{SECOND}", "--remove-region", THIRD, "--yes")
    assert status == 0, output
    assert [each.get("regions") for each in calls.contexts()] == [f"{FIRST},{SECOND}"] * 2
    assert THIRD not in [each["lobby"].partition("/")[2] for each in calls.contexts()]
    table = tables.describe_table(TableName=TargetRow.Meta.table_name)["Table"]
    assert table["DeletionProtectionEnabled"] is False
    assert f"tables in {THIRD} are DELETED" in output
    unprotect_replicas(boto3.Session(region_name=THIRD), pytest.fail)  # nothing is left to do


def test_a_region_is_not_removed_while_it_has_a_stack_or_another_is_home(
    calls: RecordedCalls, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("aws", "--regions", f"{FIRST},{SECOND}", "--remove-region", THIRD, "--yes")
    monkeypatch.setattr(removals, "home_of", lambda _session, _region: SECOND)
    assert f"HOME_ELSEWHERE: got {SECOND} as home, want {FIRST}" in run(*command)[1]
    stacks[THIRD] = []
    assert f"STACK_LEFT: got {THIRD}" in run(*command)[1]
    assert list(calls) == []


@pytest.mark.parametrize("named", [(), (FIRST, SECOND, THIRD)])
def test_exactly_the_other_regions_are_named_with_a_removed_one(named: tuple[Region, ...]) -> None:
    with pytest.raises(lobby_regions.WrongRegions, match=f"want --regions {FIRST},{SECOND} without {THIRD}"):
        lobby_regions._without({SECOND, THIRD}, named, FIRST, THIRD)


def test_the_last_of_two_regions_is_removed() -> None:
    assert lobby_regions._without({SECOND}, (), FIRST, SECOND) == [(FIRST, SECOND), ()]


def test_the_home_is_read_from_the_vote_of_the_region() -> None:
    session = boto3.Session(region_name=FIRST)
    assert home_of(session, FIRST) is None, "without a table"
    dynamodb: Any = session.client("dynamodb")
    dynamodb.create_table(TableName=TargetRow.Meta.table_name, **TABLE)
    assert home_of(session, FIRST) is None
    assert Votes(lambda _region: dynamodb).write(FIRST, None, Vote(SECOND, 2, 1, 1, 1, revision=1))
    assert home_of(session, FIRST) == SECOND
