"""Opens a photo or a PDF sheet as grey pictures for the code reader.

Reads what phones, scanners and printers produce: JPEG, PNG, TIFF, WebP and so on, HEIC, and PDF. A transparent picture
is placed on white, as it is printed. Rejects other files, encrypted PDFs, and pictures of more pixels than Pillow
accepts.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pillow_heif
import pypdfium2
from PIL import Image, ImageOps

from admin_api.cli.errors import usage_error
from lobby.errors import InvalidInput
from lobby.names import shown

MAX_PAGES: Final = 200
"""Pages of a PDF that are read."""
PAGE_SIDE: Final = 3_500
"""Length of the longer side of a rendered page, in pixels: A4 in 300 dpi."""
_KINDS: Final = "a photo (JPEG, PNG, HEIC, TIFF, WebP) or a PDF"


def open_pictures(path: Path) -> Iterator[Image.Image]:
    """Yield the file's picture, or each page of a PDF, upright and in grey. Raise `InvalidInput` UNREADABLE_FILE."""
    try:
        with path.open("rb") as file:
            start = file.read(1024)
    except FileNotFoundError:
        raise usage_error(f"got {path}, which does not exist; want {_KINDS}", "UNREADABLE_FILE") from None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from None
    if b"%PDF-" in start:
        yield from _pages(path)
    else:
        yield _photo(path)


def _photo(path: Path) -> Image.Image:
    pillow_heif.register_heif_opener()
    try:
        with Image.open(path) as image:
            return _grey(ImageOps.exif_transpose(image))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _unreadable(path, str(error)) from None


def _grey(image: Image.Image) -> Image.Image:
    """Return the picture in grey. Transparent parts become white, which is the background of a label that has none."""
    if not image.has_transparency_data:
        return image.convert("L")
    colours = image.convert("RGBA")
    ground = Image.new("RGBA", colours.size, "white")
    return Image.alpha_composite(ground, colours).convert("L")


def _pages(path: Path) -> Iterator[Image.Image]:
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise _unreadable(path, f"{error}; an encrypted file must be saved without its password") from None
    try:
        if len(document) > MAX_PAGES:
            raise usage_error(f"got {path} with {len(document)} pages, want at most {MAX_PAGES}", "UNREADABLE_FILE")
        for number in range(len(document)):
            page = document[number]
            scale = PAGE_SIDE / max(*page.get_size(), 1)
            yield page.render(scale=scale, grayscale=True).to_pil().convert("L")
    except pypdfium2.PdfiumError as error:
        raise _unreadable(path, str(error)) from None
    finally:
        document.close()


def _unreadable(path: Path, reason: str) -> InvalidInput:
    quoted = shown(reason).strip("'\"")
    return usage_error(f"got {path} ({quoted}), want {_KINDS}", "UNREADABLE_FILE")
