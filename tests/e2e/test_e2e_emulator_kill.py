"""The emulator is killed while devices are onboarded: all arrive, and no acknowledged operation is lost.

`python -m tests.bench.survival` does this with 100 devices and kills the whole deployment twice.
"""

from pathlib import Path

from lobby.names import Target
from tests.bench.survival.household import household
from tests.bench.survival.ordeal import Ordeal
from tests.e2e.deployment import Deployment
from tests.e2e.fleet import Fleet, certid_of

MANY = 8


def test_eight_devices_arrive_although_the_emulator_is_killed(
    deployed: Deployment, fleet: Fleet, first: Target, tmp_path: Path
) -> None:
    devices = [fleet.make() for _ in range(MANY)]
    session = deployed.emulator.session(deployed.lobby.account, deployed.lobby.region)
    ordeal = Ordeal(
        [certid_of(paths) for paths in devices], first, lambda *a, **k: deployed.api().ask(*a, **k), session
    )
    ordeal.claim_boxed()
    with household(deployed.file, devices, tmp_path / "devices"):
        ordeal.until(MANY // 4)
        deployed.kill()
        deployed.emulator.start()
        deployed.sign_out()
        ordeal.until(MANY)
        for certid in ordeal.certids:
            if deployed.status(certid, first) is None:  # the kill lost the last second of the target's registry
                deployed.retry(certid)
                deployed.wait(certid, "arrived")
    assert (ordeal.lost, ordeal.broken()) == ([], [])
    assert {deployed.status(certid, first) for certid in ordeal.certids} == {"ACTIVE"}
