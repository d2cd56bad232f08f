"""The runbooks of docs/regions.md, carried out as written on the local cloud: the loss of the home and of a door, the
return of the old home, and a new Region. The last tests cover the resulting lobby with three Regions, and its removal.
The tests share a deployment, in the order of this file.
"""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infra import stack_names
from infra.local.manufacturer import Manufacturer
from infra.teardown.lobby import LobbyRemoval
from infra.teardown.lobby_regions import RegionStays, removal_of, require_removable
from infra.teardown.stacks import Stack
from pki.ca.authority import create_hierarchy
from pki.devices.credentials import DevicePaths
from tests.e2e.fleet import certid_of
from tests.e2e.region_devices import Devices
from tests.e2e.runbook_operator import Operator
from tests.e2e.two_regions import TwoRegions, running, until, wait_for_event
from tests.e2e.vending_requests import VendingDoor, files_of
from tests.runbooks import (
    ADD_REGION,
    DOOR_DOWN,
    HOME_DOWN,
    REGIONS_PAGE,
    REMOVE_LOBBY,
    REMOVE_REGION,
    commands_of,
)

pytestmark = pytest.mark.full
ENROLMENT = "pumps"
LEFT_OUT = "./deploy.sh aws"
"""Deployments to AWS are carried out by the deployment of the test."""


@pytest.fixture(scope="module")
def lobby(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoRegions]:
    with running(tmp_path_factory.mktemp("regions")) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Manufacturer:
    """A manufacturer whose CA no Region knows at first."""
    maker = Manufacturer(tmp_path_factory.mktemp("acme"))
    create_hierarchy(maker.ca_directory, "Acme", now=datetime.now(UTC))
    return maker


@pytest.fixture(scope="module")
def three(lobby: TwoRegions, acme: Manufacturer, tmp_path_factory: pytest.TempPathFactory) -> TwoRegions:
    """The lobby after the runbook for a new Region."""
    lobby.restore()
    deploy, register, publish, anchor, issued, check, *enrolments, listed = commands_of(ADD_REGION, REGIONS_PAGE)
    assert (deploy.startswith(LEFT_OUT), len(enrolments)) == (True, 2)
    directory = tmp_path_factory.mktemp("operator")
    (directory / "acme").symlink_to(acme.ca_directory)
    lobby.api_of(lobby.first, "admin").ask(
        f'mutation {{ createEnrolment(name: "{ENROLMENT}", door: "claim", limit: 1) {{ name }} }}'
    )
    lobby.grow()
    lobby.sign_in_everywhere()
    run = operator(lobby, directory)
    for command in (register, publish, anchor, issued, check, *enrolments):
        run(command)
    assert run(listed).count(" yes ") >= 2 * 3, "each Region answers, and is needed"
    return lobby


def operator(lobby: TwoRegions, directory: Path) -> Operator:
    """Return an operator whose Regions are those of the local cloud. None of its names is in the runbook."""
    first, second, *third = (place.region for place in lobby.layout.places())
    target, bucket = lobby.targets[0], f"device-lobby-notary-{lobby.lobby.account}-{''.join(third)}"
    names = {"eu-central-1": "FIRST", "eu-west-1": "SECOND", "eu-north-1": "THIRD"}
    own = {"FIRST": first, "SECOND": second, "THIRD": "".join(third)}
    words = {"TARGET": f"{target.account}/{target.region}", "BUCKET": bucket, "ENROLMENT": ENROLMENT}
    return Operator(lobby, directory, **names, **own, **words)


def vended_device(lobby: TwoRegions, directory: Path) -> DevicePaths:
    """Return a device that has got its certificate by a token, at the first Region's door."""
    door = VendingDoor(lobby, "vended")
    door.open(limit=1)
    done = door.run_example(door.token(), "vended-1", directory / "vended")
    assert done.returncode == 0, done.stderr
    return files_of(directory / "vended", "vended-1")


@pytest.fixture
def devices(lobby: TwoRegions, tmp_path: Path) -> Iterator[Devices]:
    made = Devices(lobby, tmp_path)
    yield made
    made.power_off()


def test_another_region_becomes_home_when_the_home_is_down_and_the_first_again_later(
    lobby: TwoRegions, devices: Devices, tmp_path: Path
) -> None:
    listed, promote, issued, check, recount, anchors, back = commands_of(HOME_DOWN, REGIONS_PAGE)
    run = operator(lobby, tmp_path)
    paths, vended = devices.make(), vended_device(lobby, tmp_path)
    certid = certid_of(paths)
    lobby.claim_at(lobby.first, certid_of(vended), lobby.targets[0])
    lobby.wait_at(lobby.second, certid_of(vended), "commissioned")
    with lobby.down(lobby.first):
        run.at = lobby.second
        assert f"{lobby.first.region} " in run(listed)
        run(promote)
        assert run(issued).endswith(": 1, deactivated again: 0\n"), "AWS IoT has issued it in the first Region"
        wait_for_event(devices.power_on(vended, lobby.second), "route_received")
        assert run(check) == ""
        assert "devices counted: 0" in run(recount)
        devices.power_on(paths, lobby.second)
        lobby.wait_at(lobby.second, certid, "inlobby")
        lobby.claim_at(lobby.second, certid, lobby.targets[0])
        lobby.wait_at(lobby.second, certid, "arrived")
    lobby.until_home(lobby.second, lobby.first, lobby.second)
    run(anchors)
    run(back)
    lobby.until_home(lobby.first, lobby.first, lobby.second)
    assert lobby.wait_until_equal(certid)["devstate"] == "arrived"


def test_the_home_continues_without_a_door_that_is_down(lobby: TwoRegions, tmp_path: Path) -> None:
    lobby.restore()
    [without] = commands_of(DOOR_DOWN, REGIONS_PAGE)
    run = operator(lobby, tmp_path)
    with lobby.down(lobby.second):
        until(lambda: lobby.lobby_at(lobby.first)["code"] == "LEASE_EXPIRED", lambda: lobby.lobby_at(lobby.first))
        run.at = lobby.first
        run(without)
        lobby.until_home(lobby.first)
        certid = secrets.token_hex(32)
        assert lobby.claim_at(lobby.first, certid, lobby.targets[0]) == "expected"
    until(lambda: all(each["isNeeded"] for each in lobby.lobby_at(lobby.first)["regions"]))


def test_a_device_joins_through_a_new_region_with_a_ca_that_was_registered_there(
    three: TwoRegions, devices: Devices, acme: Manufacturer
) -> None:
    paths = devices.make(acme)
    certid, device = certid_of(paths), devices.power_on(paths, three.third)
    three.wait_at(three.first, certid, "inlobby")
    three.claim_at(three.first, certid, three.targets[0])
    wait_for_event(device, "arrived_at_target")
    arrived = three.wait_at(three.first, certid, "arrived")
    assert three.wait_until_equal(certid)["history"] == arrived["history"]


def test_of_three_regions_the_home_needs_no_operator_when_one_is_lost(three: TwoRegions, devices: Devices) -> None:
    paths = devices.make()
    certid = certid_of(paths)
    with three.down(three.second):
        began = datetime.now(UTC)
        until(lambda: _age_of_lease(three, began) > 0, lambda: three.lobby_at(three.first))
        devices.power_on(paths, three.third)
        three.wait_at(three.first, certid, "inlobby")
        three.claim_at(three.first, certid, three.targets[0])
        arrived = three.wait_at(three.first, certid, "arrived")
    assert three.wait_until_equal(certid)["history"] == arrived["history"]


def _age_of_lease(lobby: TwoRegions, began: datetime) -> float:
    """Return for how long the home works without the lost Region, after a whole lease has passed."""
    seen = lobby.lobby_at(lobby.first)
    assert seen["acceptsChanges"], seen
    return (datetime.now(UTC) - began).total_seconds() - 2 * lobby.lease_seconds


def test_of_three_regions_two_promote_one_when_the_home_is_lost(three: TwoRegions, devices: Devices) -> None:
    paths = devices.make()
    certid = certid_of(paths)
    with three.down(three.first):
        three.promote(three.third)
        three.until_home(three.third, three.second, three.third)
        devices.power_on(paths, three.second)
        three.wait_at(three.third, certid, "inlobby")
        three.claim_at(three.third, certid, three.targets[0])
        arrived = three.wait_at(three.third, certid, "arrived")
        assert three.gaps(three.third) == []
    three.until_home(three.third, *three.layout.places())
    assert three.refusal_at(three.first, secrets.token_hex(32), three.targets[0]) == "NOT_HOME"
    assert three.wait_until_equal(certid)["history"] == arrived["history"]
    three.restore()


def test_a_region_is_removed_and_the_others_go_on(three: TwoRegions, devices: Devices, tmp_path: Path) -> None:
    promote, destroy, deploy, *_ = commands_of(REMOVE_REGION, REGIONS_PAGE)
    assert destroy.startswith("./deploy.sh destroy aws --region")
    assert deploy.startswith(LEFT_OUT)
    operator(three, tmp_path)(promote)
    for place, code in ((three.first, "REGIONS_LEFT"), (three.third, None)):
        session = three.emulator.session(place.account, place.region)
        if code:
            with pytest.raises(RegionStays, match=code):
                require_removable(session, place)
        else:
            require_removable(session, place)
            LobbyRemoval(session, place, print, poll=0.2).run(keep_devices=False)
    assert stacks(three) == [True, True, False]
    paths = devices.make()
    certid, device = certid_of(paths), devices.power_on(paths, three.second)
    three.wait_at(three.first, certid, "inlobby")
    three.claim_at(three.first, certid, three.targets[0])
    wait_for_event(device, "arrived_at_target")


def test_the_lobby_is_removed_in_all_regions_after_an_interruption(three: TwoRegions) -> None:
    [command] = commands_of(REMOVE_LOBBY, REGIONS_PAGE)
    assert command.startswith("./deploy.sh destroy aws --regions")
    lines: list[str] = []
    sessions = {each.region: three.emulator.session(each.account, each.region) for each in three.layout.places()}

    def interrupted(line: str) -> None:
        if "Region 2 of 3" in line:
            raise KeyboardInterrupt

    quick: Any = partial(LobbyRemoval, poll=0.2)
    with pytest.raises(KeyboardInterrupt):
        removal_of(sessions, three.first, interrupted, quick).run(keep_devices=False)
    removal_of(sessions, three.first, lines.append, quick).run(keep_devices=False)
    assert stacks(three) == [False, False, False]
    for place in three.layout.places():
        iot = three.client(place, "iot")
        assert (iot.list_things()["things"], iot.list_certificates()["certificates"]) == ([], [])
    assert any("retained: CA certificate" in each for each in lines)


def stacks(lobby: TwoRegions) -> list[bool]:
    """Return whether each Region has the lobby's stack."""
    clients = (lobby.client(place, "cloudformation") for place in lobby.layout.places())
    return [Stack(client, stack_names.LOBBY).status() is not None for client in clients]
