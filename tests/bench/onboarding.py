"""The budget of one onboarding: a new device with the reference client, claimed while it waits, until it has arrived.

Counts the calls of the Lambdas that take part, from power-on to arrival, including connection attempts before the
device is admitted. The notary's calls follow later and have their own row. The history and its anchors are verified
afterwards, which is not counted.
"""

import statistics
from dataclasses import dataclass
from typing import Final

from infra.local.demo import HISTORY
from infra.local.powered_device import PoweredDevice
from tests.bench.calls import Call, calls_by, summary
from tests.bench.deployment import LobbyUnderTest, NewDevice, wait_for
from tests.bench.report import Row

_COUNTED: Final = frozenset(
    {"bouncer", "receptionist", "admin-api", "commissioner", "commissioner in target", "arrivals"}
)
_LEASES: Final = frozenset(f"dynamodb:{each}" for each in ("GetItem", "BatchGetItem", "PutItem", "UpdateItem"))
_LANE: Final = frozenset({"dynamodb:UpdateItem", "dynamodb:BatchGetItem", "sqs:ChangeMessageVisibility"})
"""The commissioner's calls for its lane: the lease, the message, and the row with its certificate."""
_EVENTS: Final = ["admit", "hello", "claim", "commission", "arrive"]


@dataclass(frozen=True)
class Onboarding:
    """The cost of one device. `connection_attempts` are those until it was admitted; each but the last sends a message
    to the bouncer's queue. `queue_calls` take and end its lease, and find duplicates. `lane_calls` are those of
    `_LANE`. `notary_calls` delay no device."""

    calls: list[Call]
    queue_calls: list[Call]
    lane_calls: list[Call]
    notary_calls: list[Call]
    bouncer_runs: int
    commissioner_runs: int
    connection_attempts: int


def measure(lobby: LobbyUnderTest) -> Onboarding:
    """Onboard one device. Raise `TimeoutError`, or `ValueError` if its history is not the expected one."""
    device = lobby.new_device()
    position, before = lobby.log.position(), (lobby.runs("bouncer"), lobby.runs("express"))
    powered = PoweredDevice(lobby.file, device.paths, lobby.local.state / "devices" / device.name)
    try:
        lobby.wait_for_state(device, "inlobby")
        lobby.claim(device)
        lobby.wait_for_state(device, "arrived")
        attempts = 1 + sum(event["event"] == "refused" for event in powered.events())
        lobby.wait_for_empty_queue("device-lobby-registrations")
    finally:
        powered.stop()
    lobby.wait_for_runs("express", before[1] + 1)
    calls = lobby.log.since(position)
    wait_for("every entry is anchored", lambda: _anchored(lobby, device) == len(_EVENTS))
    notary_calls = calls_by(lobby.log.since(position), "notary")
    _check_history(lobby, device)
    return Onboarding(
        [call for call in calls if call.by in _COUNTED and not _of_queue(call) and not _of_lane(call)],
        [call for call in calls if _of_queue(call)],
        [call for call in calls if _of_lane(call)],
        notary_calls,
        lobby.runs("bouncer") - before[0],
        lobby.runs("express") - before[1],
        attempts,
    )


def _anchored(lobby: LobbyUnderTest, device: NewDevice) -> int:
    verdict = lobby.api.ask("query($id: ID!) { verifyHistory(certid: $id) { anchored } }", id=device.certid)
    return int(verdict["verifyHistory"]["anchored"])


def _of_queue(call: Call) -> bool:
    """Return whether the bouncer called the table of leases. For a new device, it writes all others in transactions."""
    return call.by == "bouncer" and call.action in _LEASES


def _of_lane(call: Call) -> bool:
    """Return whether the commissioner made the call for its lane. It writes the device's row in a transaction."""
    return call.by == "commissioner" and call.action in _LANE


def _check_history(lobby: LobbyUnderTest, device: NewDevice) -> None:
    shown = lobby.api.ask(HISTORY, id=device.certid)["device"]
    events = [entry["event"] for entry in shown["history"]]
    if events != _EVENTS or not shown["historyIntact"]:
        raise ValueError(f"got history {events}, intact: {shown['historyIntact']}, want {_EVENTS}, intact")


def rows(warm: list[Onboarding]) -> list[Row]:
    """Return the rows of warm onboardings. The median counts, as a second connection attempt costs a bouncer run."""
    ordered = sorted(warm, key=lambda one: len(one.calls))
    typical = ordered[(len(ordered) - 1) // 2]
    spread = ", ".join(f"{len(one.calls)}" for one in ordered)
    commissioner_runs = max(one.commissioner_runs for one in warm)
    return [
        Row(
            "one onboarding, claimed while waiting, with history and arrival",
            "calls",
            "49 calls",
            49,
            18,
            len(typical.calls),
            f"{summary(typical.calls)}. Of each device: {spread}.",
        ),
        Row(
            "… commissioner runs for the claim",
            "runs",
            "3+ runs",
            3,
            1,
            commissioner_runs,
            f"{len(calls_by(typical.calls, 'commissioner'))} calls in the lobby, "
            f"{len(calls_by(typical.calls, 'commissioner in target'))} in the target.",
        ),
        Row(
            "… and the lease of its message in the bouncer's queue",
            "calls",
            "none",
            None,
            2 + typical.connection_attempts,
            len(typical.queue_calls),
            f"{summary(typical.queue_calls)} for {typical.connection_attempts - 1} messages.",
        ),
        Row(
            "… and its lane: lease, message, row with certificate",
            "calls",
            "none",
            None,
            4,
            len(typical.lane_calls),
            f"{summary(typical.lane_calls)}.",
        ),
        Row(
            "… and anchoring its history entries outside the table, afterwards",
            "calls",
            "none",
            None,
            len(_EVENTS),
            max(len(one.notary_calls) for one in warm),
            f"{summary(typical.notary_calls)}, which delay nobody. On AWS a batching window reduces them.",
        ),
    ]


def registration_lines(cold: Onboarding, warm: list[Onboarding]) -> tuple[tuple[str, ...], ...]:
    """Return connection attempts and bouncer runs, cold and warm, as lines of a section."""
    return (
        (
            "cold",
            "1",
            str(cold.connection_attempts),
            str(cold.bouncer_runs),
            str(len(calls_by(cold.calls, "bouncer"))),
        ),
        (
            "warm",
            str(len(warm)),
            _mean([one.connection_attempts for one in warm]),
            _mean([one.bouncer_runs for one in warm]),
            _mean([len(calls_by(one.calls, "bouncer")) for one in warm]),
        ),
    )


def _mean(values: list[int]) -> str:
    return f"{statistics.mean(values):.1f}"
