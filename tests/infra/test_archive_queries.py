"""The archive's queries, run over records in the format of the archive: by DuckDB, translated from Athena's SQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from infra.archive.queries import QUERIES
from infra.archive.tables import REGISTRY, TRANSITIONS, Table
from lobby.domain.events.device_events import schema
from lobby.domain.states import Event, State
from tests.infra.archived_records import ONE, OTHER, REGISTRY_EVENTS, THIRD, transition, write

TODAY: Final = "2026-12-31"
WORKS, OFFICE = "200000000002/eu-west-1", "200000000002/ap-southeast-2"
TEXTS: Final = {query.name: query.sql for query in QUERIES}
HIVE: Final = {"integer": {"int", "bigint"}, "string": {"string"}}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator["Archive"]:
    found = Archive(tmp_path)
    yield found
    found.connection.close()


class Archive:
    """The archive's tables over files below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.connection = folder, duckdb.connect()

    def query(self, name: str, parameters: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
        for table in (TRANSITIONS, REGISTRY):
            if (self.folder / table.name).exists():
                self.connection.execute(self._view(table))
        tree = sqlglot.parse_one(TEXTS[name], dialect="athena").transform(_today)
        return self.connection.execute(tree.sql("duckdb"), parameters).fetchall()

    def _view(self, table: Table) -> str:
        """Return a view with the columns of the Glue table, whose names match in any case, as in Athena."""
        kinds = {name: exp.DataType.build(kind, dialect="hive").sql("duckdb") for name, kind in table.columns.items()}
        columns = ", ".join(f"'{_as_sent(name)}': '{kind}'" for name, kind in kinds.items())
        files = self.folder / table.name / "day=*" / "*.gz"
        options = f"format='newline_delimited', columns={{{columns}}}, hive_partitioning=true"
        return (
            f"CREATE OR REPLACE VIEW {table.name} AS FROM read_json('{files}', {options}, hive_types={{'day': 'TEXT'}})"
        )


def _as_sent(column: str) -> str:
    """Return the name that the events have. DuckDB compares names of JSON exactly."""
    return {key.lower(): key for event in REGISTRY_EVENTS for key in event}.get(column, column)


def _today(node: exp.Expr) -> exp.Expr:
    return sqlglot.parse_one(f"DATE '{TODAY}'") if isinstance(node, exp.CurrentDate) else node


def test_the_columns_of_transitions_are_the_fields_of_the_published_events() -> None:
    properties = schema()["properties"]
    device = properties["device"]["properties"]
    expected = "struct<" + ",".join(f"{name}:string" for name in device) + ">"
    assert list(TRANSITIONS.columns) == list(properties)
    assert TRANSITIONS.columns["device"] == expected
    for name, content in properties.items():
        kind = content.get("type", "string")
        kind = "integer" if name == "version" else kind
        if name != "device":
            assert TRANSITIONS.columns[name] in HIVE[kind if isinstance(kind, str) else "string"], name


def test_the_columns_of_the_registry_are_the_fields_of_aws_iots_events() -> None:
    sent = {key.lower() for event in REGISTRY_EVENTS for key in event}
    assert sent == set(REGISTRY.columns)


def test_every_record_fits_its_columns(archive: Archive) -> None:
    write(archive.folder, "registry", TODAY, REGISTRY_EVENTS)
    assert archive.query("registry-changes") == [
        (TODAY, event, operation, 1)
        for event, operation in sorted((each["eventType"], each["operation"]) for each in REGISTRY_EVENTS)
    ]
    kept = archive.connection.execute(
        "SELECT thingName, attributes['enrolment'], versionNumber FROM registry WHERE eventType = 'THING_EVENT'"
    ).fetchall()
    assert kept == [("pump-1", "pumps", 1)]


def test_onboardings_are_counted_by_day_and_target_whatever_is_delivered_twice(archive: Archive) -> None:
    arrive = Event.ARRIVE, State.ARRIVED
    first = transition(ONE, 5, arrive[0], "2026-12-30T23:59:59.999Z", arrive[1], WORKS)
    second = transition(OTHER, 5, arrive[0], "2026-12-31T00:00:01.000Z", arrive[1], WORKS)
    third = transition(THIRD, 5, arrive[0], "2026-12-31T09:00:00.000Z", arrive[1], OFFICE)
    again = transition(THIRD, 9, arrive[0], "2026-12-31T10:00:00.000Z", arrive[1], OFFICE)
    old = transition(ONE, 4, arrive[0], "2026-11-30T10:00:00.000Z", arrive[1], WORKS)
    claimed = transition(ONE, 2, Event.CLAIM, "2026-12-31T00:00:00.000Z", State.CLAIMED, WORKS)
    # Firehose has put the first seconds of a day into an object of the day before.
    write(archive.folder, "transitions", "2026-12-30", [first, second])
    write(archive.folder, "transitions", "2026-12-31", [third, second, again, claimed])
    write(archive.folder, "transitions", "2026-11-30", [old])
    assert archive.query("onboardings") == [
        ("2026-12-31", OFFICE, 2, 1),
        ("2026-12-31", WORKS, 1, 1),
        ("2026-12-30", WORKS, 1, 1),
    ]


def test_failures_are_counted_by_reason_and_target(archive: Archive) -> None:
    failed = [
        transition(each, 4, Event.FAIL, f"2026-12-30T1{place}:00:00.000Z", State.FAILED, WORKS, "POLICY_MISSING")
        for place, each in enumerate((ONE, OTHER))
    ]
    repeated = transition(ONE, 6, Event.FAIL, "2026-12-31T08:00:00.000Z", State.FAILED, WORKS, "POLICY_MISSING")
    refused = transition(THIRD, 1, Event.REFUSE, "2026-12-31T09:00:00.000Z", State.REFUSED, None, "NAME_TAKEN")
    write(archive.folder, "transitions", "2026-12-30", failed)
    write(archive.folder, "transitions", "2026-12-31", [repeated, refused])
    assert archive.query("failures") == [
        ("device.fail", "POLICY_MISSING", WORKS, "pumps", 2, "2026-12-30T10:00:00.000Z", "2026-12-31T08:00:00.000Z"),
        ("device.refuse", "NAME_TAKEN", None, None, 1, "2026-12-31T09:00:00.000Z", "2026-12-31T09:00:00.000Z"),
    ]


@pytest.mark.parametrize("known_as", [ONE, "pump-1"])
def test_the_path_of_a_device_is_found_by_fingerprint_or_name(archive: Archive, known_as: str) -> None:
    steps = [
        transition(ONE, 1, Event.ADMIT, "2026-12-29T08:00:00.000Z", State.KNOCKING),
        transition(ONE, 2, Event.CLAIM, "2026-12-30T08:00:00.000Z", State.CLAIMED, WORKS),
        transition(ONE, 3, Event.ARRIVE, "2026-12-31T08:00:00.000Z", State.ARRIVED, WORKS),
    ]
    other = transition(OTHER, 1, Event.ADMIT, "2026-12-30T08:00:00.000Z", State.KNOCKING)
    for step in reversed(steps):
        write(archive.folder, "transitions", step["at"][:10], [step, step, other])
    rows = archive.query("device-path", (known_as,))
    assert [(row[2], row[3], row[5], row[6]) for row in rows] == [
        (1, "device.admit", "knocking", None),
        (2, "device.claim", "claimed", WORKS),
        (3, "device.arrive", "arrived", WORKS),
    ]
    assert {row[1] for row in rows} == {ONE}


@pytest.mark.parametrize("query", [each for each in QUERIES if each.name != "device-path"], ids=lambda each: each.name)
def test_a_query_of_the_last_days_reads_only_their_partitions(query: Any) -> None:
    assert query.sql.count("day >= date_format(date_add('day', -31, current_date), '%Y-%m-%d')") == 1


def test_the_queries_have_different_names_and_describe_themselves() -> None:
    assert len(TEXTS) == len(QUERIES)
    assert all(query.description for query in QUERIES)
