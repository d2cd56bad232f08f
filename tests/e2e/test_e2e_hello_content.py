"""The content of a hello has no effect on the device's identity or state, or on other devices."""

import json
from urllib.parse import unquote

import pytest

from lobby.names import Target
from tests.e2e.bare_mqtt import PUBACK, PUBLISH, BareMqtt
from tests.e2e.connections import connect_admitted
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.device_pairs import assert_next_is_marker, pair_in_lobby
from tests.e2e.fleet import Fleet, certid_of, name_of


def _impersonation(own: str, victim: str, certid: str) -> dict[str, object]:
    """Return a hello with every field that could name its sender or the destination of the response: the victim's."""
    identities = dict.fromkeys(("certid", "certificateId", "principal", "principalIdentifier", "fingerprint"), certid)
    names = ("devicename", "clientid", "clientId", "client_id", "thing", "thingName", "name", "user", "username")
    topics = dict.fromkeys(("topic", "responseTopic", "replyTo", "reply_to", "mqtt_topic"), f"lobby/{victim}")
    endpoints = dict.fromkeys(
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
    return {**identities, **dict.fromkeys(names, victim), **topics, **endpoints, **state, **functions}


def _published_by_lambdas(deployed: Deployment, since: int) -> set[str]:
    """Return the topics to which the Lambda functions published, in any account."""
    with deployed.layout.access_log_path.open() as log:
        log.seek(since)
        lines = [json.loads(line) for line in log.read().split("\n")[:-1]]
    return {
        unquote(line["request"].removeprefix("POST /topics/").partition("?")[0])
        for line in lines
        if line["action"] == "iot:Publish" and "assumed-role" in line["principal"]
    }


@pytest.mark.full
def test_the_content_of_a_hello_changes_neither_identity_nor_state(deployed: Deployment, first: Target) -> None:
    pair = pair_in_lobby(deployed)
    own, victim = certid_of(pair.attacker), certid_of(pair.victim)
    deployed.claim(victim, first)
    deployed.wait(victim, "commissioned")
    payload = json.dumps(_impersonation(pair.own, pair.other, victim)).encode()
    before, began = (deployed.existing(own), deployed.existing(victim)), deployed.log_position()
    with pair.listening(pair.attacker) as device, pair.listening(pair.victim) as victims:
        assert device.publish("$aws/rules/lobby", payload) == (PUBACK, b"\x00\x09")
        until(lambda: deployed.calls("device-lobby-receptionist", began)["dynamodb:GetItem"])
        assert_next_is_marker(pair, device, pair.own)
        assert (deployed.existing(own), deployed.existing(victim)) == before
        # After it is claimed, it receives its own route on its own topic.
        deployed.claim(own, first)
        deployed.wait(own, "commissioned")
        routes = [device.read(), _response_to_hello(device, payload)]
        assert [json.loads(body[body.index(b"{") :])["iotep"] for _, body in routes] == [
            deployed.file.targets[0].endpoint
        ] * 2
        assert_next_is_marker(pair, victims, pair.other)
    assert _published_by_lambdas(deployed, began) == {f"lobby/{pair.own}"}
    assert events(deployed.existing(own)) == ["admit", "hello", "claim", "commission"]


def _response_to_hello(device: BareMqtt, hello: bytes) -> tuple[int, bytes]:
    """Publish a hello and return the message that follows, besides its acknowledgement."""
    packets = [device.publish("$aws/rules/lobby", hello), device.read()]
    return next(packet for packet in packets if packet[0] == PUBLISH)


@pytest.mark.parametrize(
    "payload",
    [b"", b"not json", b"[]", b'{"version": ["x"]}', b'{"a":' * 2000, b"\xff" * 9000],
    ids=["empty", "text", "list", "odd-version", "deep", "binary"],
)
def test_any_payload_counts_as_at_most_one_hello(deployed: Deployment, fleet: Fleet, payload: bytes) -> None:
    paths = fleet.make()
    with connect_admitted(deployed, paths.chain, paths.key, name_of(paths)) as device:
        assert device.publish("$aws/rules/lobby", payload)[0] == PUBACK
        assert device.publish("$aws/rules/lobby", b'{"version": "1.0"}')[0] == PUBACK
        assert events(deployed.wait(certid_of(paths), "inlobby")) == ["admit", "hello"]
