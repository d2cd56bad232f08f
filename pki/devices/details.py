"""Details of a device that are not in its certificate's CN: serial number, SKU and batch. They are written to the
manifest; the serial number is also written to the certificate's subject. The accepted characters are valid in
spreadsheets, file names and X.509 PrintableStrings, and cannot start a spreadsheet formula.
"""

import re
from dataclasses import dataclass
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import shown

_VALUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ().,:/+-]{0,63}")
_BATCH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Details:
    """Details of one device. Unknown values are empty."""

    serial_number: str = ""
    sku: str = ""
    batch: str = ""

    def completed_by(self, other: "Details") -> "Details":
        """Return these details, with missing values taken from `other`."""
        return Details(self.serial_number or other.serial_number, self.sku or other.sku, self.batch or other.batch)


NOTHING_KNOWN: Final = Details()


def serial_number(text: object) -> str:
    """Return a product's serial number. Raise `InvalidInput` INVALID_SERIAL_NUMBER."""
    return _checked(text, "INVALID_SERIAL_NUMBER", "serial number")


def sku(text: object) -> str:
    """Return a stock keeping unit, the manufacturer's name of the product. Raise `InvalidInput` INVALID_SKU."""
    return _checked(text, "INVALID_SKU", "SKU")


def batch(text: object) -> str:
    """Return a batch's name, which is part of a file's name. Raise `InvalidInput` INVALID_BATCH."""
    if isinstance(text, str) and _BATCH.fullmatch(text):
        return text
    raise InvalidInput(
        "INVALID_BATCH", f"got {shown(text)}, want a batch of 1 to 64 of a-z A-Z 0-9 . _ -, the first a letter or digit"
    )


def _checked(text: object, code: str, what: str) -> str:
    if isinstance(text, str) and _VALUE.fullmatch(text) and not text.endswith(" "):
        return text
    raise InvalidInput(
        code,
        f"got {shown(text)}, want a {what}: a letter or digit, then up to 63 of a-z A-Z 0-9 space ( ) . , : / + -",
    )
