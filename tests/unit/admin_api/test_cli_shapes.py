"""The shape of responses: complete for every document, equal to the schema's types, and refused if anything differs."""

from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema

from admin_api.cli.api import shapes
from admin_api.cli.api.shapes import ShapeError, check_shape
from admin_api.cli.documents import Document
from admin_api.cli.documents.devices import ALL
from tests.functional.admin_api.hostile_answers import data_for

QUERY = """
query($first: Int!, $count: Boolean = false) {
  devices(filter: {state: "failed"}, first: $first) {
    total @include(if: $count) nodes { ...fields } pageInfo { hasNextPage }
  }
  other: device(certid: "a") { certid config }
}
fragment fields on Device { certid devicename generation online allowedActions previousTargets { account } }"""
NODE: dict[str, Any] = {
    "certid": "ab",
    "devicename": None,
    "generation": 1,
    "online": True,
    "allowedActions": ["x"],
    "previousTargets": [{"account": "1"}],
}
DATA: dict[str, Any] = {"devices": {"nodes": [NODE], "pageInfo": {"hasNextPage": False}}, "other": None}


def test_the_types_are_those_of_the_schema() -> None:
    schema = build_schema(shapes.SCHEMA.read_text())
    objects = {name: each for name, each in schema.type_map.items() if isinstance(each, GraphQLObjectType)}
    expected = {
        name: {field: str(each.type) for field, each in type_.fields.items()}
        for name, type_ in objects.items()
        if not name.startswith("__")
    }
    assert shapes._types() == expected


@pytest.mark.parametrize("document", ALL, ids=lambda document: " ".join(document.text.split())[:60])
@pytest.mark.parametrize("nulls", [True, False])
def test_every_document_has_a_shape(document: Document, nulls: bool) -> None:
    check_shape(document.text, data_for(document.text, "x", 1, nulls=nulls))


def with_node(**changed: Any) -> dict[str, Any]:
    return DATA | {"devices": DATA["devices"] | {"nodes": [NODE | changed]}}


@pytest.mark.parametrize(
    "data",
    [
        DATA,
        DATA | {"more": 1},
        DATA | {"other": {"certid": "ab", "config": [{"a": 1.5}]}},
        DATA | {"devices": DATA["devices"] | {"total": 7}},
        with_node(devicename="sensor-1", online=None),
    ],
)
def test_an_answer_of_the_shape_is_accepted(data: dict[str, Any]) -> None:
    check_shape(QUERY, data)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({}, "data has no devices"),
        (DATA | {"devices": None}, "data.devices is null"),
        (DATA | {"devices": []}, "data.devices is not an object"),
        (DATA | {"devices": DATA["devices"] | {"nodes": {}}}, "data.devices.nodes is not a list"),
        (DATA | {"devices": DATA["devices"] | {"nodes": [None]}}, r"data.devices.nodes\[0\] is null"),
        (DATA | {"devices": DATA["devices"] | {"nodes": ["x"]}}, r"data.devices.nodes\[0\] is not an object"),
        (DATA | {"devices": DATA["devices"] | {"total": "7"}}, "total is not of type Int"),
        (with_node(certid=1), "certid is not of type ID"),
        (with_node(certid=None), "certid is null"),
        (with_node(generation=True), "generation is not of type Int"),
        (with_node(generation=1.5), "generation is not of type Int"),
        (with_node(online=1), "online is not of type Boolean"),
        (with_node(allowedActions="x"), "allowedActions is not a list"),
        (with_node(allowedActions=[None]), r"allowedActions\[0\] is null"),
        (with_node(previousTargets=[{}]), r"previousTargets\[0\] has no account"),
    ],
)
def test_an_answer_of_another_shape_is_refused_with_its_place(data: dict[str, Any], place: str) -> None:
    with pytest.raises(ShapeError, match=place):
        check_shape(QUERY, data)
