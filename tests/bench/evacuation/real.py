"""Real devices of an evacuated target on the local cloud: MQTT over TLS, the deployed receptionist, two accounts.

The devices are admitted, claimed, commissioned in the target and prepared in its standby. The target is evacuated.
Each device then connects to the lobby at its own time, as after its fallback, says hello, follows its route to the
standby and subscribes there.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Final

import httpx

from infra.local.api import Api, ApiRefused
from lobby.domain.standby.standby import parse_standby
from lobby.ledger.models import TargetRow
from lobby.ledger.targets.target_rows import KIND
from lobby.names import Target, parse_target
from tests.bench.deployment import LobbyUnderTest, NewDevice
from tests.bench.mqtt_device import MqttDevice

_THREADS: Final = 8
_RATE: Final = 100
_PATIENCE: Final = 600.0
_SET: Final = """
mutation($account: String!, $region: String!, $standby: TargetInput!) {
  setStandby(account: $account, region: $region, standby: $standby, certificates: ACTIVE) { name }
}"""
_EVACUATE: Final = """
mutation($account: String!, $region: String!) { evacuateTarget(account: $account, region: $region) { name } }"""


@dataclass(frozen=True)
class RealArrivals:
    """Seconds from the connection of a device to the lobby until it is subscribed in the standby."""

    devices: int
    arrived: int
    first: float
    middle: float
    last: float


def evacuate(lobby: LobbyUnderTest, count: int, per_second: float) -> RealArrivals:
    """Evacuate `count` devices, of which so many fall back in each second."""
    home, standby = (parse_target(each.account, each.region) for each in lobby.file.targets[:2])
    _set_rates(lobby, (home, standby))
    devices = [lobby.new_device() for _ in range(count)]
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda device: _onboard(lobby, device), devices))
    with _admin(lobby) as admin:
        place = {"account": home.account, "region": home.region}
        there = {"account": standby.account, "region": standby.region}
        _patiently(lambda: admin.ask(_SET, **place, standby=there))
        _wait("all are prepared", lambda: all(_is_prepared(lobby, device, standby) for device in devices))
        _patiently(lambda: admin.ask(_EVACUATE, **place))
    took = _fall_back(lobby, devices, 1 / per_second)
    return RealArrivals(count, len(took), round(took[0], 2), round(median(took), 2), round(max(took), 2))


def _onboard(lobby: LobbyUnderTest, device: NewDevice) -> None:
    with MqttDevice(lobby.file, device.paths, device.name) as connected:
        connected.hello()
        _patiently(lambda: lobby.claim(device))
        connected.next_message()


def _fall_back(lobby: LobbyUnderTest, devices: list[NewDevice], apart: float) -> list[float]:
    """Let the devices fall back one after the other. Return how long each took, the first one first."""
    took, began = [0.0] * len(devices), time.monotonic()
    slots = threading.BoundedSemaphore(_THREADS)

    def one(number: int) -> None:
        with slots:
            at = time.monotonic()
            _follow(lobby, devices[number])
            took[number] = time.monotonic() - at

    threads = []
    for number in range(len(devices)):
        time.sleep(max(0.0, began + number * apart - time.monotonic()))
        threads.append(threading.Thread(target=one, args=(number,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    if not all(took):
        raise TimeoutError(f"{took.count(0.0)} of {len(took)} devices did not arrive in the standby")
    return took


def _follow(lobby: LobbyUnderTest, device: NewDevice) -> None:
    with MqttDevice(lobby.file, device.paths, device.name) as connected:
        connected.hello()
        _, route = connected.next_message()
    there = replace(lobby.file, lobby_endpoint=route["iotep"], mqtt_port=route.get("port", 8883))
    MqttDevice(there, device.paths, device.name).__exit__()


def _is_prepared(lobby: LobbyUnderTest, device: NewDevice, standby: Target) -> bool:
    text = lobby.row(device.certid).get("standby", {}).get("S")
    if text is None:
        return False
    found = parse_standby(text)
    return found.target == standby and found.is_usable


def _set_rates(lobby: LobbyUnderTest, targets: tuple[Target, ...]) -> None:
    for target in targets:
        lobby.tables.update_item(
            TableName=TargetRow.Meta.table_name,
            Key={"target": {"S": str(target)}, "kind": {"S": KIND}},
            UpdateExpression="SET rate = :r",
            ExpressionAttributeValues={":r": {"N": str(_RATE)}},
            ConditionExpression="attribute_exists(kind)",
        )


@contextmanager
def _admin(lobby: LobbyUnderTest) -> Iterator[Any]:
    admin = Api(lobby.file, lobby.file.operator("admin"))
    try:
        yield admin
    finally:
        admin.close()


def _patiently(ask: Callable[[], object]) -> None:
    """Repeat a request that is refused because too many Lambdas run at the same time, or that gets no answer in time. A
    claim that was made without an answer is not made again."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            ask()
        except ApiRefused as refusal:
            if refusal.code == "ALREADY_CLAIMED":
                return
            if refusal.code != "429" or time.monotonic() > deadline:
                raise
            time.sleep(1)
        except httpx.TimeoutException:
            if time.monotonic() > deadline:
                raise
        else:
            return


def _wait(what: str, check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {_PATIENCE:.0f} s: {what}")
        time.sleep(1)
