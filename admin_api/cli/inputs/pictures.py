"""Opens a photo or a PDF sheet as greyscale pictures for the code reader.

Reads the formats of phones, scanners and printers, such as JPEG, PNG, TIFF, WebP, HEIC and PDF. If a file has several
pictures, such as a scanned TIFF, it reads all of them. It places a transparent picture on white, as printers do, and on
black, because a label may be white. It rejects other files, encrypted PDFs, and pictures with more than 256 megapixels.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import pillow_heif
import pypdfium2
from PIL import Image, ImageOps, ImageSequence

from admin_api.cli.errors import usage_error
from lobby.errors import InvalidInput
from lobby.names import shown

MAX_PAGES: Final = 200
"""The maximum number of pages of a PDF, or pictures of a file, that are read."""
FORMATS: Final = (
    *(
        "JPEG",
        "MPO",
        "PNG",
        "HEIF",
        "AVIF",
        "TIFF",
        "WEBP",
        "GIF",
        "BMP",
        "DIB",
        "JPEG2000",
        "PPM",
        "TGA",
        "PCX",
        "ICO",
    ),
)
"""Not PostScript: Pillow runs another program for it."""
PAGE_SIDE: Final = 3_500
"""Length of the longer side of a rendered page in pixels: A4 at 300 dpi."""
MAX_PIXELS: Final = 256_000_000
"""The maximum number of pixels of a picture. Phones take photos with 200 million."""
_REDUCED_FROM: Final = 50_000_000
"""JPEG photos with more pixels are decoded at half their size: a label is still sharp, and a quarter of the memory is
used."""
_KINDS: Final = "a photo (JPEG, PNG, HEIC, TIFF, WebP) or a PDF"


def open_pictures(path: Path) -> Iterator[Image.Image]:
    """Yield the pictures of a file, or the pages of a PDF, upright and in grey. Raise `InvalidInput`
    UNREADABLE_FILE."""
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
        yield from _photos(path)


def _photos(path: Path) -> Iterator[Image.Image]:
    pillow_heif.register_heif_opener()
    Image.init()
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow warns from here, and rejects from twice as many
    try:
        with Image.open(path, formats=[each for each in FORMATS if each in Image.OPEN]) as image:
            if image.width * image.height > _REDUCED_FROM:
                image.draft("L", (image.width // 2, image.height // 2))
            for frame in islice(ImageSequence.Iterator(image), MAX_PAGES):
                yield from _grey(ImageOps.exif_transpose(frame))
    except Image.DecompressionBombError:
        raise _unreadable(path, f"more than {MAX_PIXELS // 1_000_000} megapixels: reduce or crop it") from None
    except Exception as error:  # noqa: BLE001  # decoders raise any exception for a damaged file
        raise _unreadable(path, str(error)) from None


def _grey(image: Image.Image) -> Iterator[Image.Image]:
    """Yield the picture in greyscale. If it has transparent parts, they are white in the first picture and black in a
    second one."""
    if not image.has_transparency_data:
        yield image.convert("L")
        return
    colours = image.convert("RGBA")
    for ground in ("white", "black"):
        yield Image.alpha_composite(Image.new("RGBA", colours.size, ground), colours).convert("L")


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
