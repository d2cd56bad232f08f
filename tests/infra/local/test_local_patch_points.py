"""The installed MiniStack has the internals that the patches use."""

import pytest

from infra.local.errors import PatchPointMoved
from infra.local.ministack import patches
from infra.local.ministack.patch_points import MINISTACK_VERSION, PatchPoint, check


@pytest.mark.parametrize("patch_point", patches.PATCH_POINTS, ids=str)
def test_every_patch_point_exists_with_its_parameters(patch_point: PatchPoint) -> None:
    patch_point.check()


@pytest.mark.parametrize(
    ("patch_point", "message"),
    [
        (PatchPoint("json", "no_such_name"), "no json.no_such_name"),
        (PatchPoint("no_such_module", "x"), "no no_such_module.x"),
        (PatchPoint("json", "loads", ("other",)), "want (other)"),
        (PatchPoint("json", "__name__", ()), "want a function"),
    ],
    ids=["name", "module", "signature", "kind"],
)
def test_a_moved_patch_point_is_refused_with_its_name(patch_point: PatchPoint, message: str) -> None:
    with pytest.raises(PatchPointMoved) as refused:
        check([PatchPoint("json", "dumps"), patch_point])
    assert message in refused.value.message


def test_another_version_of_the_emulator_is_refused() -> None:
    with pytest.raises(PatchPointMoved, match=rf"got MiniStack 9\.9\.9, want {MINISTACK_VERSION}"):
        check([], version="9.9.9")
