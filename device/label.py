"""The device's QR code in the terminal, for a device that has a screen and no printed label at hand."""

import io

import qrcode
from qrcode.constants import ERROR_CORRECT_Q

from lobby.names import Fingerprint
from lobby.wire import encode_label, short_form


def terminal_label(certid: Fingerprint, *, dark_terminal: bool = True) -> str:
    """Half blocks, two modules a character, with the quiet zone; the code and its short form below, as text.

    A scanner wants dark on light: on a dark terminal the light modules are the ones drawn.
    """
    code = encode_label(certid)
    symbol = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=4)
    symbol.add_data(code)
    symbol.make(fit=True)
    picture = io.StringIO()
    symbol.print_ascii(out=picture, invert=dark_terminal)
    return f"{picture.getvalue().rstrip(chr(10))}\n\n{code}\n{short_form(certid)}\n"
