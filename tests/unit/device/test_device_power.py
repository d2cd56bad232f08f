"""The power is cut at every file-system call of a device's life, and the device comes back by itself."""

from tests.unit.device.lives import BOX, Life, calls_of, come_back, cuts
from tests.unit.device.platter import PowerCut

_EVERY = {
    "mkdir",
    "create route.json.new",
    "write route.json.new",
    "fsync route.json.new",
    "close route.json.new",
    "rename route.json.new",
    "open folder",
    "fsync folder",
    "close folder",
    "unlink route.json",
    "unlink route.json.new",
    "create reset",
    "fsync reset",
    "unlink reset",
    "open route.json",
}


def test_whatever_a_cut_leaves_on_the_platter_the_device_gets_to_where_it_belongs() -> None:
    tried = 0
    for cut in cuts(BOX):
        for image in cut.images:
            come_back(cut.life, image)
            tried += 1
    assert tried > 300


def test_the_life_makes_every_call_that_there_is_to_cut() -> None:
    assert set(calls_of(BOX)) >= _EVERY


def test_a_second_cut_on_the_way_back_changes_nothing() -> None:
    """The first falls where most is at stake: the new route has its name, and the folder is not flushed."""
    first = next(cut for cut in cuts(BOX, lambda number: number == 20) if cut.how == "after")
    assert first.call == "rename route.json.new"
    for image in first.images:
        for second in range(40):
            again = Life.new(image, second)
            again.cloud.route = first.life.cloud.route
            try:
                again.live()
            except PowerCut:
                for left in again.platter.images():
                    come_back(again, left)
