"""Everything is destroyed and deployed again, and a device returns to its first target."""

from pathlib import Path

import pytest

from infra.local.bringup import exclusive_use
from infra.local.timeline import Timeline
from tests.bench.rebuild import rebuild


@pytest.mark.full
def test_a_device_moves_back_to_its_first_target_after_everything_was_destroyed_and_deployed_again(
    tmp_path: Path,
) -> None:
    with exclusive_use(tmp_path):
        figures = rebuild(tmp_path, Timeline(), devices=3)
    assert (figures.left, figures.arrived_again) == (0, True)
    assert figures.calls["DeleteCertificate"] >= 3
