"""What a device may do: speak for itself, on its own topics, in the lobby and in its target, and nothing else."""

import json
from collections.abc import Iterator

import pytest

from lobby.names import Target
from pki.devices import DevicePaths
from tests.e2e.bare_mqtt import HUNG_UP, PINGREQ, PINGRESP, PUBACK, PUBLISH, SUBACK, BareMqtt
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.doors import ACCEPTED, admitted, dial
from tests.e2e.workbench import Workbench, certid_of, name_of

REFUSED = (SUBACK, b"\x00\x07\x80")


@pytest.fixture
def waiting(deployed: Deployment, bench: Workbench) -> Iterator[tuple[DevicePaths, BareMqtt]]:
    """A device, connected to the lobby."""
    paths = bench.make()
    with admitted(deployed, paths.chain, paths.key, name_of(paths)) as device:
        yield paths, device


def _victim(deployed: Deployment, bench: Workbench) -> DevicePaths:
    """Another device, that waits in the lobby."""
    paths = bench.make()
    bench.power_v01(paths)
    deployed.wait(certid_of(paths), "inlobby")
    return paths


@pytest.mark.parametrize("client_id", ["{victim}", "{own}-2", "x"], ids=["anothers", "like-its-own", "any"])
def test_a_device_connects_under_no_name_but_its_own(
    deployed: Deployment, bench: Workbench, waiting: tuple[DevicePaths, BareMqtt], client_id: str
) -> None:
    paths, device = waiting
    victim = _victim(deployed, bench)
    posing = client_id.format(victim=name_of(victim), own=name_of(paths))
    with dial(deployed, paths.chain, paths.key) as impostor:
        assert impostor.connect(posing) != ACCEPTED
    assert device.ask(PINGREQ, b"") == (PINGRESP, b"")
    assert bench.old[0].died is None


@pytest.mark.parametrize("topic", ["lobby/{victim}", "lobby/+", "lobby/#", "#", "$aws/events/#", "app/{own}"])
def test_a_device_in_the_lobby_hears_nobody_elses_messages(
    deployed: Deployment, bench: Workbench, waiting: tuple[DevicePaths, BareMqtt], topic: str
) -> None:
    paths, device = waiting
    victim = bench.make()
    asked = topic.format(victim=name_of(victim), own=name_of(paths))
    assert device.subscribe(asked) in (REFUSED, HUNG_UP)
    deployed.tell(deployed.lobby, name_of(victim), {"iotep": "secret"})
    with dial(deployed, paths.chain, paths.key) as again:
        assert again.connect(name_of(paths)) == ACCEPTED
        assert again.subscribe(f"lobby/{name_of(paths)}") == (SUBACK, b"\x00\x07\x01")
        deployed.tell(deployed.lobby, name_of(paths), {"for": "me"})
        kind, packet = again.read()
        assert (kind, packet.endswith(b'{"for": "me"}')) == (PUBLISH, True)


@pytest.mark.parametrize(
    "topic", ["lobby/{victim}", "lobby/{own}", "app/{own}", "$aws/events/certificates/registered/x", "any"]
)
def test_a_device_in_the_lobby_publishes_hellos_and_nothing_else(
    deployed: Deployment, bench: Workbench, waiting: tuple[DevicePaths, BareMqtt], topic: str
) -> None:
    paths, device = waiting
    victim = _victim(deployed, bench)
    old = bench.old[0]
    answer = device.publish(topic.format(victim=name_of(victim), own=name_of(paths)), b'{"config": "factory reset"}')
    assert answer == HUNG_UP
    hellos = old.count("said")
    until(lambda: old.count("said") > hellos + 1)
    assert (old.died, old.last("routed")) == (None, None)


def test_what_a_hello_says_of_itself_poses_as_nobody(
    deployed: Deployment, bench: Workbench, waiting: tuple[DevicePaths, BareMqtt]
) -> None:
    paths, device = waiting
    victim = _victim(deployed, bench)
    deployed.claim(certid_of(victim))
    deployed.wait(certid_of(victim), "arrived")
    before = deployed.known(certid_of(victim))
    bench.off()
    bench.old.clear()
    posing = {"certid": certid_of(victim), "devicename": name_of(victim), "clientid": name_of(victim)}
    posing |= {"iotep": "evil.example.com", "principal": certid_of(victim), "devstate": "arrived"}
    assert device.subscribe(f"lobby/{name_of(paths)}")[0] == SUBACK
    assert device.publish("$aws/rules/lobby", json.dumps(posing).encode())[0] == PUBACK
    waiting_now = deployed.wait(certid_of(paths), "inlobby")
    assert (waiting_now["devicename"], events(waiting_now)) == (name_of(paths), ["admit", "hello"])
    assert deployed.known(certid_of(victim)) == before
    # Had it been answered with the victim's route, that would be the next message.
    deployed.tell(deployed.lobby, name_of(paths), {"for": "me"})
    assert device.read()[1].endswith(b'{"for": "me"}')


@pytest.mark.parametrize(
    "payload", [b"", b"not json", b"[]", b'{"version": ["x"]}', b'{"a":' * 2000, b"\xff" * 9000],
    ids=["empty", "text", "list", "odd-version", "deep", "binary"],
)  # fmt: skip
def test_any_hello_counts_as_one_or_as_none_and_harms_nobody(
    deployed: Deployment, waiting: tuple[DevicePaths, BareMqtt], payload: bytes
) -> None:
    paths, device = waiting
    assert device.publish("$aws/rules/lobby", payload)[0] == PUBACK
    assert device.publish("$aws/rules/lobby", b'{"version": "1.0"}')[0] == PUBACK
    assert events(deployed.wait(certid_of(paths), "inlobby")) == ["admit", "hello"]


def test_a_device_in_its_target_stays_within_its_policy(
    deployed: Deployment, bench: Workbench, waiting: tuple[DevicePaths, BareMqtt], first: Target, second: Target
) -> None:
    paths, _ = waiting
    thing = name_of(paths)
    deployed.claim(certid_of(paths), first)
    deployed.wait(certid_of(paths), "commissioned", "arrived")
    for allowed in (f"app/{thing}", f"app/{thing}/log"):
        with dial(deployed, paths.chain, paths.key, first) as device:
            assert device.connect(thing) == ACCEPTED
            assert device.publish(allowed, b"{}")[0] == PUBACK
    for refused in ("app/another", "app", f"lobby/{thing}", "$aws/rules/lobby", f"$aws/things/{thing}/shadow/update"):
        with dial(deployed, paths.chain, paths.key, first) as device:
            assert device.connect(thing) == ACCEPTED
            assert device.publish(refused, b"{}") == HUNG_UP, refused
    for deaf in ("app/another/#", "app/#", "lobby/another"):
        with dial(deployed, paths.chain, paths.key, first) as device:
            assert device.connect(thing) == ACCEPTED
            assert device.subscribe(deaf) in (REFUSED, HUNG_UP), deaf
    with dial(deployed, paths.chain, paths.key, first) as device:
        assert device.connect("another") != ACCEPTED
    with dial(deployed, paths.chain, paths.key, second) as device:
        assert device.connect(thing) == HUNG_UP
