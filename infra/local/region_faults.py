"""Outages of Regions of the local cloud, cuts between two of them, and the delay of replication.

Tests switch them while the emulator runs (`Emulator.set_regions`): the settings are a file in the state directory,
which the emulator reads again when it changes. A Region that is down cannot be reached, and nothing runs in it. Two
Regions that are cut off from each other can still reach all others. Rejects a negative delay.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.local.errors import StartFailed
from lobby import strict_json

FILE: Final = "regions.json"
DELAY: Final = 0.2


@dataclass(frozen=True)
class RegionFaults:
    """`cuts` are pairs of Regions. A write reaches the replicas after about `replication_seconds`. Each item has its
    own delay, from half to one and a half times this, so that the items of a transaction arrive separately."""

    down: tuple[str, ...] = ()
    cuts: tuple[tuple[str, str], ...] = ()
    replication_seconds: float = DELAY

    def __post_init__(self) -> None:
        if self.replication_seconds < 0:
            raise StartFailed("INVALID_FAULTS", f"got {self.replication_seconds} s for replication, want at least 0")

    def is_down(self, region: str) -> bool:
        return region in self.down

    def separates(self, one: str | None, other: str) -> bool:
        """Return whether `one` cannot reach `other`. None: a caller outside of all Regions, such as an operator."""
        if other in self.down or one in self.down:
            return True
        return any({one, other} == set(cut) for cut in self.cuts)

    def write(self, state_dir: Path) -> None:
        """Write these settings for the emulator in `state_dir`."""
        state_dir.mkdir(parents=True, exist_ok=True)
        temporary = state_dir / f"{FILE}.new"
        body = {"down": self.down, "cuts": self.cuts, "replication_seconds": self.replication_seconds}
        temporary.write_text(json.dumps(body))
        temporary.chmod(0o600)
        temporary.replace(state_dir / FILE)

    @classmethod
    def from_json(cls, text: str) -> "RegionFaults":
        """Parse what `write` wrote. Raise `ValueError`, `KeyError`, `TypeError` or `StartFailed` for anything else."""
        body: dict[str, Any] = strict_json.loads(text)
        cuts = tuple((str(one), str(other)) for one, other in body["cuts"])
        return cls(tuple(map(str, body["down"])), cuts, float(body["replication_seconds"]))


class CurrentFaults:
    """The settings in `state_dir`, read again when the file changes."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self._stamp: tuple[int, int] | None = None
        self._settings = RegionFaults()

    def __call__(self) -> RegionFaults:
        """Return the settings. Raise `ValueError`, `KeyError`, `TypeError` or `StartFailed` if the file is
        malformed."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return RegionFaults()
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._settings = RegionFaults.from_json(self._path.read_text())
            self._stamp = stamp
        return self._settings
