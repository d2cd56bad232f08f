"""The old lobby's work for a transferred device: its target is cleared, its hellos are answered, and at the end of the
time its certificate becomes inactive. A device that is taken back is active again."""

from datetime import timedelta
from typing import Any, Final

import pytest
from moto.iot.models import iot_backends

from commissioner.sweeping.transfer_watch import TransferWatch
from lobby.domain.hellos import Report
from lobby.domain.states import State
from lobby.domain.targets.thing_claim import Progress, ThingClaim, parse_claim
from lobby.domain.transfers.transfer import Transfer, TransferStep
from lobby.ledger.clock import timestamp
from lobby.names import Fingerprint
from lobby.receptionist import Receptionist
from tests import aws
from tests import certificates as make
from tests.functional.commissioner.lobby_with_targets import (
    ANN,
    CA,
    KEY,
    ONE,
    THREE,
    TWO,
    A,
    LobbyWithTargets,
    Record,
    client_error,
    make_thing,
    statuses,
)

OFFER: Final = "a" * 32
NEW_LOBBY: Final = "888888888888/eu-west-1"
CAN: Final = Report("1.0", can_transfer=True)


def transfer(lobby: LobbyWithTargets, days: int = 180) -> Record:
    with lobby.calls.uncounted():
        now = lobby.clock()
        at, until = timestamp(now), timestamp(now + timedelta(days=days))
        lobby.ledger.offer(ONE, Transfer(TransferStep.OFFERED, OFFER, "Bob", at, ANN, until))
        completed = Transfer(
            TransferStep.COMPLETED, OFFER, "bob", at, "user:eve", "", endpoint="bob.example:8443", until=until
        )
        lobby.ledger.transfer(ONE, completed)
    return lobby.record()


def hello(lobby: LobbyWithTargets, report: Report = CAN) -> str:
    return Receptionist(aws.client("iot-data"), lobby.ledger).answer(ONE, "sensor-1", report)


def walk(lobby: LobbyWithTargets, note: dict[str, Any] | None = None) -> int:
    with lobby.calls.uncounted():
        return TransferWatch(lobby.ledger, "service:sweeper", lobby.clock).walk(
            {} if note is None else note, lambda: False
        )


def test_a_transferred_device_is_reset_in_its_target_and_stays_active_in_the_lobby(lobby: LobbyWithTargets) -> None:
    lobby.place()
    aws.published(A).clear()
    assert lobby.deliver(transfer(lobby)) == []
    assert statuses() == ("ACTIVE", "INACTIVE", None)
    device = lobby.device()
    assert (device.devstate, device.targets_to_clear, device.needs_commissioner) == (State.TRANSFERRED, (), False)
    assert [payload for _, payload in aws.published(A)] == [b'{"config": "factory reset"}']


def register_by_new_lobby(lobby: LobbyWithTargets, certid: Fingerprint = ONE) -> None:
    """The new lobby has the same target, and registers the device there. It knows the device by the certificate in
    use."""
    own = {"certid": certid, "claim": str(ThingClaim(1, "default", NEW_LOBBY, certid))}
    iot = iot_backends[A.account][A.region]
    iot.things[f"arn:aws:iot:{A.region}:{A.account}:thing/sensor-1"].attributes |= own
    lobby.calls.fails["UpdateThing"] = client_error("VersionConflictException", "UpdateThing")
    iot.certificates[certid].status = "ACTIVE"
    assert lobby.device().devstate is State.TRANSFERRED


@pytest.mark.parametrize("before", ["DescribeThing", "UpdateThing"])
def test_a_target_that_the_new_lobby_has_too_is_not_cleared_once_the_device_is_registered_there_by_it(
    lobby: LobbyWithTargets, before: str
) -> None:
    lobby.place()
    record = transfer(lobby)
    aws.published(A).clear()
    lobby.calls.meanwhile[before] = lambda: register_by_new_lobby(lobby)
    assert lobby.deliver(record) == []
    assert statuses() == ("ACTIVE", "ACTIVE", None)
    assert parse_claim(aws.registry(A)["things"]["sensor-1"]["claim"]) == ThingClaim(1, "default", NEW_LOBBY, ONE)
    assert [payload for _, payload in aws.published(A)] == [b'{"config": "factory reset"}']
    assert (lobby.device().targets_to_clear, lobby.device().needs_commissioner) == ((), False)


@pytest.mark.parametrize("registered_again", [False, True])
def test_a_refused_reset_keeps_the_work_only_if_the_device_would_stay_with_its_old_route(
    lobby: LobbyWithTargets, *, registered_again: bool
) -> None:
    lobby.place()
    record = transfer(lobby)
    if registered_again:
        register_by_new_lobby(lobby)
    lobby.calls.fails["Publish"] = client_error("ForbiddenException", "Publish")
    assert lobby.deliver(record) == []
    assert lobby.device().targets_to_clear == ((A,) if registered_again else ())
    assert lobby.device().reason == ("TARGET_PERMISSION_MISSING" if registered_again else None)


def renew(lobby: LobbyWithTargets) -> Fingerprint:
    """Let the device, which is in A, renew its certificate, and return the new one."""
    pem = make.pem_of(make.device(CA, "sensor-1", serial=2000, number=3))
    iot = aws.client("iot")
    with lobby.calls.uncounted():
        new = iot.register_certificate_without_ca(certificatePem=pem, status="ACTIVE")["certificateId"]
        lobby.ledger.record_heartbeat(lobby.device(), "2.0", can_renew=True)
        lobby.ledger.due(lobby.device(), "2027-12-22T12:00:00.000Z", "service:reconciler")
        lobby.ledger.renew(lobby.device(), new, pem, "2049-12-31", "service:renewer")
    assert lobby.deliver(lobby.record()) == []
    with lobby.calls.uncounted():
        lobby.ledger.arrive(lobby.device(), "service:arrivals", new)
    assert lobby.deliver(lobby.record()) == []
    assert (lobby.device().current, lobby.device().retiring) == (new, ())
    return Fingerprint(new)


@pytest.mark.parametrize("before", ["DescribeThing", "UpdateThing"])
def test_a_renewed_device_that_its_new_lobby_has_registered_stays_active_in_the_target_of_both(
    lobby: LobbyWithTargets, before: str
) -> None:
    lobby.place()
    new = renew(lobby)
    record = transfer(lobby)
    lobby.calls.meanwhile[before] = lambda: register_by_new_lobby(lobby, new)
    assert lobby.deliver(record) == []
    assert statuses(new) == ("ACTIVE", "ACTIVE", None)
    thing = aws.registry(A)["things"]["sensor-1"]
    assert (thing["certid"], parse_claim(thing["claim"])) == (new, ThingClaim(1, "default", NEW_LOBBY, new))
    assert (lobby.device().targets_to_clear, lobby.device().needs_commissioner) == ((), False)


@pytest.mark.parametrize("progress", [Progress.LEFT, Progress.ARRIVED])
def test_the_new_lobby_gets_the_thing_of_a_device_that_has_renewed_its_certificate_in_the_old_one(
    lobby: LobbyWithTargets, progress: Progress
) -> None:
    """The old lobby, `NEW_LOBBY` here, knows the device by a certificate that this one does not know."""
    of_old_lobby = str(ThingClaim(5, "default", NEW_LOBBY, ONE, progress))
    make_thing(iot_backends[A.account][A.region], "sensor-1", certid=THREE, claim=of_old_lobby)
    assert lobby.deliver(lobby.claim()) == []
    assert lobby.device().devstate is State.COMMISSIONED
    thing = aws.registry(A)["things"]["sensor-1"]
    assert (thing["certid"], parse_claim(thing["claim"])) == (ONE, ThingClaim(1, "default", KEY, ONE))


def test_it_gets_no_thing_that_a_device_with_another_certificate_has_left(lobby: LobbyWithTargets) -> None:
    of_another = str(ThingClaim(5, "default", NEW_LOBBY, TWO, Progress.LEFT))
    make_thing(iot_backends[A.account][A.region], "sensor-1", certid=THREE, claim=of_another)
    assert lobby.deliver(lobby.claim()) == []
    assert (lobby.device().devstate, lobby.device().reason) == (State.FAILED, "TARGET_NAME_TAKEN")
    assert aws.registry(A)["things"]["sensor-1"] == {"certid": THREE, "claim": of_another}
    assert aws.registry(A)["certificates"] == {}


@pytest.mark.parametrize("registered_again", [False, True])
def test_it_loses_the_policies_of_this_lobby_and_no_others(lobby: LobbyWithTargets, *, registered_again: bool) -> None:
    lobby.place()
    iot, arn = iot_backends[A.account][A.region], f"arn:aws:iot:{A.region}:{A.account}:cert/{ONE}"
    for policy in ("staging-device-lobby-default", "owners"):
        iot.create_policy(policy, "{}")  # type: ignore[arg-type]  # moto stores text
        iot.attach_policy(policy, arn)
    record = transfer(lobby)
    if registered_again:
        register_by_new_lobby(lobby)
    assert lobby.deliver(record) == []
    assert statuses() == ("ACTIVE", "ACTIVE" if registered_again else "INACTIVE", None)
    assert aws.registry(A)["policies"] == [(arn, "owners"), (arn, "staging-device-lobby-default")]


def test_a_waiting_device_is_disconnected_so_that_it_says_hello(lobby: LobbyWithTargets) -> None:
    assert lobby.deliver(transfer(lobby)) == []
    assert [call.region for call in lobby.calls.of("DeleteConnection")] == [aws.REGION]
    assert not lobby.device().needs_commissioner


def test_its_hello_is_answered_with_the_new_lobby_if_its_client_can_go_there(lobby: LobbyWithTargets) -> None:
    transfer(lobby)
    aws.published().clear()
    assert hello(lobby, Report("0.1")) == "unable"
    assert aws.published() == []
    assert hello(lobby) == "transferred"
    assert [payload for _, payload in aws.published()] == [b'{"lobby":{"iotep":"bob.example","port":8443}}']


def test_the_certificate_is_inactive_when_the_time_is_over_and_active_again_when_it_is_taken_back(
    lobby: LobbyWithTargets,
) -> None:
    lobby.deliver(transfer(lobby, days=10))
    assert walk(lobby) == 0
    lobby.clock.advance(days=11)
    assert (walk(lobby), walk(lobby)) == (1, 0)
    assert lobby.deliver(lobby.record()) == []
    assert statuses() == ("INACTIVE", None, None)
    assert lobby.device().devstate is State.TRANSFERRED
    with lobby.calls.uncounted():
        lobby.ledger.withdraw(ONE, ANN)
    assert lobby.deliver(lobby.record()) == []
    assert statuses() == ("ACTIVE", None, None)
    assert (lobby.device().devstate, lobby.device().reactivate) == (State.INLOBBY, False)


def test_the_sweeper_walks_once_a_day(lobby: LobbyWithTargets) -> None:
    lobby.deliver(transfer(lobby, days=10))
    note: dict[str, Any] = {}
    lobby.clock.advance(days=11)
    assert walk(lobby, note) == 1
    lobby.calls.forget()
    assert TransferWatch(lobby.ledger, "service:sweeper", lobby.clock).walk(note, lambda: False) == 0
    assert lobby.calls.names() == []


@pytest.mark.parametrize("attempts", [2])
def test_the_work_can_be_repeated(lobby: LobbyWithTargets, attempts: int) -> None:
    lobby.place()
    record = transfer(lobby)
    for _ in range(attempts):
        assert lobby.deliver(record) == []
    assert statuses() == ("ACTIVE", "INACTIVE", None)
