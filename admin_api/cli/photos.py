"""Reads device labels off photographs. Other codes in the picture (a box has many) are passed over, and told.

Refused is a picture without any label, and one with a label whose check does not fit: it may be misread.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from admin_api.cli.errors import wrong_use
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, shown
from lobby.wire import decode_label


@dataclass(frozen=True)
class Labels:
    """What a photo shows: devices, and texts of codes that are no labels of ours."""

    certids: tuple[Fingerprint, ...]
    others: tuple[str, ...]


def read_photo(path: Path) -> Labels:
    """Raises `InvalidInput` UNREADABLE_FILE, NO_CODE_FOUND or INVALID_LABEL."""
    return labels_among(_codes(path), path)


def labels_among(codes: Sequence[str], source: object) -> Labels:
    """The labels among the texts of codes. Raises `InvalidInput`."""
    certids: list[Fingerprint] = []
    others: list[str] = []
    for text in codes:
        try:
            certids.append(decode_label(text))
        except InvalidInput as fault:
            if fault.code == "INVALID_LABEL":
                raise
            others.append(text)
    if not certids:
        raise wrong_use(f"got {source} with {_seen(others)}, want a device's label in it", "NO_CODE_FOUND")
    return Labels(tuple(dict.fromkeys(certids)), tuple(others))


def _codes(path: Path) -> list[str]:
    import zxingcpp  # noqa: PLC0415  # both take longer to import than most commands to run
    from PIL import Image, ImageOps  # noqa: PLC0415

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("L")
    except FileNotFoundError:
        raise wrong_use(f"got {path}, which is not there, want a photo", "UNREADABLE_FILE") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise wrong_use(f"got {path} ({_words(fault)}), want a photo such as PNG or JPEG", "UNREADABLE_FILE") from None
    return [code.text for code in zxingcpp.read_barcodes(upright)]


def _words(fault: BaseException) -> str:
    return shown(str(fault)).strip("'\"")


def _seen(others: Iterable[str]) -> str:
    return ", ".join(shown(text) for text in others) or "no code that can be made out"
