"""Power is cut at every file-system call and message of a renewal: the device keeps a certificate that works."""

import dataclasses
from collections.abc import Iterator

import pytest

from tests.unit.device.renewal_cloud import ASKED_EVERY, RenewingDevice, disk_in_target, names_on, stored_on
from tests.unit.device.simulated_disk import CutPoint, PowerCut, SimulatedDisk, Tree, cut_points
from tests.unit.device.simulated_network import DAY


def calls_of_a_renewal() -> list[str]:
    disk = disk_in_target()
    RenewingDevice().renew(disk)
    return disk.calls


def cuts_at_calls() -> Iterator[tuple[int, CutPoint]]:
    for number, call in enumerate(calls_of_a_renewal()):
        for point in cut_points(call):
            yield number, point


def assert_recovers(device: RenewingDevice, tree: Tree) -> None:
    """Power the device on again with this disk: it renews, and its files are those of the new certificate only."""
    again = dataclasses.replace(device, cloud=device.cloud.copy(), log=[])
    disk = SimulatedDisk(tree)
    held = stored_on(disk, again.keys)
    usable = {held.used or "f" * 64, *([held.new.certid] if held.new else [])}
    assert usable & again.cloud.lobby, "no certificate works in the lobby"
    assert usable & again.cloud.target, "no certificate works in the target"
    if again.cloud.is_due or not again.is_renewed(disk):
        again.renew(disk, DAY)
    assert len([name for name in names_on(disk) if name.endswith(".cert.pem")]) == 1


def test_the_device_recovers_from_a_power_cut_at_every_call_of_the_disk() -> None:
    states = set[str]()
    for number, point in cuts_at_calls():
        device, disk = RenewingDevice(), disk_in_target(number, point)
        with pytest.raises(PowerCut):
            device.renew(disk)
        for tree in disk.possible_states():
            state = repr((tree, device.cloud.copy()))
            if state not in states:
                assert_recovers(device, tree)
            states.add(state)
    assert len(states) > 30


@pytest.mark.parametrize("point", ["before", "after"])
def test_the_device_recovers_from_a_power_cut_around_every_message(point: str) -> None:
    """`after`: the request is carried out, and its answer does not arrive."""
    whole = RenewingDevice()
    whole.renew(disk_in_target())
    assert whole.cloud.effects >= 5
    for number in range(whole.cloud.effects):
        device, disk = RenewingDevice(), disk_in_target()
        device.cloud.cut = number, point
        with pytest.raises(PowerCut):
            device.renew(disk)
        for tree in disk.possible_states():
            assert_recovers(device, tree)


def test_an_interrupted_renewal_continues_with_the_same_key_once_the_device_is_stable_in_its_target() -> None:
    device, disk = RenewingDevice(), disk_in_target()
    device.cloud.answers = False
    device.run(disk, lambda: len(device.cloud.requests) == 1)
    (tree,) = disk.possible_states()
    device.cloud.answers = True
    again = SimulatedDisk(tree)
    network = device.renew(again, ASKED_EVERY / 2)
    assert network.counts["renewal_resumed"] == 1
    assert set(device.cloud.requests) == {device.cloud.requests[0]}
