"""An admission or refusal that is interrupted after any call is completed by a retry."""

from functools import cache
from typing import Any

import pytest

from lobby.domain.history.history_audit import first_broken_entry
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, parse_target
from tests import aws
from tests import certificates as make
from tests.aws import REGION, Clock, CutOff
from tests.functional.lobby.registration_door import CA, GOOD, RegistrationDoor

GOOD_ID = make.fingerprint_of(GOOD)


WARM = [
    "DescribeCertificate",
    "TransactWriteItems",
    "CreateThing",
    "AttachThingPrincipal",
    "AttachPolicy",
    "UpdateCertificate",
]


COLD = [WARM[0], "DescribeCACertificate", "GetObject", "Query", *WARM[1:]]
"""The query reads the enrolments."""


REFUSAL = [*COLD[:3], "TransactWriteItems", "UpdateCertificate"]


TARGET = parse_target("1" * 12, "eu-west-1")


def final_state(certid: Fingerprint) -> tuple[Any, ...]:
    ledger = Ledger(REGION)
    device, entries = ledger.get(certid), ledger.history(certid)
    assert device is not None
    assert first_broken_entry(entries, version=device.version, head=device.head) is None
    return aws.registry(), aws.tables()


@cache
def interrupt(pem: str, *, before: int | None = None, after: int | None = None) -> tuple[Any, ...]:
    """Return the final state of an admission or refusal that was interrupted, and retried by a new Lambda."""
    with aws.aws() as calls:
        door = RegistrationDoor(calls, Clock())
        door.publish(door.ca_id, make.crl(CA, [666]))
        event = door.first_connection(pem)
        calls.cut_before, calls.cut_after = before, after
        if before or after:
            with pytest.raises(CutOff):
                door.deliver(event)
        calls.cut_before = calls.cut_after = None
        door.bouncer = door.new_bouncer()
        door.deliver(event)
        with calls.uncounted():
            return final_state(make.fingerprint_of(pem))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, len(COLD) + 1), ids=lambda number: f"{number}-{COLD[number - 1]}")
def test_an_interrupted_admission_is_completed_by_a_retry(call: int, when: str) -> None:
    assert interrupt(GOOD, **{when: call}) == interrupt(GOOD)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, len(REFUSAL) + 1), ids=lambda number: f"{number}-{REFUSAL[number - 1]}")
def test_an_interrupted_refusal_is_completed_by_a_retry(call: int, when: str) -> None:
    pem = make.pem_of(make.device(CA, serial=666))
    assert interrupt(pem, **{when: call}) == interrupt(pem)
