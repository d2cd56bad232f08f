"""Races of the completion of a transfer with users' changes of the device, its commissioning, and its renewal.

In every order, no certificate is ACTIVE in a target that the row has not, or has left (`model`). A device whose
transfer is completed is no longer in a target of this lobby, so only its new lobby can activate its certificate there.
"""

from typing import Final

from lobby.names import Target
from tests.simulation.faults import initial_states
from tests.simulation.faults.devices import A, B
from tests.simulation.faults.renewals import asked
from tests.simulation.races.model import row_of
from tests.simulation.races.model_device import ModelViolation
from tests.simulation.races.race import Check, Race, StartActors, all_of, ends_as, one
from tests.simulation.races.renewal_races import device_requests, next_day
from tests.simulation.races.scheduler import Actor
from tests.simulation.races.simulation import Simulation
from tests.simulation.races.user_requests import DONE


def _offered_and(*others: tuple[str, Target | None]) -> StartActors:
    """The completion of an offered device's transfer, and other requests at the same time."""

    def start(simulation: Simulation) -> list[Actor]:
        _offer(simulation)
        return [simulation.request(event, one(simulation), target) for event, target in (("transfer", None), *others)]

    return start


def _offer(simulation: Simulation) -> None:
    simulation.finish(simulation.request("offer", one(simulation)))


def _while_commissioned(simulation: Simulation) -> list[Actor]:
    """The completion, while a worker registers the device in its target."""
    simulation.finish(simulation.request("claim", one(simulation), A))
    _offer(simulation)
    return [simulation.start_work(one(simulation)), simulation.request("transfer", one(simulation))]


def _while_cleared(simulation: Simulation) -> list[Actor]:
    """The withdrawal of a completed transfer, while a worker clears the device's target."""
    _offer(simulation)
    simulation.finish(simulation.request("transfer", one(simulation)))
    return [simulation.start_work(one(simulation)), simulation.request("withdraw", one(simulation))]


def _while_renewed(simulation: Simulation) -> list[Actor]:
    """The completion, and the device's request for a new certificate."""
    _offer(simulation)
    return [device_requests(simulation), simulation.request("transfer", one(simulation))]


def _transferred(simulation: Simulation) -> None:
    done = [request.event for request in simulation.requests if request.answer == DONE]
    if "transfer" not in done:
        raise ModelViolation(f"got answers {simulation.requests}, want the transfer done")


def _either(simulation: Simulation) -> None:
    """The transfer was completed, or the device has renewed its certificate; never both."""
    row = row_of(one(simulation))
    [transfer] = [request for request in simulation.requests if request.event == "transfer"]
    renewed = row is not None and row.certificate is not None
    state = row.devstate if row else None
    wanted = ("transferred", False) if transfer.answer == DONE else ("arrived", True)
    if (state, renewed) != wanted:
        raise ModelViolation(f"got {row} after {transfer}, want {wanted}")


_gone: Final[Check] = all_of(_transferred, ends_as("transferred"))
TRANSFER_RACES: Final = (
    Race("transfer, and release", initial_states.arrived, _offered_and(("release", None)), _gone),
    Race("transfer, and move", initial_states.arrived, _offered_and(("move", B)), _gone),
    Race("transfer, and revocation", initial_states.arrived, _offered_and(("revoke", None)), ends_as("revoked")),
    Race("transfer, and retry", initial_states.arrived, _offered_and(("retry", None)), _gone),
    Race("transfer, and withdrawal", initial_states.arrived, _offered_and(("withdraw", None))),
    Race("transfer, and claim", initial_states.waiting, _offered_and(("claim", A)), _gone),
    Race("transfer, and commissioning", initial_states.waiting, _while_commissioned, _gone),
    Race("transfer, withdrawn while its target is cleared", initial_states.arrived, _while_cleared, ends_as("inlobby")),
    Race("transfer, and renewal", asked, _while_renewed, _either, then=next_day),
)
