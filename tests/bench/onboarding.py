"""The budget of one onboarding: a new device with the reference client, claimed while it waits, until it has arrived.

Counted is everything from the power switch to the arrival, knocks at a closed door included, of the Lambdas that lead
there. What the notary then puts for each entry is waited for and told beside it. The history's hash chain is checked
afterwards, uncounted.
"""

import statistics
from dataclasses import dataclass
from typing import Final

from infra.local.demo import HISTORY
from infra.local.powered_device import PoweredDevice
from tests.bench.calls import Call, of, told
from tests.bench.report import Row
from tests.bench.stage import NewDevice, Stage, until

_ON_THE_WAY: Final = frozenset(
    {"bouncer", "receptionist", "admin-api", "commissioner", "commissioner in target", "arrivals"}
)
_EVENTS: Final = ["admit", "hello", "claim", "commission", "arrive"]


@dataclass(frozen=True)
class Onboarding:
    """What one device took. `knocks` are its connects until it was let in; each but the last may start a bouncer.
    `anchored` are the notary's calls, on which nobody waits."""

    calls: list[Call]
    anchored: list[Call]
    bouncers: int
    commissioners: int
    knocks: int


def measure(stage: Stage) -> Onboarding:
    """One onboarding. Raises `TimeoutError`, or `ValueError` where the history is not what it should be."""
    device = stage.new_device()
    began, before = stage.log.position(), (stage.runs("bouncer"), stage.runs("commissioner"))
    powered = PoweredDevice(stage.file, device.paths, stage.local.state / "devices" / device.name)
    try:
        stage.until_state(device, "inlobby")
        stage.claim(device)
        stage.until_state(device, "arrived")
        knocks = 1 + sum(event["event"] == "refused" for event in powered.events())
        stage.until_runs("bouncer", before[0] + knocks - 1)
    finally:
        powered.stop()
    stage.until_runs("commissioner", before[1] + 1)
    until("every entry is anchored", lambda: len(of(stage.log.since(began), "notary")) >= len(_EVENTS))
    calls = stage.log.since(began)
    _check_history(stage, device)
    counted = [call for call in calls if call.by in _ON_THE_WAY]
    return Onboarding(
        counted, of(calls, "notary"), stage.runs("bouncer") - before[0], stage.runs("commissioner") - before[1], knocks
    )


def _check_history(stage: Stage, device: NewDevice) -> None:
    found = stage.api.ask(HISTORY, id=device.certid)["device"]
    events = [entry["event"] for entry in found["history"]]
    if events != _EVENTS or not found["historyIntact"]:
        raise ValueError(f"got history {events}, intact: {found['historyIntact']}, want {_EVENTS}, intact")


def rows(measured: list[Onboarding]) -> list[Row]:
    """`measured` are warm. The median counts: a device that knocks twice costs a bouncer more."""
    ordered = sorted(measured, key=lambda one: len(one.calls))
    typical = ordered[(len(ordered) - 1) // 2]
    spread = ", ".join(f"{len(one.calls)}" for one in ordered)
    commissioners = max(one.commissioners for one in measured)
    return [
        Row(
            "one onboarding, claimed while waiting, history and arrival proven",
            "calls",
            "49 calls",
            49,
            18,
            len(typical.calls),
            f"{told(typical.calls)}. Of each device: {spread}.",
        ),
        Row(
            "… commissioner runs for the claim",
            "runs",
            "3+ runs",
            3,
            1,
            commissioners,
            f"{len(of(typical.calls, 'commissioner'))} calls in the lobby, "
            f"{len(of(typical.calls, 'commissioner in target'))} in the target.",
        ),
        Row(
            "… and its entries anchored outside of the table, afterwards",
            "calls",
            "none",
            None,
            len(_EVENTS),
            max(len(one.anchored) for one in measured),
            f"{told(typical.anchored)}, by nobody waited for.",
        ),
    ]


def knocking(cold: Onboarding, warm: list[Onboarding]) -> tuple[tuple[str, ...], ...]:
    """Knocks and bouncer runs, cold and warm, as lines of a section."""
    return (
        ("cold", "1", str(cold.knocks), str(cold.bouncers), str(len(of(cold.calls, "bouncer")))),
        (
            "warm",
            str(len(warm)),
            _mean([one.knocks for one in warm]),
            _mean([one.bouncers for one in warm]),
            _mean([len(of(one.calls, "bouncer")) for one in warm]),
        ),
    )


def _mean(values: list[int]) -> str:
    return f"{statistics.mean(values):.1f}"
