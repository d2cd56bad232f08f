"""The registrar accepts devices of another lobby: what is registered, and that repeating the request completes an
acceptance that was interrupted after any AWS call."""

from functools import cache
from typing import Any, Final

import pytest

from lobby.contracts.transfers import AcceptDevices, DeviceToAccept
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.clock import timestamp
from lobby.names import Fingerprint, ThingName
from tests import aws
from tests import certificates as make
from tests.aws import WAITING_POLICY, Calls, Clock, CutOff
from tests.functional.lobby.claim_door import A, ClaimDoor

OTHER_CA: Final = make.authority(number=3)
"""A CA that this lobby does not know."""
ORIGIN: Final = "2" * 12 + "/us-east-1"
OFFERED_AT: Final = timestamp(make.NOW)


@cache
def pem_of(name: str) -> str:
    return make.pem_of(make.device(OTHER_CA, name, number=len(name), serial=7000 + len(name)))


def request(*names: str) -> AcceptDevices:
    devices = tuple(DeviceToAccept(make.fingerprint_of(pem_of(name)), ThingName(name), pem_of(name)) for name in names)
    return AcceptDevices("a" * 32, ORIGIN, OFFERED_AT, "2030-01-01T00:00:00.000Z", "user:bob", devices)


def outcome(cut_after: int | None) -> tuple[Any, ...]:
    """Accept a device, cut off after so many calls and repeated. Return the content of the ledger and of AWS IoT."""
    with aws.aws() as calls:
        door = ClaimDoor(calls, Clock())
        calls.forget()
        calls.cut_after = cut_after
        if cut_after is not None:
            with pytest.raises(CutOff):
                door.acceptance.accept(request("pump-1"))
            calls.cut_after = None
        (result,) = door.acceptance.accept(request("pump-1"))
        made = len(calls.made)
        device = door.ledger.get(make.fingerprint_of(pem_of("pump-1")))
        history = [each.event for each in door.ledger.history(make.fingerprint_of(pem_of("pump-1")))]
        return result, device, history, aws.registry(), made


def test_an_accepted_certificate_is_active_with_thing_and_policy() -> None:
    result, device, history, registry, made = outcome(None)
    certid = make.fingerprint_of(pem_of("pump-1"))
    assert (result.here, result.code, history, made) == (certid, None, ["accept"], 9)
    assert device.devicename == "pump-1"
    assert registry["certificates"][certid] == "ACTIVE"
    assert [policy for principal, policy in registry["policies"] if certid in principal] == [WAITING_POLICY]


@pytest.mark.parametrize("cut_after", [1, 2, *range(4, 9)])  # the third call has no answer: no such certificate
def test_an_interruption_after_any_call_does_not_change_the_outcome(cut_after: int) -> None:
    assert outcome(cut_after)[:-1] == outcome(None)[:-1]


def test_a_certificate_that_has_knocked_before_is_accepted(calls: Calls) -> None:
    door = ClaimDoor(calls, Clock())
    door.issue(pem_of("pump-1"))
    (result,) = door.acceptance.accept(request("pump-1"))
    assert result.here is not None
    assert aws.registry()["certificates"][result.here] == "ACTIVE"


def renew(door: ClaimDoor, certid: Fingerprint, new: Fingerprint) -> None:
    """The accepted device gets a target, renews its certificate, and the old one is retired."""
    ledger = door.ledger
    with door.calls.uncounted():
        claimed = ledger.claim(certid, ClaimRequest(A), "user:bob")
        device = ledger.arrive(ledger.commission(claimed, "a.example", "commissioner"), "arrivals")
        device = ledger.renew(ledger.due(device, "2030-01-01T00:00:00.000Z", "job"), new, "PEM", None, "renewer")
        device = ledger.arrive(ledger.commission(device, "a.example", "commissioner"), "arrivals", new)
        ledger.retire_certificates(device, device.retiring, "commissioner")
        door.iot.update_certificate(certificateId=certid, newStatus="INACTIVE")


def test_a_certificate_that_the_device_has_replaced_since_stays_inactive(calls: Calls) -> None:
    door, certid = ClaimDoor(calls, Clock()), make.fingerprint_of(pem_of("pump-1"))
    door.acceptance.accept(request("pump-1"))
    renew(door, certid, Fingerprint("9" * 64))
    (result,) = door.acceptance.accept(request("pump-1"))
    assert (result.here, result.code) == (certid, None)
    assert aws.registry()["certificates"][certid] == "INACTIVE"


@pytest.mark.parametrize("status", ["ACTIVE", "INACTIVE", "REVOKED"])
def test_a_certificate_that_the_account_has_for_another_purpose_is_refused(calls: Calls, status: Any) -> None:
    door = ClaimDoor(calls, Clock())
    certid = door.issue(pem_of("pump-1"))
    with calls.uncounted():
        door.iot.update_certificate(certificateId=certid, newStatus=status)
    (result,) = door.acceptance.accept(request("pump-1"))
    assert (result.here, result.code) == (None, "CERTIFICATE_IN_USE")
    assert door.ledger.get(certid) is None
    assert aws.registry()["certificates"][certid] == status


def test_a_certificate_that_an_administrator_has_revoked_stays_revoked(calls: Calls) -> None:
    door = ClaimDoor(calls, Clock())
    (result,) = door.acceptance.accept(request("pump-1"))
    with calls.uncounted():
        door.iot.update_certificate(certificateId=result.here or "", newStatus="REVOKED")
    (again,) = door.acceptance.accept(request("pump-1"))
    assert again.code == "CERTIFICATE_IN_USE"
