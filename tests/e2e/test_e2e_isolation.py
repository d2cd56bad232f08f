"""What a device may do: speak for itself, on its own topics, in the lobby and in its target, and nothing else.

An attacker's device and a victim's wait in the lobby, and two more are in a target, one pair for each profile: the same
tables are put to every pair. What the broker refuses it hangs up on. That nothing came through is shown by what the
victim hears next: the mark that the cloud's owner sends after it all.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote

import pytest

from infra.device_policies import PROFILES
from lobby.names import Target
from pki.devices import DevicePaths
from tests.e2e.bare_mqtt import HUNG_UP, PINGREQ, PINGRESP, PUBACK, PUBLISH, SUBACK, BareMqtt
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.doors import ACCEPTED, admitted, dial
from tests.e2e.workbench import Workbench, certid_of, name_of

REFUSED = (SUBACK, b"\x00\x07\x80")
GRANTED = (SUBACK, b"\x00\x07\x01")
MARK = {"mark": "nothing before it"}


@dataclass(frozen=True)
class Pair:
    """Two devices in one place. `allowed` are topics that the attacker may publish on, and `heard` what it may hear."""

    deployed: Deployment
    scope: Target
    attacker: DevicePaths
    victim: DevicePaths
    allowed: tuple[str, ...]
    heard: tuple[str, ...]

    @property
    def own(self) -> str:
        return name_of(self.attacker)

    @property
    def other(self) -> str:
        return name_of(self.victim)

    def topic(self, pattern: str) -> str:
        return pattern.format(own=self.own, victim=self.other, OWN=self.own.upper())

    @contextmanager
    def connected(self, paths: DevicePaths) -> Iterator[BareMqtt]:
        with dial(self.deployed, paths.chain, paths.key, self.scope) as device:
            assert device.connect(name_of(paths)) == ACCEPTED
            yield device

    @contextmanager
    def listening(self, paths: DevicePaths) -> Iterator[BareMqtt]:
        with self.connected(paths) as device:
            assert device.subscribe(f"lobby/{name_of(paths)}") == GRANTED
            yield device

    def mark(self, name: str) -> None:
        self.deployed.tell(self.scope, name, MARK)


def hears_nothing_but_the_mark(pair: Pair, device: BareMqtt, name: str) -> None:
    pair.mark(name)
    kind, packet = device.read()
    assert (kind, packet.endswith(json.dumps(MARK).encode())) == (PUBLISH, True), packet


def _in_lobby(deployed: Deployment) -> Pair:
    attacker, victim = (deployed.local.manufacturer.make_device() for _ in range(2))
    for paths in (attacker, victim):
        with admitted(deployed, paths.chain, paths.key, name_of(paths)) as device:
            assert device.publish("$aws/rules/lobby", b"{}")[0] == PUBACK
        deployed.wait(certid_of(paths), "inlobby")
    return Pair(deployed, deployed.lobby, attacker, victim, ("$aws/rules/lobby",), ("lobby/{own}",))


def _in_target(deployed: Deployment, profile: str) -> Pair:
    target, found = deployed.targets[0], _in_lobby(deployed)
    for paths in (found.attacker, found.victim):
        deployed.claim(certid_of(paths), target, profile=profile)
        deployed.wait(certid_of(paths), "commissioned", "arrived")
    heard = ("lobby/{own}", "app/{own}/#", "app/{own}/+/x", "app/{own}/log")
    return Pair(deployed, target, found.attacker, found.victim, ("app/{own}", "app/{own}/log"), heard)


PLACES = {"lobby": _in_lobby} | {f"target as {profile}": partial(_in_target, profile=profile) for profile in PROFILES}


@pytest.fixture(scope="module", params=PLACES)
def pair(deployed: Deployment, request: pytest.FixtureRequest) -> Pair:
    return PLACES[request.param](deployed)


def test_a_device_does_what_it_is_there_for(pair: Pair) -> None:
    with pair.listening(pair.attacker) as device:
        for topic in pair.heard:
            assert device.subscribe(pair.topic(topic)) == GRANTED, topic
        for topic in pair.allowed:
            assert device.publish(pair.topic(topic), b"{}")[0] in (PUBACK, PUBLISH), topic


PUBLISHED = (
    "lobby/{victim}",
    "lobby/{own}",
    "LOBBY/{victim}",
    "lobby//{victim}",
    "/lobby/{victim}",
    "lobby/{victim}/x",
    "lobby/{OWN}",
    "app/{victim}",
    "app/{victim}/log",
    "app",
    "app/",
    "any",
    "{own}",
    "{victim}",
    " lobby/{own}",
    "$aws/rules/lobby/x",
    "$aws/rules/LOBBY",
    "$aws/rules/device_lobby_registered",
    "$aws/rules/device_lobby_connected",
    "$aws/rules/other",
    "$aws/events/certificates/registered/x",
    "$aws/events/presence/connected/{own}",
    "$aws/events/presence/connected/{victim}",
    "$aws/events/presence/disconnected/{victim}",
    "$aws/things/{own}/shadow/update",
    "$aws/things/{victim}/shadow/update",
    "$aws/things/{own}/jobs/get",
    "$aws/things/{victim}/jobs/start-next",
    "$aws/certificates/create/json",
    "$aws/certificates/create-from-csr/json",
    "$aws/provisioning-templates/x/provision/json",
    "$share/any/lobby/{victim}",
    "$SYS/broker",
)


def test_a_device_publishes_on_its_own_topics_and_no_others(pair: Pair) -> None:
    said = {}
    with pair.listening(pair.victim) as victim:
        for pattern in PUBLISHED:
            with pair.connected(pair.attacker) as device:
                said[pattern] = device.publish(pair.topic(pattern), b'{"config": "factory reset", "iotep": "evil"}')
        hears_nothing_but_the_mark(pair, victim, pair.other)
    assert {pattern: answer for pattern, answer in said.items() if answer != HUNG_UP} == {}


def test_what_a_device_says_is_not_kept_for_those_who_come_later(pair: Pair) -> None:
    for pattern in pair.allowed:
        with pair.connected(pair.attacker) as device:
            assert device.publish(pair.topic(pattern), b"{}", retain=True) == HUNG_UP, pattern


HEARD = (
    "lobby/{victim}",
    "lobby/+",
    "lobby/#",
    "+/{victim}",
    "+/{own}",
    "+/+",
    "+",
    "#",
    "lobby",
    "lobby/{victim}/#",
    "lobby/{OWN}",
    "/lobby/{own}",
    "app/#",
    "app/+",
    "app/+/log",
    "app/{victim}",
    "app/{victim}/#",
    "app/{own}",
    "$aws/#",
    "$aws/events/#",
    "$aws/events/certificates/#",
    "$aws/events/presence/connected/{victim}",
    "$aws/rules/lobby",
    "$aws/rules/#",
    "$aws/things/{own}/shadow/#",
    "$aws/things/{victim}/shadow/update/accepted",
    "$aws/things/+/jobs/notify",
    "$aws/certificates/create/json/accepted",
    "$share/any/lobby/{victim}",
    "$share/any/lobby/{own}",
    "$share/any/#",
    "$SYS/#",
)


def test_a_device_hears_its_own_messages_and_no_others(pair: Pair) -> None:
    said = {}
    for pattern in HEARD:
        with pair.connected(pair.attacker) as device:
            said[pattern] = device.subscribe(pair.topic(pattern))
    assert {pattern: answer for pattern, answer in said.items() if answer not in (REFUSED, HUNG_UP)} == {}
    with pair.listening(pair.attacker) as device:
        pair.deployed.tell(pair.scope, pair.other, {"iotep": "secret"})
        hears_nothing_but_the_mark(pair, device, pair.own)


NAMES = (
    "{victim}",
    "{own}-2",
    "{OWN}",
    "{own} ",
    "{own}/x",
    "x",
    "",
    "#",
    "+",
    "$aws",
    "${{iot:Connection.Thing.ThingName}}",
)


@pytest.mark.parametrize("clean", [True, False], ids=["clean", "kept"])
def test_a_device_connects_under_its_own_name_and_no_other(pair: Pair, clean: bool) -> None:
    said = {}
    with pair.listening(pair.victim) as victim:
        for pattern in NAMES:
            with dial(pair.deployed, pair.attacker.chain, pair.attacker.key, pair.scope) as device:
                said[pattern] = device.connect(pair.topic(pattern), clean=clean)
        assert victim.ask(PINGREQ, b"") == (PINGRESP, b""), "it was pushed out"
    assert {pattern: answer for pattern, answer in said.items() if answer == ACCEPTED} == {}


def test_a_device_leaves_no_will_with_others(pair: Pair) -> None:
    said = {}
    with pair.listening(pair.victim) as victim:
        for pattern in ("lobby/{victim}", "lobby/{own}", "app/{victim}", "any", "$aws/rules/device_lobby_registered"):
            with dial(pair.deployed, pair.attacker.chain, pair.attacker.key, pair.scope) as device:
                said[pattern] = device.connect(pair.own, will=(pair.topic(pattern), b'{"config": "factory reset"}'))
        hears_nothing_but_the_mark(pair, victim, pair.other)
    assert {pattern: answer for pattern, answer in said.items() if answer == ACCEPTED} == {}


def test_a_device_of_one_target_is_nobody_in_another(pair: Pair) -> None:
    elsewhere = {*pair.deployed.targets, pair.deployed.lobby} - {pair.scope, pair.deployed.lobby}
    for scope in elsewhere:
        with dial(pair.deployed, pair.attacker.chain, pair.attacker.key, scope) as device:
            assert device.connect(pair.own) == HUNG_UP, scope


# What a hello says.


def _posing(own: str, victim: str, certid: str) -> dict[str, object]:
    """Every field under which a hello's sender, or where its answer goes, has a name somewhere: all the victim's."""
    who = dict.fromkeys(("certid", "certificateId", "principal", "principalIdentifier", "fingerprint"), certid)
    names = ("devicename", "clientid", "clientId", "client_id", "thing", "thingName", "name", "user", "username")
    where = dict.fromkeys(("topic", "responseTopic", "replyTo", "reply_to", "mqtt_topic"), f"lobby/{victim}")
    there = dict.fromkeys(
        ("iotep", "endpoint", "endpointAddress", "endpoint_url", "host", "broker"), "evil.example.com"
    )
    state = {
        "devstate": "arrived",
        "state": "arrived",
        "targetaccount": "999999999999",
        "targetregion": "eu-west-1",
        "generation": 99,
        "turn": "commissioner",
        "profile": "admin",
        "config": {"factory": "reset"},
        "receivedat": 0,
        "timestamp": 0,
        "clientversion": f"${{principal()}} {own}",
    }
    functions = {"principal()": certid, "clientid()": victim, "topic()": f"lobby/{victim}", "*": certid}
    return {**who, **dict.fromkeys(names, victim), **where, **there, **state, **functions}


def _published_by_lambdas(deployed: Deployment, since: int) -> set[str]:
    """The topics that our Lambdas published on, in whichever account."""
    with deployed.layout.access_log_path.open() as log:
        log.seek(since)
        lines = [json.loads(line) for line in log.read().split("\n")[:-1]]
    return {
        unquote(line["request"].removeprefix("POST /topics/").partition("?")[0])
        for line in lines
        if line["action"] == "iot:Publish" and "assumed-role" in line["principal"]
    }


def test_what_a_hello_says_of_itself_poses_as_nobody_and_decides_nothing(deployed: Deployment, first: Target) -> None:
    pair = _in_lobby(deployed)
    own, victim = certid_of(pair.attacker), certid_of(pair.victim)
    deployed.claim(victim, first)
    deployed.wait(victim, "commissioned")
    posing = json.dumps(_posing(pair.own, pair.other, victim)).encode()
    before, began = (deployed.known(own), deployed.known(victim)), deployed.log_position()
    with pair.listening(pair.attacker) as device, pair.listening(pair.victim) as overheard:
        assert device.publish("$aws/rules/lobby", posing) == (PUBACK, b"\x00\x09")
        until(lambda: deployed.calls("device-lobby-receptionist", began)["dynamodb:GetItem"])
        hears_nothing_but_the_mark(pair, device, pair.own)
        assert (deployed.known(own), deployed.known(victim)) == before
        # Once it has a route of its own, that is what it is told, where it listens.
        deployed.claim(own, first)
        deployed.wait(own, "commissioned")
        routes = [device.read(), _answered(device, posing)]
        assert [json.loads(body[body.index(b"{") :])["iotep"] for _, body in routes] == [
            deployed.file.targets[0].endpoint
        ] * 2
        hears_nothing_but_the_mark(pair, overheard, pair.other)
    assert _published_by_lambdas(deployed, began) == {f"lobby/{pair.own}"}
    assert events(deployed.known(own)) == ["admit", "hello", "claim", "commission"]


def _answered(device: BareMqtt, hello: bytes) -> tuple[int, bytes]:
    """What comes back for a hello, beside its acknowledgement."""
    packets = [device.publish("$aws/rules/lobby", hello), device.read()]
    return next(packet for packet in packets if packet[0] == PUBLISH)


@pytest.mark.parametrize(
    "payload",
    [b"", b"not json", b"[]", b'{"version": ["x"]}', b'{"a":' * 2000, b"\xff" * 9000],
    ids=["empty", "text", "list", "odd-version", "deep", "binary"],
)
def test_any_hello_counts_as_one_or_as_none_and_harms_nobody(
    deployed: Deployment, bench: Workbench, payload: bytes
) -> None:
    paths = bench.make()
    with ExitStack() as open_ones:
        device = open_ones.enter_context(admitted(deployed, paths.chain, paths.key, name_of(paths)))
        assert device.publish("$aws/rules/lobby", payload)[0] == PUBACK
        assert device.publish("$aws/rules/lobby", b'{"version": "1.0"}')[0] == PUBACK
        assert events(deployed.wait(certid_of(paths), "inlobby")) == ["admit", "hello"]
