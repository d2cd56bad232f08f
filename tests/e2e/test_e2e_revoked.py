"""A revoked device is cut off wherever it is, at once, and no way of coming back gets it in.

Not under another client id, not with the session it had, not through another endpoint. That it stays out after the
cloud was killed stands in `test_e2e_restart.py`.
"""

import ssl

import pytest

from lobby.names import Target
from pki.devices import DevicePaths
from tests.e2e.bare_mqtt import HUNG_UP, BareMqtt, HandshakeRefused
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.doors import ACCEPTED, admitted, dial, knock
from tests.e2e.workbench import certid_of, name_of

WAYS_BACK = {
    "its own name": ("{own}", True),
    "its own name, the session it had": ("{own}", False),
    "another name": ("{own}-2", True),
    "another's name": ("{other}", True),
    "no name": ("", True),
}
LAST = ("expected", "knocking", "inlobby", "arrived")


def _made(deployed: Deployment, last: str) -> DevicePaths:
    """A device that has come as far as the state `last`."""
    paths = deployed.local.manufacturer.make_device()
    if last == "expected":
        deployed.claim(certid_of(paths))
        return paths
    with admitted(deployed, paths.chain, paths.key, name_of(paths)) as device:
        if last == "knocking":
            return paths
        device.publish("$aws/rules/lobby", b"{}")
        deployed.wait(certid_of(paths), "inlobby")
    if last != "inlobby":
        deployed.claim(certid_of(paths))
        deployed.wait(certid_of(paths), "commissioned")
    if last == "arrived":
        with dial(deployed, paths.chain, paths.key, deployed.targets[0]) as device:
            assert device.connect(name_of(paths)) == ACCEPTED
            deployed.wait(certid_of(paths), "arrived")
    return paths


def _tries(deployed: Deployment, paths: DevicePaths, other: str, scope: Target) -> dict[str, object]:
    """The answers to every way back."""
    answers: dict[str, object] = {}
    for way, (pattern, clean) in WAYS_BACK.items():
        try:
            with dial(deployed, paths.chain, paths.key, scope) as device:
                answers[way] = device.connect(pattern.format(own=name_of(paths), other=other), clean=clean)
        except HandshakeRefused:
            answers[way] = HUNG_UP
    return answers


def _stays_out(deployed: Deployment, paths: DevicePaths, other: DevicePaths) -> None:
    for scope in (deployed.lobby, *deployed.targets):
        answers = _tries(deployed, paths, name_of(other), scope)
        assert answers == dict.fromkeys(WAYS_BACK, HUNG_UP), scope
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
    """Somebody else's device, which waits."""
    return _made(deployed, "inlobby")


@pytest.fixture(scope="module")
def banned(deployed: Deployment) -> dict[str, DevicePaths]:
    """Revoked devices by the last state they were in."""
    devices = {last: _made(deployed, last) for last in LAST}
    for paths in devices.values():
        assert deployed.revoke(certid_of(paths)) == "revoked"
    # One that was never seen has its first knock yet to come.
    assert knock(deployed, devices["expected"].chain, devices["expected"].key, "x") == HUNG_UP
    for paths in devices.values():
        _is_shut_out(deployed, paths)
    return devices


def _is_shut_out(deployed: Deployment, paths: DevicePaths) -> None:
    until(lambda: deployed.status(certid_of(paths), deployed.lobby) == "INACTIVE")
    until(lambda: deployed.status(certid_of(paths), deployed.targets[0]) in (None, "INACTIVE"))


@pytest.mark.parametrize("last", LAST)
def test_revoked_in_any_state_it_stays_out_everywhere(
    deployed: Deployment, banned: dict[str, DevicePaths], other: DevicePaths, last: str
) -> None:
    paths = banned[last]
    _stays_out(deployed, paths, other)
    found = deployed.known(certid_of(paths))
    assert (found["devstate"], found["reason"]) == ("revoked", "REVOKED")
    assert events(found)[-1] in ("revoke", "retire")


@pytest.mark.parametrize("place", ["lobby", "target"])
def test_a_live_connection_is_cut_when_its_device_is_revoked(
    deployed: Deployment, other: DevicePaths, first: Target, place: str
) -> None:
    paths = _made(deployed, "inlobby" if place == "lobby" else "commissioned")
    with dial(deployed, paths.chain, paths.key, deployed.lobby if place == "lobby" else first) as device:
        assert device.connect(name_of(paths), clean=False) == ACCEPTED
        assert device.subscribe(f"lobby/{name_of(paths)}")[0]
        deployed.revoke(certid_of(paths))
        assert _hung_up(device)
    _is_shut_out(deployed, paths)
    _stays_out(deployed, paths, other)
