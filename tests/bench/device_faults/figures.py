"""What each part of the bench hands back: a table, and how many of its tries were survived."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.report import Section


@dataclass
class Figures:
    """Rows are added as they are found; one that was not survived says why in a note."""

    title: str
    columns: tuple[str, ...]
    tried: int = 0
    survived: int = 0
    lines: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        self.lines.append(tuple(map(str, cells)))

    def tries(self, name: str, act: Callable[[], object]) -> bool:
        """Whether it was survived. Any fault is a finding, and the bench goes on to the next."""
        self.tried += 1
        try:
            act()
        except Exception as fault:  # noqa: BLE001 - told below, and the exit status says so
            self.notes.append(f"NOT SURVIVED: {name}: {type(fault).__name__}: {str(fault)[:400]}")
            return False
        self.survived += 1
        return True

    @property
    def section(self) -> Section:
        title = f"{self.title}: survived {self.survived} of {self.tried}"
        return Section(title, self.columns, tuple(self.lines), tuple(self.notes))
