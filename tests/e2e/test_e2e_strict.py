"""Devices in strict mode: AWS's quotas and delays, and lifecycle events with wrong times and in the wrong order. The
tests enable strict mode in the deployment that all tests of a worker share.
"""

from dataclasses import replace

import pytest

from infra.local.strictness import RELAXED
from lobby.names import Target
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of, wait_for_event

DEVICES = 3


@pytest.mark.slow
def test_every_device_arrives_under_quotas_delays_and_disorder(
    strict: Deployment, fleet: Fleet, second: Target
) -> None:
    devices = [fleet.make() for _ in range(DEVICES)]
    for number, paths in enumerate(devices):
        if number % 2:
            strict.claim(certid_of(paths), second)
        fleet.power_on(paths)
    for paths in devices[::2]:
        strict.wait(certid_of(paths), "inlobby")
        strict.claim(certid_of(paths))
    for paths in devices:
        arrived = strict.wait(certid_of(paths), "arrived")
        assert arrived["historyIntact"]
        assert events(arrived).count("arrive") == 1


@pytest.mark.slow
def test_a_revoked_device_is_disconnected_long_before_its_session_would_end(
    deployed: Deployment, fleet: Fleet, first: Target
) -> None:
    paths = fleet.make()
    device, certid = fleet.power_on(paths), certid_of(paths)
    deployed.wait(certid, "inlobby")
    deployed.claim(certid)
    wait_for_event(device, "arrived_at_target")
    deployed.wait(certid, "arrived")
    deployed.emulator.enforce(replace(RELAXED, policy_delay_seconds=3600.0))
    try:
        began = deployed.log_position()
        deployed.revoke(certid)
        until(lambda: deployed.calls("lobby_commissioner_role", began)["iot:DeleteConnection"])
        until(lambda: device.first("connection_lost"), device.last_output)
    finally:
        deployed.emulator.enforce(RELAXED)
    assert deployed.status(certid, first) == "INACTIVE"
