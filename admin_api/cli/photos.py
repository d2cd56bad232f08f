"""Reads the QR codes of device labels in a photo or PDF sheet. Ignores and counts other codes.

A photo without a label is refused. A photo with a label whose check characters are wrong is also refused, because the
label may be misread.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from admin_api.cli.errors import usage_error
from lobby.errors import InvalidInput
from lobby.label import decode_label
from lobby.names import Fingerprint, shown


@dataclass(frozen=True)
class Labels:
    """The devices whose labels are in a photo, and the texts of other codes in it."""

    certids: tuple[Fingerprint, ...]
    other_codes: tuple[str, ...]


def read_photo(path: Path) -> Labels:
    """Read the labels in a photo. Raise `InvalidInput` UNREADABLE_FILE, NO_CODE_FOUND or INVALID_LABEL."""
    return select_labels(_codes(path), path)


def select_labels(codes: Sequence[str], source: object) -> Labels:
    """Return the labels among the texts of codes. Raise `InvalidInput` NO_CODE_FOUND or INVALID_LABEL."""
    certids: list[Fingerprint] = []
    others: list[str] = []
    for text in codes:
        try:
            certids.append(decode_label(text))
        except InvalidInput as error:
            if error.code == "INVALID_LABEL":
                raise
            others.append(text)
    if not certids:
        raise usage_error(f"got {source} with {_listed(others)}, want a device label in it", "NO_CODE_FOUND")
    return Labels(tuple(dict.fromkeys(certids)), tuple(others))


def _codes(path: Path) -> list[str]:
    import zxingcpp  # noqa: PLC0415  # takes longer to import than most commands to run

    from admin_api.cli.pictures import open_pictures  # noqa: PLC0415  # imports Pillow

    codes: dict[str, None] = {}
    for picture in open_pictures(path):
        codes |= dict.fromkeys(code.text for code in zxingcpp.read_barcodes(picture))
    return list(codes)


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(shown(text) for text in codes) or "no readable code"
