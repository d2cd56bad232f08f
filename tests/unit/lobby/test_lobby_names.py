"""Each parser accepts the usual notations, and rejects everything else with a message that can be shown."""

from collections.abc import Callable

import pytest

from lobby.errors import InvalidInput
from lobby.names import (
    Target,
    parse_account,
    parse_fingerprint,
    parse_profile,
    parse_region,
    parse_target,
    parse_target_key,
    parse_thing_name,
    shown,
)

HEX = "3f2a91bc07d4" + "0" * 51 + "1"
LOOK_ALIKE = "\u0430dmin"  # a Cyrillic a


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        HEX.upper(),
        ":".join(HEX[i : i + 2] for i in range(0, 64, 2)),
        f" {HEX[:32]} {HEX[32:]}\n",
        f"{HEX[:8]}-{HEX[8:]}",
    ],
    ids=["bare", "upper", "colons", "spaces", "dashes"],
)
def test_a_fingerprint_is_parsed_in_every_notation(text: str) -> None:
    assert parse_fingerprint(text) == HEX


HOSTILE: list[tuple[Callable[[object], object], str, list[object]]] = [
    (
        parse_fingerprint,
        "INVALID_FINGERPRINT",
        [
            "",
            HEX[:-1],
            HEX + "0",
            "g" * 64,
            "\uff11" * 64,
            None,
            7,
            b"0" * 64,
            [HEX],
            f"{HEX}'; DROP",
            HEX * 1000,
            ":" * 64,
        ],
    ),
    (
        parse_account,
        "INVALID_ACCOUNT",
        [
            "",
            "12345678901",
            "1234567890123",
            123456789012,
            "12345678901a",
            "123456789012\n",
            " 123456789012",
            None,
            "\u0661" * 12,
            "123456789012/eu-west-1",
            "000000000000 OR 1",
        ],
    ),
    (
        parse_region,
        "INVALID_REGION",
        [
            "",
            "eu",
            "EU-WEST-1",
            "eu-west",
            "eu-west-1\n",
            "eu_west_1",
            "eu-west-1.evil.example",
            "../eu-west-1",
            None,
            1,
            "eu-west-1/../x",
            "eu-west-100",
            "\u0435u-west-1",
        ],
    ),
    (parse_target_key, "INVALID_TARGET", ["", "123456789012", "123456789012:eu-west-1", None, 5, b"1/2"]),
    (parse_target_key, "INVALID_ACCOUNT", ["/", "/eu-west-1", "1/eu-west-1"]),
    (parse_target_key, "INVALID_REGION", ["123456789012/", "123456789012/eu-west-1/x"]),
    (
        parse_thing_name,
        "INVALID_THING_NAME",
        [
            "",
            "a" * 129,
            "a b",
            "a/b",
            "a#",
            "+",
            "$aws",
            "a\n",
            "a=b",
            "CN=a",
            "a\x00",
            "a.b",
            "a,b",
            LOOK_ALIKE,
            "\u00e9",
            "${iot:ClientId}",
            "*",
            None,
            3,
            ["a"],
        ],
    ),
    (parse_profile, "INVALID_PROFILE", ["", "-a", "A", "a" * 33, "a_b", "a/b", "*", "a\n", None, 3]),
]


@pytest.mark.parametrize(
    ("parse", "code", "value"),
    [(parse, code, value) for parse, code, values in HOSTILE for value in values],
    ids=lambda value: ascii(value)[:40] if not callable(value) else value.__name__,
)
def test_an_invalid_value_is_rejected_with_the_value_and_the_rule(
    parse: Callable[[object], object], code: str, value: object
) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(value)
    assert refused.value.code == code
    assert "want" in refused.value.message
    assert refused.value.message.isascii() or "…" in refused.value.message
    assert "\n" not in refused.value.message
    assert len(refused.value.message) < 300


@pytest.mark.parametrize("text", ["eu-west-1", "us-gov-east-1", "ap-southeast-3", "cn-northwest-1", "us-iso-east-1"])
def test_region_codes_of_every_partition_are_parsed(text: str) -> None:
    assert parse_region(text) == text


@pytest.mark.parametrize("text", ["a", "a" * 128, "Sensor_1:a-b", "0"])
def test_a_thing_name_follows_the_rule_of_aws_iot(text: str) -> None:
    assert parse_thing_name(text) == text


def test_an_account_keeps_its_leading_zeros() -> None:
    assert parse_account("000000000012") == "000000000012"


def test_a_target_parses_from_its_text() -> None:
    target = parse_target("123456789012", "eu-west-1")
    assert parse_target_key(str(target)) == target == Target(target.account, target.region)


def test_an_untrusted_value_is_shown_on_one_bounded_ascii_line() -> None:
    assert shown("a\nb\x1b[2J") == r"'a\nb\x1b[2J'"
    assert shown("x" * 10_000).endswith("(10002 characters)")
    assert len(shown("\U0001f600" * 10_000)) < 120
