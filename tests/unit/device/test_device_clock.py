"""A wall clock that is wrong: no wait depends on it, it is said once, and the device tries until it has been set."""

import ast
import io
import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest

import device
from device.event_log import Chronicle
from device.machine.events import Failed, Trouble
from device.machine.plan import Plan
from tests.unit.device.endurance import FIELD, LONGEST, NEWEST, TARGET
from tests.unit.device.walk import LOBBY, THING
from tests.unit.device.world import AN_HOUR, Broker, Line, Saying, World

_WALL = {("time", "time"), ("time", "localtime"), ("time", "gmtime"), ("datetime", "now"), ("datetime", "utcnow")}


class Judging(Saying):
    """Certificates are good, by a clock that is: TLS fails while the device's is wrong."""

    def opened(self, link: Line) -> None:
        if link.world.doubt:
            link.say(Failed(link.number, Trouble.UNTRUSTED, "certificate not yet valid"))
        else:
            super().opened(link)


def test_only_the_log_reads_the_wall_clock() -> None:
    found = set()
    for path in Path(str(device.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found |= {path.name} if (node.value.id, node.attr) in _WALL else set()
    assert found == {"event_log.py"}


@pytest.mark.parametrize("doubt", ["the clock says 1970-01-01 00:00", "the clock says 2100-01-01 00:00"])
def test_a_clock_that_is_set_after_hours_lets_the_device_in_within_minutes(doubt: str) -> None:
    world = World({LOBBY: Judging(NEWEST.encode()), TARGET: Broker()}, Plan(THING, (LOBBY,), FIELD))
    world.doubt = doubt

    def set_it() -> None:
        world.doubt = ""

    world.arrange(5 * AN_HOUR, set_it)
    world.live(lambda: world.counts["alive_sent"], within=6 * AN_HOUR)
    assert world.now - (1000 + 5 * AN_HOUR) < 2 * 60
    told = [event for _, event, _ in world.log if event.startswith("clock")]
    assert told == ["clock_doubtful", "clock_plausible"]
    assert world.counts["untrusted"] > 5 * 60
    gaps = [after - before for (before, _), (after, _) in itertools.pairwise(world.dialled)]
    assert max(gaps) < LONGEST


def test_a_clock_that_jumps_while_the_device_serves_changes_nothing_but_the_times_in_its_log() -> None:
    jumps = itertools.cycle([datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)])
    out = io.StringIO()
    chronicle = Chronicle("json", out, lambda: next(jumps))
    world = World({LOBBY: Judging(NEWEST.encode()), TARGET: Judging()}, Plan(THING, (LOBBY,), FIELD))
    world.listeners.append(chronicle.record)

    def jump() -> None:
        world.doubt = "" if world.doubt else "the clock jumps"
        world.arrange(7, jump)

    world.arrange(30, jump)
    world.live_for(AN_HOUR)
    assert world.counts["alive_sent"] in range(58, 68)
    assert world.counts["connecting"] == 2
    assert out.getvalue().count('"at": "1970-01-01T00:00:00.000Z"') > 20
    assert out.getvalue().count("\n") == len(world.log)
