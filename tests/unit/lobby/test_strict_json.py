"""The reader for external JSON: which JSON is accepted. Anything else raises a `ValueError`."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobby import strict_json
from lobby.aws.sns_signature import parse_envelope
from lobby.contracts.lane_tokens import Token
from lobby.errors import LobbyError
from lobby.profiles import decode_profiles
from lobby.wire import parse_message

HOSTILE: dict[str, str | bytes] = {
    "NaN": '{"iotep": "a", "x": NaN}',
    "Infinity": '{"x": Infinity}',
    "-Infinity": '{"x": -Infinity}',
    "1e300": '{"connectedat": 1e300}',
    "1e999": '{"x": 1e999}',
    "-1e400": '{"x": -1e400}',
    "2^64": '{"generation": 18446744073709551616}',
    "an integer of 5,000 digits": '{"generation": ' + "9" * 5000 + "}",
    "an integer of a million digits": '{"generation": ' + "9" * 1_000_000 + "}",
    "a fraction of 100,000 digits": '{"x": 0.' + "1" * 100_000 + "}",
    "an exponent of 1,000 digits": '{"x": 1e' + "1" * 1000 + "}",
    "66 lists": "[" * 66 + "]" * 66,
    "100,000 lists": "[" * 100_000,
    "100,000 objects": '{"a":' * 100_000,
    "no JSON": "hello",
    "nothing": "",
    "two values": "{} {}",
    "a comment": '{"a": 1} // x',
    "single quotes": "{'a': 1}",
    "a control character": '{"a": "\x01"}',
    "bytes that are not Unicode": b'{"a": "\xff"}',
    "half of a surrogate pair": '{"config": "\\ud800"}',
    "the other half in a name": '{"config": [{"\\udfffx": 1}]}',
    "the halves in the wrong order": '["\\udc00\\ud800"]',
    "a surrogate as bytes": b'"\xed\xa0\x80"',
    "hexadecimal": '{"x": 0x10}',
    "a name twice": '{"iotep": "a", "config": 1, "iotep": "b"}',
    "a name twice with one value": '{"iotep": "a", "iotep": "a"}',
    "a name twice by an escape": '{"iotep": "a", "iot\\u0065p": "b"}',
    "a name twice in a nested object": '{"config": [{"x": {"y": 1, "y": 2}}]}',
    "an empty name twice": '{"": 1, "": 2}',
    "100,000 names, one twice": "{" + ", ".join(f'"{n}": 1' for n in range(100_000)) + ', "5": 2}',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        strict_json.loads(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"a": 1, "iotep": 1, "b": 2, "iotep": 2}', "got 'iotep' twice in an object, want each name once"),
        ('[{"x": {"\u202ey": 1, "\u202ey": 2}}]', r"got '\u202ey' twice"),
        ('{"' + "k" * 10_000 + '": 1, "' + "k" * 10_000 + '": 2}', "10002 characters"),
    ],
)
def test_the_error_names_what_occurs_twice(text: str, name: str) -> None:
    with pytest.raises(strict_json.RepeatedName) as rejected:
        strict_json.loads(text)
    assert name in str(rejected.value)
    assert len(str(rejected.value)) < 200


EDGES: dict[str, Callable[[str], object]] = {
    "a message to a device": lambda text: parse_message(text.encode()),
    "an envelope of SNS": parse_envelope,
    "a lane's token": Token.decode,
    "the profiles of a bundle": lambda text: decode_profiles(text.encode()),
}


@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("text", [text for text in HOSTILE.values() if isinstance(text, str)])
def test_an_edge_refuses_hostile_json_with_a_code(edge: Callable[[str], object], text: str) -> None:
    with pytest.raises(LobbyError):
        edge(text)


@pytest.mark.parametrize("value", [2**64 - 1, -(2**63), 0, -0.0, 1.5, 1e18, 1e-300, True, None, "x", [], {"a": [{}]}])
def test_other_json_is_read(value: object) -> None:
    assert strict_json.loads(json.dumps(value)) == value
    assert strict_json.loads(json.dumps(value).encode()) == value


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(-1e18, 1e18) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(value=_JSON)
def test_what_json_writes_is_read_back(value: object) -> None:
    assert strict_json.loads(json.dumps(value)) == value


@given(text=st.text() | st.binary())
def test_any_input_is_read_or_a_value_error(text: str | bytes) -> None:
    try:
        strict_json.loads(text)
    except ValueError:
        return
