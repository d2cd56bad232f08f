"""Power is cut at every file-system call and every message of provisioning: the device continues with the same key."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from device.identity_store import IdentityStore
from device.lobby_store import LobbyStore
from device.machine.events import Exit, Outcome
from device.machine.plan import AdoptedLobby, Endpoint, Provisioning
from tests.unit.device.machine_driver import LOBBY
from tests.unit.device.provisioning_cloud import HOUR_S, PLAN, PROVISIONING, SERIAL, CountedKeys, Door, store_of
from tests.unit.device.simulated_disk import CutPoint, PowerCut, SimulatedDisk, Tree, cut_points
from tests.unit.device.simulated_network import STATE_DIR, SimulatedNetwork

FACTORY_DISK: Tree = {"device": {}}
WITH_KEYS = dataclasses.replace(PROVISIONING, with_keys=True)
both_ways = pytest.mark.parametrize("provisioning", [PROVISIONING, WITH_KEYS], ids=["own key", "key of AWS IoT"])


@dataclass
class Factory:
    """A device and its lobby. `keys` and `door` survive power cuts, the disk is given for each run."""

    provisioning: Provisioning
    door: Door = field(default_factory=Door)
    keys: CountedKeys = field(default_factory=CountedKeys)
    now: float = 1000.0

    def store(self, disk: SimulatedDisk) -> IdentityStore:
        return store_of(disk, self.keys, self.provisioning)

    def run(self, disk: SimulatedDisk) -> Exit:
        """Run until the device is provisioned. Raise `PowerCut`."""
        plan = dataclasses.replace(PLAN, provisioning=self.provisioning)
        network = SimulatedNetwork({LOBBY: self.door}, plan)
        network.now = self.now
        try:
            return network.run_device(lambda: False, disk, HOUR_S, identities=self.store(disk))
        finally:
            assert not network.counts["fault"], network.log
            self.now = network.now

    def assert_recovers(self, tree: Tree) -> None:
        """Power the device on again with this disk: it gets its identity, with the key that the lobby knows."""
        disk = SimulatedDisk(tree)
        before = self.store(disk).load()
        if before is None:
            assert self.run(disk) == Exit(Outcome.PROVISIONED)
        else:
            assert SERIAL in self.door.registered, "an identity that the lobby has not accepted"
        (tree_after,) = disk.possible_states()
        identity = self.store(SimulatedDisk(tree_after)).load()
        assert identity is not None
        assert identity.thing == SERIAL
        assert disk_content(disk, identity.certificate.name).decode() == self.door.accepted[SERIAL]


def disk_content(disk: SimulatedDisk, name: str) -> bytes:
    (tree,) = disk.possible_states()
    device = tree["device"]
    assert isinstance(device, dict)
    state = device["state"]
    assert isinstance(state, dict)
    content = state[name]
    assert isinstance(content, bytes)
    return content


def calls_of(provisioning: Provisioning) -> list[str]:
    disk = SimulatedDisk(FACTORY_DISK)
    Factory(provisioning).run(disk)
    return disk.calls


def cuts_at_calls(provisioning: Provisioning) -> Iterator[tuple[int, CutPoint]]:
    for number, call in enumerate(calls_of(provisioning)):
        for point in cut_points(call):
            yield number, point


@both_ways
def test_the_device_recovers_from_a_power_cut_at_every_call_of_the_disk(provisioning: Provisioning) -> None:
    states = 0
    for number, point in cuts_at_calls(provisioning):
        first = Factory(provisioning)
        disk = SimulatedDisk(FACTORY_DISK, number, point)
        with pytest.raises(PowerCut):
            first.run(disk)
        for tree in disk.possible_states():
            dataclasses.replace(first, door=copy_of(first.door)).assert_recovers(tree)
            states += 1
    assert states > 100


@both_ways
@pytest.mark.parametrize("point", ["before", "after"])
def test_the_device_recovers_from_a_power_cut_around_every_message(provisioning: Provisioning, point: str) -> None:
    """`after`: the lobby has carried out the request, and its answer does not arrive."""
    whole = Factory(provisioning)
    whole.run(SimulatedDisk(FACTORY_DISK))
    assert whole.door.effects >= 8
    for number in range(whole.door.effects):
        cut = Factory(provisioning)
        cut.door.cut = number, point
        disk = SimulatedDisk(FACTORY_DISK)
        with pytest.raises(PowerCut):
            cut.run(disk)
        cut.door.cut = None
        for tree in disk.possible_states():
            dataclasses.replace(cut, door=copy_of(cut.door)).assert_recovers(tree)


@both_ways
def test_the_lobby_of_an_earlier_identity_is_removed_before_the_new_one_exists(provisioning: Provisioning) -> None:
    earlier = SimulatedDisk(FACTORY_DISK)
    LobbyStore(STATE_DIR, earlier).store(AdoptedLobby(Endpoint("former.example", 8883)))
    (used,) = earlier.possible_states()
    calls = SimulatedDisk(used)
    Factory(provisioning).run(calls)
    for number, point in [(number, point) for number, call in enumerate(calls.calls) for point in cut_points(call)]:
        disk, first = SimulatedDisk(used, number, point), Factory(provisioning)
        with pytest.raises(PowerCut):
            first.run(disk)
        for tree in disk.possible_states():
            after = SimulatedDisk(tree)
            if first.store(after).load() is not None:
                assert LobbyStore(STATE_DIR, after).load().lobby is None
    assert LobbyStore(STATE_DIR, calls).load().lobby is None


def test_no_more_than_one_key_is_created_whenever_the_power_is_cut_after_it_is_stored() -> None:
    calls = calls_of(PROVISIONING)
    stored = calls.index("fsync folder", calls.index("rename device.key.pem.new"))
    for number, point in cuts_at_calls(PROVISIONING):
        if number > stored:
            cut = Factory(PROVISIONING)
            disk = SimulatedDisk(FACTORY_DISK, number, point)
            with pytest.raises(PowerCut):
                cut.run(disk)
            for tree in disk.possible_states():
                again = dataclasses.replace(cut, door=copy_of(cut.door))
                after = SimulatedDisk(tree)
                if again.store(after).load() is None:
                    again.run(after)
                assert disk_content(after, "device.key.pem") == b"key 1"


def test_a_power_cut_costs_no_second_certificate_within_the_hour_of_the_token() -> None:
    cut = Factory(PROVISIONING)
    disk = SimulatedDisk(FACTORY_DISK)
    cut.door.cut = 6, "after"  # connect, four subscriptions and a request have been made: this is RegisterThing
    with pytest.raises(PowerCut):
        cut.run(disk)
    assert cut.door.registered
    cut.door.cut = None
    (tree,) = disk.possible_states()
    cut.run(SimulatedDisk(tree))
    assert len(cut.door.certificates) == 1


def test_after_the_hour_of_the_token_the_device_gets_another_certificate_for_the_same_key() -> None:
    cut = Factory(PROVISIONING)
    disk = SimulatedDisk(FACTORY_DISK)
    cut.door.cut = 6, "after"
    with pytest.raises(PowerCut):
        cut.run(disk)
    cut.door.cut, cut.now = None, cut.now + HOUR_S
    (tree,) = disk.possible_states()
    again = SimulatedDisk(tree)
    assert cut.run(again) == Exit(Outcome.PROVISIONED)
    assert len(cut.door.certificates) == 2
    assert disk_content(again, "device.key.pem") == b"key 1"


def copy_of(door: Door) -> Door:
    """The lobby as it was at the power cut."""
    copied = Door()
    copied.certificates, copied.tokens = list(door.certificates), dict(door.tokens)
    copied.registered, copied.accepted = dict(door.registered), dict(door.accepted)
    return copied
