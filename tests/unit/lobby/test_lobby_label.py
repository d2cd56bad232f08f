"""The label codec: every printed, typed or pasted notation decodes, and any other text is rejected."""

import json
import re
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lobby.errors import InvalidInput
from lobby.names import Fingerprint
from lobby.text.label import decode_label, encode_label, short_form

VECTORS: Final[dict[str, list[dict[str, str]]]] = json.loads(
    (Path(__file__).parents[2] / "events" / "label_vectors.json").read_text()
)
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
fingerprints = st.binary(min_size=32, max_size=32).map(lambda raw: Fingerprint(raw.hex()))


@pytest.mark.parametrize("vector", VECTORS["labels"], ids=lambda vector: vector["fingerprint"][:8])
def test_the_shared_label_vectors_hold(vector: dict[str, str]) -> None:
    certid = Fingerprint(vector["fingerprint"])
    assert encode_label(certid) == vector["code"]
    assert short_form(certid) == vector["short"]
    assert decode_label(vector["code"]) == decode_label(certid) == certid


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["name"])
def test_every_common_notation_is_accepted(vector: dict[str, str]) -> None:
    assert decode_label(vector["text"]) == vector["fingerprint"]


@pytest.mark.parametrize("vector", VECTORS["rejected"], ids=lambda vector: vector["name"])
def test_text_that_identifies_no_device_is_rejected(vector: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        decode_label(vector["text"])
    assert refused.value.code == vector["code"]
    assert refused.value.message.startswith("got ")
    assert "want " in refused.value.message or "whose check characters do not match" in refused.value.message
    assert f" ({vector['kind']}), want" in refused.value.message if "kind" in vector else True


@pytest.mark.parametrize(("digits", "name"), [(40, "SHA-1"), (32, "MD5")])
def test_a_fingerprint_of_another_digest_is_named(digits: int, name: str) -> None:
    with pytest.raises(InvalidInput, match=rf"\({name}\), want the certificate's SHA-256 fingerprint"):
        decode_label("0" * digits)


@given(fingerprints)
def test_a_label_decodes_in_every_printed_or_typed_form(certid: Fingerprint) -> None:
    code = encode_label(certid)
    spaced = " ".join(code[i : i + 4] for i in range(0, len(code), 4))
    for form in (code, code.lower(), spaced, spaced.replace(" ", "-"), f"\n{code}\t", certid, certid.upper()):
        assert decode_label(form) == certid


@given(fingerprints)
def test_a_label_uses_the_alphanumeric_mode_of_qr_codes(certid: Fingerprint) -> None:
    assert re.fullmatch(r"[0-9A-Z $%*+\-./:]{60}", encode_label(certid))


def detects_or_corrects(typed: str, certid: Fingerprint) -> bool:
    """Return whether a mistyped label is refused, or read as it was meant: Y and Z are exchanged on some keyboards."""
    try:
        return decode_label(typed) == certid
    except InvalidInput as refused:
        return refused.code == "INVALID_LABEL"


@given(fingerprints, st.integers(4, 59), st.sampled_from(BASE32))
@example(Fingerprint("0" * 42 + "72" + "0" * 20), 38, "Y")
def test_one_mistyped_character_is_detected(certid: Fingerprint, position: int, other: str) -> None:
    code = encode_label(certid)
    typed = code[:position] + other + code[position + 1 :]
    assert detects_or_corrects(typed, certid)


@given(fingerprints, st.integers(4, 58))
def test_two_swapped_neighbours_are_detected(certid: Fingerprint, position: int) -> None:
    code = encode_label(certid)
    typed = code[:position] + code[position + 1] + code[position] + code[position + 2 :]
    assert detects_or_corrects(typed, certid)


@given(st.text(max_size=500))
@example("DL1:" + "A" * 56)
@example("DL1:" + "A" * 400)
@example("dl1:\u0131")
@example("https://evil.example/?" + "a" * 64)
def test_any_scanned_text_is_decoded_or_rejected(text: str) -> None:
    try:
        certid = decode_label(text)
    except InvalidInput as refused:
        assert refused.code in {"INVALID_LABEL", "INVALID_FINGERPRINT"}  # noqa: PT017  # both are answers
    else:
        assert re.fullmatch(r"[0-9a-f]{64}", certid)


def test_the_short_form_has_twelve_digits_in_groups() -> None:
    assert short_form(Fingerprint("3f2a91bc07d4" + "0" * 52)) == "3F2A 91BC 07D4"
