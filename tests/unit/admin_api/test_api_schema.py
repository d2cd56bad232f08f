"""The schema as a document: descriptions, listed values, deprecations, identifiers, and the generated reference."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    build_schema,
    is_specified_scalar_type,
)

from admin_api.graphql.connections import ProblemCode
from admin_api.graphql.histories import HistoryFault
from admin_api.graphql.value_lists import DIFFERENCES, REASONS, REPAIRS
from admin_api.reference import reference
from admin_api.roles import Role
from admin_api.schema import schema
from commissioner.errors import REASONS as COMMISSIONER_REASONS
from commissioner.reconciliation.comparison import DifferenceCode, Repair
from lobby.domain.connections.connection_problem import DENIED
from lobby.domain.connections.connectivity import DUPLICATE
from lobby.domain.history.history_audit import Fault
from lobby.domain.states import Event
from lobby.domain.targets.target import TargetEvent
from lobby.names import State

ROOT = Path(__file__).parents[3]
SCHEMA = build_schema(schema.as_str())
V01 = {"getDevice", "listDevices", "listLobbyDevices", "addDevice"}


def descriptions() -> Iterator[tuple[str, str | None]]:
    """Every part of the schema that can have a description, with it."""
    for name, named in SCHEMA.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(named):
            continue
        yield name, named.description
        if isinstance(named, GraphQLObjectType):
            for field_name, field in named.fields.items():
                yield f"{name}.{field_name}", field.description
                for argument, each in field.args.items():
                    yield f"{name}.{field_name}({argument}:)", each.description
        elif isinstance(named, GraphQLInputObjectType):
            yield from ((f"{name}.{field_name}", each.description) for field_name, each in named.fields.items())
        elif isinstance(named, GraphQLEnumType):
            yield from ((f"{name}.{value_name}", value.description) for value_name, value in named.values.items())


DESCRIPTIONS = dict(descriptions())


def test_every_part_of_the_schema_is_described() -> None:
    bare = [part for part, text in DESCRIPTIONS.items() if not (text or "").strip()]
    assert bare == [], "declare arguments as in admin_api/graphql/arguments.py, fields with strawberry.field"


def test_every_description_is_a_sentence() -> None:
    assert [part for part, text in DESCRIPTIONS.items() if not (text or "").rstrip().endswith(".")] == []


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("Device.devstate", list(State)),
        ("DeviceFilter.state", list(State)),
        ("StateCount.state", list(State)),
        ("HistoryEntry.before", list(State)),
        ("HistoryEntry.after", list(State)),
        ("HistoryEntry.event", list(Event)),
        ("Query.listLobbyDevices(devstate:)", list(State)),
        ("Device.reason", sorted(set().union(*REASONS.values()))),
        ("Difference.code", list(DifferenceCode)),
        ("Difference.repair", list(Repair)),
        ("TargetEntry.event", list(TargetEvent)),
        ("Me.role", list(Role)),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_text_field_lists_its_values(part: str, values: list[str]) -> None:
    words = set(re.findall(r"\w+", DESCRIPTIONS[part] or ""))
    assert set(values) <= words


@pytest.mark.parametrize(
    ("listed", "defined"),
    [
        (DIFFERENCES, list(DifferenceCode)),
        (REPAIRS, list(Repair)),
        ([each.value for each in HistoryFault], list(Fault)),
        ([each.value for each in ProblemCode], [DENIED, DUPLICATE]),
        (REASONS[State.FAILED], list(COMMISSIONER_REASONS)),
    ],
    ids=["differences", "repairs", "history faults", "connection problems", "refusals of targets"],
)
def test_the_values_are_those_that_the_lobby_has(listed: list[str], defined: list[str]) -> None:
    assert set(listed) == set(defined)


def test_the_reasons_are_those_that_the_troubleshooting_page_explains() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    table = page.split("## Reason codes")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \| ([a-z]+(?:, [a-z]+(?= \|))?)", table, re.MULTILINE)
    explained = {
        (state, code)
        for codes, states in rows
        for state in states.split(", ")
        for code in re.findall(r"`([A-Z_]+)`", codes)
    }
    assert {(state.value, code) for state, codes in REASONS.items() for code in codes} == explained


def test_exactly_the_operations_of_v01_are_deprecated() -> None:
    roots = [SCHEMA.query_type, SCHEMA.mutation_type]
    fields = {name: field for root in roots if root for name, field in root.fields.items()}
    assert {name for name, field in fields.items() if field.deprecation_reason} == V01
    for name in V01:
        replacement = re.search(r"`(\w+)`", fields[name].deprecation_reason or "")
        assert replacement
        assert replacement[1] in fields.keys() - V01


@pytest.mark.parametrize("name", ["Device", "RegisteredTarget"])
def test_what_a_client_caches_has_an_id(name: str) -> None:
    named = SCHEMA.type_map[name]
    assert isinstance(named, GraphQLObjectType)
    assert str(named.fields["id"].type) == "ID!"


def test_the_reference_is_up_to_date() -> None:
    committed = (ROOT / "docs" / "api-reference.md").read_text()
    assert committed == reference(schema.as_str()), "run: python -m admin_api.reference > docs/api-reference.md"


def test_the_reference_rejects_a_part_without_a_description() -> None:
    bare = schema.as_str().replace('"""The eight digits that the device shows."""', "")
    with pytest.raises(ValueError, match="without a description"):
        reference(bare)
