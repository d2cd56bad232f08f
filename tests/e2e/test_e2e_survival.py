"""The cloud is killed while devices are onboarded: all arrive, and nothing that was said is lost.

A hundred of them, and the whole service killed twice, is `python -m tests.bench.survival`.
"""

from pathlib import Path

from lobby.names import Target
from tests.bench.survival.household import household
from tests.bench.survival.ordeal import Ordeal
from tests.e2e.deployment import Deployment
from tests.e2e.workbench import Workbench, certid_of

MANY = 8


def test_eight_devices_arrive_whose_cloud_was_killed_meanwhile(
    deployed: Deployment, bench: Workbench, first: Target, tmp_path: Path
) -> None:
    made = [bench.make() for _ in range(MANY)]
    session = deployed.emulator.session(deployed.lobby.account, deployed.lobby.region)
    ordeal = Ordeal([certid_of(paths) for paths in made], first, lambda *a, **k: deployed.api().ask(*a, **k), session)
    ordeal.claim_boxed()
    with household(deployed.file, made, tmp_path / "devices"):
        ordeal.until(MANY // 4)
        deployed.kill()
        deployed.emulator.start()
        deployed.sign_out()
        ordeal.until(MANY)
        for certid in ordeal.certids:
            if deployed.status(certid, first) is None:  # the kill took the last second of the target's registry
                deployed.retry(certid)
                deployed.wait(certid, "arrived")
    assert (ordeal.lost, ordeal.broken()) == ([], [])
    assert {deployed.status(certid, first) for certid in ordeal.certids} == {"ACTIVE"}
