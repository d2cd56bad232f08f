"""The proof that the emulator's internals are those that our layer was written for."""

import pytest

from infra.local.errors import SeamMoved
from infra.local.ministack import patches
from infra.local.ministack.patch_points import MINISTACK_VERSION, Seam, check


@pytest.mark.parametrize("seam", patches.SEAMS, ids=str)
def test_every_seam_is_where_our_layer_holds_on_to_it(seam: Seam) -> None:
    seam.check()


@pytest.mark.parametrize(
    ("seam", "said"),
    [
        (Seam("json", "no_such_name"), "no json.no_such_name"),
        (Seam("no_such_module", "x"), "no no_such_module.x"),
        (Seam("json", "loads", ("other",)), "want (other)"),
        (Seam("json", "__name__", ()), "want a function"),
    ],
    ids=["name", "module", "signature", "kind"],
)
def test_a_moved_seam_stops_the_start_and_is_named(seam: Seam, said: str) -> None:
    with pytest.raises(SeamMoved) as refused:
        check([Seam("json", "dumps"), seam])
    assert said in refused.value.message


def test_another_version_of_the_emulator_is_refused() -> None:
    with pytest.raises(SeamMoved, match=rf"got MiniStack 9\.9\.9, want {MINISTACK_VERSION}"):
        check([], version="9.9.9")
