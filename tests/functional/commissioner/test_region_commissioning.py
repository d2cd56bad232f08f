"""The commissioner's work on devices of another Region's door: where routes are sent and certificates deactivated."""

from typing import Any, cast

import boto3
import pytest

from commissioner.commissioning import Commissioner
from commissioner.lambdas import bell
from commissioner.lanes.serving import Server
from commissioner.target_gateway.gateway import TargetGateway
from commissioner.target_gateway.sessions import Sessions
from lobby.aws.region_clients import RegionClients
from lobby.domain.identity import Identity
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import Target, ThingName
from tests import aws
from tests.aws import LOBBY, REGION, Calls, Clock
from tests.functional.commissioner.lane_environment import RecordingQueue
from tests.functional.commissioner.lobby_with_targets import (
    CA,
    IDS,
    KEY,
    PEMS,
    PROFILES,
    TWO,
    A,
    LobbyWithTargets,
    wall_clock,
)
from tests.regions import DUBLIN, FRANKFURT, OHIO, regions

IN_FRANKFURT = Target(LOBBY, FRANKFURT)


@pytest.fixture
def doors(calls: Calls, clock: Clock) -> LobbyWithTargets:
    """A lobby in Dublin, with a device that was admitted in Frankfurt, where its certificate is active."""
    lobby = LobbyWithTargets(calls, clock)
    with calls.uncounted():
        name = ThingName("sensor-2")
        Ledger(FRANKFURT, clock).admit(Identity(IDS[name], name, PEMS[name]), "service:bouncer")
        iot = boto3.client("iot", region_name=FRANKFURT)
        iot.register_ca_certificate(caCertificate=CA.pem, setAsActive=True)
        iot.register_certificate(certificatePem=PEMS[name], caCertificatePem=CA.pem, status="ACTIVE")
    clients = RegionClients.of(REGION, {"LOBBY_REGIONS": f"{REGION},{FRANKFURT}"})
    gateway = TargetGateway(
        RecentTargets(Targets.read_only(), clock), Sessions(aws.client("sts"), wall_clock), PROFILES, KEY
    )
    commissioner = Commissioner(lobby.ledger, gateway, aws.client("iot"), aws.client("iot-data"), clients)
    lobby.server = Server(commissioner, lobby.ledger, lambda *report: lobby.queued.append(report), clock)
    return lobby


def test_the_route_is_sent_in_the_region_of_the_device_s_door(doors: LobbyWithTargets) -> None:
    assert doors.deliver(doors.claim(TWO)) == []
    assert [topic for topic, _ in aws.published(IN_FRANKFURT)] == ["lobby/sensor-2"]
    assert aws.published() == []


def test_a_revoked_certificate_is_deactivated_in_every_region(doors: LobbyWithTargets) -> None:
    doors.deliver(doors.claim(TWO))
    assert doors.deliver(doors.revoke(TWO)) == []
    assert aws.status(TWO, IN_FRANKFURT) == "INACTIVE"
    assert aws.status(TWO, A) == "INACTIVE"


def test_every_region_is_tried_before_an_error_is_raised() -> None:
    tried: list[Any] = []

    def act(client: Any) -> None:
        tried.append(client)
        if client in ("own", OHIO):
            raise ConnectionError(client)

    class Door:
        def __init__(self, region: str) -> None:
            self.iot = region

    with pytest.raises(ConnectionError, match="own"):
        RegionClients((OHIO, FRANKFURT), Door).everywhere(cast(Any, "own"), act)
    assert tried == ["own", OHIO, FRANKFURT]


def test_a_device_of_an_unknown_region_is_reached_in_the_own_one() -> None:
    clients = RegionClients((FRANKFURT,), lambda _region: None)
    own: Any = object()
    assert clients.iot(OHIO, own) is own
    assert clients.iot(None, own) is own


def test_the_bell_rings_in_the_home_only(calls: Calls, clock: Clock) -> None:
    lobby = LobbyWithTargets(calls, clock)
    record = lobby.claim()
    queue = RecordingQueue()
    ringing = bell.Bell(cast(Any, queue), "tokens", "express", lambda: 100.0)
    with regions(calls) as several:
        several.keep(DUBLIN)
        with several.at(FRANKFURT):
            assert bell.handler({"Records": [record]}, None, ringing) == {"batchItemFailures": []}
        assert queue.sent == []
        with several.at(DUBLIN):
            bell.handler({"Records": [record]}, None, ringing)
        assert len(queue.sent) == 1


def test_a_door_that_does_not_answer_delays_no_device(doors: LobbyWithTargets) -> None:
    record = doors.claim(TWO)
    with regions(doors.calls) as several:
        several.down = {FRANKFURT}
        assert doors.deliver(record) == []
    device = doors.ledger.get(TWO)
    assert device is not None
    assert (device.devstate, device.needs_commissioner) == ("commissioned", False)
