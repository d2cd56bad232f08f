"""The label on a device: its code as a QR code, and as text for when no camera can read it.

The QR code contains `lobby.wire.encode_label`, in alphanumeric mode at error correction level Q with a quiet zone of
four modules (ISO/IEC 18004). Next to it are the thing name, the short form of the fingerprint, and the code in groups
of four. The font is the one in Pillow, so a label looks the same on every machine.
"""

import io
from pathlib import Path

import qrcode
from PIL import Image, ImageDraw, ImageFont
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.util import MODE_ALPHA_NUM, QRData

from lobby.label import encode_label, short_form
from lobby.names import Fingerprint
from pki.errors import LabelError

DPI = 300
QR_MODULES = 33
"""Modules per side of a label code at level Q (QR version 4)."""
QUIET_ZONE = 4
MODULE_PX = 10
"""Pixels per module: 0.85 mm at 300 dpi, readable with a phone from about 0.5 m."""
WIDTH, HEIGHT = 90, QR_MODULES + 2 * QUIET_ZONE
"""A label's size in modules: 76 × 35 mm at `MODULE_PX`."""
_LEFT = HEIGHT + 1
_COLUMN = WIDTH - _LEFT - 3
_BLACK, _GREY, _WHITE = 0, 90, 255

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def render_label(certid: Fingerprint, name: str, module_px: int = MODULE_PX) -> Image.Image:
    """Return the label of one device in greyscale. Everything scales with `module_px`, the pixels per module."""
    label = Image.new("L", (WIDTH * module_px, HEIGHT * module_px), _WHITE)
    label.paste(_qr_image(encode_label(certid), module_px), (0, 0))
    draw = ImageDraw.Draw(label)
    _print_name(draw, name, module_px)
    _print_text(draw, (_LEFT, 14.6), "FINGERPRINT BEGINS", 1.9, module_px, _GREY)
    _print_text(draw, (_LEFT, 17), short_form(certid), 4.6, module_px)
    _print_text(draw, (_LEFT, 23.6), "CODE TO TYPE", 1.9, module_px, _GREY)
    for index, group in enumerate(groups_of_four(encode_label(certid))):
        row, column = divmod(index, 4)
        _print_text(draw, (_LEFT + column * _COLUMN / 4, 26 + row * 3.1), group, 2.8, module_px)
    return label


def groups_of_four(code: str) -> list[str]:
    return [code[i : i + 4] for i in range(0, len(code), 4)]


def encode_png(label: Image.Image) -> bytes:
    """Return a PNG with its print resolution, so that it prints at its real size."""
    buffer = io.BytesIO()
    label.save(buffer, "PNG", dpi=(DPI, DPI))
    return buffer.getvalue()


def is_readable_image(path: Path) -> bool:
    """Return whether `path` is a complete image."""
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):  # Pillow raises each of them, depending on where a file is truncated
        return False
    return True


def qr_matrix(text: str) -> list[list[bool]]:
    """Return the code's modules with their quiet zone. Raise `LabelError` LABEL_SIZE for an unexpected size."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=QUIET_ZONE)
    code.add_data(QRData(text.encode("ascii"), mode=MODE_ALPHA_NUM), optimize=0)
    code.make(fit=True)
    if code.modules_count != QR_MODULES:
        raise LabelError("LABEL_SIZE", f"got {code.modules_count} modules per side, want {QR_MODULES}")
    matrix: list[list[bool]] = code.get_matrix()
    return matrix


def _qr_image(text: str, module_px: int) -> Image.Image:
    matrix = qr_matrix(text)
    pixels = bytes(_BLACK if module else _WHITE for row in matrix for module in row)
    side = len(matrix)
    return Image.frombytes("L", (side, side), pixels).resize(
        (side * module_px, side * module_px), Image.Resampling.NEAREST
    )


def _print_name(draw: ImageDraw.ImageDraw, name: str, module_px: int) -> None:
    """Print the thing name as large as fits, on up to four lines: names have up to 64 characters."""
    for size in (4.6, 4.0, 3.4, 2.8, 2.4, 2.0):
        lines = _wrap(name, _font(size, module_px), _COLUMN * module_px)
        if len(lines) * size * 1.2 <= 10:
            break
    for index, line in enumerate(lines):
        _print_text(draw, (_LEFT, 3.6 + index * size * 1.2), line, size, module_px)


def _wrap(text: str, font: _Font, width: float) -> list[str]:
    lines = [""]
    for character in text:
        if font.getlength(lines[-1] + character) > width:
            lines.append("")
        lines[-1] += character
    return lines


def _print_text(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: float, module_px: int, fill: int = _BLACK
) -> None:
    position = (at[0] * module_px, at[1] * module_px)
    draw.text(position, text, fill=fill, font=_font(size, module_px))


def _font(size: float, module_px: int) -> _Font:
    return ImageFont.load_default(size=size * module_px)
