"""A lobby in two Regions: its doors write to the home Region, and still send routes while the home is down."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto.iot.models import iot_backends

from lobby import connections, receptionist
from lobby.domain.identity import Identity
from lobby.domain.regions.home import LEASE_MS, MARGIN_MS
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.doors.registration import SETTLED
from lobby.errors import NotHome
from lobby.ledger.connections.device_connections import Connections
from lobby.ledger.event_writer import present
from lobby.ledger.models import LedgerRow, TargetRow
from lobby.ledger.regions.routing import Access
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Region, Target, parse_target
from lobby.receptionist import Receptionist
from tests import aws
from tests.aws import LOBBY, Calls, Clock
from tests.clone_watches import clone_watch
from tests.functional.lobby.reception import CERTID, NAME
from tests.functional.lobby.registration_door import GOOD, RegistrationDoor, ids
from tests.regions import DUBLIN, FRANKFURT, Regions, regions

TARGET = parse_target("1" * 12, "eu-west-1")


@pytest.fixture
def lobby(calls: Calls) -> Iterator[Regions]:
    with regions(calls) as several:
        several.keep(DUBLIN)
        yield several


def ledger(region: Region, clock: Clock | None = None) -> Ledger:
    return Ledger(region, clock or Clock(), pause=lambda _attempt: None)


def hello(region: Region, certid: Fingerprint = CERTID, **more: Any) -> str:
    answering = Receptionist(boto3.client("iot-data", region_name=region), ledger(region))
    event = {"certid": certid, "devicename": NAME, **more}
    return receptionist.handler(event, None, answering)["outcome"]


def row(region: Region) -> LedgerRow | None:
    """Return the device's row in the replica of a Region."""
    found = boto3.client("dynamodb", region_name=region).get_item(
        TableName=LedgerRow.Meta.table_name, Key={"certid": {"S": CERTID}}
    )
    return LedgerRow.from_raw_data(found["Item"]) if "Item" in found else None


def admitted(lobby: Regions, door: Region) -> None:
    with lobby.at(door, Access.DOOR):
        ledger(door).admit(Identity(CERTID, NAME, "PEM"), "service:bouncer")


def commissioned(lobby: Regions, door: Region) -> None:
    admitted(lobby, door)
    with lobby.at(DUBLIN):
        claimed = ledger(DUBLIN).claim(CERTID, ClaimRequest(TARGET), "user:ann")
        ledger(DUBLIN).commission(claimed, "a.example", "service:commissioner")


def test_a_door_writes_to_the_home_and_never_to_its_replica(lobby: Regions) -> None:
    admitted(lobby, FRANKFURT)
    found = row(DUBLIN)
    assert found is not None
    assert (found.lobbyregion, found.epoch) == (FRANKFURT, 1)
    assert row(FRANKFURT) is None


def test_a_change_in_a_region_that_is_not_home_is_refused_and_changes_nothing(lobby: Regions) -> None:
    commissioned(lobby, DUBLIN)
    lobby.replicate(DUBLIN, FRANKFURT)
    with lobby.at(FRANKFURT), pytest.raises(NotHome, match=f"NOT_HOME: got a change in {FRANKFURT}"):
        ledger(FRANKFURT).release(CERTID, "user:ann")
    assert row(FRANKFURT).version == row(DUBLIN).version  # type: ignore[union-attr]


def test_no_region_writes_after_the_lease_has_ended(lobby: Regions) -> None:
    commissioned(lobby, DUBLIN)
    lobby.now += LEASE_MS
    for region, access in ((DUBLIN, Access.HOME), (DUBLIN, Access.DOOR), (FRANKFURT, Access.DOOR)):
        with lobby.at(region, access), pytest.raises(NotHome, match="LEASE_EXPIRED"):
            ledger(region).release(CERTID, "user:ann")


def test_a_new_device_is_answered_at_a_door_whose_replica_does_not_have_it_yet(lobby: Regions) -> None:
    admitted(lobby, FRANKFURT)
    with lobby.at(FRANKFURT, Access.RECEPTION):
        assert hello(FRANKFURT) == "entered"
    assert row(DUBLIN).devstate == State.INLOBBY  # type: ignore[union-attr]


def test_a_route_is_sent_from_the_replica_with_one_read_and_none_at_home(lobby: Regions) -> None:
    commissioned(lobby, FRANKFURT)
    lobby.replicate(DUBLIN, FRANKFURT)
    with lobby.at(FRANKFURT, Access.RECEPTION):
        hello(FRANKFURT)
        lobby.calls.forget()
        assert hello(FRANKFURT) == "routed"
        assert [(call.operation, call.region) for call in lobby.calls.made] == [
            ("GetItem", FRANKFURT),
            ("Publish", FRANKFURT),
        ]


@pytest.mark.parametrize("minutes", [0, 10])
def test_a_commissioned_device_gets_its_route_at_the_other_door_while_the_home_is_down(
    lobby: Regions, minutes: int
) -> None:
    commissioned(lobby, DUBLIN)
    lobby.replicate(DUBLIN, FRANKFURT)
    lobby.down = {DUBLIN}
    lobby.pass_minutes(minutes)
    with lobby.at(FRANKFURT, Access.RECEPTION):
        assert hello(FRANKFURT) == "routed"
    assert len(aws.published(Target(LOBBY, FRANKFURT))) == 1


def test_a_route_is_sent_although_the_region_has_no_vote_yet(lobby: Regions) -> None:
    commissioned(lobby, DUBLIN)
    lobby.replicate(DUBLIN, FRANKFURT)
    boto3.client("dynamodb", region_name=FRANKFURT).delete_item(
        TableName=TargetRow.Meta.table_name, Key={"kind": {"S": "home"}, "target": {"S": FRANKFURT}}
    )
    with lobby.at(FRANKFURT, Access.RECEPTION):
        assert hello(FRANKFURT) == "routed"


def test_a_waiting_device_is_answered_from_the_replica_while_the_home_is_down(lobby: Regions) -> None:
    admitted(lobby, DUBLIN)
    with lobby.at(DUBLIN, Access.RECEPTION):
        hello(DUBLIN)
    lobby.replicate(DUBLIN, FRANKFURT)
    lobby.down = {DUBLIN}
    with lobby.at(FRANKFURT, Access.RECEPTION):
        assert hello(FRANKFURT) == "waiting"


def test_the_first_hello_of_a_new_device_is_delivered_again_while_the_home_is_down(lobby: Regions) -> None:
    admitted(lobby, DUBLIN)
    lobby.replicate(DUBLIN, FRANKFURT)
    lobby.down = {DUBLIN}
    with lobby.at(FRANKFURT, Access.RECEPTION), pytest.raises(NotHome, match="HOME_UNREACHABLE"):
        hello(FRANKFURT)


def test_a_device_that_comes_to_another_door_is_recorded_there(lobby: Regions) -> None:
    commissioned(lobby, DUBLIN)
    lobby.replicate(DUBLIN, FRANKFURT)
    with lobby.at(FRANKFURT, Access.RECEPTION):
        hello(FRANKFURT)
    assert row(DUBLIN).lobbyregion == FRANKFURT  # type: ignore[union-attr]


def test_a_device_that_fell_back_is_recorded_at_home_although_the_replica_is_late(lobby: Regions) -> None:
    commissioned(lobby, DUBLIN)
    with lobby.at(DUBLIN):
        arrived = ledger(DUBLIN).arrive(present(ledger(DUBLIN).get(CERTID)), "service:arrivals")
    lobby.replicate(DUBLIN, FRANKFURT)
    with lobby.at(DUBLIN):
        ledger(DUBLIN).due(arrived, "2027-01-01", "service:reconciler")
    with lobby.at(FRANKFURT, Access.RECEPTION):
        assert hello(FRANKFURT, receivedat=lobby.now) == "fell back"
    assert row(DUBLIN).devstate == State.COMMISSIONED  # type: ignore[union-attr]


def test_a_connection_at_a_door_is_recorded_at_home(lobby: Regions) -> None:
    admitted(lobby, DUBLIN)
    with lobby.at(FRANKFURT, Access.DOOR):
        recorder = connections.ConnectionRecorder(ledger(FRANKFURT), Connections(), clone_watch(ledger(FRANKFURT)))
        event = {"certid": CERTID, "devicename": NAME, "event": "connected", "at": lobby.now}
        event |= {"session": "0b0e6a1c-7d0c-4e4a-9d3e-0d4a5c0b1a2f", "version": 1}
        lobby.calls.forget()
        connections.handler(event, None, recorder)
    writes = [call.region for call in lobby.calls.made if call.operation == "PutItem"]
    assert writes == [DUBLIN]


class FrankfurtDoor(RegistrationDoor):
    """The registration door of the Region that is not home."""

    def __init__(self, calls: Calls, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        iot = boto3.client("iot", region_name=FRANKFURT)
        clients = {name: boto3.client(name, region_name=FRANKFURT) for name in ("s3", "sqs")} | {"iot": iot}
        monkeypatch.setattr(aws, "client", clients.__getitem__)
        super().__init__(calls, clock)

    @property
    def statuses(self) -> list[str]:
        return [found.status for found in iot_backends[LOBBY][FRANKFURT].certificates.values()]


@pytest.fixture
def door(lobby: Regions, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> FrankfurtDoor:
    monkeypatch.setattr("tests.functional.lobby.registration_door.REGION", FRANKFURT)
    return FrankfurtDoor(lobby.calls, clock, monkeypatch)


def test_a_registration_at_a_door_is_admitted_by_the_home(lobby: Regions, door: FrankfurtDoor) -> None:
    event = door.first_connection(GOOD)
    with lobby.at(FRANKFURT, Access.DOOR):
        assert door.receive(door.message(event)) == []
    assert door.statuses == ["ACTIVE"]
    with lobby.at(DUBLIN):
        device = ledger(DUBLIN).get(Fingerprint(event["certificateId"]))
    assert device is not None
    assert (device.devstate, device.lobbyregion) == (State.KNOCKING, FRANKFURT)


@pytest.mark.parametrize("minutes", [0, 10])
def test_a_registration_waits_in_the_queue_of_its_door_while_the_home_is_down(
    lobby: Regions, door: FrankfurtDoor, minutes: int
) -> None:
    event = door.first_connection(GOOD)
    lobby.down = {DUBLIN}
    lobby.pass_minutes(minutes)
    with lobby.at(FRANKFURT, Access.DOOR):
        assert door.receive(door.message(event)) == ids([1])
    assert door.statuses == ["PENDING_ACTIVATION"]
    lobby.down = set()
    lobby.pass_minutes(1)
    with lobby.at(FRANKFURT, Access.DOOR):
        assert door.receive(door.message(event, receives=2)) == []
    assert door.statuses == ["ACTIVE"]


def test_no_attempt_of_a_registration_is_used_up_while_no_region_may_write(lobby: Regions, door: FrankfurtDoor) -> None:
    event = door.first_connection(GOOD)
    lobby.down = {DUBLIN}
    lobby.pass_minutes(10)
    with lobby.at(FRANKFURT, Access.DOOR):
        assert door.receive(door.message(event, receives=900)) == ids([1])


def test_a_placed_device_that_is_new_at_a_door_is_admitted_by_the_replica_while_the_home_is_down(
    lobby: Regions, door: FrankfurtDoor
) -> None:
    event = door.first_connection(GOOD)
    certid = Fingerprint(event["certificateId"])
    with lobby.at(DUBLIN, Access.DOOR):
        verified = door.bouncer._verify(certid, door.bouncer._describe(certid))
        ledger(DUBLIN).admit(replace(verified), "service:bouncer")
    with lobby.at(DUBLIN):
        claimed = ledger(DUBLIN).claim(certid, ClaimRequest(TARGET), "user:ann")
        ledger(DUBLIN).commission(claimed, "a.example", "service:commissioner")
    lobby.replicate(DUBLIN, FRANKFURT)
    lobby.down = {DUBLIN}
    with lobby.at(FRANKFURT, Access.DOOR):
        assert door.receive(door.message(event)) == ids([1])
    assert door.statuses == ["ACTIVE"]
    lobby.down = set()
    with lobby.at(FRANKFURT, Access.DOOR):
        assert door.bouncer.decide(certid) == SETTLED


def test_a_device_without_a_route_is_not_admitted_by_the_replica(lobby: Regions, door: FrankfurtDoor) -> None:
    event = door.first_connection(GOOD)
    lobby.down = {DUBLIN}
    lobby.now += LEASE_MS + MARGIN_MS
    with lobby.at(FRANKFURT, Access.DOOR):
        assert door.bouncer.admit_without_home(Fingerprint(event["certificateId"])) == "waits"
    assert door.statuses == ["PENDING_ACTIVATION"]
