"""The C example's rules for messages, compiled and called: the protocol's vectors, hostile payloads, any bytes."""

import ctypes
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.device.hostile_messages import INVALID

ROOT: Final = Path(__file__).parents[3]
SOURCE: Final = ROOT / "device" / "examples" / "c"
CASES: Final[list[dict[str, Any]]] = json.loads((ROOT / "tests" / "events" / "protocol_vectors.json").read_text())[
    "cases"
]
ACTIONS: Final = ("ignore", "follow", "reset", "code", "repeated")


class Route(ctypes.Structure):
    """`struct route` of message.h."""

    _fields_ = (
        ("host", ctypes.c_char * 254),
        ("port", ctypes.c_long),
        ("generation", ctypes.c_longlong),
        ("config", ctypes.c_char * 8193),
    )


class Decision(ctypes.Structure):
    """`struct decision` of message.h."""

    _fields_ = (("action", ctypes.c_int), ("route", Route), ("code", ctypes.c_char * 9))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The compiled message.c, with run-time checks of undefined behaviour."""
    compiler = shutil.which("cc")
    if compiler is None:
        if os.environ.get("CI"):
            pytest.fail("got no C compiler on the PATH, want one in CI")
        pytest.skip("needs a C compiler (Debian: apt-get install gcc)")
    path = tmp_path_factory.mktemp("c") / "message.so"
    flags = [
        "-std=c11",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsanitize=undefined",
        "-fno-sanitize-recover",
        "-shared",
        "-fPIC",
    ]
    subprocess.run([compiler, *flags, "-D_POSIX_C_SOURCE=200809L", "-o", path, SOURCE / "message.c"], check=True)
    loaded = ctypes.CDLL(str(path))
    loaded.decide.restype = Decision
    loaded.decide.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_bool,
        ctypes.c_long,
        ctypes.POINTER(Route),
        ctypes.POINTER(Route),
    ]
    return loaded


def route_of(fields: dict[str, Any] | None) -> Route:
    if fields is None:
        return Route()
    generation = -1 if fields["generation"] is None else fields["generation"]
    return Route(fields["iotep"].encode(), fields["port"], generation, json.dumps(fields["config"]).encode())


def decide(library: ctypes.CDLL, payload: bytes, at: str, stored: Route, ignored: Route) -> Decision:
    decision: Decision = library.decide(payload, len(payload), at == "lobby", 8883, stored, ignored)
    return decision


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_c_example_follows_the_vectors(library: ctypes.CDLL, case: dict[str, Any]) -> None:
    decision = decide(
        library, case["payload"].encode(), case["at"], route_of(case["stored"]), route_of(case["ignored"])
    )
    assert ACTIONS[decision.action] == case["action"]


@pytest.mark.parametrize("name", INVALID)
@pytest.mark.parametrize("at", ["lobby", "target"])
def test_the_c_example_ignores_hostile_messages(library: ctypes.CDLL, name: str, at: str) -> None:
    stored = route_of({"iotep": "t.example", "port": 8883, "generation": 1, "config": "x"})
    assert ACTIONS[decide(library, INVALID[name], at, stored, Route()).action] == "ignore"


def test_the_config_of_a_followed_route_is_one_line_of_json(library: ctypes.CDLL) -> None:
    payload = b'{"iotep": "t.example", "config": {\n  "a": "b c"\n}}'
    route = decide(library, payload, "lobby", Route(), Route()).route
    assert (route.host, route.port, route.generation) == (b"t.example", 8883, -1)
    assert b"\n" not in route.config
    assert json.loads(route.config) == {"a": "b c"}


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\ 0123456789aeiotp-.', max_size=120).map(str.encode))
def test_any_payload_is_decided(library: ctypes.CDLL, payload: bytes) -> None:
    assert decide(library, payload, "lobby", Route(), Route()).action in range(len(ACTIONS))
