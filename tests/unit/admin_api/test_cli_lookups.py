"""How users write lobbies, targets, devices and durations: accepted, ambiguous and refused forms."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from admin_api.cli.api.client import MAX_DELAY, retry_delay
from admin_api.cli.api.device_lookup import find_device
from admin_api.cli.api.http import is_loopback, origin_of
from admin_api.cli.api.target_lookup import RegisteredTarget, TargetLookup
from admin_api.cli.commands.filtering import parse_duration
from admin_api.cli.inputs.photos import select_labels
from admin_api.cli.lobby_location import LobbyChoice, local_file
from lobby.errors import InvalidInput, LobbyError
from lobby.names import Fingerprint, parse_target
from lobby.text.label import encode_label

HERE, THERE, TWIN = (parse_target(f"{number}" * 12, "eu-west-1") for number in (1, 2, 3))
TARGETS = TargetLookup(
    (
        RegisteredTarget(HERE, "Here", ("default",)),
        RegisteredTarget(THERE, "twin", ("default",)),
        RegisteredTarget(TWIN, "Twin", ()),
    )
)
ONE = Fingerprint("abcd" + "0" * 60)


@pytest.mark.parametrize(
    ("text", "target"),
    [("Here", HERE), ("here", HERE), (" HERE ", HERE), (str(HERE), HERE), ("Twin", TWIN), ("twin", THERE)],
)
def test_a_target_is_found_by_key_or_name(text: str, target: object) -> None:
    assert TARGETS.find(text).target == target


@pytest.mark.parametrize(
    ("text", "code"),
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
def test_an_unknown_or_ambiguous_target_is_refused(text: str | None, code: str) -> None:
    with pytest.raises(LobbyError, match=code) as refused:
        TARGETS.find(text)
    assert "\x1b" not in refused.value.message


def test_a_key_takes_precedence_over_an_equal_name() -> None:
    targets = TargetLookup((RegisteredTarget(HERE, str(THERE), ()), RegisteredTarget(THERE, "x", ())))
    assert targets.find(str(THERE)).target == THERE


def test_without_any_target_the_error_says_so() -> None:
    with pytest.raises(InvalidInput, match="there is none that you may claim for"):
        TargetLookup(()).find(None)


class Devices:
    """A ledger of names and fingerprints that records its searches."""

    def __init__(self, **names: str) -> None:
        self.rows = [
            {"certid": certid.ljust(64, "0"), "devicename": name.replace("_", "-"), "devstate": "inlobby"}
            for name, certid in names.items()
        ]
        self.searches: list[Mapping[str, Any]] = []

    def search(self, device_filter: Mapping[str, Any], _count: int) -> list[dict[str, Any]]:
        self.searches.append(device_filter)
        digits, name = device_filter.get("fingerprintPrefix", ""), device_filter.get("namePrefix", "")
        return [each for each in self.rows if each["certid"].startswith(digits) and each["devicename"].startswith(name)]


@pytest.mark.parametrize(
    "text", [ONE, ONE.upper(), encode_label(ONE), ":".join(ONE[i : i + 2] for i in range(0, 64, 2)), f" {ONE} "]
)
def test_a_complete_fingerprint_needs_no_search(text: str) -> None:
    devices = Devices()
    assert find_device(text, devices.search) == ONE
    assert not devices.searches


@pytest.mark.parametrize("text", ["abcd", "ABCD 0000", "ab:cd:00", "sensor-1"])
def test_a_device_is_found_by_its_first_digits_or_name(text: str) -> None:
    assert find_device(text, Devices(sensor_1="abcd", sensor_12="ffff").search) == ONE


def test_a_name_of_hex_digits_is_found_unless_it_is_ambiguous() -> None:
    assert find_device("cafe", Devices(cafe="abcd").search) == ONE
    with pytest.raises(InvalidInput, match="AMBIGUOUS_DEVICE"):
        find_device("cafe", Devices(cafe="abcd", other="cafe").search)
    assert find_device("abcd", Devices(abcd="abcd").search) == ONE


@pytest.mark.parametrize("text", ["", "x", "abc", "sensor", "[bold]", "a b", "ab" * 40, "\x00", "é" * 9])
def test_a_text_that_matches_no_device_is_refused(text: str) -> None:
    with pytest.raises(LobbyError, match="UNKNOWN_DEVICE"):
        find_device(text, Devices(sensor_1="1234").search)


def test_a_mistyped_label_is_not_searched_as_a_name() -> None:
    devices = Devices()
    with pytest.raises(InvalidInput, match="INVALID_LABEL"):
        find_device(encode_label(ONE)[:-1], devices.search)
    assert not devices.searches


def test_each_label_in_a_photo_counts_once() -> None:
    labels = select_labels(["https://x.example", ONE, encode_label(ONE), "4006381333931"], "photo.png")
    assert labels.certids == (ONE,)
    assert len(labels.other_codes) == 2


@pytest.mark.parametrize(
    ("codes", "code"),
    [([], "NO_CODE_FOUND"), (["https://x"], "NO_CODE_FOUND"), ([ONE, encode_label(ONE)[:-1] + "!"], "INVALID_LABEL")],
)
def test_a_photo_without_a_label_or_with_a_misread_one_is_refused(codes: list[str], code: str) -> None:
    with pytest.raises(InvalidInput, match=code):
        select_labels(codes, "photo.png")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15min", 900), ("15m", 900), ("2h", 7200), (" 3D ", 259200), ("0s", 0)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "1.5h", "1 h 5 min", "9999999s", "２h", "1w"])
def test_an_invalid_duration_is_refused(text: str) -> None:
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
def test_the_address_of_a_lobby_is_normalized(url: str, origin: str) -> None:
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
def test_an_address_that_must_not_receive_secrets_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_URL"):
        origin_of(url)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]", True),
        ("https://x.example", False),
        ("http://192.168.0.1", False),
        ("http://[", False),
    ],
)
def test_loopback_is_this_machine(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


def test_options_override_variables_and_two_lobbies_are_refused() -> None:
    variables = {"LOBBYCTL_LOBBY": "/a", "LOBBYCTL_URL": "https://b.example"}
    assert LobbyChoice.of(Path("/c"), None, variables) == LobbyChoice(Path("/c"))
    assert LobbyChoice.of(None, "https://d.example/x", variables) == LobbyChoice(None, "https://d.example")
    assert LobbyChoice.of(None, None, {"LOBBYCTL_URL": ""}) == LobbyChoice()
    conflicting: list[tuple[Path | None, str | None, dict[str, str]]] = [
        (None, None, variables),
        (Path("/c"), "https://d.example", {}),
    ]
    for arguments in conflicting:
        with pytest.raises(InvalidInput, match="WRONG_USE"):
            LobbyChoice.of(*arguments)


@pytest.mark.parametrize(
    ("attempt", "retry_after", "random", "delay"),
    [
        (1, None, 0, 0.5),
        (1, None, 1, 0.25),
        (4, None, 0, 4),
        (9, None, 0, MAX_DELAY),
        (1, 7, 1, 7),
        (1, 3600, 0, MAX_DELAY),
    ],
)
def test_retry_delays_grow_or_follow_the_server_up_to_a_limit(
    attempt: int, retry_after: float | None, random: float, delay: float
) -> None:
    assert retry_delay(attempt, retry_after, random) == delay


def test_a_lobby_file_above_the_directory_is_used_only_if_the_user_owns_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below, project = tmp_path / "a" / "b", tmp_path / "project"
    below.mkdir(parents=True)
    (tmp_path / ".local").mkdir()
    file = tmp_path / ".local" / "lobby.json"
    file.write_text("{}")
    assert local_file(LobbyChoice(), below, project) == file
    monkeypatch.setattr("os.getuid", lambda: file.stat().st_uid + 1)
    with pytest.raises(InvalidInput, match="belongs to another user") as refused:
        local_file(LobbyChoice(), below, project)
    assert refused.value.code == "FOREIGN_FILE"
    assert local_file(LobbyChoice(file), below, project) == file
    assert local_file(LobbyChoice(), below, tmp_path) == file, "the project's own, in a container with other user ids"


@pytest.mark.parametrize("foreign", ["link", "folder"])
def test_a_lobby_file_that_another_user_can_replace_is_not_used(
    foreign: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, own = tmp_path / ".local", tmp_path / "own.json"
    folder.mkdir()
    own.write_text("{}")
    (folder / "lobby.json").symlink_to(own)
    others = folder / "lobby.json" if foreign == "link" else folder
    stat, lstat = Path.stat, Path.lstat

    def owned(found: os.stat_result, path: Path) -> os.stat_result:
        return os.stat_result((*found[:4], os.getuid() + (path == others), *found[5:]))

    monkeypatch.setattr(Path, "lstat", lambda path: owned(lstat(path), path))
    monkeypatch.setattr(
        Path, "stat", lambda path, **options: owned(stat(path, **options), path if path == folder else own)
    )
    with pytest.raises(InvalidInput, match="FOREIGN_FILE"):
        local_file(LobbyChoice(), tmp_path, tmp_path / "project")
