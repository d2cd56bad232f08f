"""Sheets of labels to print and cut: A4 at 300 dpi, as a PDF or as one PNG per page.

The grid is chosen so that the labels are as large as possible. Pages are pure black and white, so no lossy compression
affects a code. A grid whose codes would be too small to read is rejected.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from PIL import Image, ImageDraw

from lobby.errors import InvalidInput
from lobby.names import Fingerprint
from pki.labels import DPI, HEIGHT, MODULE_PX, WIDTH, render_label

A4 = (2480, 3508)
"""ISO 216 A4 in pixels at 300 dpi."""
MARGIN_PX = 90
"""The margin that office printers leave blank: 7.6 mm."""
GUTTER_PX = 16
DEFAULT_PER_PAGE = 16
SMALLEST_MODULE_PX = 5
"""0.42 mm at 300 dpi: phones cannot focus close enough to read smaller modules."""
_INK = 140


@dataclass(frozen=True)
class Grid:
    """The layout of labels on a page."""

    columns: int
    rows: int
    module_px: int

    @property
    def per_page(self) -> int:
        return self.columns * self.rows


def plan_grid(per_page: int) -> Grid:
    """Return the grid for at least `per_page` labels with the largest codes. Raise `InvalidInput` INVALID_PER_PAGE."""
    grids = [_grid(columns, per_page) for columns in range(1, 5)] if per_page > 0 else []
    best = max(grids, key=lambda grid: grid.module_px, default=None)
    if best is None or best.module_px < SMALLEST_MODULE_PX:
        raise InvalidInput("INVALID_PER_PAGE", f"got {per_page}, want 1 to {max_per_page()} labels per page")
    return best


def max_per_page() -> int:
    """Return how many labels with the smallest readable code fit on an A4 page."""
    columns = (A4[0] - 2 * MARGIN_PX) // (WIDTH * SMALLEST_MODULE_PX + GUTTER_PX)
    rows = (A4[1] - 2 * MARGIN_PX) // (HEIGHT * SMALLEST_MODULE_PX + GUTTER_PX)
    return columns * rows


def _grid(columns: int, per_page: int) -> Grid:
    rows = -(-per_page // columns)
    width, height = _cell(columns, rows)
    return Grid(columns, rows, min(MODULE_PX * 2, (width - GUTTER_PX) // WIDTH, (height - GUTTER_PX) // HEIGHT))


def _cell(columns: int, rows: int) -> tuple[int, int]:
    return (A4[0] - 2 * MARGIN_PX) // columns, (A4[1] - 2 * MARGIN_PX) // rows


def render_pages(
    devices: Iterable[tuple[Fingerprint, str]], grid: Grid, on_label: Callable[[], None] = lambda: None
) -> Iterator[Image.Image]:
    """Yield pages of labels in the order of `devices`, which are pairs of fingerprint and thing name."""
    remaining = iter(devices)
    while batch := list(islice(remaining, grid.per_page)):
        yield _page(batch, grid, on_label)


def _page(batch: Sequence[tuple[Fingerprint, str]], grid: Grid, on_label: Callable[[], None]) -> Image.Image:
    page = Image.new("L", A4, 255)
    draw = ImageDraw.Draw(page)
    width, height = _cell(grid.columns, grid.rows)
    for index, (certid, name) in enumerate(batch):
        row, column = divmod(index, grid.columns)
        left, top = MARGIN_PX + column * width, MARGIN_PX + row * height
        label = render_label(certid, name, grid.module_px)
        page.paste(label, (left + (width - label.width) // 2, top + (height - label.height) // 2))
        draw.rectangle((left, top, left + width, top + height), outline=0)
        on_label()
    return page.point(lambda level: 255 if level > _INK else 0).convert("1")


def encode_pdf(pages: Sequence[Image.Image]) -> bytes:
    buffer = io.BytesIO()
    pages[0].save(buffer, "PDF", resolution=DPI, save_all=True, append_images=pages[1:], title="Device labels")
    return buffer.getvalue()
