"""The emulator is killed while devices are onboarded: all arrive, and no acknowledged operation is lost.

`python -m tests.bench.survival` does this with 100 devices and kills the whole deployment twice.
"""

from pathlib import Path

import pytest

from lobby.names import Target
from tests.bench.survival.device_processes import device_process
from tests.bench.survival.kill_run import KillRun
from tests.e2e.deployment import Deployment
from tests.e2e.fleet import Fleet, certid_of

pytestmark = pytest.mark.full

MANY = 8


def test_eight_devices_arrive_although_the_emulator_is_killed(
    deployed: Deployment, fleet: Fleet, first: Target, tmp_path: Path
) -> None:
    devices = [fleet.make() for _ in range(MANY)]
    session = deployed.emulator.session(deployed.lobby.account, deployed.lobby.region)
    run = KillRun([certid_of(paths) for paths in devices], first, lambda *a, **k: deployed.api().ask(*a, **k), session)
    run.claim_a_third()
    with device_process(deployed.file, devices, tmp_path / "devices"):
        run.until_arrived(MANY // 4)
        deployed.kill()
        deployed.emulator.start()
        deployed.sign_out()
        run.until_arrived(MANY)
        for certid in run.certids:
            if deployed.status(certid, first) is None:  # the kill lost the last second of the target's registry
                deployed.retry(certid)
                deployed.wait(certid, "arrived")
    assert (run.lost, run.invalid_histories()) == ([], [])
    assert {deployed.status(certid, first) for certid in run.certids} == {"ACTIVE"}
