"""The positions of the code and the texts on a label of any size, in millimetres.

The code is as high as the label allows. The thing name, the short form of the fingerprint, and the code as text (in
case no camera can read the code) are next to it, or below it on a narrow label. No text is smaller than 6 pt. If there
is not enough space, the code as text is omitted first, then the short form. A label whose code or name does not fit is
rejected.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import Fingerprint
from lobby.text.label import encode_label, short_form
from pki.labels.qr_codes import SIDE

MM_PER_PT: Final = 25.4 / 72
MIN_PT: Final = 6.0
"""The smallest text. Label printers blur smaller ones, and users cannot read them."""
MIN_MODULE_MM: Final = 0.42
"""The smallest module. Phones cannot focus close enough to read smaller ones."""
MAX_MODULE_MM: Final = 1.7
_SIZES: Final = (11.0, 10.0, 9.0, 8.0, 7.0, MIN_PT)
_LEADING: Final = 1.18
_MARGIN_MM: Final = 1.0
_GAP_MM: Final = 0.6

Measure = Callable[[str, float], float]
"""Returns the width in mm of a text in a size in pt."""


@dataclass(frozen=True)
class Text:
    """One line; `x` and `y` are its left end and its baseline, from the label's upper left corner."""

    x: float
    y: float
    size: float
    text: str


@dataclass(frozen=True)
class Layout:
    """A label. `module` is the side of one module of the code, whose quiet zone begins at `left` and `top`."""

    left: float
    top: float
    module: float
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class _Area:
    x: float
    y: float
    width: float
    height: float


def groups_of_four(code: str) -> list[str]:
    return [code[i : i + 4] for i in range(0, len(code), 4)]


def lay_out(width: float, height: float, certid: Fingerprint, name: str, measure: Measure) -> Layout:
    """Return the layout of a label of this size in mm. Raise `InvalidInput` LABEL_SIZE."""
    side, area = _areas(width, height)
    if side / SIDE < MIN_MODULE_MM:
        raise InvalidInput(
            "LABEL_SIZE",
            f"got a label of {width:g} × {height:g} mm, want at least {MIN_MODULE_MM * SIDE:.1f} mm for its code",
        )
    texts = _texts(area, certid, name, measure)
    if texts is None:
        raise InvalidInput(
            "LABEL_SIZE", f"got the name {name} on a label of {width:g} × {height:g} mm, want one where 6 pt fit"
        )
    top = (height - side) / 2 if area.y < side else 0
    return Layout(0 if area.y < side else (width - side) / 2, top, side / SIDE, tuple(texts))


@lru_cache(maxsize=16)
def _areas(width: float, height: float) -> tuple[float, _Area]:
    """Return the side of the code, and the area for the texts: next to the code, or below it if that is larger."""
    side = min(height, width, MAX_MODULE_MM * SIDE)
    if width < 2 * height and width - side < 0.6 * side:
        smaller = min(width, height * 0.66, MAX_MODULE_MM * SIDE)
        if smaller / SIDE >= MIN_MODULE_MM:
            return smaller, _Area(_MARGIN_MM, smaller, width - 2 * _MARGIN_MM, height - smaller - _MARGIN_MM)
    side = min(side, max(MIN_MODULE_MM * SIDE, width * 0.5))
    return side, _Area(side, _MARGIN_MM, width - side - _MARGIN_MM, height - 2 * _MARGIN_MM)


def _texts(area: _Area, certid: Fingerprint, name: str, measure: Measure) -> list[Text] | None:
    groups, short = groups_of_four(encode_label(certid)), short_form(certid).split(" ")
    blocks: tuple[str | list[str], ...]
    for blocks in ((name, short, groups), (name, short), (name,)):
        for size in (*(each for each in _SIZES if _on_one_line(area, name, each, measure)), *_SIZES):
            lines = [_lines(block, size, area.width, measure) for block in blocks]
            needed = sum(len(each) * size * _LEADING * MM_PER_PT for each in lines) + _GAP_MM * (len(lines) - 1)
            if needed <= area.height and all(measure(line, size) <= area.width for each in lines for line in each):
                return list(_placed(area, lines, size, needed))
    return None


def _on_one_line(area: _Area, name: str, size: float, measure: Measure) -> bool:
    """Return whether the name fits on one line in this size. A small name on one line is better than a large one on
    two."""
    return size > MIN_PT and measure(name, size) <= area.width


def _placed(area: _Area, blocks: Sequence[Sequence[str]], size: float, needed: float) -> Iterator[Text]:
    y = area.y + (area.height - needed) / 2
    for lines in blocks:
        for line in lines:
            yield Text(area.x, y + size * MM_PER_PT * 0.92, size, line)
            y += size * _LEADING * MM_PER_PT
        y += _GAP_MM


def _lines(block: str | list[str], size: float, width: float, measure: Measure) -> list[str]:
    """Break a name at any character, because it has no spaces, and other texts between their groups."""
    lines, parts, separator = [""], block, " " if isinstance(block, list) else ""
    for part in parts:
        longer = f"{lines[-1]}{separator}{part}" if lines[-1] else part
        if lines[-1] and measure(longer, size) > width:
            lines.append(part)
        else:
            lines[-1] = longer
    return lines
