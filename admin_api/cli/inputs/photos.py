"""Reads the QR codes of device labels in a photo or PDF sheet. Ignores and counts other codes.

A photo without a label is refused. A photo with a label whose check characters are wrong is also refused, because the
label may be misread.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from admin_api.cli.errors import usage_error
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, shown
from lobby.text.label import decode_label

if TYPE_CHECKING:
    from PIL.Image import Image


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

    from admin_api.cli.inputs.pictures import open_pictures  # noqa: PLC0415  # imports Pillow

    codes: dict[str, None] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of damaged metadata, and of large photos
        for picture in open_pictures(path):
            for view in _views(picture):
                found = dict.fromkeys(code.text for code in zxingcpp.read_barcodes(view))
                codes |= found
                if found:
                    break
    return list(codes)


def _views(picture: "Image") -> "Iterator[Image]":
    """Yield the picture, then the same with its full contrast, for a photo in the dark or a faded label."""
    from PIL import ImageOps  # noqa: PLC0415  # as above

    yield picture
    yield ImageOps.autocontrast(picture, cutoff=1)


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(shown(text) for text in codes) or "no readable code"
