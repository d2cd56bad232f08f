"""A revoked device is disconnected immediately and cannot connect again: neither with another client id, nor with its
former session, nor at another endpoint. `test_e2e_restart.py` verifies it after the emulator was killed.
"""

import ssl

import pytest

from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.bare_mqtt import HUNG_UP, BareMqtt, HandshakeRefused
from tests.e2e.connections import ACCEPTED, attempt, connect_admitted, open_tls
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import certid_of, name_of

CLIENT_IDS = {
    "its own name": ("{own}", True),
    "its own name with the former session": ("{own}", False),
    "another name": ("{own}-2", True),
    "another device's name": ("{other}", True),
    "no name": ("", True),
}
LAST = ("expected", "knocking", "inlobby", "arrived")


def _make(deployed: Deployment, last: str) -> DevicePaths:
    """Create a device and bring it to the state `last`."""
    paths = deployed.local.manufacturer.make_device()
    if last == "expected":
        deployed.claim(certid_of(paths))
        return paths
    with connect_admitted(deployed, paths.chain, paths.key, name_of(paths)) as device:
        if last == "knocking":
            return paths
        device.publish("$aws/rules/lobby", b"{}")
        deployed.wait(certid_of(paths), "inlobby")
    if last != "inlobby":
        deployed.claim(certid_of(paths))
        deployed.wait(certid_of(paths), "commissioned")
    if last == "arrived":
        with open_tls(deployed, paths.chain, paths.key, deployed.targets[0]) as device:
            assert device.connect(name_of(paths)) == ACCEPTED
            deployed.wait(certid_of(paths), "arrived")
    return paths


def _attempts(deployed: Deployment, paths: DevicePaths, other: str, scope: Target) -> dict[str, object]:
    """Return the response to a connect with each client id."""
    responses: dict[str, object] = {}
    for kind, (pattern, clean) in CLIENT_IDS.items():
        try:
            with open_tls(deployed, paths.chain, paths.key, scope) as device:
                responses[kind] = device.connect(pattern.format(own=name_of(paths), other=other), clean=clean)
        except HandshakeRefused:
            responses[kind] = HUNG_UP
    return responses


def _assert_refused(deployed: Deployment, paths: DevicePaths, other: DevicePaths) -> None:
    for scope in (deployed.lobby, *deployed.targets):
        responses = _attempts(deployed, paths, name_of(other), scope)
        assert responses == dict.fromkeys(CLIENT_IDS, HUNG_UP), scope
        assert deployed.status(certid_of(paths), scope) in (None, "INACTIVE"), scope


def _hung_up(device: BareMqtt) -> bool:
    try:
        while device.read() != HUNG_UP:
            pass
    except (ConnectionError, ssl.SSLError):
        pass
    return True


@pytest.fixture(scope="module")
def other(deployed: Deployment) -> DevicePaths:
    """Another device, which waits in the lobby."""
    return _make(deployed, "inlobby")


@pytest.fixture(scope="module", params=LAST)
def revoked(deployed: Deployment, request: pytest.FixtureRequest) -> DevicePaths:
    """A revoked device, by the state before the revocation."""
    paths = _make(deployed, request.param)
    assert deployed.revoke(certid_of(paths)) == "revoked"
    if request.param == "expected":  # it has not connected yet
        assert attempt(deployed, paths.chain, paths.key, "x") == HUNG_UP
    _wait_until_deactivated(deployed, paths)
    return paths


def _wait_until_deactivated(deployed: Deployment, paths: DevicePaths) -> None:
    until(lambda: deployed.status(certid_of(paths), deployed.lobby) == "INACTIVE")
    until(lambda: deployed.status(certid_of(paths), deployed.targets[0]) in (None, "INACTIVE"))


def test_a_device_revoked_in_any_state_is_refused_everywhere(
    deployed: Deployment, revoked: DevicePaths, other: DevicePaths
) -> None:
    _assert_refused(deployed, revoked, other)
    device = deployed.existing(certid_of(revoked))
    assert (device["devstate"], device["reason"]) == ("revoked", "REVOKED")
    assert events(device)[-1] in ("revoke", "retire")


@pytest.mark.parametrize("place", ["lobby", "target"])
def test_revoking_a_device_closes_its_connection(
    deployed: Deployment, other: DevicePaths, first: Target, place: str
) -> None:
    paths = _make(deployed, "inlobby" if place == "lobby" else "commissioned")
    with open_tls(deployed, paths.chain, paths.key, deployed.lobby if place == "lobby" else first) as device:
        assert device.connect(name_of(paths), clean=False) == ACCEPTED
        assert device.subscribe(f"lobby/{name_of(paths)}")[0]
        deployed.revoke(certid_of(paths))
        assert _hung_up(device)
    _wait_until_deactivated(deployed, paths)
    _assert_refused(deployed, paths, other)
