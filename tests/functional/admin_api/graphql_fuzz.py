"""Generated documents. Schemathesis walks the schema; most arguments of its documents are replaced by values that exist
in this lobby, so that they pass the first validation, and a few by unusual ones.

`leaks` searches a response for internals of the API.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import schemathesis
from graphql import (
    ArgumentNode,
    IntValueNode,
    ListValueNode,
    ObjectFieldNode,
    StringValueNode,
    ValueNode,
    Visitor,
    parse,
    parse_value,
    print_ast,
    visit,
)
from hypothesis import strategies as st

SCHEMA: Final = Path(__file__).parents[3] / "admin_api" / "schema.graphql"
INTERNALS: Final = re.compile(
    r"""Traceback|File[ ]\\?"|line[ ]\d+,[ ]in[ ]|\.py\b|site-packages|/var/task|/var/lang
    |/opt/python|/tmp/|/home/|/root/|arn:aws(?!:kms:<region>)|device-lobby-(?:ledger|history(?!/1)|names|targets|counts|trust|surveyor|reconciler|inspector|sweeper|rounds|admin-api|commissioner|bouncer)
    |\bby-(?:state|target|name|print)\b|botocore|boto3|pynamodb|dynamodb|strawberry|mangum|starlette|lambda_handler
    |NoneType|object[ ]at[ ]0x|\bKeyError|\bTypeError|\bValueError|\bAttributeError
    |ConditionalCheck|ValidationException""",
    re.VERBOSE | re.IGNORECASE,
)
"""Traces, paths, ARNs, tables and indexes, libraries, exceptions of Python. `device-lobby-history/1` is the public name
of the format of an exported history; `arn:aws:kms:<region>` begins the format of a key in a message."""
_CONFIGS: Final = [
    parse_value(text)
    for text in (
        '"text"',
        '"factory reset"',
        "{a: 1}",
        "{a: [1, {b: null}], b: 1.5e300}",
        "{a: 1e999}",
        "{a: -0}",
        "5",
        "null",
        "true",
        "[1]",
        "[[[[[[{}]]]]]]",
        "{__proto__: {x: 1}}",
        f'{{big: "{"x" * 9000}"}}',
        '{iotep: "evil.example"}',
    )
]
schemathesis.graphql.scalar("JSON", st.sampled_from(_CONFIGS))

ODD_VALUES: Final = (
    "",
    " ",
    "\x00",
    "\n",
    "\r\nset-cookie: a=b",
    "'",
    '"',
    "\\",
    "%s%n",
    "{0}",
    "${jndi:ldap://evil}",
    "<script>",
    "../../etc/passwd",
    "' OR '1'='1",
    '{"$gt": ""}',
    "\u202e",
    "\ufeff",
    "\U0001f600",
    "é",
    "\u0660",
    "x" * 200,
    "9" * 12,
    "0",
    "-1",
    "1e9",
    "null",
    "undefined",
    "NaN",
    "__proto__",
    "constructor",
    "*",
    "#",
    "a" * 5000,
    "attribute_exists(certid)",
)


KnownValues = Mapping[str, Sequence[str]]
"""Values that exist in the lobby, by argument name."""
_NUMBERS: Final = {"first": 100, "count": 1000, "last": 1000}


class _ArgumentReplacer(Visitor):
    """Replaces most arguments by existing values, and a few by unusual ones."""

    def __init__(self, data: st.DataObject, known: KnownValues) -> None:
        super().__init__()
        self._data, self._known = data, known

    def enter_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode | None:
        value = self._replacement(node.name.value, node.value)
        return ArgumentNode(name=node.name, value=value) if value else None

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> ObjectFieldNode | None:
        value = self._replacement(node.name.value, node.value)
        return ObjectFieldNode(name=node.name, value=value) if value else None

    def _replacement(self, name: str, value: ValueNode) -> ValueNode | None:
        if isinstance(value, ListValueNode) and name in self._known:
            values = self._data.draw(st.lists(self._texts(name), min_size=1, max_size=3))
            return ListValueNode(values=tuple(map(_text, values)))
        if isinstance(value, StringValueNode):
            return _text(self._data.draw(self._texts(name)))
        if isinstance(value, IntValueNode) and name in _NUMBERS:
            number = self._data.draw(st.integers(1, _NUMBERS[name]) | st.sampled_from((0, -1, 2**31 - 1)))
            return IntValueNode(value=str(number))
        return None

    def _texts(self, name: str) -> st.SearchStrategy[str]:
        known = self._known.get(name, ODD_VALUES)
        all_known = [text for texts in self._known.values() for text in texts]
        return st.one_of(*[st.sampled_from(known)] * 6, st.sampled_from(all_known), st.sampled_from(ODD_VALUES))


def _text(value: str) -> StringValueNode:
    return StringValueNode(value=value, block=False)


def documents() -> st.SearchStrategy[str]:
    """Generate valid documents of the schema, with one operation each."""
    schema = schemathesis.graphql.from_path(str(SCHEMA))
    return schema.as_strategy().map(lambda case: str(case.body["query"] if isinstance(case.body, dict) else case.body))


def with_known_values(document: str, data: st.DataObject, known: KnownValues) -> str:
    return print_ast(visit(parse(document), _ArgumentReplacer(data, known)))


def leaks(response: str) -> list[str]:
    """Return the internals that a response contains."""
    return [match.group() for match in INTERNALS.finditer(response)]
