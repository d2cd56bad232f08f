"""`lobbyctl claim` with devices and photos: what is claimed, and what is refused before anything is sent."""

from pathlib import Path

import pytest
from PIL import Image

from lobby.text.label import encode_label
from pki.labels.label import encode_png, render_label
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.device_steps import claim_of
from tests.functional.admin_api.lobby_over_http import Terminal, error_of


@pytest.mark.parametrize("form", ["fingerprint", "label", "digits", "name"])
def test_a_device_is_claimed_by_fingerprint_label_digits_or_name(terminal: Terminal, lobby: Lobby, form: str) -> None:
    certid = lobby.waiting(0xABCDE << 236, "sensor-1")
    text = {"fingerprint": certid.upper(), "label": encode_label(certid), "digits": certid[:8], "name": "sensor-1"}[
        form
    ]
    result = terminal.run("claim", text, "--target", "here", "--profile", "camera", "--config", '{"every": 5}')
    assert result.exit_code == 0, result.output
    assert claim_of(lobby, certid) == (HERE, "camera", {"every": 5})
    assert "claimed" in result.stdout
    assert lobby.ledger.history(certid)[-1].actor == "user:operator"


def test_a_device_that_has_never_connected_is_expected(terminal: Terminal, lobby: Lobby) -> None:
    (record,) = terminal.records("claim", fingerprint(1), "-t", str(HERE))
    assert (record["ok"], record["devstate"], record["target"]) == (True, "expected", str(HERE))


def test_the_target_is_optional_only_if_there_is_one(terminal: Terminal, lobby: Lobby) -> None:
    result = terminal.run("--json", "claim", fingerprint(1))
    assert (result.exit_code, error_of(result)["code"]) == (2, "TARGET_MISSING")
    terminal.server.groups["technician"] = ("technician", f"target:{THERE}")
    (record,) = terminal.records("claim", fingerprint(1), "--as", "technician")
    assert record["target"] == str(THERE)


def test_a_config_is_text_or_json_and_invalid_json_is_refused(terminal: Terminal, lobby: Lobby) -> None:
    assert terminal.run("claim", fingerprint(1), "-t", "Here", "--config", "fast, please").exit_code == 0
    assert claim_of(lobby, fingerprint(1)) == (HERE, "default", "fast, please")
    for bad in ('{"a": ', "[1]", '{"n": NaN}', "factory reset", "x" * 9000):
        result = terminal.run("--json", "claim", fingerprint(2), "-t", "Here", "--config", bad)
        assert (result.exit_code, error_of(result)["code"]) == (2, "INVALID_CONFIG"), bad
    assert claim_of(lobby, fingerprint(2)) is None


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["zz", "-t", "Here"], 1, "UNKNOWN_DEVICE"),
        ([fingerprint(1), "-t", "Nowhere"], 1, "UNKNOWN_TARGET"),
        ([fingerprint(1), "-t", "123/eu-west-1"], 2, "INVALID_ACCOUNT"),
        ([fingerprint(1), "-t", "Here", "--profile", "submarine"], 1, "UNKNOWN_PROFILE"),
        ([fingerprint(1), "-t", "Here", "--profile", "../x"], 2, "INVALID_PROFILE"),
        ([fingerprint(1), "-t", "Here", "--as", "viewer"], 1, "FORBIDDEN"),
        (["DL1:" + "A" * 56, "-t", "Here"], 2, "INVALID_LABEL"),
        ([], 2, "WRONG_USE"),
        ([fingerprint(1), "--file", "x.csv"], 2, "WRONG_USE"),
        ([fingerprint(1), "--skip-bad"], 2, "WRONG_USE"),
        (["--file", "absent.csv", "-t", "Here"], 2, "UNREADABLE_FILE"),
        (["--qr", "absent.png", "-t", "Here"], 2, "UNREADABLE_FILE"),
    ],
)
def test_a_refused_claim_has_a_reason_and_changes_nothing(
    terminal: Terminal, lobby: Lobby, arguments: list[str], status: int, code: str
) -> None:
    result = terminal.run("claim", *arguments, "--json")
    assert (result.exit_code, error_of(result)["code"], error_of(result)["exit"]) == (status, code, status)
    assert claim_of(lobby, fingerprint(1)) is None


def test_digits_that_match_two_devices_are_ambiguous(terminal: Terminal, lobby: Lobby) -> None:
    one, two = lobby.waiting(0xABCDE1 << 232, "one"), lobby.waiting(0xABCDE2 << 232, "two")
    result = terminal.run("claim", "abcde", "-t", "Here")
    assert (result.exit_code, "AMBIGUOUS_DEVICE" in result.stderr) == (2, True)
    assert one[:16] in result.stderr
    assert two[:16] in result.stderr
    assert (claim_of(lobby, one) or (None,))[0] is None


def test_every_label_on_a_photo_is_claimed(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    photo = Image.new("L", (1500, 1400), 128)
    for number in (1, 2, 3):
        photo.paste(render_label(fingerprint(number), f"sensor-{number}"), (120, 30 + 440 * (number - 1)))
    tilted = photo.rotate(4, fillcolor=128)
    tilted.save(tmp_path / "shelf.png")
    (tmp_path / "one.png").write_bytes(encode_png(render_label(fingerprint(4), "sensor-4")))
    records = terminal.records(
        "claim", "--qr", str(tmp_path / "shelf.png"), "--qr", str(tmp_path / "one.png"), "-t", "Here"
    )
    assert {each["certid"] for each in records} == {fingerprint(number) for number in (1, 2, 3, 4)}
    assert all(claim_of(lobby, fingerprint(number)) for number in (1, 2, 3, 4))


@pytest.mark.parametrize("content", ["blank", "not an image"])
def test_a_photo_without_a_label_is_refused(terminal: Terminal, tmp_path: Path, content: str) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"hello") if content == "not an image" else Image.new("L", (400, 300), 200).save(path)
    result = terminal.run("--json", "claim", "--qr", str(path), "-t", "Here")
    assert result.exit_code == 2
    assert error_of(result)["code"] == ("NO_CODE_FOUND" if content == "blank" else "UNREADABLE_FILE")
