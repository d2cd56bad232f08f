"""Power is cut at every file-system call of a scenario, and the device recovers without help."""

from tests.unit.device.power_cut_scenario import FACTORY_DISK, Scenario, assert_recovers, file_system_calls, power_cuts
from tests.unit.device.simulated_disk import PowerCut

_EXPECTED_CALLS = {
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


def test_the_device_recovers_from_every_disk_state_after_a_power_cut() -> None:
    states = 0
    for cut in power_cuts(FACTORY_DISK):
        for tree in cut.disk_states:
            assert_recovers(cut.scenario, tree)
            states += 1
    assert states > 300


def test_the_scenario_makes_every_expected_call() -> None:
    assert set(file_system_calls(FACTORY_DISK)) >= _EXPECTED_CALLS


def test_the_device_recovers_from_a_second_cut() -> None:
    """The first cut is the critical one: the new route is renamed, and the folder is not flushed."""
    first = next(cut for cut in power_cuts(FACTORY_DISK, lambda number: number == 21) if cut.cut_point == "after")
    assert first.call == "rename route.json.new"
    for tree in first.disk_states:
        for second in range(40):
            again = Scenario.new(tree, second)
            again.cloud.route = first.scenario.cloud.route
            try:
                again.run()
            except PowerCut:
                for tree_after in again.disk.possible_states():
                    assert_recovers(again, tree_after)
