"""The sheets and rolls that labels are printed on: sizes and positions in millimetres.

A4 and Letter sheets to cut, sheets of Avery labels (from the maker's templates), and rolls, on which each label is a
page of its own. Any other roll is `roll-WIDTHxHEIGHT`.
"""

import re
from dataclasses import dataclass
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import shown

A4: Final = (210.0, 297.0)
LETTER: Final = (215.9, 279.4)
OFFICE_MARGIN: Final = 7.6
"""The margin that office printers leave blank."""
SMALLEST: Final = (36.0, 18.0)
"""The smallest label in mm on a sheet to cut: its code has modules of 0.43 mm."""
_ROLL: Final = re.compile(r"roll-([1-9][0-9]{0,2}(?:\.[0-9])?)x([1-9][0-9]{0,2}(?:\.[0-9])?)")


@dataclass(frozen=True)
class Template:
    """A page of `columns` × `rows` labels. `pitch` is the distance from one label to the next; `cut` draws borders."""

    name: str
    page: tuple[float, float]
    columns: int
    rows: int
    label: tuple[float, float]
    first: tuple[float, float] = (0, 0)
    """The upper left corner of the first label."""
    pitch: tuple[float, float] = (0, 0)
    cut: bool = False

    @property
    def per_page(self) -> int:
        return self.columns * self.rows

    def corner(self, index: int) -> tuple[float, float]:
        """Return the upper left corner of the label with this index on its page."""
        row, column = divmod(index, self.columns)
        return self.first[0] + column * self.pitch[0], self.first[1] + row * self.pitch[1]


def _cut_sheet(name: str, page: tuple[float, float], columns: int, rows: int) -> Template:
    label = ((page[0] - 2 * OFFICE_MARGIN) / columns, (page[1] - 2 * OFFICE_MARGIN) / rows)
    return Template(name, page, columns, rows, label, (OFFICE_MARGIN, OFFICE_MARGIN), label, cut=True)


def _roll(width: float, height: float) -> Template:
    return Template(f"roll-{width:g}x{height:g}", (width, height), 1, 1, (width, height))


def _avery(
    name: str,
    page: tuple[float, float],
    grid: tuple[int, int],
    label: tuple[float, float],
    first: tuple[float, float],
    pitch: tuple[float, float],
) -> Template:
    return Template(f"avery-{name}", page, *grid, label, first, pitch)


TEMPLATES: Final[dict[str, Template]] = {
    each.name: each
    for each in (
        _cut_sheet("a4", A4, 2, 8),
        _cut_sheet("letter", LETTER, 2, 7),
        _avery("l7159", A4, (3, 8), (63.5, 33.9), (7.25, 12.9), (66.0, 33.9)),
        _avery("l7160", A4, (3, 7), (63.5, 38.1), (7.25, 15.15), (66.0, 38.1)),
        _avery("l7161", A4, (3, 6), (63.5, 46.6), (7.25, 8.7), (66.0, 46.6)),
        _avery("l7163", A4, (2, 7), (99.1, 38.1), (4.65, 15.15), (101.6, 38.1)),
        _avery("l7173", A4, (2, 5), (99.1, 57.0), (4.65, 6.0), (101.6, 57.0)),
        _avery("l7651", A4, (5, 13), (38.1, 21.2), (4.75, 10.7), (40.6, 21.2)),
        _avery("5160", LETTER, (3, 10), (66.675, 25.4), (4.7625, 12.7), (69.85, 25.4)),
        _avery("5161", LETTER, (2, 10), (101.6, 25.4), (3.96875, 12.7), (106.3625, 25.4)),
        _avery("5163", LETTER, (2, 5), (101.6, 50.8), (3.96875, 12.7), (106.3625, 50.8)),
        _avery("5164", LETTER, (2, 3), (101.6, 84.667), (3.96875, 12.7), (106.3625, 84.667)),
        _roll(89, 36),
        _roll(62, 29),
        _roll(57, 32),
        _roll(50, 25),
        _roll(76, 35),
    )
}
DEVICE_LABEL: Final = TEMPLATES["roll-76x35"]
"""The template of the label image that each device gets."""


def find_template(name: str) -> Template:
    """Return the template of this name, or of a roll of any size. Raise `InvalidInput` UNKNOWN_TEMPLATE."""
    known = TEMPLATES.get(name.lower())
    if known is not None:
        return known
    match = _ROLL.fullmatch(name.lower())
    if match is None:
        raise InvalidInput(
            "UNKNOWN_TEMPLATE", f"got {shown(name)}, want {', '.join(TEMPLATES)} or roll-WIDTHxHEIGHT (mm)"
        )
    return _roll(float(match[1]), float(match[2]))


def cut_sheet(page: tuple[float, float], per_page: int) -> Template:
    """Return a sheet to cut with at least `per_page` labels, each as large as possible and at least `SMALLEST`.

    Raise `InvalidInput` INVALID_PER_PAGE."""
    sheets = (
        [_cut_sheet("sheet", page, columns, -(-per_page // columns)) for columns in range(1, 9)] if per_page > 0 else []
    )
    fitting = [each for each in sheets if each.label[0] >= SMALLEST[0] and each.label[1] >= SMALLEST[1]]
    if not fitting:
        most = int((page[0] - 2 * OFFICE_MARGIN) / SMALLEST[0]) * int((page[1] - 2 * OFFICE_MARGIN) / SMALLEST[1])
        raise InvalidInput("INVALID_PER_PAGE", f"got {per_page}, want 1 to {most} labels per page")
    return max(fitting, key=lambda each: min(each.label[0] / 2.2, each.label[1]))
