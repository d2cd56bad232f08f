"""Measures how fast label sheets are written, and how much memory that takes.

``python -m tests.bench.labels [--json]`` writes PDF sheets of 1,000 and of 5,000 labels, each in a separate process. It
measures `pki.labels.label.write_labels` in CPU seconds of that process: building each code, decoding it with another
library, laying it out, compressing and writing the pages. Reading certificates is not included. Memory is the peak of
the process, including its imports. The budget is 200 labels per CPU-second, and memory that does not grow.
"""

import argparse
import hashlib
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from lobby.names import Fingerprint
from pki.labels.label import write_labels
from pki.labels.templates import find_template

COUNTS: Final = (1_000, 5_000)
LABELS_PER_CPU_SECOND: Final = 200
GROWTH_MB: Final = 8.0
"""What 4,000 more labels may add: the list of pages and the allocator's slack."""


@dataclass(frozen=True)
class Measurement:
    """One run of the writer."""

    labels: int
    template: str
    cpu_seconds: float
    peak_mb: float
    file_kb: int

    @property
    def labels_per_cpu_second(self) -> float:
        return self.labels / self.cpu_seconds


def devices(count: int) -> Iterator[tuple[Fingerprint, str]]:
    for number in range(count):
        yield Fingerprint(hashlib.sha256(str(number).encode()).hexdigest()), f"sensor-{number:06d}"


def measure(count: int, template: str = "a4") -> Measurement:
    """Write the sheets in this process and return the measurement."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "labels.pdf"
        begin = time.process_time()
        list(write_labels(out, devices(count), find_template(template), 203))
        seconds = time.process_time() - begin
        size = out.stat().st_size // 1024
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return Measurement(count, template, round(seconds, 3), round(peak, 1), size)


def run() -> list[Measurement]:
    """Return a measurement for each count, each from a new process: the peak of memory never decreases."""
    context = multiprocessing.get_context("spawn")
    measurements = []
    for count in COUNTS:
        with context.Pool(1) as pool:
            measurements.append(pool.apply(measure, (count,)))
    return measurements


def misses(measurements: list[Measurement]) -> list[str]:
    """Return the budgets that the measurements do not meet."""
    slow = [each for each in measurements if each.labels_per_cpu_second < LABELS_PER_CPU_SECOND]
    found = [f"{each.labels_per_cpu_second:.0f} labels per CPU-second, want {LABELS_PER_CPU_SECOND}" for each in slow]
    growth = measurements[-1].peak_mb - measurements[0].peak_mb
    if growth > GROWTH_MB:
        found.append(f"{growth:.1f} MB more for {measurements[-1].labels} labels, want at most {GROWTH_MB:g}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")
    as_json = parser.parse_args().json
    measurements = run()
    if as_json:
        print(json.dumps([asdict(each) | {"per_cpu_second": each.labels_per_cpu_second} for each in measurements]))
    else:
        for each in measurements:
            print(
                f"{each.labels:>6} labels  {each.labels_per_cpu_second:6.0f} per CPU-second"
                f"  {each.peak_mb:6.1f} MB  {each.file_kb:6} KB of PDF"
            )
    missed = misses(measurements)
    for miss in missed:
        print(f"over budget: {miss}", file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
