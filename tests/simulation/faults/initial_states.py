"""The states that scenarios start from, each reached without faults."""

from typing import Final

from moto.iot.models import iot_backends

from lobby.names import Target
from tests import aws
from tests import certificates as make
from tests.simulation.faults import api_requests
from tests.simulation.faults.devices import A, B, Fleet, SimulatedDevice
from tests.simulation.faults.setup import CA, deploy_policy

ONE, TWO, THREE = "sensor-1", "sensor-2", "sensor-3"
C: Final = Target(A.account, B.region)
"""Another Region of an account that has a target already."""
_CERTIFICATES: Final[dict[tuple[str, int], str]] = {}


def add_device(fleet: Fleet, name: str = ONE, pem: str | None = None, issuer: str = CA.pem) -> SimulatedDevice:
    """Add a device that has never connected."""
    number = int(name[-1])
    if pem is None and (name, number) not in _CERTIFICATES:
        _CERTIFICATES[name, number] = make.pem_of(make.device(CA, name, serial=1000 + number, number=number))
    fleet.devices[name] = SimulatedDevice(name, pem or _CERTIFICATES[name, number], issuer)
    return fleet.devices[name]


def unconnected(fleet: Fleet) -> None:
    add_device(fleet)


def claimed_unconnected(fleet: Fleet) -> None:
    add_device(fleet)
    api_requests.claim(fleet, ONE, A)


def waiting(fleet: Fleet) -> None:
    add_device(fleet)
    fleet.power_on(ONE)


def waiting_for_minutes(fleet: Fleet) -> None:
    waiting(fleet)
    fleet.cloud.settle()
    fleet.clock.advance(minutes=2)


def waiting_where_a_code_is_asked_for(fleet: Fleet) -> None:
    api_requests.register(fleet, A, "with presence codes", presence=True)
    waiting(fleet)
    fleet.devices[ONE].shows = True
    fleet.cloud.settle()


def proving(fleet: Fleet) -> None:
    waiting_where_a_code_is_asked_for(fleet)
    api_requests.claim(fleet, ONE, A)
    fleet.cloud.settle()


def arrived(fleet: Fleet) -> None:
    waiting(fleet)
    fleet.cloud.settle()
    api_requests.claim(fleet, ONE, A)


def arrived_long_ago(fleet: Fleet) -> None:
    arrived(fleet)
    fleet.cloud.settle()
    fleet.clock.advance(minutes=5)


def deactivated_by_its_target(fleet: Fleet) -> None:
    """The target's owner has deactivated its certificate; the device is back in the lobby."""
    arrived(fleet)
    fleet.cloud.settle()
    iot_backends[A.account][A.region].certificates[fleet.devices[ONE].certid].status = "INACTIVE"


def moved(fleet: Fleet) -> None:
    """Moved from A to B."""
    arrived(fleet)
    fleet.cloud.settle()
    api_requests.move(fleet, ONE, B)


def released(fleet: Fleet) -> None:
    arrived(fleet)
    fleet.cloud.settle()
    api_requests.release(fleet, ONE)


def three(fleet: Fleet) -> None:
    """Two devices wait, and one has never connected."""
    for name in (ONE, TWO, THREE):
        add_device(fleet, name)
    fleet.power_on(ONE)
    fleet.power_on(TWO)


def with_cameras_in_a(fleet: Fleet) -> None:
    arrived(fleet)
    api_requests.register(fleet, A, "cameras", ("default", "camera"))
    deploy_policy(A, "camera")


def failed_without_a_policy(fleet: Fleet) -> None:
    """The policy has been deployed since; the device needs a retry."""
    waiting(fleet)
    api_requests.register(fleet, A, "cameras", ("camera",))
    fleet.cloud.settle()
    api_requests.claim(fleet, ONE, A)
    fleet.cloud.settle()
    deploy_policy(A, "camera")


def revoked_unconnected(fleet: Fleet) -> None:
    add_device(fleet)
    api_requests.revoke(fleet, ONE)


def revoked_with_an_active_certificate(fleet: Fleet) -> None:
    """Revoked, with its certificate activated at the same time."""
    waiting(fleet)
    fleet.cloud.settle()
    api_requests.revoke(fleet, ONE)
    fleet.cloud.settle()
    aws.client("iot").update_certificate(certificateId=fleet.devices[ONE].certid, newStatus="ACTIVE")
    fleet.devices[ONE].powered = False
