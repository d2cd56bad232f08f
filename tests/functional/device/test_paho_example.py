"""The rules for messages of the example in Python: the protocol's vectors. The highest generation wins."""

import ast
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[3]
SOURCE: Final = ROOT / "device" / "examples" / "paho.py"
CASES: Final[list[dict[str, Any]]] = json.loads((ROOT / "tests" / "events" / "protocol_vectors.json").read_text())[
    "cases"
]
UNCHECKED: Final = (
    "an address that is a URL",
    "an address with a port",
    "an address of 254 characters",
    "port 0",
    "port 65536",
    "a port that is text",
    "a fractional generation",
    "a config that is a number",
    "a config that is a list",
)
"""Invalid routes, which the lobby does not send. The example, with its few lines, follows them, and falls back."""
FOREVER: Final = float("inf")


@pytest.fixture(scope="module")
def next_route() -> Callable[..., Any]:
    """The example's function. The module itself starts to connect when it is imported."""
    tree = ast.parse(SOURCE.read_text())
    tree.body = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == "next_route"]
    names: dict[str, Any] = {"json": json, "time": time, "Any": Any}
    exec(compile(tree, str(SOURCE), "exec"), names)  # noqa: S102 - our own source
    found: Callable[..., Any] = names["next_route"]
    return found


def expected(case: dict[str, Any]) -> str:
    """The example never follows a lower generation; the protocol permits that when the lobby repeats it."""
    lower = case.get("ignored") is not None and case["action"] == "follow"
    return "ignore" if lower or case["action"] in ("code", "repeated") else str(case["action"])


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["name"]) for case in CASES if case["name"] not in UNCHECKED]
)
def test_the_example_follows_the_vectors(next_route: Callable[..., Any], case: dict[str, Any]) -> None:
    found = next_route(case["payload"].encode(), case["stored"] or {}, case["at"] == "lobby", 8883, FOREVER)
    action = "ignore" if found is None else "follow" if found else "reset"
    assert action == expected(case)
    if action == "follow":  # with all fields of the message
        assert found.items() >= json.loads(case["payload"]).items()


def test_every_exception_is_a_vector() -> None:
    assert set(UNCHECKED) <= {case["name"] for case in CASES}
