"""The end of a race: all faults are over, everything is delivered, and the lobby must match the model."""

from lobby.domain.states import State
from lobby.names import Fingerprint
from tests.simulation.races.model import check_always, check_responses, check_settled, row_of
from tests.simulation.races.model_device import ModelViolation
from tests.simulation.races.simulation import Simulation


def settle(simulation: Simulation, repairs: int) -> None:
    """End all faults, let an operator act up to `repairs` times on each device that needs it, and check the result."""

    simulation.closed.clear()
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


def _operators_action(certid: str) -> str:
    """Return what an operator does for a device that needs it; empty for a device that does not."""
    row = row_of(certid)
    if row is None:
        raise ModelViolation(f"got no row of {certid}, which was powered")
    if row.devstate is State.PROVING:
        return "confirm"
    return "retry" if row.devstate is State.FAILED or row.targets_to_clear else ""
