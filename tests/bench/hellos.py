"""The budgets of hellos: in the lobby, after the commissioning, and none at all between a claim and its route.

The device says each hello when it is told to; the receptionist's run is waited for before the calls are counted. That
ten hellos wake no commissioner is shown by the claim after them: the stream is in order, and its run is the first.
"""

import time
from typing import Final

from tests.bench.calls import READS, Call, told
from tests.bench.report import Row
from tests.bench.stage import TABLE, NewDevice, Stage
from tests.bench.waiting_device import WaitingDevice

_TEN: Final = 10
_LONG_AGO: Final = "2020-01-01T00:00:00.000Z"


def rows(stage: Stage) -> list[Row]:
    """All of them, with one device."""
    device = stage.new_device()
    with WaitingDevice(stage.file, device.paths, device.name) as waiting:
        _hellos(stage, waiting, 1)
        stage.until_state(device, "inlobby")
        commissioners = stage.runs("commissioner")
        ten = _hellos(stage, waiting, _TEN)
        _pretend_a_minute(stage, device)
        later = _hellos(stage, waiting, 1)
        pushed = _push(stage, device, waiting, commissioners)
        after = _hellos(stage, waiting, 1)
        _, answer = waiting.answer()
    return [
        Row("one more hello in the lobby", "calls", "2 calls + a run", 2, 1, len(ten) / _TEN, told(ten)),
        Row("… once a minute, with a write", "calls", "2 calls + a run", 2, 2, len(later), told(later)),
        Row(
            "… commissioner runs of ten hellos",
            "runs",
            "10 runs",
            10,
            0,
            pushed[0],
            f"{len([call for call in ten if call.action not in READS])} writes in ten hellos within the minute",
        ),
        Row(
            "hello once commissioned",
            "calls",
            "22 calls",
            22,
            2,
            len(after),
            f"{told(after)}; answered {answer['iotep']}",
        ),
        Row(
            "claim → route at a waiting device, hellos between",
            "hellos",
            "1 (5 s)",
            1,
            0,
            pushed[1],
            f"pushed {pushed[2]:.0f} ms after the claim was sent, {pushed[3]:.0f} ms after it was answered",
        ),
    ]


def _hellos(stage: Stage, waiting: WaitingDevice, count: int) -> list[Call]:
    """The calls of so many hellos, one after the other."""
    began = stage.log.position()
    for _ in range(count):
        before = stage.runs("receptionist")
        waiting.hello()
        stage.until_runs("receptionist", before + 1)
    return stage.log.since(began)


def _pretend_a_minute(stage: Stage, device: NewDevice) -> None:
    """Nobody waits for a minute here: the row says that the device was last seen long ago."""
    stage.tables.update_item(
        TableName=TABLE,
        Key={"certid": {"S": device.certid}},
        UpdateExpression="SET lastseen = :long_ago",
        ExpressionAttributeValues={":long_ago": {"S": _LONG_AGO}},
    )


def _push(stage: Stage, device: NewDevice, waiting: WaitingDevice, commissioners: int) -> tuple[int, int, float, float]:
    """Commissioner runs but the claim's own, hellos until the route, ms from the claim sent and from it answered."""
    hellos = stage.runs("receptionist")
    sent = time.time()
    stage.claim(device)
    answered = time.time()
    routed, _ = waiting.answer()
    between = stage.runs("receptionist") - hellos
    stage.until_runs("commissioner", commissioners + 1)
    stray = stage.runs("commissioner") - commissioners - 1
    return stray, between, (routed - sent) * 1000, (routed - answered) * 1000
