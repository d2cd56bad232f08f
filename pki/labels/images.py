"""Labels as images for other tools: PNG pages, SVG pages, and ZPL for Zebra label printers.

PNG is drawn with Pillow's own font, so it looks the same on every machine. ZPL contains one label per format, with the
code as a graphic, because a barcode command could create another code.
"""

import io
from collections.abc import Sequence
from functools import cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from lobby.errors import InvalidInput
from lobby.names import Fingerprint
from pki.labels.layout import MIN_MODULE_MM, MM_PER_PT, Layout, lay_out
from pki.labels.pdf import Device, helvetica
from pki.labels.qr_codes import Matrix, label_code, runs
from pki.labels.templates import DEVICE_LABEL, Template

DPI: Final = 300
ZPL_DPI: Final = (203, 300, 600)
_PX: Final = DPI / 25.4

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def png_page(devices: Sequence[Device], template: Template) -> Image.Image:
    """Return a page in black and white, so that no lossy compression affects a code. Raise like `write_pdf`."""
    page = Image.new("L", (round(template.page[0] * _PX), round(template.page[1] * _PX)), 255)
    draw = ImageDraw.Draw(page)
    for index, (certid, name) in enumerate(devices):
        left, top = template.corner(index)
        layout = lay_out(*template.label, certid, name, _pillow_width)
        _draw_label(page, draw, (left, top), layout, label_code(certid))
        if template.cut:
            right, bottom = left + template.label[0], top + template.label[1]
            draw.rectangle([round(value * _PX) for value in (left, top, right, bottom)], outline=0)
    return page.point(lambda level: 255 if level > 140 else 0).convert("1")


def render_label(certid: Fingerprint, name: str, template: Template = DEVICE_LABEL) -> Image.Image:
    """Return the label image of one device."""
    return png_page([(certid, name)], template)


def encode_png(page: Image.Image) -> bytes:
    """Return a PNG with its print resolution, so that it prints at its real size."""
    buffer = io.BytesIO()
    page.save(buffer, "PNG", dpi=(DPI, DPI))
    return buffer.getvalue()


def _draw_label(
    page: Image.Image, draw: ImageDraw.ImageDraw, at: tuple[float, float], layout: Layout, matrix: Matrix
) -> None:
    """Draw a label with modules of whole pixels. Each module is at most one pixel smaller than in the layout."""
    side = len(matrix)
    module = int(layout.module * _PX)
    spare = (layout.module * _PX - module) * side / 2
    pixels = b"".join(row.translate(_BLACK_ON_WHITE) for row in matrix)
    code = Image.frombytes("L", (side, side), pixels).resize((side * module, side * module), Image.Resampling.NEAREST)
    page.paste(code, (round((at[0] + layout.left) * _PX + spare), round((at[1] + layout.top) * _PX + spare)))
    for line in layout.texts:
        position = ((at[0] + line.x) * _PX, (at[1] + line.y) * _PX)
        draw.text(position, line.text, fill=0, font=_font(line.size), anchor="ls")


_BLACK_ON_WHITE: Final = bytes([255, 0]) + bytes(range(2, 256))


@cache
def _font(size: float) -> _Font:
    return ImageFont.load_default(size=size * DPI / 72)


def _pillow_width(text: str, size: float) -> float:
    return _font(size).getlength(text) / _PX


def svg_page(devices: Sequence[Device], template: Template) -> str:
    """Return a page as SVG in millimetres. Raise like `write_pdf`."""
    width, height = template.page
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}mm" height="{height:g}mm"'
        f' viewBox="0 0 {width:g} {height:g}" font-family="Helvetica, Arial, sans-serif">',
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
    ]
    for index, (certid, name) in enumerate(devices):
        left, top = template.corner(index)
        layout = lay_out(*template.label, certid, name, helvetica)
        path = "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in runs(label_code(certid)))
        at = f"translate({left + layout.left:.3f} {top + layout.top:.3f}) scale({layout.module:.5f})"
        parts.append(f'<path transform="{at}" d="{path}"/>')
        parts += [
            f'<text x="{left + line.x:.3f}" y="{top + line.y:.3f}" font-size="{line.size * MM_PER_PT:.3f}"'
            f' textLength="{helvetica(line.text, line.size):.3f}" lengthAdjust="spacingAndGlyphs">{line.text}</text>'
            for line in layout.texts
        ]
        if template.cut:
            size = f'width="{template.label[0]:.3f}" height="{template.label[1]:.3f}"'
            parts.append(f'<rect x="{left:.3f}" y="{top:.3f}" {size} fill="none" stroke="#000" stroke-width="0.1"/>')
    return "\n".join([*parts, "</svg>\n"])


def zpl_label(device: Device, template: Template, dpi: int) -> str:
    """Return one label for a printer of this resolution. Raise like `write_pdf`, and `InvalidInput` LABEL_SIZE if the
    printer's dots are too large for the code, or INVALID_DPI."""
    if dpi not in ZPL_DPI:
        raise InvalidInput("INVALID_DPI", f"got {dpi}, want {', '.join(map(str, ZPL_DPI))}")
    certid, name = device
    dots = dpi / 25.4
    layout, matrix = lay_out(*template.label, certid, name, helvetica), label_code(certid)
    module = int(layout.module * dots)
    if module / dots < MIN_MODULE_MM - 1 / dots:
        raise InvalidInput("LABEL_SIZE", f"got modules of {module} dots at {dpi} dpi, want a larger label")
    spare = (layout.module * dots - module) * len(matrix) / 2
    width, height = (round(side * dots) for side in template.label)
    fields = [
        f"^FO{round(layout.left * dots + spare)},{round(layout.top * dots + spare)}{_graphic(matrix, module)}^FS",
        *(
            f"^FO{round(line.x * dots)},{round((line.y - line.size * MM_PER_PT * 0.92) * dots)}"
            f"^A0N,{round(line.size * MM_PER_PT * dots)}^FD{line.text}^FS"
            for line in layout.texts
        ),
    ]
    return "\n".join([f"^XA^PW{width}^LL{height}^LH0,0", *fields, "^XZ\n"])


def _graphic(matrix: Matrix, module: int) -> str:
    """Return the code as a graphic field: rows of bits in hex, 1 is black (ZPL II, ^GF)."""
    size = -(-len(matrix) * module // 8)
    rows = []
    for row in matrix:
        number = int("".join(str(dark) * module for dark in row), 2) << (size * 8 - len(matrix) * module)
        rows += [f"{number:0{size * 2}X}"] * module
    total = size * len(rows)
    return f"^GFA,{total},{total},{size},{''.join(rows)}"
