"""Random messages to a device, including corrupted valid ones, and a check that none crashes it."""

import json
from dataclasses import replace

from hypothesis import strategies as st

from device.machine.events import StoreRoute
from device.machine.state import Phase
from device.storage import Storage
from lobby.wire import Reset, Route
from tests.unit.device.hostile_messages import INVALID, UNUSUAL
from tests.unit.device.machine_driver import ROUTE, THING, MachineDriver
from tests.unit.device.simulated_disk import SimulatedDisk
from tests.unit.device.simulated_network import STATE_DIR

ROUTE_MESSAGE = ROUTE.encode()
NEWER = replace(ROUTE, generation=5, config="red")
_HOST = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")


def _is_valid(payload: bytes) -> bool:
    """Check a message by the protocol's rules, independently of the parser."""
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    if not isinstance(body, dict):
        return False
    host = body.get("iotep")
    return body.get("config") == "factory reset" or (isinstance(host, str) and host != "" and set(host) <= _HOST)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("factory reset"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=10,
)
_FIELDS = {"iotep": _VALUES | st.just("a.example"), "config": _VALUES, "port": _VALUES, "generation": _VALUES}
_CORRUPTED = st.builds(
    lambda message, at, byte: message[:at] + byte + message[at + 1 :],
    st.sampled_from([ROUTE_MESSAGE, NEWER.encode(), Reset().encode()]),
    st.integers(0, 60),
    st.binary(max_size=2),
)
PAYLOADS = st.one_of(
    st.binary(max_size=60),
    _VALUES.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({}, optional=_FIELDS).map(lambda body: json.dumps(body).encode()),
    _CORRUPTED,
    st.sampled_from([*INVALID.values(), *UNUSUAL.values()]),
)
TOPICS = st.sampled_from([f"lobby/{THING}"] * 4 + ["lobby/other", f"lobby/{THING}/", "", "\0", "lobby/+", "$aws/x"])


def check_messages(route: Route | None, messages: list[tuple[str, bytes]]) -> None:
    """Check that no message crashes the device. The benchmark's fuzz test also uses this."""
    driver = MachineDriver(route=route).go_online()
    disk = SimulatedDisk({"device": {"state": {}}})
    for topic, payload in messages:
        driver.receive(payload, topic)
        valid = topic == f"lobby/{THING}" and _is_valid(payload)
        assert driver.state.phase is Phase.ONLINE or valid
        for action in driver.actions(StoreRoute):
            Storage(STATE_DIR, disk).store(action.route)
            assert repr(Storage(STATE_DIR, disk).load().route) == repr(action.route)
        if driver.state.phase is Phase.DISCONNECTING:
            driver.reconnect().finish_backoff().go_online()
    assert driver.state.next_deadline is not None
