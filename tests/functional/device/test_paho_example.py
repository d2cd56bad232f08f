"""The rules for messages of the example in Python: the protocol's vectors. The highest generation wins."""

import ast
import contextlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.unit.device.hostile_messages import INVALID

ROOT: Final = Path(__file__).parents[3]
SOURCE: Final = ROOT / "device" / "examples" / "paho.py"
CASES: Final[list[dict[str, Any]]] = json.loads((ROOT / "tests" / "events" / "protocol_vectors.json").read_text())[
    "cases"
]
NOT_CHECKED: Final = {
    "config of 33 levels",
    "config of 300 levels",
    "config with NaN",
    "config with 1e300",
    "one byte too long",
    "generation of 4,000 digits",
}
"""Invalid in size, config or a number that JSON permits: the 80 lines have no check. The address and port are valid."""
FOREVER: Final = float("inf")


@pytest.fixture(scope="module")
def next_route() -> Callable[..., Any]:
    """The example's function. The module itself starts to connect when it is imported."""
    tree = ast.parse(SOURCE.read_text())
    wanted = ("next_route", "HOST")
    tree.body = [each for each in tree.body if _name(each) in wanted]
    names: dict[str, Any] = {"contextlib": contextlib, "json": json, "re": re, "time": time, "Any": Any}
    exec(compile(tree, str(SOURCE), "exec"), names)  # noqa: S102 - our own source
    found: Callable[..., Any] = names["next_route"]
    return found


def _name(statement: ast.stmt) -> str | None:
    """Return the name of a function or a constant."""
    if isinstance(statement, ast.FunctionDef):
        return statement.name
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    return target.id if isinstance(target, ast.Name) else None


def expected(case: dict[str, Any]) -> str:
    """The example never follows a lower generation; the protocol permits that when the lobby repeats it."""
    lower = case.get("ignored") is not None and case["action"] == "follow"
    return "ignore" if lower or case["action"] in ("code", "repeated") else str(case["action"])


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_the_example_follows_the_vectors(next_route: Callable[..., Any], case: dict[str, Any]) -> None:
    found = next_route(case["payload"].encode(), case["stored"] or {}, case["at"] == "lobby", 8883, FOREVER)
    action = "ignore" if found is None else "follow" if found else "reset"
    assert action == expected(case)
    if action == "follow":  # with all fields of the message
        assert found.items() >= json.loads(case["payload"]).items()


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_only_a_presence_code_is_shown(
    next_route: Callable[..., Any], case: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    next_route(case["payload"].encode(), case["stored"] or {}, case["at"] == "lobby", 8883, FOREVER)
    assert capsys.readouterr().out == ("presence code: 48291375\n" if case["action"] == "code" else "")


@pytest.mark.parametrize("text", ["\u001b[2J", "4829137\n", "\u0664" * 8, None, [], {"a": 1}])
def test_another_text_than_a_code_is_not_shown(
    next_route: Callable[..., Any], text: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert next_route(json.dumps({"presence": text}).encode(), {}, True, 8883, FOREVER) is None
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", [name for name in INVALID if name not in NOT_CHECKED])
@pytest.mark.parametrize("in_lobby", [True, False], ids=["lobby", "target"])
def test_the_example_ignores_hostile_messages(next_route: Callable[..., Any], name: str, in_lobby: bool) -> None:
    stored = {"iotep": "t.example", "port": 8883, "generation": 1, "config": "x"}
    assert next_route(INVALID[name], stored, in_lobby, 8883, FOREVER) is None
