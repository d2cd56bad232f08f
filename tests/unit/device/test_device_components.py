"""Small components: backoff, event log, terminal label, classification of awscrt's errors."""

import io
import json
import random
import re
from datetime import UTC, datetime
from pathlib import Path

import awscrt.exceptions
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from device.event_log import EventLog
from device.label import terminal_label
from device.machine.backoff import Backoff
from device.machine.events import Failure
from device.machine.plan import Timing
from device.mqtt import classify
from lobby.names import Fingerprint
from lobby.text.label import decode_label, encode_label

AT = datetime(2026, 11, 22, 6, 5, 4, 3210, tzinfo=UTC)
CERTID = Fingerprint("3f2a91bc07d4" + "0" * 52)


@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(0.01, 1000), st.randoms(use_true_random=False))
def test_a_wait_is_above_zero_and_at_most_the_cap(failures: int, base: float, cap: float, rng: random.Random) -> None:
    wait = Backoff(base, cap).wait(failures, rng.uniform)
    assert 0 < wait <= cap


def _shortest(low: float, _high: float) -> float:
    return low


def _longest(_low: float, high: float) -> float:
    return high


def test_the_first_wait_covers_most_registrations_and_two_waits_cover_all() -> None:
    """Just-in-time registration takes 0.5 to 0.9 s, and 2 s with a Lambda cold start."""
    retry = Timing().retry
    assert retry.wait(1, _shortest) >= 0.75
    assert retry.wait(1, _longest) <= 1.5
    assert retry.wait(1, _shortest) + retry.wait(2, _shortest) > 2


def test_a_json_line_has_the_time_in_utc_with_milliseconds() -> None:
    out = io.StringIO()
    EventLog("json", out, lambda: AT).record("refused", {"attempt": 1, "detail": 'a "quoted"\nline'})
    assert out.getvalue().count("\n") == 1
    assert json.loads(out.getvalue()) == {
        "at": "2026-11-22T06:05:04.003Z",
        "event": "refused",
        "attempt": 1,
        "detail": 'a "quoted"\nline',
    }


def test_a_text_line_is_readable() -> None:
    out = io.StringIO()
    EventLog("text", out, lambda: AT).record("arrived_at_target", {"endpoint": "a:1", "generation": None})
    assert out.getvalue() == "2026-11-22T06:05:04.003Z  arrived at target   endpoint=a:1\n"


class BrokenPipe(io.StringIO):
    """Writing fails until `repaired`."""

    repaired = False

    def write(self, text: str) -> int:
        if not self.repaired:
            raise BrokenPipeError
        return super().write(text)


def test_a_log_that_cannot_be_written_counts_its_lost_lines() -> None:
    out = BrokenPipe()
    event_log = EventLog("json", out, lambda: AT)
    event_log.record("one", {})
    event_log.record("two", {})
    out.repaired = True
    event_log.record("three", {})
    event_log.record("four", {})
    assert [json.loads(line).get("lines_lost") for line in out.getvalue().splitlines()] == [2, None]


@pytest.mark.parametrize("powered_off", [True, False], ids=["powered_off terminal", "light terminal"])
def test_the_label_in_the_terminal_scans(powered_off: bool) -> None:
    lines = terminal_label(CERTID, dark_terminal=powered_off).splitlines()
    rows = [line for line in lines if line and set(line) <= set("█▀▄ \xa0")]
    dark_value, light_value = (255, 0) if powered_off else (0, 255)
    upper = [[dark_value if char in "█▀" else light_value for char in row] for row in rows]
    lower = [[dark_value if char in "█▄" else light_value for char in row] for row in rows]
    pixels = [row for pair in zip(upper, lower, strict=True) for row in pair]
    picture = Image.new("L", (max(map(len, pixels)), len(pixels)), light_value)
    for y, row in enumerate(pixels):
        for x, shade in enumerate(row):
            picture.putpixel((x, y), shade)
    picture = picture.resize((picture.width * 6, picture.height * 6), Image.Resampling.NEAREST)
    texts = [barcode.text for barcode in zxingcpp.read_barcodes(picture)]
    assert [decode_label(text) for text in texts] == [CERTID]
    assert texts[0] in lines
    assert "3F2A 91BC 07D4" in lines


def test_the_labels_in_the_protocol_document_are_valid() -> None:
    page = (Path(__file__).parents[3] / "docs" / "device-protocol.md").read_text()
    labels = re.findall(r"DL1:[A-Z2-7]{56}", page)
    assert len(labels) == 4
    assert all(encode_label(decode_label(label)) == label for label in labels)


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("AWS_ERROR_MQTT_UNEXPECTED_HANGUP", Failure.REFUSED),
        ("AWS_ERROR_MQTT_TIMEOUT", Failure.TIMEOUT),
        ("AWS_IO_SOCKET_CONNECTION_REFUSED", Failure.UNREACHABLE),
        ("AWS_IO_SOCKET_TIMEOUT", Failure.UNREACHABLE),
        ("AWS_IO_SOCKET_CLOSED", Failure.REFUSED),
        ("AWS_IO_DNS_NO_ADDRESS_FOR_HOST", Failure.UNREACHABLE),
        ("AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE", Failure.UNTRUSTED),
        ("AWS_IO_TLS_NEGOTIATION_TIMEOUT", Failure.TIMEOUT),
        ("AWS_ERROR_PKCS11_CKR_PIN_INCORRECT", Failure.LOCAL),
    ],
)
def test_awscrt_errors_are_classified(name: str, failure: Failure) -> None:
    assert classify(awscrt.exceptions.AwsCrtError(1, name, "detail")) is failure


def test_any_other_error_is_a_refusal() -> None:
    assert classify(RuntimeError("CONNACK 5")) is Failure.REFUSED
