"""A lobby in two Regions, with delayed replication: both doors, the loss of a door and of the home, a partition, a
promotion, and the return of an old home.

The tests share a deployment. Each begins with both Regions up, and the first as home.
"""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from lobby.names import Target
from tests.e2e.fleet import certid_of
from tests.e2e.region_devices import Devices
from tests.e2e.two_regions import WITHOUT, TwoRegions, running, until, wait_for_event

DOORS = ("first", "second")
NEVER: Final = 3600.0
"""Seconds for which a write is not replicated: longer than the tests take."""


@pytest.fixture(scope="module")
def lobby(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoRegions]:
    with running(tmp_path_factory.mktemp("regions")) as deployment:
        yield deployment


@pytest.fixture(autouse=True)
def both_up(lobby: TwoRegions) -> None:
    lobby.restore()


@pytest.fixture
def devices(lobby: TwoRegions, tmp_path: Path) -> Iterator[Devices]:
    made = Devices(lobby, tmp_path)
    yield made
    made.power_off()


@pytest.fixture
def target(lobby: TwoRegions) -> Target:
    return lobby.targets[0]


@pytest.mark.parametrize("door", DOORS)
def test_a_device_joins_through_either_door_and_arrives(
    lobby: TwoRegions, devices: Devices, target: Target, door: str
) -> None:
    place, paths = getattr(lobby, door), devices.make()
    certid, device = certid_of(paths), devices.power_on(paths, place)
    lobby.wait_at(lobby.first, certid, "inlobby")
    assert lobby.claim_at(lobby.first, certid, target) == "claimed"
    wait_for_event(device, "arrived_at_target")
    arrived = lobby.wait_at(lobby.first, certid, "arrived")
    assert arrived["historyIntact"]
    assert lobby.status(certid, place) == "ACTIVE"
    assert lobby.wait_until_equal(certid)["history"] == arrived["history"]


@pytest.mark.parametrize("door", DOORS)
def test_the_registrar_compares_the_certificates_of_every_region(lobby: TwoRegions, door: str) -> None:
    registrar = lobby.client(getattr(lobby, door), "lambda")
    response = registrar.invoke(FunctionName="device-lobby-registrar", Payload=json.dumps({"operation": "run"}))
    assert "FunctionError" not in response
    assert json.loads(response["Payload"].read())["CertificatesOfOtherDoors"] == 0


def test_a_region_that_is_not_home_answers_queries_and_refuses_changes(
    lobby: TwoRegions, devices: Devices, target: Target
) -> None:
    paths = devices.make()
    certid = certid_of(paths)
    devices.power_on(paths, lobby.second)
    lobby.wait_at(lobby.second, certid, "inlobby")
    assert lobby.refusal_at(lobby.second, certid, target) == "NOT_HOME"
    seen = lobby.lobby_at(lobby.second)
    assert (seen["home"], seen["acceptsChanges"], seen["code"]) == (lobby.first.region, False, "NOT_HOME")
    assert [(each["name"], each["answers"]) for each in seen["regions"]] == [
        (lobby.first.region, True),
        (lobby.second.region, True),
    ]
    assert lobby.wait_until_equal(certid)["devstate"] == "inlobby"


def test_the_home_continues_without_a_lost_door_when_the_operator_says_so(
    lobby: TwoRegions, devices: Devices, target: Target
) -> None:
    paths = devices.make()
    certid = certid_of(paths)
    with lobby.down(lobby.second):
        until(lambda: lobby.lobby_at(lobby.first)["code"] == "LEASE_EXPIRED", lambda: lobby.lobby_at(lobby.first))
        assert lobby.refusal_at(lobby.first, certid, target) == "LEASE_EXPIRED"
        lobby.api_of(lobby.first, "admin").ask(WITHOUT, region=lobby.second.region)
        lobby.until_home(lobby.first)
        device = devices.power_on(paths, lobby.first)
        lobby.wait_at(lobby.first, certid, "inlobby")
        lobby.claim_at(lobby.first, certid, target)
        wait_for_event(device, "arrived_at_target")
        arrived = lobby.wait_at(lobby.first, certid, "arrived")
    assert lobby.wait_until_equal(certid)["history"] == arrived["history"]
    until(lambda: all(each["isNeeded"] for each in lobby.lobby_at(lobby.first)["regions"]))


def test_without_its_home_the_lobby_answers_with_routes_and_a_promoted_region_takes_over(
    lobby: TwoRegions, devices: Devices, target: Target
) -> None:
    known, new = devices.make(), devices.make()
    certid, newcomer = certid_of(known), certid_of(new)
    wait_for_event(devices.power_on(known, lobby.first), "connected")
    lobby.wait_at(lobby.first, certid, "inlobby")
    lobby.claim_at(lobby.first, certid, target)
    lobby.wait_at(lobby.second, certid, "arrived")
    before = lobby.wait_until_equal(certid)
    devices.power_off()
    with lobby.down(lobby.first):
        # Its certificate is unknown in the second Region, whose door lets it in by what the replica records.
        routed = wait_for_event(devices.power_on(known, lobby.second), "route_received")
        assert str(routed["endpoint"]).partition(":")[0] == lobby.layout.endpoint_address(target)
        devices.power_on(new, lobby.second)
        until(lambda: lobby.lobby_at(lobby.second)["code"] == "LEASE_EXPIRED", lambda: lobby.lobby_at(lobby.second))
        assert lobby.refusal_at(lobby.second, certid, target) == "LEASE_EXPIRED"
        assert lobby.device_at(lobby.second, newcomer) is None, "it waits in the queue of its door"
        lobby.promote(lobby.second)
        lobby.wait_at(lobby.second, newcomer, "inlobby")
        lobby.claim_at(lobby.second, newcomer, target)
        arrived = lobby.wait_at(lobby.second, newcomer, "arrived")
        assert arrived["historyIntact"]
        assert lobby.gaps(lobby.second) == []
    # The old home returns: it sees the new one, changes nothing, and gets what it has missed.
    lobby.until_home(lobby.second, lobby.first, lobby.second)
    assert lobby.refusal_at(lobby.first, newcomer, lobby.targets[1]) == "NOT_HOME"
    assert lobby.wait_until_equal(newcomer)["history"] == arrived["history"]
    assert lobby.wait_until_equal(certid)["history"][: len(before["history"])] == before["history"]
    assert lobby.gaps(lobby.second, anchors_of=lobby.first.region) == []


def test_changes_that_were_not_replicated_before_the_promotion_are_reported(
    lobby: TwoRegions, devices: Devices, target: Target
) -> None:
    paths = devices.make()
    certid = certid_of(paths)
    device = devices.power_on(paths, lobby.first)
    lobby.wait_at(lobby.second, certid, "inlobby")
    lobby.set_faults(replication_seconds=NEVER)
    lobby.claim_at(lobby.first, certid, target)
    wait_for_event(device, "arrived_at_target")
    lobby.wait_at(lobby.first, certid, "arrived")
    devices.power_off()
    with lobby.down(lobby.first):
        lobby.promote(lobby.second)
        kept = lobby.device_at(lobby.second, certid)
        assert kept is not None
        assert (kept["devstate"], kept["historyIntact"]) == ("inlobby", True), "what was replicated is consistent"
        assert lobby.gaps(lobby.second) == [], "without the old home nobody knows of the lost changes"
    lobby.until_home(lobby.second, lobby.first, lobby.second)
    lost = until(partial(_lost, lobby, certid), partial(lobby.gaps, lobby.second, anchors_of=lobby.first.region))
    assert lost == ["WRITE_LOST"]


def _lost(lobby: TwoRegions, certid: str) -> list[str]:
    """Return what the anchors of the old home show of a device."""
    return [code for each, code in lobby.gaps(lobby.second, anchors_of=lobby.first.region) if each == certid]


def test_two_regions_that_are_cut_off_never_both_accept_changes(
    lobby: TwoRegions, devices: Devices, target: Target
) -> None:
    paths = devices.make()
    certid = certid_of(paths)
    devices.power_on(paths, lobby.first)
    lobby.wait_at(lobby.second, certid, "inlobby")
    lobby.set_faults(cuts=((lobby.first.region, lobby.second.region),))
    try:
        until(lambda: lobby.lobby_at(lobby.first)["code"] == "LEASE_EXPIRED", lambda: lobby.lobby_at(lobby.first))
        assert lobby.refusal_at(lobby.second, certid, target) in ("NOT_HOME", "LEASE_EXPIRED")
        assert lobby.refusal_at(lobby.first, certid, target) == "LEASE_EXPIRED"
        lobby.promote(lobby.second)
        assert lobby.refusal_at(lobby.first, certid, target) == "LEASE_EXPIRED"
        assert lobby.claim_at(lobby.second, certid, target) == "claimed"
    finally:
        lobby.set_faults()
    lobby.until_home(lobby.second, lobby.first, lobby.second)
    arrived = lobby.wait_at(lobby.second, certid, "arrived")
    assert arrived["historyIntact"]
    assert lobby.wait_until_equal(certid)["history"] == arrived["history"]
