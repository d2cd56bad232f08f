"""Hostile messages that a broker may send on `lobby/<thing>`, as payloads by name. `INVALID` messages must be ignored.
`REPEATED` messages must also be ignored, but the examples for firmware read the last member. `UNUSUAL` messages are
valid.
"""

import json
from typing import Any

from lobby.wire import MAX_MESSAGE_BYTES


def _route(iotep: Any, **more: Any) -> bytes:
    return json.dumps({"iotep": iotep, "config": "x", **more}).encode()


def _nested(levels: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    return b'{"iotep":"a.example","config":' + opening * levels + b"1" + closing * levels + b"}"


REPEATED: dict[str, bytes] = {
    "iotep twice": b'{"iotep":"evil.example","iotep":"a.example","config":"x"}',
    "reset and another config": b'{"config":"factory reset","config":"x"}',
    "a key of the config twice": b'{"iotep":"a.example","config":{"a":1,"a":2}}',
}
INVALID: dict[str, bytes] = {
    "empty": b"",
    "a space": b" ",
    "NUL": b"\0",
    "binary": bytes(range(256)),
    "text": b"factory reset",
    "XML": b"<iotep>a.example</iotep>",
    "a truncated route": _route("a.example")[:17],
    "two concatenated routes": _route("a.example") * 2,
    "a route with a trailing comma": _route("a.example") + b",",
    "UTF-8 truncated within a character": '{"iotep":"é'.encode()[:-1],
    "a lone surrogate": b'{"iotep":"\xed\xa0\x80"}',
    "null": b"null",
    "true": b"true",
    "a number": b"-1e999",
    "a list of a route": b"[" + _route("a.example") + b"]",
    "an empty object": b"{}",
    "20,000 lists": b"[" * 20_000 + b"]" * 20_000,
    "20,000 objects": b'{"a":' * 20_000,
    "config of 33 levels": _nested(33),
    "config of 300 levels": _nested(300),
    "config of 900 lists": _nested(900, b"[", b"]"),
    "one byte too long": _route("a.example", pad="")[:-2] + b"x" * (MAX_MESSAGE_BYTES - 44) + b'"}',
    "a megabyte": b'"' + b"x" * 1_000_000 + b'"',
    "a number of 5,000 digits": b'{"iotep":"a.example","generation":' + b"9" * 5000 + b"}",
    "iotep missing": b'{"config":"x"}',
    "iotep null": _route(None),
    "iotep a number": _route(7),
    "iotep a list": _route(["a.example"]),
    "iotep an object": _route({"host": "a.example"}),
    "iotep empty": _route(""),
    "iotep with a port": _route("a.example:8883"),
    "iotep a URL": _route("mqtts://a.example"),
    "iotep with a path": _route("a.example/x"),
    "iotep with a user": _route("root@a.example"),
    "iotep with a space": _route("a.example b.example"),
    "iotep with NUL": _route("a.example\0.b.example"),
    "iotep with a line end": _route("a.example\n"),
    "iotep with a tab before": _route("\ta.example"),
    "iotep with a percent": _route("a%2eexample"),
    "iotep with Cyrillic letters": _route("а.ехаmрlе"),
    "iotep in full-width letters": _route("ａ．ｅｘａｍｐｌｅ"),
    "iotep with an ideographic full stop": _route("a。example"),
    "iotep with a soft hyphen": _route("a.exam\u00adple"),
    "iotep with a zero-width joiner": _route("a.\u200dexample"),
    "iotep with a right-to-left override": _route("\u202eelpmaxe.a"),
    "iotep with the Kelvin sign": _route("\u212a.example"),
    "iotep with dotless i": _route("ı.example"),
    "iotep with Arabic digits": _route("١٢٧.٠.٠.١"),
    "iotep with an underscore": _route("a_b.example"),
    "iotep an IPv6 address": _route("::1"),
    "iotep an IPv6 address in brackets": _route("[::1]"),
    "iotep with an empty label": _route("a..example"),
    "iotep with a final dot": _route("a.example."),
    "iotep that begins with a dash": _route("-a.example"),
    "iotep that is an option": _route("--help"),
    "iotep with a label of 64": _route("a" * 64 + ".example"),
    "iotep of 254 characters": _route(("a" * 49 + ".") * 5 + "abcd"),
    "iotep a wildcard": _route("*.example"),
    "iotep with a shell command": _route("$(reboot).example"),
    "config null": b'{"iotep":"a.example","config":null}',
    "config a number": b'{"iotep":"a.example","config":1}',
    "config a list": b'{"iotep":"a.example","config":["factory reset"]}',
    "port 0": _route("a.example", port=0),
    "port 65536": _route("a.example", port=65536),
    "port negative": _route("a.example", port=-1),
    "port text": _route("a.example", port="8883"),
    "port true": _route("a.example", port=True),
    "port with a fraction": _route("a.example", port=8883.0),
    "port infinite": b'{"iotep":"a.example","config":"x","port":Infinity}',
    "generation negative": _route("a.example", generation=-1),
    "generation text": _route("a.example", generation="5"),
    "generation false": _route("a.example", generation=False),
    "generation with a fraction": _route("a.example", generation=5.5),
    "generation NaN": b'{"iotep":"a.example","config":"x","generation":NaN}',
    "reset in upper case": b'{"config":"FACTORY RESET"}',
    "config with NaN": b'{"iotep":"a.example","config":{"x":[NaN,Infinity]}}',
    "config with 1e300": b'{"iotep":"a.example","config":{"x":1e300}}',
    "generation of 4,000 digits": b'{"iotep":"a.example","generation":' + b"9" * 4000 + b"}",
    "reset with a space": b'{"config":"factory reset "}',
    "reset as a key": b'{"factory reset":true}',
    "reset in a nested object": b'{"message":{"config":"factory reset"}}',
    "keys in upper case": b'{"IOTEP":"a.example","CONFIG":"x"}',
}
UNUSUAL: dict[str, bytes] = {
    "iotep an IP address": _route("192.0.2.7"),
    "iotep an invalid IP address": _route("999.999.999.999"),
    "iotep a single label": _route("localhost"),
    "iotep in punycode": _route("xn--80ak6aa92e.example"),
    "iotep of 253 characters": _route(("a" * 49 + ".") * 5 + "abc"),
    "config of 32 levels": _nested(32),
    "config of 100 kB": _route("a.example", config="x" * 100_000),
    "config with NUL": b'{"iotep":"a.example","config":{"\\u0000":[]}}',
    "config empty": _route("a.example", config=""),
    "config missing": b'{"iotep":"a.example"}',
    "the largest generation": _route("a.example", generation=2**64 - 1),
    "unknown fields": _route("a.example", principal="x", __class__="Route", then=[1]),
    "UTF-16": _route("a.example").decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + _route("a.example"),
    "the lobby itself": _route("lobby-1.example"),
}
