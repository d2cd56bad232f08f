"""The messages: encoded values decode, and any other input is rejected."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from lobby.errors import InvalidInput
from lobby.names import ThingName
from lobby.wire import (
    CONNECTIONS_SQL,
    DEFAULT_CONFIG,
    FACTORY_RESET,
    HELLO_SQL,
    MAX_MESSAGE_BYTES,
    REGISTERED_SQL,
    Reset,
    Route,
    crl_key,
    lobby_topic,
    parse_message,
)

integers = st.integers(-(2**64) + 1, 2**64 - 1)  # a larger number is rejected
json_values = st.recursive(
    st.none() | st.booleans() | integers | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
configs = st.text(max_size=40).filter(lambda text: text != FACTORY_RESET) | st.dictionaries(
    st.text(max_size=8), st.text(max_size=8) | integers | st.booleans() | st.none(), max_size=4
)


@given(configs, st.none() | st.integers(1, 65535).filter(lambda port: port != 8883), st.none() | st.integers(0, 2**31))
def test_a_route_decodes_to_the_same_route(
    config: str | dict[str, object], port: int | None, generation: int | None
) -> None:
    route = Route("a1-ats.iot.eu-west-1.amazonaws.com", config, port, generation)
    assert parse_message(route.encode()) == route


def test_the_default_port_and_an_unknown_generation_are_omitted() -> None:
    assert json.loads(Route("host", "c", 8883).encode()) == {"iotep": "host", "config": "c"}


def test_a_message_of_v0_1_is_parsed() -> None:
    assert parse_message(b'{"iotep": "h.example", "config": {"a": 1}}') == Route("h.example", {"a": 1})
    assert parse_message(b'{"iotep": "h.example"}') == Route("h.example", DEFAULT_CONFIG)
    assert parse_message(b'{"config": "factory reset"}') == Reset() == parse_message(Reset().encode())


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"7",
        b"{",
        b"\xff\xfe",
        b"{}",
        b'{"iotep": null}',
        b'{"iotep": 7}',
        b'{"iotep": ""}',
        b'{"iotep": "a b"}',
        b'{"iotep": "http://a"}',
        b'{"iotep": "a/b"}',
        b'{"iotep": "a:8883"}',
        b'{"iotep": "a\\n"}',
        b'{"iotep": "-a"}',
        b'{"iotep": "a..b"}',
        b'{"iotep": "a", "config": 5}',
        b'{"iotep": "a", "config": null}',
        b'{"iotep": "a", "port": 0}',
        b'{"iotep": "a", "port": 65536}',
        b'{"iotep": "a", "port": "1"}',
        b'{"iotep": "a", "port": true}',
        b'{"iotep": "a", "port": 1.5}',
        b'{"iotep": "a", "generation": -1}',
        b'{"iotep": "a", "generation": "2"}',
        b'{"iotep": "' + b"a" * 254 + b'"}',
        b"[" * 100_000,
        b'{"iotep": "a", "config": "' + b"x" * MAX_MESSAGE_BYTES + b'"}',
        b'{"iotep": "a", "generation": ' + b"9" * 5000 + b"}",
        b'{"iotep": "a", "config": ' + b'{"a":' * 40 + b"1" + b"}" * 41,
        b'{"iotep": "a", "config": {"a": ' + b"[" * 700 + b"1" + b"]" * 700 + b"}}",
    ],
    ids=lambda payload: repr(payload)[:40],
)
def test_an_invalid_message_is_rejected(payload: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_message(payload)
    assert refused.value.code == "INVALID_MESSAGE"
    assert len(refused.value.message) < 300


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_payload_is_parsed_or_rejected(payload: bytes) -> None:
    try:
        message = parse_message(payload)
    except InvalidInput as refused:
        assert refused.code == "INVALID_MESSAGE"  # noqa: PT017  # both are answers
    else:
        assert isinstance(message, Route | Reset)


@given(
    st.fixed_dictionaries(
        {"iotep": json_values | st.just("a.b")}, optional=dict.fromkeys(("config", "port", "generation"), json_values)
    )
)
def test_any_fields_are_parsed_or_rejected(body: dict[str, object]) -> None:
    try:
        message = parse_message(json.dumps(body).encode())
    except InvalidInput as refused:
        assert refused.code == "INVALID_MESSAGE"  # noqa: PT017  # both are answers
    else:
        assert isinstance(message, Route | Reset)


def test_topics_and_keys_are_fixed() -> None:
    assert lobby_topic(ThingName("a")) == "lobby/a"
    assert crl_key("ab") == "crl/ab.pem"


def test_the_hello_rule_takes_the_identity_from_aws_iot_and_names_every_field() -> None:
    selected, _, topic = HELLO_SQL.removeprefix("SELECT ").partition(" FROM ")
    fields = [field.strip() for field in selected.split(",")]
    assert fields == [
        "principal() AS certid",
        "clientid() AS devicename",
        "timestamp() AS receivedat",
        "version AS clientversion",
        "presence AS presence",
        "renew AS renew",
        "transfer AS transfer",
    ]
    assert "*" not in selected
    assert topic == "'$aws/rules/lobby'"


@pytest.mark.parametrize("clientid", ["sensor-1", "acme/sensor-1", "/", "a/b/c"])
def test_the_connections_rule_also_selects_refused_client_ids_with_slashes(clientid: str) -> None:
    topics = CONNECTIONS_SQL.partition(" FROM ")[2].strip("'")
    assert topic_matches_sub(topics, f"$aws/events/presence/connect_failed/{clientid}")
    assert not topic_matches_sub(topics, f"$aws/events/subscriptions/subscribed/{clientid}")


def test_the_registration_rule_uses_a_topic_where_no_device_can_publish() -> None:
    assert " FROM '$aws/events/" in REGISTERED_SQL
