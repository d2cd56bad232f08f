"""Two devices with one certificate, from two addresses: they are flagged in the lobby or put in quarantine in a target,
and a user decides what follows. One device that reconnects from one address is not flagged."""

from contextlib import ExitStack
from itertools import count
from typing import Any, Final

import pytest

from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.bare_mqtt import HUNG_UP, PUBACK, BareMqtt, HandshakeRefused
from tests.e2e.connections import ACCEPTED, attempt, connect_admitted, open_tls
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import certid_of, name_of

DEVICE: Final = """query($id: ID!) { device(certid: $id) {
  devstate reason suspicion { signal place addresses dismissedAt } allowedActions } }"""
LISTED: Final = '{ devices(first: 100, filter: {reason: "CLONE_SUSPECTED"}) { nodes { certid } } }'
DISMISS: Final = "mutation($id: ID!, $why: String!) { dismissSuspicion(certid: $id, why: $why) { devstate } }"
LIFT: Final = "mutation($id: ID!, $why: String!) { liftQuarantine(certid: $id, why: $why) { devstate } }"
POLICY: Final = """mutation($account: String!, $region: String!, $name: String!, $clones: ClonePolicy!) {
  registerTarget(account: $account, region: $region, name: $name, clones: $clones) { name clones } }"""
TARGETS: Final = "{ targets { account region name } }"
HOME, COPY = "127.0.0.1", "127.0.0.77"

pytestmark = pytest.mark.slow


def shown(deployed: Deployment, certid: str) -> dict[str, Any]:
    device: dict[str, Any] = deployed.api().ask(DEVICE, id=certid)["device"]
    return device


def in_lobby(deployed: Deployment) -> DevicePaths:
    paths = deployed.local.manufacturer.make_device()
    with connect_admitted(deployed, paths.chain, paths.key, name_of(paths)) as device:
        assert device.publish("$aws/rules/lobby", b"{}")[0] == PUBACK
        deployed.wait(certid_of(paths), "inlobby")
    return paths


class Sessions:
    """Connections of one identity that end each other."""

    def __init__(self, deployed: Deployment, paths: DevicePaths, scope: Target, stack: ExitStack) -> None:
        self._deployed, self._paths, self._scope, self._stack = deployed, paths, scope, stack

    def connect(self, source: str) -> BareMqtt | None:
        """Return a connection, or None if the certificate is refused."""
        try:
            client = open_tls(self._deployed, self._paths.chain, self._paths.key, self._scope, source=source)
        except HandshakeRefused:
            return None
        self._stack.enter_context(client)
        return client if client.connect(name_of(self._paths)) == ACCEPTED else None


def test_a_copy_in_the_lobby_is_flagged_and_dismissed_and_one_device_is_not(deployed: Deployment) -> None:
    paths, honest = in_lobby(deployed), in_lobby(deployed)
    certid = certid_of(paths)
    with ExitStack() as stack:
        single, copied = (Sessions(deployed, each, deployed.lobby, stack) for each in (honest, paths))
        turns = count()

        def is_suspected() -> bool:
            assert single.connect(HOME) is not None
            assert copied.connect((HOME, COPY)[next(turns) % 2]) is not None
            return shown(deployed, certid)["suspicion"] is not None

        until(is_suspected, lambda: shown(deployed, certid), every=1.0)
    found = shown(deployed, certid)
    assert (found["devstate"], found["reason"]) == ("inlobby", "CLONE_SUSPECTED")
    assert (found["suspicion"]["signal"], found["suspicion"]["place"]) == ("TAKEOVERS", "lobby")
    assert set(found["suspicion"]["addresses"]) == {HOME, COPY}
    assert {"dismissSuspicion", "quarantineDevice"} <= set(found["allowedActions"])
    nodes = deployed.api().ask(LISTED)["devices"]["nodes"]
    assert {"certid": certid} in nodes
    assert {"certid": certid_of(honest)} not in nodes
    assert shown(deployed, certid_of(honest))["suspicion"] is None
    deployed.api().ask(DISMISS, id=certid, why="two uplinks of one gateway")
    dismissed = shown(deployed, certid)
    assert (dismissed["reason"], dismissed["suspicion"]["dismissedAt"] is not None) == (None, True)
    assert events(deployed.device(certid) or {})[-2:] == ["suspect", "dismiss"]


def set_policy(deployed: Deployment, target: Target, policy: str) -> None:
    registered = deployed.api().ask(TARGETS)["targets"]
    name = next(each["name"] for each in registered if f"{each['account']}/{each['region']}" == str(target))
    changed = deployed.api("admin").ask(POLICY, account=target.account, region=target.region, name=name, clones=policy)
    assert changed["registerTarget"]["clones"] == policy


def test_a_copy_in_a_target_is_put_in_quarantine_until_a_user_lifts_it(deployed: Deployment) -> None:
    target, paths = deployed.targets[0], in_lobby(deployed)
    certid = certid_of(paths)
    deployed.claim(certid, target)
    deployed.wait(certid, "commissioned")
    set_policy(deployed, target, "QUARANTINE")
    try:
        with ExitStack() as stack:
            sessions, turns = Sessions(deployed, paths, target, stack), count()
            assert sessions.connect(HOME) is not None
            deployed.wait(certid, "arrived")

            def is_inactive() -> bool:
                sessions.connect((COPY, HOME)[next(turns) % 2])
                return bool(shown(deployed, certid)["devstate"] == "quarantined")

            until(is_inactive, lambda: shown(deployed, certid), every=1.0)
    finally:
        set_policy(deployed, target, "LOBBY")
    until(lambda: {deployed.status(certid, each) for each in (deployed.lobby, target)} == {"INACTIVE"})
    assert attempt(deployed, paths.chain, paths.key, name_of(paths)) == HUNG_UP
    found = shown(deployed, certid)
    assert (found["reason"], found["suspicion"]["place"]) == ("CLONE_SUSPECTED", str(target))
    assert set(found["allowedActions"]) == {"retryDevice", "liftQuarantine", "revokeDevice"}
    deployed.api().ask(LIFT, id=certid, why="the copy was found and destroyed")
    deployed.wait(certid, "commissioned")
    assert {deployed.status(certid, each) for each in (deployed.lobby, target)} == {"ACTIVE"}
    with open_tls(deployed, paths.chain, paths.key, target) as device:
        assert device.connect(name_of(paths)) == ACCEPTED
        deployed.wait(certid, "arrived")
