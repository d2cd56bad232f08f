"""Every hostile certificate is refused by the bouncer, gets no access, and has a row with the reason."""

from collections.abc import Callable

import pytest
from moto.iot.models import iot_backends

from lobby.domain.history.history_audit import first_broken_entry
from lobby.domain.identity import load_certificate
from lobby.domain.states import Event, State
from lobby.errors import IdentityRefused
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint
from tests import aws
from tests import certificates as make
from tests.aws import LOBBY, REGION, Calls, Clock
from tests.functional.lobby.registration_door import RegistrationDoor
from tests.hostile import HOSTILE, Maker

MAKER = Maker(number=20)
"""A manufacturer other than that of `RegistrationDoor`."""


@pytest.fixture
def door(calls: Calls, clock: Clock) -> RegistrationDoor:
    return RegistrationDoor(calls, clock)


def first_connection(door: RegistrationDoor, pem: str, issuer: make.Issuer) -> dict[str, object]:
    """Register the certificate as AWS IoT does. One that moto cannot read replaces one that it can."""
    try:
        load_certificate(pem)
    except IdentityRefused:
        event = door.first_connection(make.pem_of(MAKER.good), issuer)
        iot_backends[LOBBY][REGION].certificates[str(event["certificateId"])].certificate_pem = pem
        return event
    return door.first_connection(pem, issuer)


def name_is_taken(door: RegistrationDoor, _ca_id: str) -> None:
    other = door.first_connection(MAKER.pem(number=2), MAKER.ca)
    assert door.deliver(other) == "admitted"


def was_revoked(door: RegistrationDoor, _ca_id: str) -> None:
    with door.calls.uncounted():
        Ledger(REGION).revoke(make.fingerprint_of(make.pem_of(MAKER.good)), "stolen", "user:ann")


def ca_unregistered(door: RegistrationDoor, ca_id: str) -> None:
    with door.calls.uncounted():
        del iot_backends[LOBBY][REGION].ca_certificates[ca_id]


def ca_deactivated(door: RegistrationDoor, ca_id: str) -> None:
    with door.calls.uncounted():
        door.iot.update_ca_certificate(certificateId=ca_id, newStatus="INACTIVE")


BEFORE: dict[str, Callable[[RegistrationDoor, str], None]] = {
    "": lambda _door, _ca_id: None,
    "the name is taken": name_is_taken,
    "it was revoked": was_revoked,
    "the CA was unregistered": ca_unregistered,
    "the CA was deactivated": ca_deactivated,
}


@pytest.mark.filterwarnings("ignore:Attribute's length", "ignore:Parsed a serial number")
@pytest.mark.parametrize("hostile", [name for name, row in HOSTILE.items() if row.code != "CA_INVALID"])
def test_a_hostile_certificate_is_never_active_and_has_a_row_with_the_reason(
    door: RegistrationDoor, ledger: Ledger, hostile: str
) -> None:
    row = HOSTILE[hostile]
    issuer = row.issuer(MAKER)
    ca_id = door.register_ca(issuer, row.list_for(MAKER))
    event = first_connection(door, row.certificate(MAKER), issuer)
    certid = Fingerprint(str(event["certificateId"]))
    BEFORE[row.before](door, ca_id)
    others = aws.registry()
    assert door.deliver(event) == row.code
    assert door.deliver(event) == "settled"
    assert aws.registry() == others | {"certificates": {**others["certificates"], certid: "INACTIVE"}}
    with door.calls.uncounted():
        device, entries = ledger.get(certid), ledger.history(certid)
    assert device is not None
    final = State.REVOKED if row.code == "REVOKED" else State.REFUSED
    assert (device.devstate, device.reason) == (final, row.code)
    assert device.message
    assert [(entry.event, entry.reason) for entry in entries] == [
        (Event.REVOKE, "stolen") if final is State.REVOKED else (Event.REFUSE, row.code)
    ]
    assert first_broken_entry(entries, version=device.version, head=device.head) is None
