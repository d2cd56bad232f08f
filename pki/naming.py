"""Which devices a run shall make: names typed, numbered, from a file, or taken from signing requests.

Every name and request is checked, and doubles are refused, before the first file is written, so that a bad last
line does not stop a run halfway.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from lobby.errors import InvalidInput
from pki import storage
from pki.devices import Order, refuse_duplicates
from pki.profile import device_name
from pki.request import parse_request

DEFAULT_DIGITS = 6
MAX_COUNT = 1_000_000
_FILE_LIMIT = 1 << 27


def named(names: Iterable[str]) -> list[Order]:
    """Orders for these names. Raises `InvalidInput` INVALID_THING_NAME or DUPLICATE_NAME."""
    orders = [Order(device_name(name)) for name in names]
    refuse_duplicates(order.name for order in orders)
    return orders


def numbered(prefix: str, count: int, start: int = 1, digits: int = DEFAULT_DIGITS) -> list[Order]:
    """``<prefix>000001`` and so on. The width is fixed, so that a larger count later repeats the same names.

    Raises `InvalidInput` INVALID_COUNT where the numbers do not fit the digits.
    """
    if not 1 <= count <= MAX_COUNT:
        raise InvalidInput("INVALID_COUNT", f"got {count}, want 1 to {MAX_COUNT} devices in a run")
    last = start + count - 1
    if start < 0 or not 1 <= digits <= 18 or last >= 10**digits:
        raise InvalidInput("INVALID_COUNT", f"got numbers {start} to {last} of {digits} digits, want them to fit")
    return named(f"{prefix}{number:0{digits}d}" for number in range(start, last + 1))


def from_file(path: Path) -> list[Order]:
    """One name a line; empty lines and lines that begin with # are left out. Messages name the line."""
    try:
        text = storage.read(path, "a file of names, one a line", _FILE_LIMIT).decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise InvalidInput("INVALID_NAMES_FILE", f"got {path}, which is not UTF-8 text: {err.reason}") from None
    names = []
    for number, line in enumerate(text.splitlines(), start=1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        try:
            names.append(device_name(name))
        except InvalidInput as err:
            raise InvalidInput(err.code, f"{path} line {number}: {err.message}") from None
    if not names:
        raise InvalidInput("INVALID_NAMES_FILE", f"got no name in {path}, want one a line")
    return named(names)


def from_requests(paths: Sequence[Path]) -> list[Order]:
    """Orders for the devices that made these requests, each under its own CN."""
    requests = [parse_request(storage.read(path, "a signing request"), path) for path in paths]
    orders = [Order(request.name, request) for request in requests]
    refuse_duplicates(order.name for order in orders)
    return orders
