"""Groups history entries into runs: consecutive entries of one device, which are anchored together by one object.

The object's key contains the hash of each entry, and S3's keys have at most 1024 bytes, which limits a run.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lobby.names import Fingerprint

MAX_RUN: Final = 14
"""Entries in a run: 14 hashes of 64 digits with separators, after 83 bytes of prefix, fingerprint and number."""


@dataclass(frozen=True)
class AnchoredEntry:
    """The anchored part of an entry: device, number and hash."""

    certid: Fingerprint
    seq: int
    hash: str


@dataclass(frozen=True)
class Run:
    """The hashes of consecutive entries of a device, from number `first` on."""

    certid: Fingerprint
    first: int
    hashes: tuple[str, ...]

    @property
    def next(self) -> int:
        return self.first + len(self.hashes)

    def entries(self) -> list[AnchoredEntry]:
        return [AnchoredEntry(self.certid, self.first + place, each) for place, each in enumerate(self.hashes)]


def runs_of(entries: Iterable[AnchoredEntry]) -> list[Run]:
    """Return the runs of entries. A stream does not define the order of entries that one transaction has written, so
    they are sorted by number. An entry that does not follow the device's last one begins a new run, so that no entry is
    left out, not even another one with the same number. The same entry is anchored once."""
    open_runs: dict[Fingerprint, Run] = {}
    runs: list[Run] = []
    for entry in sorted(dict.fromkeys(entries), key=lambda each: each.seq):
        run = open_runs.get(entry.certid)
        if run is not None and run.next == entry.seq and len(run.hashes) < MAX_RUN:
            open_runs[entry.certid] = Run(run.certid, run.first, (*run.hashes, entry.hash))
            continue
        if run is not None:
            runs.append(run)
        open_runs[entry.certid] = Run(entry.certid, entry.seq, (entry.hash,))
    return [*runs, *open_runs.values()]
