"""Which devices are connected, and connections that AWS IoT refuses or that another client ends."""

from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e.bare_mqtt import CONNACK, HUNG_UP
from tests.e2e.connections import connect_admitted, open_tls
from tests.e2e.deployment import Deployment, until
from tests.e2e.fleet import Fleet, certid_of, name_of

DEVICE = "query($id: ID!) { device(certid: $id) { devstate online connectionProblems { code count place } } }"
RECENT = "{ connectionProblems(first: 100) { certid code } }"

pytestmark = pytest.mark.slow


def shown(deployed: Deployment, certid: str) -> dict[str, Any]:
    device: dict[str, Any] = deployed.api().ask(DEVICE, id=certid)["device"]
    return device


def wait_for_online(deployed: Deployment, certid: str, online: bool | None) -> None:
    until(lambda: shown(deployed, certid)["online"] is online, lambda: shown(deployed, certid))


def test_a_device_is_online_while_it_waits_offline_when_it_is_off_and_unknown_in_its_target(
    deployed: Deployment, fleet: Fleet
) -> None:
    paths = fleet.make()
    certid = certid_of(paths)
    device = fleet.power_on(paths)
    deployed.wait(certid, "inlobby")
    wait_for_online(deployed, certid, True)
    device.stop()
    wait_for_online(deployed, certid, False)
    fleet.power_on(paths)
    wait_for_online(deployed, certid, True)
    deployed.claim(certid)
    deployed.wait(certid, "arrived")
    wait_for_online(deployed, certid, None)


def test_a_refused_client_id_and_two_clients_with_one_identity_are_reported(deployed: Deployment, fleet: Fleet) -> None:
    paths = fleet.make()
    certid, name = certid_of(paths), name_of(paths)
    connect_admitted(deployed, paths.chain, paths.key, name).close()
    with open_tls(deployed, paths.chain, paths.key) as impostor:
        assert impostor.connect("another-name") == HUNG_UP
    expected = {"CONNECT_DENIED", "DUPLICATE_CLIENTID"}
    with ExitStack() as open_connections:
        for _ in range(4):
            client = open_connections.enter_context(open_tls(deployed, paths.chain, paths.key))
            assert client.connect(name)[0] == CONNACK
        until(
            lambda: {each["code"] for each in shown(deployed, certid)["connectionProblems"]} == expected,
            lambda: shown(deployed, certid),
        )
    recent = deployed.api().ask(RECENT)["connectionProblems"]
    assert {each["code"] for each in recent if each["certid"] == certid} == expected
