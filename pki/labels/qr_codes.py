"""The QR code of a label: its modules, and the check that a decoder reads it.

The code contains `lobby.text.label.encode_label`, in alphanumeric mode at error correction level Q (ISO/IEC 18004,
version 4). The data mask is fixed. ISO 18004 selects the mask that best hides patterns in the data, but a fingerprint
has no patterns, and the selection would take 90 % of the time. Every code is decoded by another library before it is
used.
"""

from functools import cache
from typing import Final

import qrcode
import zxingcpp
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.util import MODE_ALPHA_NUM, QRData

from lobby.names import Fingerprint
from lobby.text.label import encode_label
from pki.errors import LabelError

MODULES: Final = 33
"""Modules per side of the code (version 4)."""
QUIET_ZONE: Final = 4
SIDE: Final = MODULES + 2 * QUIET_ZONE
"""Modules per side with the quiet zone."""
_MASK: Final = 3
_PIXELS: Final = 3
"""Pixels per module of the image to decode: fewer than in the picture of a phone's camera."""

Matrix = list[bytes]
"""Rows of modules with the quiet zone: 1 is dark."""


def label_code(certid: Fingerprint) -> Matrix:
    """Return the code of a device's label, which a decoder has read. Raise `LabelError`."""
    text = encode_label(certid)
    matrix = qr_matrix(text)
    check(matrix, text)
    return matrix


def qr_matrix(text: str) -> Matrix:
    """Return the modules of a code. Raise `LabelError` LABEL_SIZE if the text needs another version."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=0, mask_pattern=_MASK)
    code.add_data(QRData(text.encode("ascii"), mode=MODE_ALPHA_NUM), optimize=0)
    code.make(fit=True)
    if code.modules_count != MODULES:
        raise LabelError("LABEL_SIZE", f"got {code.modules_count} modules per side, want {MODULES}")
    margin = bytes(QUIET_ZONE)
    empty = [bytes(SIDE)] * QUIET_ZONE
    return [*empty, *(margin + bytes(map(bool, row)) + margin for row in code.modules), *empty]


def check(matrix: Matrix, text: str) -> None:
    """Raise `LabelError` UNREADABLE_LABEL unless a decoder reads exactly `text` from the modules."""
    size = len(matrix) * _PIXELS
    image = memoryview(b"".join(_grey(row) for row in matrix)).cast("B", (size, size))
    found = zxingcpp.read_barcodes(
        image,
        formats=zxingcpp.barcode_formats_from_str("QRCode"),
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
    )
    if [each.text for each in found] != [text]:
        raise LabelError("UNREADABLE_LABEL", f"got a code that a decoder does not read as {text}, want it readable")


def _grey(row: bytes) -> bytes:
    return row.translate(_shades()).replace(b"\x01", b"\x00" * _PIXELS).replace(b"\x02", b"\xff" * _PIXELS) * _PIXELS


@cache
def _shades() -> bytes:
    """Return 1 for each dark module and 2 for each light one; these values are later replaced by pixels."""
    return bytes([2, 1]) + bytes(range(2, 256))


def runs(matrix: Matrix) -> list[tuple[int, int, int]]:
    """Return the dark modules as horizontal runs: column, row, length."""
    found = []
    for y, row in enumerate(matrix):
        x = row.find(1)
        while x >= 0:
            end = row.find(0, x)
            found.append((x, y, end - x))
            x = row.find(1, end)
    return found
