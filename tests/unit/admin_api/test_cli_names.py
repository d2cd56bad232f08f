"""How lobbies, targets, devices and durations are named: what is taken, what is ambiguous, what is refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from admin_api.cli.client import LONGEST_WAIT, wait_of
from admin_api.cli.device_lookup import named_device
from admin_api.cli.durations import parse_duration
from admin_api.cli.http import is_near, origin_of
from admin_api.cli.lobby_location import Asked
from admin_api.cli.photos import labels_among
from admin_api.cli.target_lookup import Known, Register
from lobby.errors import InvalidInput, LobbyError
from lobby.names import Fingerprint, parse_target
from lobby.wire import encode_label

HERE, THERE, TWIN = (parse_target(f"{number}" * 12, "eu-west-1") for number in (1, 2, 3))
REGISTER = Register((Known(HERE, "Here", ("default",)), Known(THERE, "twin", ("default",)), Known(TWIN, "Twin", ())))
ONE = Fingerprint("abcd" + "0" * 60)


@pytest.mark.parametrize(
    ("said", "meant"),
    [("Here", HERE), ("here", HERE), (" HERE ", HERE), (str(HERE), HERE), ("Twin", TWIN), ("twin", THERE)],
)
def test_a_target_is_named_by_place_or_by_name(said: str, meant: object) -> None:
    assert REGISTER.named(said).target == meant


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("TWIN", "AMBIGUOUS_TARGET"),
        ("Mars", "UNKNOWN_TARGET"),
        ("444444444444/eu-west-1", "UNKNOWN_TARGET"),
        ("4/eu-west-1", "INVALID_ACCOUNT"),
        ("444444444444/mars", "INVALID_REGION"),
        ("a/b/c", "INVALID_ACCOUNT"),
        (None, "TARGET_MISSING"),
        ("", "TARGET_MISSING"),
        ("  ", "TARGET_MISSING"),
        ("\x1b[31m", "UNKNOWN_TARGET"),
    ],
)
def test_a_target_that_is_none_or_several_is_refused_with_the_choice(said: str | None, code: str) -> None:
    with pytest.raises(LobbyError, match=code) as refused:
        REGISTER.named(said)
    assert "\x1b" not in refused.value.message


def test_a_name_that_looks_like_a_place_does_not_take_that_places_part() -> None:
    register = Register((Known(HERE, str(THERE), ()), Known(THERE, "x", ())))
    assert register.named(str(THERE)).target == THERE


def test_without_any_target_the_one_who_may_none_is_told_so() -> None:
    with pytest.raises(InvalidInput, match="none is that you may claim for"):
        Register(()).named(None)


class Devices:
    """A ledger of names and fingerprints, and what was asked of it."""

    def __init__(self, **known: str) -> None:
        self.known = [
            {"certid": certid.ljust(64, "0"), "devicename": name.replace("_", "-"), "devstate": "inlobby"}
            for name, certid in known.items()
        ]
        self.asked: list[Mapping[str, Any]] = []

    def find(self, wanted: Mapping[str, Any], _count: int) -> list[dict[str, Any]]:
        self.asked.append(wanted)
        digits, name = wanted.get("fingerprintPrefix", ""), wanted.get("namePrefix", "")
        return [
            each for each in self.known if each["certid"].startswith(digits) and each["devicename"].startswith(name)
        ]


@pytest.mark.parametrize(
    "said", [ONE, ONE.upper(), encode_label(ONE), ":".join(ONE[i : i + 2] for i in range(0, 64, 2)), f" {ONE} "]
)
def test_a_whole_fingerprint_asks_nobody(said: str) -> None:
    devices = Devices()
    assert named_device(said, devices.find) == ONE
    assert not devices.asked


@pytest.mark.parametrize("said", ["abcd", "ABCD 0000", "ab:cd:00", "sensor-1"])
def test_first_digits_or_the_name_are_enough_for_a_known_device(said: str) -> None:
    assert named_device(said, Devices(sensor_1="abcd", sensor_12="ffff").find) == ONE


def test_a_name_of_hex_digits_is_found_too_unless_it_could_be_two() -> None:
    assert named_device("cafe", Devices(cafe="abcd").find) == ONE
    with pytest.raises(InvalidInput, match="AMBIGUOUS_DEVICE"):
        named_device("cafe", Devices(cafe="abcd", other="cafe").find)
    assert named_device("abcd", Devices(abcd="abcd").find) == ONE


@pytest.mark.parametrize("said", ["", "x", "abc", "sensor", "[bold]", "a b", "ab" * 40, "\x00", "é" * 9])
def test_what_names_no_device_is_refused(said: str) -> None:
    with pytest.raises(LobbyError, match="UNKNOWN_DEVICE"):
        named_device(said, Devices(sensor_1="1234").find)


def test_a_mistyped_label_is_not_taken_for_a_name() -> None:
    devices = Devices()
    with pytest.raises(InvalidInput, match="INVALID_LABEL"):
        named_device(encode_label(ONE)[:-1], devices.find)
    assert not devices.asked


def test_of_a_photos_codes_the_labels_count_each_once() -> None:
    labels = labels_among(["https://x.example", ONE, encode_label(ONE), "4006381333931"], "photo.png")
    assert labels.certids == (ONE,)
    assert len(labels.others) == 2


@pytest.mark.parametrize(
    ("codes", "code"),
    [([], "NO_CODE_FOUND"), (["https://x"], "NO_CODE_FOUND"), ([ONE, encode_label(ONE)[:-1] + "!"], "INVALID_LABEL")],
)
def test_a_photo_without_a_label_or_with_a_misread_one_is_refused(codes: list[str], code: str) -> None:
    with pytest.raises(InvalidInput, match=code):
        labels_among(codes, "photo.png")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15min", 900), ("15m", 900), ("2h", 7200), (" 3D ", 259200), ("0s", 0)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "1.5h", "1 h 5 min", "9999999s", "２h", "1w"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_DURATION"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Lobby.Example.com/claim?x=1", "https://lobby.example.com"),
        ("https://lobby.example:8443", "https://lobby.example:8443"),
        ("http://127.0.0.1:4567/", "http://127.0.0.1:4567"),
        ("http://[::1]:4567", "http://[::1]:4567"),
    ],
)
def test_a_lobby_has_one_address(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "lobby",
        "http://lobby.example",
        "https://",
        "https://u:p@x.example",
        "https://x:99999",
        "javascript:alert(1)",
        "https://x.example/ y",
        "https://x\n.example",
        "http://127.0.0.1.example",
        "http://localhost.example",
        "//x",
    ],
)
def test_what_no_secret_should_go_to_is_no_address(url: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_URL"):
        origin_of(url)


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://localhost:1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]", True),
        ("https://x.example", False),
        ("http://192.168.0.1", False),
        ("http://[", False),
    ],
)
def test_near_is_this_machine(url: str, near: bool) -> None:
    assert is_near(url) is near


def test_what_is_said_counts_before_the_environment_and_two_lobbies_are_none() -> None:
    environment = {"LOBBYCTL_LOBBY": "/a", "LOBBYCTL_URL": "https://b.example"}
    assert Asked.gather(Path("/c"), None, environment) == Asked(Path("/c"))
    assert Asked.gather(None, "https://d.example/x", environment) == Asked(None, "https://d.example")
    assert Asked.gather(None, None, {"LOBBYCTL_URL": ""}) == Asked()
    several: list[tuple[Path | None, str | None, dict[str, str]]] = [
        (None, None, environment),
        (Path("/c"), "https://d.example", {}),
    ]
    for both in several:
        with pytest.raises(InvalidInput, match="WRONG_USE"):
            Asked.gather(*both)


@pytest.mark.parametrize(
    ("tried", "asked", "drawn", "wait"),
    [
        (1, None, 0, 0.5),
        (1, None, 1, 0.25),
        (4, None, 0, 4),
        (9, None, 0, LONGEST_WAIT),
        (1, 7, 1, 7),
        (1, 3600, 0, LONGEST_WAIT),
    ],
)
def test_waits_grow_or_are_what_the_server_asks_within_a_bound(
    tried: int, asked: float | None, drawn: float, wait: float
) -> None:
    assert wait_of(tried, asked, drawn) == wait
