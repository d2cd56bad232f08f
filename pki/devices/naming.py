"""The devices to create in a run: names as arguments, numbered, from a file, or from signing requests.

Every name and request is validated, and duplicates are rejected, before the first file is written, so an invalid last
line does not leave a run incomplete.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from lobby.errors import InvalidInput
from lobby.text.damaged_numbers import check_name
from lobby.text.spreadsheet import decoded
from pki import storage
from pki.ca.profile import device_name
from pki.devices.credentials import Order, refuse_duplicates
from pki.devices.request import parse_request

DEFAULT_DIGITS = 6
MAX_COUNT = 1_000_000
_FILE_LIMIT = 1 << 27


def named(names: Iterable[str]) -> list[Order]:
    """Return orders for these names. Raise `InvalidInput` INVALID_THING_NAME or DUPLICATE_NAME."""
    orders = [Order(device_name(name)) for name in names]
    refuse_duplicates(order.name for order in orders)
    return orders


def numbered(prefix: str, count: int, start: int = 1, digits: int = DEFAULT_DIGITS) -> list[Order]:
    """Return orders for ``<prefix>000001`` and so on.

    The width is fixed, so a later run with a larger count repeats the same names. Raise `InvalidInput` INVALID_COUNT
    if the numbers do not fit the digits.
    """
    if not 1 <= count <= MAX_COUNT:
        raise InvalidInput("INVALID_COUNT", f"got {count} devices, want 1 to {MAX_COUNT} in one run")
    last = start + count - 1
    if start < 0 or not 1 <= digits <= 18 or last >= 10**digits:
        raise InvalidInput(
            "INVALID_COUNT", f"got numbers {start} to {last} with {digits} digits, want numbers that fit"
        )
    return named(f"{prefix}{number:0{digits}d}" for number in range(start, last + 1))


def from_file(path: Path) -> list[Order]:
    """Return orders for a file with one name per line. Empty lines and lines that start with # are ignored.

    Raise `InvalidInput` with the line number for an invalid name.
    """
    try:
        text, certain = decoded(storage.read(path, "a file of names, one per line", _FILE_LIMIT))
    except InvalidInput as err:
        raise InvalidInput("INVALID_NAMES_FILE", f"{path}: {err.message}") from None
    if not certain:
        raise InvalidInput("INVALID_NAMES_FILE", f"got {path}, which is not UTF-8 text, want UTF-8 or UTF-16")
    names = []
    for number, line in enumerate(text.splitlines(), start=1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        try:
            check_name(name, "of the names")
            names.append(device_name(name))
        except InvalidInput as err:
            raise InvalidInput(err.code, f"{path} line {number}: {err.message}") from None
    if not names:
        raise InvalidInput("INVALID_NAMES_FILE", f"got no name in {path}, want one per line, in UTF-8 or UTF-16")
    return named(names)


def from_requests(paths: Sequence[Path]) -> list[Order]:
    """Return an order for each signing request, named by its CN."""
    requests = [parse_request(storage.read(path, "a signing request"), path) for path in paths]
    orders = [Order(request.name, request) for request in requests]
    refuse_duplicates(order.name for order in orders)
    return orders
