"""Killed acceptances of other lobbies' devices are completed by the timer of the registrar, and nothing else is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from lobby.aws.pacer import Pacer
from lobby.contracts.transfers import AcceptDevices, DeviceToAccept
from lobby.domain.pacing import Pace
from lobby.doors.unfinished_acceptances import EVERY, UNFINISHED, UnfinishedAcceptances
from lobby.ledger.clock import timestamp
from lobby.ledger.models import CertificateRow, LedgerRow
from lobby.ledger.reader import LedgerReader
from lobby.names import Fingerprint, ThingName
from tests import aws
from tests import certificates as make
from tests.aws import WAITING_POLICY, Calls, Clock, CutOff
from tests.functional.lobby.claim_door import ClaimDoor

PEM: Final = make.pem_of(make.device(make.authority(number=3), "pump-1", number=1, serial=7001))
CERTID: Final = make.fingerprint_of(PEM)
REQUEST: Final = AcceptDevices(
    "a" * 32,
    "222222222222/us-east-1",
    timestamp(make.NOW),
    "2030-01-01T00:00:00.000Z",
    "user:bob",
    (DeviceToAccept(CERTID, ThingName("pump-1"), PEM),),
)
STEPS: Final = range(4, 10)
"""The numbers of the calls that write the row and register the certificate. After the last one, nothing is missing."""


@pytest.fixture
def door(calls: Calls, clock: Clock) -> ClaimDoor:
    opened = ClaimDoor(calls, clock)
    calls.forget()
    return opened


def killed_after(door: ClaimDoor, step: int) -> None:
    door.calls.forget()
    door.calls.cut_after = step
    with pytest.raises(CutOff):
        door.acceptance.accept(REQUEST)
    door.calls.cut_after = None


def complete(door: ClaimDoor, note: dict[str, Any] | None = None, after: timedelta = 2 * UNFINISHED) -> int:
    door.clock.advance(seconds=after.total_seconds())
    found = UnfinishedAcceptances(door.iot, LedgerReader(), WAITING_POLICY, Pacer(Pace(1000)), door.clock)
    return found.complete({} if note is None else note)


def policies() -> list[str]:
    return [policy for principal, policy in aws.registry()["policies"] if CERTID in principal]


@pytest.mark.parametrize("step", STEPS)
def test_an_acceptance_that_was_killed_is_completed(door: ClaimDoor, step: int) -> None:
    killed_after(door, step)
    unfinished = step < STEPS[-1]
    assert complete(door) == unfinished
    assert (aws.status(CERTID), policies()) == ("ACTIVE", [WAITING_POLICY])
    assert complete(door) == 0


def test_an_acceptance_that_may_still_be_running_is_left_alone(door: ClaimDoor) -> None:
    killed_after(door, STEPS[0])
    assert complete(door, after=UNFINISHED / 2) == 0
    assert policies() == []


def test_a_certificate_that_an_administrator_has_deactivated_stays_inactive(door: ClaimDoor) -> None:
    door.acceptance.accept(REQUEST)
    door.iot.update_certificate(certificateId=CERTID, newStatus="INACTIVE")
    assert complete(door) == 0
    assert aws.status(CERTID) == "INACTIVE"


@pytest.mark.parametrize("change", ["hello", "revoke"])
def test_a_device_that_has_connected_or_was_revoked_is_not_examined(door: ClaimDoor, change: str) -> None:
    killed_after(door, STEPS[1])
    if change == "hello":
        door.clock.advance(seconds=1)
        accepted = door.ledger.get(CERTID)
        assert accepted is not None
        door.ledger.hello(accepted, None, "service:receptionist")
    else:
        door.ledger.revoke(CERTID, "user:ann", "stolen")
    door.calls.forget()
    assert complete(door) == 0
    assert door.calls.of("DescribeCertificate") == []


def test_accepted_devices_are_examined_once_a_day(door: ClaimDoor) -> None:
    note: dict[str, Any] = {}
    assert complete(door, note) == 0
    killed_after(door, STEPS[0])
    assert complete(door, note) == 0
    assert complete(door, note, EVERY) == 1


def unfinished_pair(door: ClaimDoor) -> list[Fingerprint]:
    """Accept two devices whose certificates have no policy, half an hour ago."""
    certids = list[Fingerprint]()
    for number in (1, 2):
        pem = make.pem_of(make.device(make.authority(number=3), f"pump-{number}", number=number, serial=7000 + number))
        device = DeviceToAccept(make.fingerprint_of(pem), ThingName(f"pump-{number}"), pem)
        door.acceptance.accept(replace(REQUEST, devices=(device,)))
        door.iot.detach_policy(policyName=WAITING_POLICY, target=arn_of(device.certid))
        certids.append(device.certid)
    door.clock.advance(minutes=30)
    return certids


def test_a_walk_continues_at_its_position(door: ClaimDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lobby.doors.unfinished_acceptances.PAGE", 1)
    unfinished_pair(door)
    note: dict[str, Any] = {}
    found = UnfinishedAcceptances(door.iot, LedgerReader(), WAITING_POLICY, Pacer(Pace(1000)), door.clock)
    pages = iter([False, True])
    assert found.complete(note, lambda: next(pages)) == 1
    assert found.complete(note) == 1
    assert found.complete(note) == 0


def arn_of(certid: Fingerprint) -> str:
    return f"arn:aws:iot:{aws.REGION}:{aws.LOBBY}:cert/{certid}"


def test_a_refusal_of_aws_iot_is_tried_again_the_next_day(door: ClaimDoor) -> None:
    killed_after(door, STEPS[1])
    note: dict[str, Any] = {}
    throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "AttachPolicy")
    door.calls.fails["AttachPolicy"] = throttled
    assert complete(door, note) == 0
    door.calls.fails.clear()
    assert complete(door, note, EVERY) == 1


def test_the_time_is_checked_before_each_device_and_the_page_is_repeated(door: ClaimDoor) -> None:
    unfinished_pair(door)
    note: dict[str, Any] = {}
    found = UnfinishedAcceptances(door.iot, LedgerReader(), WAITING_POLICY, Pacer(Pace(1000)), door.clock)
    times = iter([False, True])
    assert found.complete(note, lambda: next(times)) == 1
    assert (found.complete(note), found.complete(note)) == (1, 0)


def test_calls_of_aws_iot_are_paced(door: ClaimDoor) -> None:
    unfinished_pair(door)
    complete(door)
    waits: list[float] = []
    pacer = Pacer(Pace(1), lambda: 0.0, waits.append)
    assert UnfinishedAcceptances(door.iot, LedgerReader(), WAITING_POLICY, pacer, door.clock).complete({}) == 0
    assert waits == [1.0]


@pytest.mark.parametrize("broken", ["row", "certificate"])
def test_a_row_that_cannot_be_read_does_not_stop_the_others(door: ClaimDoor, broken: str) -> None:
    one, two = unfinished_pair(door)
    if broken == "row":
        LedgerRow(one).update(actions=[LedgerRow.devstate.set("of another version")])
    else:
        CertificateRow(one).delete()
    note: dict[str, Any] = {}
    assert (complete(door, note), complete(door, note)) == (1, 0)
    assert [principal for principal, _ in aws.registry()["policies"]] == [arn_of(two)]
    door.calls.forget()
    complete(door, note)
    assert door.calls.names() == []


def test_a_position_that_is_not_valid_ends_the_walk_until_the_next_day(door: ClaimDoor) -> None:
    note: dict[str, Any] = {"acceptances_position": "of another version"}
    unfinished_pair(door)
    assert (complete(door, note), complete(door, note)) == (0, 0)
    assert complete(door, note, EVERY) == 2


def test_a_device_that_is_revoked_before_the_registration_is_not_registered(door: ClaimDoor) -> None:
    killed_after(door, STEPS[0])
    door.calls.meanwhile["DescribeCertificate"] = lambda: door.ledger.revoke(CERTID, "user:ann", "stolen")
    assert complete(door) == 0
    assert aws.status(CERTID) is None


def test_a_device_that_is_revoked_during_the_registration_is_deactivated_again(door: ClaimDoor) -> None:
    killed_after(door, STEPS[0])
    door.calls.meanwhile["AttachPolicy"] = lambda: door.ledger.revoke(CERTID, "user:ann", "stolen")
    assert complete(door) == 0
    assert aws.status(CERTID) == "INACTIVE"
