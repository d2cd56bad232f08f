"""The end of a race: all faults are over, everything is delivered, and the lobby must match the model. As the sweeper
does every five minutes, a lane is started in which devices wait without a worker: a killed worker of a message that SQS
had delivered twice has taken over the devices of later messages.
"""

from commissioner.sweeping.lane_watch import START_AFTER
from lobby.domain.states import State
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint
from tests import aws
from tests.simulation.faults.recurring_work import lane_watch
from tests.simulation.races.model import check_always, check_responses, check_settled, row_of
from tests.simulation.races.model_device import ModelViolation
from tests.simulation.races.simulation import Simulation


def settle(simulation: Simulation, repairs: int) -> None:
    """End all faults, let an operator act up to `repairs` times on each device that needs it, and check the result."""

    simulation.closed.clear()
    simulation.settle(check_always)
    if any(row is not None and row.needs_commissioner for row in map(row_of, simulation.streams)):
        _start_lanes(simulation)
        simulation.settle(check_always)
    for _ in range(repairs):
        stuck = [certid for certid in simulation.streams if _operators_action(certid)]
        if not stuck:
            break
        for certid in stuck:
            simulation.finish(simulation.request(_operators_action(certid), Fingerprint(certid)))
        simulation.settle(check_always)
    check_settled(simulation.devices.values())
    check_responses(simulation.requests)


def _start_lanes(simulation: Simulation) -> None:
    simulation.clock.advance(seconds=START_AFTER.total_seconds() + 1)
    ledger = Ledger(aws.REGION, simulation.clock, pause=lambda _attempt: None)
    lane_watch(ledger, simulation.clock).check()


def _operators_action(certid: str) -> str:
    """Return what an operator does for a device that needs it; empty for a device that does not."""
    row = row_of(certid)
    if row is None:
        raise ModelViolation(f"got no row of {certid}, which was powered")
    if row.devstate is State.PROVING:
        return "confirm"
    return "retry" if row.devstate is State.FAILED or row.targets_to_clear else ""
