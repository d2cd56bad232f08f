"""Devices whose target has a standby: their initial states, and what happens to them. The campaign that prepares the
devices has ended before the first device. Those of an evacuation and a return have not started yet.
"""

from lobby.domain.standby.standby import StandbyMode
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.standby.standbys import Standbys
from lobby.ledger.targets.target_registry import Targets
from tests.aws import HOME
from tests.simulation.faults import api_requests, initial_states
from tests.simulation.faults.devices import A, B, Fleet, arrival_of
from tests.simulation.faults.initial_states import ONE

_ANN = "user:ann"


def _standbys(fleet: Fleet) -> Standbys:
    return Standbys(Targets(lambda: "external-id-0", fleet.clock), Campaigns(fleet.clock), 1000, fleet.clock)


def waiting(fleet: Fleet) -> None:
    """A device waits, and B is the standby of A."""
    initial_states.waiting(fleet)
    fleet.cloud.settle()
    _standbys(fleet).set(A, B, StandbyMode.ACTIVE, _ANN)
    fleet.cloud.timer("sweeper", {}, runs=1)  # creates the campaign, as the API does
    fleet.cloud.settle()


def prepared(fleet: Fleet) -> None:
    """A device has arrived in A and is registered in B."""
    waiting(fleet)
    api_requests.claim(fleet, ONE, A)
    fleet.cloud.settle()
    fleet.say_hello(ONE)  # the visit after the announcement of the standby
    fleet.clock.advance(minutes=5)


def evacuated(fleet: Fleet) -> None:
    """A is evacuated. A no longer accepts the device, which had returned to the lobby before."""
    prepared(fleet)
    fall_back(fleet)
    fleet.cloud.settle()
    _standbys(fleet).evacuate(A, _ANN, "Region down")
    fleet.clock.advance(minutes=5)


def returned(fleet: Fleet) -> None:
    """The evacuation has ended before the row of the device was changed."""
    evacuated(fleet)
    _standbys(fleet).come_back(A, _ANN)
    fleet.clock.advance(minutes=5)


def fall_back(fleet: Fleet) -> None:
    """The device cannot reach its target, and says hello in the lobby."""
    fleet.devices[ONE].connected_to = HOME
    fleet.say_hello(ONE)


def appear_in_the_standby(fleet: Fleet) -> None:
    """The device is connected to the standby, which reports it."""
    fleet.devices[ONE].connected_to = B
    fleet.cloud.send(arrival_of(fleet.devices[ONE], B, fleet.clock()))
