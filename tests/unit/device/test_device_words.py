"""The small parts: backoff, log lines, the label in the terminal, the meaning of awscrt's errors."""

import io
import json
import random
from datetime import UTC, datetime

import awscrt.exceptions
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from device.event_log import Chronicle
from device.label import terminal_label
from device.machine.backoff import Backoff
from device.machine.events import Trouble
from device.machine.plan import Timing
from device.mqtt import trouble_of
from lobby.names import Fingerprint
from lobby.wire import decode_label

AT = datetime(2026, 11, 22, 6, 5, 4, 3210, tzinfo=UTC)
CERTID = Fingerprint("3f2a91bc07d4" + "0" * 52)


@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(0.01, 1000), st.randoms(use_true_random=False))
def test_a_wait_is_never_zero_and_never_above_the_cap(
    failures: int, base: float, cap: float, rng: random.Random
) -> None:
    wait = Backoff(base, cap).wait(failures, rng.uniform)
    assert 0 < wait <= cap


def _least(low: float, _high: float) -> float:
    return low


def _most(_low: float, high: float) -> float:
    return high


def test_the_first_wait_outlasts_most_registrations_and_two_outlast_them_all() -> None:
    """Just-in-time registration takes 0.5 to 0.9 s, and 2 s where its Lambda starts cold."""
    retry = Timing().retry
    assert retry.wait(1, _least) >= 0.75
    assert retry.wait(1, _most) <= 1.5
    assert retry.wait(1, _least) + retry.wait(2, _least) > 2


def test_a_json_line_has_the_time_in_utc_with_milliseconds_and_the_event() -> None:
    out = io.StringIO()
    Chronicle("json", out, lambda: AT).record("refused", {"attempt": 1, "detail": 'a "quoted"\nline'})
    assert out.getvalue().count("\n") == 1
    assert json.loads(out.getvalue()) == {
        "at": "2026-11-22T06:05:04.003Z",
        "event": "refused",
        "attempt": 1,
        "detail": 'a "quoted"\nline',
    }


def test_a_text_line_reads_as_words() -> None:
    out = io.StringIO()
    Chronicle("text", out, lambda: AT).record("arrived_at_target", {"endpoint": "a:1", "generation": None})
    assert out.getvalue() == "2026-11-22T06:05:04.003Z  arrived at target   endpoint=a:1\n"


class BrokenPipe(io.StringIO):
    """Its reader is gone until `mended`."""

    mended = False

    def write(self, text: str) -> int:
        if not self.mended:
            raise BrokenPipeError
        return super().write(text)


def test_a_log_that_cannot_be_written_loses_lines_but_tells_how_many() -> None:
    out = BrokenPipe()
    chronicle = Chronicle("json", out, lambda: AT)
    chronicle.record("one", {})
    chronicle.record("two", {})
    out.mended = True
    chronicle.record("three", {})
    chronicle.record("four", {})
    assert [json.loads(line).get("lines_lost") for line in out.getvalue().splitlines()] == [2, None]


@pytest.mark.parametrize("dark", [True, False], ids=["dark terminal", "light terminal"])
def test_the_label_in_the_terminal_scans(dark: bool) -> None:
    lines = terminal_label(CERTID, dark_terminal=dark).splitlines()
    rows = [line for line in lines if line and set(line) <= set("█▀▄ \xa0")]
    ink, ground = (255, 0) if dark else (0, 255)
    upper = [[ink if char in "█▀" else ground for char in row] for row in rows]
    lower = [[ink if char in "█▄" else ground for char in row] for row in rows]
    pixels = [row for pair in zip(upper, lower, strict=True) for row in pair]
    picture = Image.new("L", (max(map(len, pixels)), len(pixels)), ground)
    for y, row in enumerate(pixels):
        for x, shade in enumerate(row):
            picture.putpixel((x, y), shade)
    picture = picture.resize((picture.width * 6, picture.height * 6), Image.Resampling.NEAREST)
    found = [one.text for one in zxingcpp.read_barcodes(picture)]
    assert [decode_label(text) for text in found] == [CERTID]
    assert found[0] in lines
    assert "3F2A 91BC 07D4" in lines


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("AWS_ERROR_MQTT_UNEXPECTED_HANGUP", Trouble.REFUSED),
        ("AWS_ERROR_MQTT_TIMEOUT", Trouble.SILENT),
        ("AWS_IO_SOCKET_CONNECTION_REFUSED", Trouble.UNREACHABLE),
        ("AWS_IO_SOCKET_TIMEOUT", Trouble.UNREACHABLE),
        ("AWS_IO_SOCKET_CLOSED", Trouble.REFUSED),
        ("AWS_IO_DNS_NO_ADDRESS_FOR_HOST", Trouble.UNREACHABLE),
        ("AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE", Trouble.UNTRUSTED),
        ("AWS_IO_TLS_NEGOTIATION_TIMEOUT", Trouble.SILENT),
        ("AWS_ERROR_PKCS11_CKR_PIN_INCORRECT", Trouble.LOCAL),
    ],
)
def test_an_error_of_awscrt_is_told_in_the_devices_words(name: str, trouble: Trouble) -> None:
    assert trouble_of(awscrt.exceptions.AwsCrtError(1, name, "as it says")) is trouble


def test_any_other_error_on_the_wire_is_a_refusal() -> None:
    assert trouble_of(RuntimeError("CONNACK 5")) is Trouble.REFUSED
