"""Races of a renewal with users' changes of the device, and with another request for a certificate.

In every order, certificates that the row no longer names are active nowhere (`model`), and the device ends up where the
user has sent it. AWS IoT may have issued certificates that no row names: they are INACTIVE.
"""

from collections.abc import Callable
from typing import Final

from lobby.names import Target
from tests import aws
from tests.simulation.faults.devices import A, B
from tests.simulation.faults.renewals import asked, device_of_all
from tests.simulation.faults.renewing_device import RenewingDevice
from tests.simulation.races.deliveries import Invocation
from tests.simulation.races.model import model_devices, row_of
from tests.simulation.races.model_device import ModelViolation
from tests.simulation.races.race import Check, Race, StartActors, all_of, ends_as, one
from tests.simulation.races.scheduler import Actor
from tests.simulation.races.simulation import Simulation


def _device(simulation: Simulation) -> RenewingDevice:
    device = device_of_all(simulation.devices)
    device.holds_back = False
    return device


def device_requests(simulation: Simulation) -> Actor:
    """The device sends its request, which invokes the renewer."""
    device = _device(simulation)
    device.powered = True
    simulation.device_actions.act(device)
    return simulation.invoke(simulation.pending[-1])


def _requests_with_a_lost_key(simulation: Simulation) -> list[Actor]:
    """The device loses its new key just after it has sent its request, and sends another one."""
    first, device = device_requests(simulation), _device(simulation)
    device.lose_new_key()
    return [first, device_requests(simulation)]


def _signed(simulation: Simulation) -> None:
    simulation.finish(device_requests(simulation))


def _commissioned(simulation: Simulation) -> None:
    _signed(simulation)
    simulation.finish_work(one(simulation))


def _arrival(simulation: Simulation) -> Actor:
    """The device connects to its target with the new certificate, which reports it."""
    while not any(invocation.function == "arrivals" for invocation in simulation.pending):
        simulation.device_actions.act(_device(simulation))
    return simulation.invoke(simulation.pending[-1])


def _arrived(simulation: Simulation) -> None:
    _commissioned(simulation)
    simulation.finish(_arrival(simulation))


def _during(
    reached: Callable[[Simulation], None], step: Callable[[Simulation], Actor], event: str, target: Target | None
) -> StartActors:
    """Return the actors of a step of the renewal and of a user's change, after the steps before were finished."""

    def start(simulation: Simulation) -> list[Actor]:
        reached(simulation)
        return [step(simulation), simulation.request(event, one(simulation), target)]

    return start


def _nothing(_simulation: Simulation) -> None:
    """The device was asked."""


def _work(simulation: Simulation) -> Actor:
    """Return a worker of the device's lane, as soon as SQS delivers its message."""
    while simulation.streams[one(simulation)].waiting:
        simulation.finish(simulation.deliver(one(simulation)))
    simulation.clock.time = max(simulation.clock.time, simulation.lanes.next_visible_at() or simulation.clock.time)
    return simulation.start_work(one(simulation))


def next_day(simulation: Simulation) -> None:
    """The daily round asks the device again, if it has not renewed."""
    simulation.clock.advance(days=1)
    simulation.finish(simulation.invoke(Invocation("reconciler", {}, one(simulation))))


def _has_renewed(simulation: Simulation) -> None:
    """The device has one certificate, the row's, and the first one is retired everywhere."""
    row, device = row_of(one(simulation)), _device(simulation)
    if row is None or row.pending or row.renew_by or row.current == row.certid:
        raise ModelViolation(f"got {row}, want it renewed")
    if device.candidates(aws.HOME) != (row.current,):
        raise ModelViolation(f"got certificates {device.candidates(aws.HOME)} in the device, want {row.current}")


def _was_asked(simulation: Simulation) -> None:
    """Its history shows each time that the device was asked in its target."""
    if not model_devices()[one(simulation)].asked:
        raise ModelViolation("got no entry that the device was asked, want at least one")


def _is_excluded(simulation: Simulation) -> None:
    """No certificate of the lobby works, also none that no row names."""
    active = [certid for certid, status in aws.registry()["certificates"].items() if status == "ACTIVE"]
    if active:
        raise ModelViolation(f"got {active} active, want none of a revoked device")


_STEPS: Final = (
    ("request", _nothing, device_requests),
    ("commissioning", _signed, _work),
    ("arrival", _commissioned, _arrival),
    ("retirement", _arrived, _work),
)
_CHANGES: Final[tuple[tuple[str, Target | None, Check], ...]] = (
    ("move", B, all_of(ends_as("arrived", B), _has_renewed)),
    ("release", None, ends_as("inlobby")),
    ("revoke", None, all_of(ends_as("revoked"), _is_excluded)),
)
RENEWAL_RACES: Final = (
    *(
        Race(
            f"renewal: its {step}, and {event}",
            asked,
            _during(reached, start, event, target),
            all_of(check, _was_asked),
            then=next_day,
        )
        for step, reached, start in _STEPS
        for event, target, check in _CHANGES
    ),
    Race(
        "renewal: requests for two keys",
        asked,
        _requests_with_a_lost_key,
        all_of(ends_as("arrived", A), _has_renewed, _was_asked),
        then=next_day,
    ),
)
