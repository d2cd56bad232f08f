"""The label on a device: its code as a QR code, and as text in case no camera can read it.

One function for each kind of file writes the labels of any number of devices. `pki.labels.pdf` streams them; images are
written page by page. Every code is decoded before it is written (`pki.labels.qr_codes`).
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from PIL import Image

from lobby.errors import InvalidInput
from pki import storage
from pki.labels.images import encode_png, png_page, render_label, svg_page, zpl_label
from pki.labels.pdf import Device, write_pdf
from pki.labels.templates import Template

__all__ = ["FORMATS", "encode_png", "is_readable_image", "render_label", "require_format", "write_labels"]
FORMATS: Final = (".pdf", ".png", ".svg", ".zpl")


def write_labels(
    out: Path, devices: Iterable[Device], template: Template, dpi: int, on_label: Callable[[], None] = lambda: None
) -> Iterator[Path]:
    """Write the labels in the format of `out`'s suffix, and yield each file. Several pages of images are numbered.

    Raise `InvalidInput` INVALID_OUT, LABEL_SIZE or INVALID_DPI, or `LabelError`; an existing file is then unchanged."""
    suffix = require_format(out)
    if suffix == ".pdf":
        for _ in write_pdf(out, devices, template):
            on_label()
        yield out
    elif suffix == ".zpl":
        with storage.replacing(out) as file:
            for device in devices:
                file.write(zpl_label(device, template, dpi).encode("ascii"))
                on_label()
        yield out
    else:
        yield from _pages(out, devices, template, on_label)


def require_format(out: Path) -> str:
    """Return the format of a file, which is its suffix. Raise `InvalidInput` INVALID_OUT."""
    suffix = out.suffix.lower()
    if suffix not in FORMATS:
        raise InvalidInput("INVALID_OUT", f"got {out}, want a file name that ends in {', '.join(FORMATS)}")
    return suffix


def _pages(out: Path, devices: Iterable[Device], template: Template, on_label: Callable[[], None]) -> Iterator[Path]:
    remaining, number = iter(devices), 0
    batch = list(islice(remaining, template.per_page))
    while batch:
        following, number = list(islice(remaining, template.per_page)), number + 1
        path = out if number == 1 and not following else out.with_name(f"{out.stem}-{number:03d}{out.suffix}")
        storage.replace(path, _page(path, batch, template))
        for _ in batch:
            on_label()
        yield path
        batch = following


def _page(path: Path, batch: list[Device], template: Template) -> bytes:
    if path.suffix.lower() == ".svg":
        return svg_page(batch, template).encode("ascii")
    return encode_png(png_page(batch, template))


def is_readable_image(path: Path) -> bool:
    """Return whether `path` is a complete image."""
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):  # which one Pillow raises depends on where the file is truncated
        return False
    return True
