"""The budgets of hellos: in the lobby, after commissioning, and between a claim and its route.

The device publishes each hello on request. Calls are counted after the receptionist's run has completed. A claim after
ten hellos shows that hellos do not invoke the commissioner: the stream is ordered, and the claim's run is the first.
"""

import time
from typing import Final

from tests.bench.calls import READS, Call, summary
from tests.bench.deployment import TABLE, LobbyUnderTest, NewDevice
from tests.bench.mqtt_device import MqttDevice
from tests.bench.report import Row

_HELLOS: Final = 10
_LONG_AGO: Final = "2020-01-01T00:00:00.000Z"


def rows(lobby: LobbyUnderTest) -> list[Row]:
    """Measure all budgets with one device."""
    device = lobby.new_device()
    with MqttDevice(lobby.file, device.paths, device.name) as connected:
        _hellos(lobby, connected, 1)
        lobby.wait_for_state(device, "inlobby")
        commissioner_runs = lobby.runs("express")
        ten = _hellos(lobby, connected, _HELLOS)
        _set_last_hello_long_ago(lobby, device)
        later = _hellos(lobby, connected, 1)
        extra_runs, hellos, since_sent, since_answered = _push(lobby, device, connected, commissioner_runs)
        after = _hellos(lobby, connected, 1)
        _, answer = connected.next_message()
    return [
        Row("one more hello in the lobby", "calls", "2 calls + a run", 2, 1, len(ten) / _HELLOS, summary(ten)),
        Row("… once in half an hour, with a write", "calls", "2 calls + a run", 2, 2, len(later), summary(later)),
        Row(
            "… commissioner runs of ten hellos",
            "runs",
            "10 runs",
            10,
            0,
            extra_runs,
            f"{len([call for call in ten if call.action not in READS])} writes in ten hellos",
        ),
        Row(
            "hello once commissioned",
            "calls",
            "22 calls",
            22,
            2,
            len(after),
            f"{summary(after)}; answered {answer['iotep']}",
        ),
        Row(
            "claim → route at a waiting device, hellos between",
            "hellos",
            "1 (5 s)",
            1,
            0,
            hellos,
            f"pushed {since_sent:.0f} ms after the claim was sent, {since_answered:.0f} ms after it was answered",
        ),
    ]


def _hellos(lobby: LobbyUnderTest, connected: MqttDevice, count: int) -> list[Call]:
    """Publish hellos one after the other and return the calls they caused."""
    position = lobby.log.position()
    for _ in range(count):
        before = lobby.runs("receptionist")
        connected.hello()
        lobby.wait_for_runs("receptionist", before + 1)
    return lobby.log.since(position)


def _set_last_hello_long_ago(lobby: LobbyUnderTest, device: NewDevice) -> None:
    """Set `lastseen` in the past, so that the next hello writes a heartbeat without a wait of half an hour."""
    lobby.tables.update_item(
        TableName=TABLE,
        Key={"certid": {"S": device.certid}},
        UpdateExpression="SET lastseen = :long_ago",
        ExpressionAttributeValues={":long_ago": {"S": _LONG_AGO}},
    )


def _push(
    lobby: LobbyUnderTest, device: NewDevice, connected: MqttDevice, commissioner_runs: int
) -> tuple[int, int, float, float]:
    """Claim the device. Return the commissioner runs without that of the claim, the number of hellos until the route,
    and the milliseconds from the claim's request and from its response to the route."""
    hellos = lobby.runs("receptionist")
    sent = time.time()
    lobby.claim(device)
    answered = time.time()
    routed, _ = connected.next_message()
    between = lobby.runs("receptionist") - hellos
    lobby.wait_for_runs("express", commissioner_runs + 1)
    extra_runs = lobby.runs("express") - commissioner_runs - 1
    return extra_runs, between, (routed - sent) * 1000, (routed - answered) * 1000
