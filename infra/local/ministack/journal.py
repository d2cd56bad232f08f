"""The journal of `durability`: the table writes since a snapshot, as numbered files of JSON lines.

Each process writes its own file, because after a kill the last line of the previous one can be incomplete. The write of
an incomplete line was not acknowledged, so the line is dropped.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import IO

log = logging.getLogger("local.journal")


class Journal:
    """The journal files in `directory`."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.number = max((self._number(path) for path in self._paths()), default=0) + 1
        self._out: IO[str] | None = None

    def _paths(self) -> list[Path]:
        return sorted(self._directory.glob("*.jsonl"), key=self._number)

    @staticmethod
    def _number(path: Path) -> int:
        return int(path.stem)

    @property
    def size(self) -> int:
        """Size in bytes of the current file."""
        return self._out.tell() if self._out else 0

    def append(self, entry: dict[str, str]) -> None:
        if self._out is None:
            self._out = (self._directory / f"{self.number}.jsonl").open("a")
        self._out.write(json.dumps(entry) + "\n")
        self._out.flush()

    def rotate(self) -> int:
        """Start the next file and return its number."""
        self.close()
        self.number += 1
        return self.number

    def close(self) -> None:
        if self._out is not None:
            self._out.close()
        self._out = None

    def since(self, number: int) -> Iterator[dict[str, str]]:
        """Yield the entries of the files from `number` on, in order."""
        for path in self._paths():
            if self._number(path) >= number:
                for line in path.read_text().splitlines():
                    try:
                        yield json.loads(line)
                    except ValueError:
                        log.warning("%s: dropped an incomplete line", path)

    def delete_before(self, number: int) -> None:
        for path in self._paths():
            if self._number(path) < number:
                path.unlink()
