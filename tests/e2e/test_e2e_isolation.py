"""A device publishes and subscribes only to its own topics, in the lobby and in its target.

The same tests run with a pair of devices in the lobby and a pair per profile in a target. The broker closes the
connection after a refused packet. To show that no message was delivered, the test publishes a marker to the victim,
which must be the victim's next message.
"""

from functools import partial

import pytest

from infra.profile_files import read_profiles
from tests.e2e.bare_mqtt import HUNG_UP, PINGREQ, PINGRESP, PUBACK, PUBLISH, SUBACK
from tests.e2e.connections import ACCEPTED, open_tls
from tests.e2e.deployment import Deployment
from tests.e2e.device_pairs import GRANTED, Pair, assert_next_is_marker, pair_in_lobby, pair_in_target

REFUSED = (SUBACK, b"\x00\x07\x80")
SCOPES = {"lobby": pair_in_lobby} | {
    f"target as {profile}": partial(pair_in_target, profile=profile) for profile in read_profiles().by_name
}


@pytest.fixture(scope="module", params=SCOPES)
def pair(deployed: Deployment, request: pytest.FixtureRequest) -> Pair:
    return SCOPES[request.param](deployed)


def test_a_device_uses_its_own_topics(pair: Pair) -> None:
    with pair.listening(pair.attacker) as device:
        for topic in pair.subscribed:
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
    responses = {}
    with pair.listening(pair.victim) as victim:
        for pattern in PUBLISHED:
            with pair.connected(pair.attacker) as device:
                responses[pattern] = device.publish(
                    pair.topic(pattern), b'{"config": "factory reset", "iotep": "evil"}'
                )
        assert_next_is_marker(pair, victim, pair.other)
    assert {pattern: response for pattern, response in responses.items() if response != HUNG_UP} == {}


def test_a_retained_message_is_refused(pair: Pair) -> None:
    for pattern in pair.allowed:
        with pair.connected(pair.attacker) as device:
            assert device.publish(pair.topic(pattern), b"{}", retain=True) == HUNG_UP, pattern


SUBSCRIBED = (
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


def test_a_device_subscribes_to_its_own_topics_and_no_others(pair: Pair) -> None:
    responses = {}
    for pattern in SUBSCRIBED:
        with pair.connected(pair.attacker) as device:
            responses[pattern] = device.subscribe(pair.topic(pattern))
    assert {pattern: response for pattern, response in responses.items() if response not in (REFUSED, HUNG_UP)} == {}
    with pair.listening(pair.attacker) as device:
        pair.deployed.publish(pair.scope, pair.other, {"iotep": "secret"})
        assert_next_is_marker(pair, device, pair.own)


CLIENT_IDS = (
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


@pytest.mark.parametrize("clean", [True, False], ids=["clean", "persistent"])
def test_a_device_connects_with_its_own_client_id_and_no_other(pair: Pair, clean: bool) -> None:
    responses = {}
    with pair.listening(pair.victim) as victim:
        for pattern in CLIENT_IDS:
            with open_tls(pair.deployed, pair.attacker.chain, pair.attacker.key, pair.scope) as device:
                responses[pattern] = device.connect(pair.topic(pattern), clean=clean)
        assert victim.ask(PINGREQ, b"") == (PINGRESP, b""), "the victim was disconnected"
    assert {pattern: response for pattern, response in responses.items() if response == ACCEPTED} == {}


def test_a_last_will_is_refused(pair: Pair) -> None:
    responses = {}
    with pair.listening(pair.victim) as victim:
        for pattern in ("lobby/{victim}", "lobby/{own}", "app/{victim}", "any", "$aws/rules/device_lobby_registered"):
            with open_tls(pair.deployed, pair.attacker.chain, pair.attacker.key, pair.scope) as device:
                responses[pattern] = device.connect(
                    pair.own, will=(pair.topic(pattern), b'{"config": "factory reset"}')
                )
        assert_next_is_marker(pair, victim, pair.other)
    assert {pattern: response for pattern, response in responses.items() if response == ACCEPTED} == {}


def test_a_device_of_one_target_is_refused_by_another(pair: Pair) -> None:
    elsewhere = {*pair.deployed.targets, pair.deployed.lobby} - {pair.scope, pair.deployed.lobby}
    for scope in elsewhere:
        with open_tls(pair.deployed, pair.attacker.chain, pair.attacker.key, scope) as device:
            assert device.connect(pair.own) == HUNG_UP, scope
