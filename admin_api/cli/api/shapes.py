"""Checks the shape of a response before it is used: it must have the fields that the document selects, with the
schema's types.

Every selected field must be present, and objects, lists and leaves must have their types. So the code that uses a
response needs no further checks. The schema comes from the file that the API generates. Only its types are needed, not
its operations.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

SCHEMA: Final = Path(__file__).resolve().parents[2] / "schema.graphql"
_TOKEN: Final = re.compile(r"\.\.\.|[{}()!:]|@?[A-Za-z_]\w*|[^\s]")
_TYPE: Final = re.compile(r"^type (\w+)[^{]*\{(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD: Final = re.compile(r"^  (\w+): ([\[\]\w!]+)", re.MULTILINE)
_ROOTS: Final = {"query": "Query", "mutation": "Mutation"}


@dataclass(frozen=True)
class Selection:
    """A selected field: its key in the response, its name in the schema, and its own selected fields.
    `optional`: a directive can leave it out."""

    key: str
    name: str
    fields: tuple["Selection", ...]
    optional: bool


@dataclass(frozen=True)
class _Unfilled:
    """A selected field as it is in the document: `items` are fields, and the names of fragments."""

    key: str
    name: str
    items: tuple["_Unfilled | str", ...]
    optional: bool


_Item = _Unfilled | str


class ShapeError(ValueError):
    """A response does not have the shape; the text states where."""


def check_shape(text: str, data: Mapping[str, Any]) -> None:
    """Raise `ShapeError` if `data` does not have the shape that the GraphQL document `text` selects."""
    root, selections = _parsed(text)
    _check_object(data, root, selections, "data")


def _check_object(value: Any, type_name: str, selections: Sequence[Selection], path: str) -> None:
    if not isinstance(value, dict):
        raise ShapeError(f"{path} is not an object")
    types = _types()[type_name]
    for each in selections:
        if each.key not in value:
            if each.optional:
                continue
            raise ShapeError(f"{path} has no {each.key}")
        _check(value[each.key], types[each.name], each.fields, f"{path}.{each.key}")


def _check(value: Any, type_text: str, selections: Sequence[Selection], path: str) -> None:
    required = type_text.endswith("!")
    inner = type_text.removesuffix("!")
    if value is None:
        if required:
            raise ShapeError(f"{path} is null")
    elif inner.startswith("["):
        if not isinstance(value, list):
            raise ShapeError(f"{path} is not a list")
        for number, item in enumerate(value):
            _check(item, inner[1:-1], selections, f"{path}[{number}]")
    elif selections:
        _check_object(value, inner, selections, path)
    elif not _is_leaf(value, inner):
        raise ShapeError(f"{path} is not of type {inner}")


def _is_leaf(value: Any, type_name: str) -> bool:
    if type_name == "JSON":
        return True
    if type_name == "Boolean":
        return isinstance(value, bool)
    if type_name == "Int":
        return isinstance(value, int) and not isinstance(value, bool)
    if type_name == "Float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


@cache
def _types() -> Mapping[str, Mapping[str, str]]:
    """Return the type of each field of each object type, such as `[Device!]!`."""
    text = re.sub(r'""".*?"""|"[^"\n]*"', "", SCHEMA.read_text(encoding="utf-8"), flags=re.DOTALL)
    without_arguments = re.sub(r"\([^()]*\)", "", text)
    return {name: dict(_FIELD.findall(body)) for name, body in _TYPE.findall(without_arguments)}


@cache
def _parsed(text: str) -> tuple[str, tuple[Selection, ...]]:
    """Return the root type and the selections of a document with one operation, with its fragments filled in."""
    reader = _Reader(_TOKEN.findall(re.sub(r'"[^"\n]*"', "", text)))
    root = "Query" if reader.peek() == "{" else _ROOTS[reader.next()]
    selections = reader.skip_to_selections()
    fragments: dict[str, list[_Item]] = {}
    while reader.peek() == "fragment":
        reader.next()
        name = reader.next()
        fragments[name] = reader.skip_to_selections()
    return root, _filled(selections, fragments)


def _filled(selections: Sequence[_Item], fragments: Mapping[str, Sequence[_Item]]) -> tuple[Selection, ...]:
    """Return the selections with the fields of the fragments instead of their names."""
    result: list[Selection] = []
    for each in selections:
        if isinstance(each, str):
            result += _filled(fragments[each], fragments)
        else:
            inner = _filled(each.items, fragments)
            result.append(Selection(each.key, each.name, inner, each.optional))
    return tuple(result)


class _Reader:
    """Reads the tokens of a document. A test has validated the document."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens, self._at = tokens, 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def skip_to_selections(self) -> list[_Item]:
        """Skip an operation's name and variables, and return its selections. A fragment is represented by its name."""
        while self.peek() != "{":
            if self.next() == "(":
                self._skip_arguments()
        self.next()
        found: list[_Item] = []
        while self.peek() != "}":
            if self.peek() == "...":
                self.next()
                found.append(self.next())
            else:
                found.append(self._selection())
        self.next()
        return found

    def _selection(self) -> _Unfilled:
        key = name = self.next()
        if self.peek() == ":":
            self.next()
            name = self.next()
        optional = False
        while self.peek() == "(" or self.peek().startswith("@"):
            optional = self.peek() != "(" or optional
            if self.next() == "(":
                self._skip_arguments()
        inner = self.skip_to_selections() if self.peek() == "{" else []
        return _Unfilled(key, name, tuple(inner), optional)

    def _skip_arguments(self) -> None:
        depth = 1
        while depth:
            depth += {"(": 1, ")": -1}.get(self.next(), 0)
