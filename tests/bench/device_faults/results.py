"""Result of one part of the benchmark: a table, and the number of cases that the client survived."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.report import Section


@dataclass
class BenchResult:
    """Rows are added as they are measured. A failed case adds a note."""

    title: str
    columns: tuple[str, ...]
    attempted: int = 0
    survived: int = 0
    lines: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        self.lines.append(tuple(map(str, cells)))

    def run_case(self, name: str, case: Callable[[], object]) -> bool:
        """Run the case and return whether the client survived it. An exception is recorded, and the benchmark
        continues."""
        self.attempted += 1
        try:
            case()
        except Exception as error:  # noqa: BLE001 - it is noted, and the exit status reports it
            self.notes.append(f"NOT SURVIVED: {name}: {type(error).__name__}: {str(error)[:400]}")
            return False
        self.survived += 1
        return True

    @property
    def section(self) -> Section:
        title = f"{self.title}: survived {self.survived} of {self.attempted}"
        return Section(title, self.columns, tuple(self.lines), tuple(self.notes))
