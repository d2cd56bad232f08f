"""Where the stories begin: lives of devices up to some point, lived undisturbed."""

from typing import Final

from moto.iot.models import iot_backends

from lobby.names import Target
from tests import aws
from tests import certificates as make
from tests.simulation.faults import presses
from tests.simulation.faults.field import A, B, Field, FieldDevice
from tests.simulation.faults.ground import CA, deploy_policy

ONE, TWO, THREE = "sensor-1", "sensor-2", "sensor-3"
C: Final = Target(A.account, B.region)
"""Another Region of an account that has a target already."""
_CERTIFICATES: Final[dict[tuple[str, int], str]] = {}


def box(field: Field, name: str = ONE, pem: str | None = None, issuer: str = CA.pem) -> FieldDevice:
    """A device in its box."""
    number = int(name[-1])
    if pem is None and (name, number) not in _CERTIFICATES:
        _CERTIFICATES[name, number] = make.pem_of(make.device(CA, name, serial=1000 + number, number=number))
    field.devices[name] = FieldDevice(name, pem or _CERTIFICATES[name, number], issuer)
    return field.devices[name]


def in_its_box(field: Field) -> None:
    box(field)


def claimed_in_its_box(field: Field) -> None:
    box(field)
    presses.claim(field, ONE, A)


def waiting(field: Field) -> None:
    box(field)
    field.power_on(ONE)


def waiting_for_long(field: Field) -> None:
    waiting(field)
    field.cloud.settle()
    field.clock.advance(minutes=2)


def waiting_where_a_code_is_asked_for(field: Field) -> None:
    presses.register(field, A, "guarded", presence=True)
    waiting(field)
    field.devices[ONE].shows = True
    field.cloud.settle()


def proving(field: Field) -> None:
    waiting_where_a_code_is_asked_for(field)
    presses.claim(field, ONE, A)
    field.cloud.settle()


def arrived(field: Field) -> None:
    waiting(field)
    field.cloud.settle()
    presses.claim(field, ONE, A)


def arrived_long_ago(field: Field) -> None:
    arrived(field)
    field.cloud.settle()
    field.clock.advance(minutes=5)


def thrown_out(field: Field) -> None:
    """The target's owner has put its certificate out of use: it is back in the lobby."""
    arrived(field)
    field.cloud.settle()
    iot_backends[A.account][A.region].certificates[field.devices[ONE].certid].status = "INACTIVE"


def moved(field: Field) -> None:
    """From A to B."""
    arrived(field)
    field.cloud.settle()
    presses.move(field, ONE, B)


def released(field: Field) -> None:
    arrived(field)
    field.cloud.settle()
    presses.release(field, ONE)


def three(field: Field) -> None:
    """Two that wait, and one in its box."""
    for name in (ONE, TWO, THREE):
        box(field, name)
    field.power_on(ONE)
    field.power_on(TWO)


def with_cameras_in_a(field: Field) -> None:
    arrived(field)
    presses.register(field, A, "the place of cameras", ("default", "camera"))
    deploy_policy(A, "camera")


def failed_for_want_of_a_policy(field: Field) -> None:
    """It has been mended since; the device waits for somebody to say so."""
    waiting(field)
    presses.register(field, A, "the place of cameras", ("camera",))
    field.cloud.settle()
    presses.claim(field, ONE, A)
    field.cloud.settle()
    deploy_policy(A, "camera")


def banned_in_its_box(field: Field) -> None:
    box(field)
    presses.revoke(field, ONE)


def heard_too_late_of_its_ban(field: Field) -> None:
    """Revoked, and its certificate activated at the same moment."""
    waiting(field)
    field.cloud.settle()
    presses.revoke(field, ONE)
    field.cloud.settle()
    aws.client("iot").update_certificate(certificateId=field.devices[ONE].certid, newStatus="ACTIVE")
    field.devices[ONE].powered = False
