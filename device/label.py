"""The device's QR label in the terminal, for a device that has a screen and no printed label."""

import io

import qrcode
from qrcode.constants import ERROR_CORRECT_Q

from lobby.names import Fingerprint
from lobby.text.label import encode_label, short_form


def terminal_label(certid: Fingerprint, *, dark_terminal: bool = True) -> str:
    """Return the QR code drawn with half blocks (quiet zone included), then the label code and its short form.

    Scanners expect dark modules on a light background, so on a dark terminal the light modules are drawn.
    """
    code = encode_label(certid)
    symbol = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=4)
    symbol.add_data(code)
    symbol.make(fit=True)
    picture = io.StringIO()
    symbol.print_ascii(out=picture, invert=dark_terminal)
    return f"{picture.getvalue().rstrip(chr(10))}\n\n{code}\n{short_form(certid)}\n"
