"""Writes label sheets as PDF, page by page, so that memory does not depend on the number of labels.

Codes are vector graphics, and texts use Helvetica, one of the fonts that every PDF reader has (ISO 32000-1, 9.6.2.2).
The file is written under a temporary name and renamed when it is complete.
"""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from lobby.names import Fingerprint
from pki import storage
from pki.labels.layout import MM_PER_PT, Layout, lay_out
from pki.labels.qr_codes import Matrix, label_code, runs
from pki.labels.templates import Template

_WIDTHS: Final = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 "
    "278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 "
    "667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 "
    "556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
_HELVETICA: Final = {chr(code): int(width) / 1000 for code, width in enumerate(_WIDTHS.split(), start=32)}
"""Advance widths of the characters, for a size of 1 (Adobe's font metrics)."""
_CATALOG, _PAGES, _FONT, _FIRST_FREE = 1, 2, 3, 4

Device = tuple[Fingerprint, str]
"""The fingerprint and the thing name of a device."""


def helvetica(text: str, size: float) -> float:
    """Return the width of a text in mm."""
    return sum(_HELVETICA[character] for character in text) * size * MM_PER_PT


def write_pdf(path: Path, devices: Iterable[Device], template: Template) -> Iterator[int]:
    """Write the sheets of `devices`, and yield the number of labels after each. Raise `InvalidInput` LABEL_SIZE, or
    `LabelError` for a code that a decoder does not read; `path` is then unchanged."""
    with storage.replacing(path) as file:
        document = _Document(file, template)
        for number, (certid, name) in enumerate(devices, start=1):
            layout = lay_out(*template.label, certid, name, helvetica)
            document.add(layout, label_code(certid))
            yield number
        document.finish()


class _Document:
    """The objects of the file: catalog, pages and font have the first numbers, each page has two more."""

    def __init__(self, file: BinaryIO, template: Template) -> None:
        self._file, self._template = file, template
        self._offsets: dict[int, int] = {}
        self._pages: list[int] = []
        self._labels: list[str] = []
        self._size = 0
        self._write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")

    def add(self, layout: Layout, matrix: Matrix) -> None:
        left, top = self._template.corner(len(self._labels))
        self._labels.append(_label(self._template, left, top, layout, matrix))
        if len(self._labels) == self._template.per_page:
            self._end_page()

    def finish(self) -> None:
        if self._labels:
            self._end_page()
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self._object(_PAGES, f"<< /Type /Pages /Kids [{kids}] /Count {len(self._pages)} >>".encode())
        self._object(_FONT, b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
        self._object(_CATALOG, f"<< /Type /Catalog /Pages {_PAGES} 0 R >>".encode())
        start = self._size
        entries = "".join(f"{offset:010} 00000 n \n" for _, offset in sorted(self._offsets.items()))
        count = len(self._offsets) + 1
        self._write(
            f"xref\n0 {count}\n0000000000 65535 f \n{entries}trailer\n<< /Size {count} /Root {_CATALOG} 0 R >>\n"
            f"startxref\n{start}\n%%EOF\n".encode()
        )

    def _end_page(self) -> None:
        page = _FIRST_FREE + 2 * len(self._pages)
        content = zlib.compress("\n".join(self._labels).encode("ascii"), 6)
        self._labels.clear()
        self._pages.append(page)
        width, height = (side / MM_PER_PT for side in self._template.page)
        self._object(
            page,
            f"<< /Type /Page /Parent {_PAGES} 0 R /MediaBox [0 0 {width:.2f} {height:.2f}]"
            f" /Resources << /Font << /F {_FONT} 0 R >> >> /Contents {page + 1} 0 R >>".encode(),
        )
        head = f"<< /Length {len(content)} /Filter /FlateDecode >>\nstream\n".encode()
        self._object(page + 1, head + content + b"\nendstream")

    def _object(self, number: int, body: bytes) -> None:
        self._offsets[number] = self._size
        self._write(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self._size += len(content)


def _label(template: Template, left: float, top: float, layout: Layout, matrix: Matrix) -> str:
    """Return the operators for one label. The code's unit is one module, with the origin at its upper left corner."""
    height = template.page[1]
    module = layout.module / MM_PER_PT
    x, y = (left + layout.left) / MM_PER_PT, (height - top - layout.top) / MM_PER_PT
    parts = [f"q {module:.5f} 0 0 {-module:.5f} {x:.3f} {y:.3f} cm"]
    parts += [f"{column} {row} {length} 1 re" for column, row, length in runs(matrix)]
    parts.append("f Q BT")
    for line in layout.texts:
        at = f"1 0 0 1 {(left + line.x) / MM_PER_PT:.3f} {(height - top - line.y) / MM_PER_PT:.3f} Tm"
        parts.append(f"/F {line.size:g} Tf {at} ({_escaped(line.text)}) Tj")
    parts.append("ET")
    if template.cut:
        box = (left, height - top - template.label[1], *template.label)
        parts.append("0.4 w " + " ".join(f"{value / MM_PER_PT:.3f}" for value in box) + " re S")
    return "\n".join(parts)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
