"""Races of two lobbies that share a target: a device is transferred between them while both work on it there, or their
devices have the same name.

In every order, the lobby that has the device in the end has its complete registration in the target, and neither lobby
changes what belongs to the other.
"""

from collections.abc import Callable
from typing import Final

from moto.iot.models import iot_backends

from lobby.deployment import NAMES
from lobby.names import Fingerprint
from tests import aws
from tests import certificates as make
from tests.simulation.faults import initial_states
from tests.simulation.faults.devices import A, Fleet
from tests.simulation.faults.initial_states import ONE, TWO
from tests.simulation.faults.other_lobby import (
    POLICY,
    OtherLobby,
    names_of_actors,
    other_lobby,
    transferred_from,
    with_pem,
)
from tests.simulation.faults.renewals import asked, renew
from tests.simulation.faults.setup import CA, InitialState
from tests.simulation.races.model import row_of
from tests.simulation.races.model_device import ModelViolation
from tests.simulation.races.race import Check, Race, all_of, ends_as, one
from tests.simulation.races.scheduler import Actor
from tests.simulation.races.simulation import Simulation

_EARLIER: Final = Fingerprint("e" * 64)
"""The certificate that the device has renewed in the other lobby."""
_SAME_NAME: Final = make.pem_of(make.device(CA, ONE, serial=3000, number=2))
_OTHER_NAME: Final = make.pem_of(make.device(CA, TWO, serial=3001, number=2))


def _shared(then: InitialState) -> InitialState:
    """Both lobbies have deployed their policies in A."""

    def begin(fleet: Fleet) -> None:
        iot_backends[A.account][A.region].create_policy(POLICY, {})
        then(fleet)

    return begin


def _renewed(fleet: Fleet) -> None:
    """A device that has arrived in A has renewed its certificate."""
    asked(fleet)
    renew(fleet)


def _arrived_elsewhere(first: Fingerprint | None) -> InitialState:
    """The device waits. The other lobby, from which it came, has registered it in A."""

    def begin(fleet: Fleet) -> None:
        initial_states.waiting(fleet)
        fleet.cloud.settle()
        with names_of_actors():
            _former_lobby(fleet.devices[ONE].certid, first).register()

    return begin


def _former_lobby(certid: Fingerprint, first: Fingerprint | None) -> OtherLobby:
    return other_lobby(ONE, certid, A, first)


def _start(simulation: Simulation, work: Callable[[], object]) -> Actor:
    return simulation.start("the other lobby", work)


def _transferred_away(simulation: Simulation) -> list[Actor]:
    """A worker clears A of the transferred device, and the device's new lobby registers it there."""
    for event in ("offer", "transfer"):
        simulation.finish(simulation.request(event, one(simulation)))
    return [simulation.start_work(one(simulation)), _start(simulation, _new_lobby(simulation).register)]


def _new_lobby(simulation: Simulation) -> OtherLobby:
    row = row_of(one(simulation))
    if row is None:
        raise ModelViolation("got no row, want a device")
    return other_lobby(ONE, row.current, A)


def _is_of_the_new_lobby(simulation: Simulation) -> None:
    _require_complete(_new_lobby(simulation))


def _require_complete(lobby: OtherLobby) -> None:
    missing = lobby.has_registered()
    if missing:
        raise ModelViolation(f"got {missing} of {lobby} wrong in {aws.registry(A)}, want its registration complete")


def _transferred_here(first: Fingerprint | None) -> Callable[[Simulation], list[Actor]]:
    """A worker registers the device in A, and its former lobby clears A."""

    def start(simulation: Simulation) -> list[Actor]:
        simulation.finish(simulation.request("claim", one(simulation), A))
        former = transferred_from(_former_lobby(one(simulation), first))
        return [simulation.start_work(one(simulation)), _start(simulation, former.clear)]

    return start


def _is_ours(simulation: Simulation) -> None:
    found = aws.registry(A)
    thing, policies = found["things"][ONE], [policy for _, policy in found["policies"]]
    if thing["certid"] != one(simulation) or "left" in thing["claim"] or "staging" in thing["claim"]:
        raise ModelViolation(f"got {thing}, want it as the lobby has registered it")
    if policies != [NAMES.policy("default")]:
        raise ModelViolation(f"got policies {policies}, want this lobby's only")


def _with_another(pem: str, name: str, event: str) -> Callable[[Simulation], list[Actor]]:
    """A worker processes a user's request, and the other lobby registers its own device in A."""

    def start(simulation: Simulation) -> list[Actor]:
        simulation.finish(simulation.request(event, one(simulation), A if event == "claim" else None))
        return [simulation.start_work(one(simulation)), _start(simulation, with_pem(name, pem, A).register)]

    return start


def _release_if_failed(simulation: Simulation) -> None:
    """A device that could not be registered is released."""
    row = row_of(one(simulation))
    if row is not None and row.devstate == "failed":
        simulation.finish(simulation.request("release", one(simulation)))


def _one_has_the_thing(simulation: Simulation) -> None:
    """The other lobby has the thing and its device is registered, or this lobby has, and nothing of the other is."""
    row, other = row_of(one(simulation)), with_pem(ONE, _SAME_NAME, A)
    if row is not None and row.devstate == "arrived":
        _is_ours(simulation)
        if aws.status(other.device.certid, A) is not None:
            raise ModelViolation(f"got {aws.registry(A)}, want no certificate whose name is taken")
    else:
        _require_complete(other)


def _other_is_complete(_simulation: Simulation) -> None:
    _require_complete(with_pem(TWO, _OTHER_NAME, A))


_gone: Final[Check] = all_of(ends_as("transferred"), _is_of_the_new_lobby)
_here: Final[Check] = all_of(ends_as("arrived", A), _is_ours)
SHARED_TARGET_RACES: Final = (
    Race(
        "two lobbies: clearing, and the new lobby's registration",
        _shared(initial_states.arrived),
        _transferred_away,
        _gone,
    ),
    Race(
        "two lobbies: clearing, and the new lobby's registration of a renewed device",
        _shared(_renewed),
        _transferred_away,
        _gone,
    ),
    Race(
        "two lobbies: registration, and the former lobby's clearing",
        _shared(_arrived_elsewhere(None)),
        _transferred_here(None),
        _here,
    ),
    Race(
        "two lobbies: registration, and the former lobby's clearing of a renewed device",
        _shared(_arrived_elsewhere(_EARLIER)),
        _transferred_here(_EARLIER),
        _here,
    ),
    Race(
        "two lobbies: two devices with one name",
        _shared(initial_states.waiting),
        _with_another(_SAME_NAME, ONE, "claim"),
        _one_has_the_thing,
        then=_release_if_failed,
    ),
    Race(
        "two lobbies: release, and the registration of another device",
        _shared(initial_states.arrived),
        _with_another(_OTHER_NAME, TWO, "release"),
        all_of(ends_as("inlobby"), _other_is_complete),
    ),
)
