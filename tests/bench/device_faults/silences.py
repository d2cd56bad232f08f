"""Brokers that accept and say nothing, over real TLS, all at once: what the device notices, and when it is back."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.device_faults.figures import Figures
from tests.functional.device.running_device import Log
from tests.functional.device.silences import KEEP_ALIVE_S, SILENCES, TIMING, outlived
from tests.functional.device.site import make_site


def silences() -> Figures:
    figures = Figures("brokers that accept and say nothing", ("what", "noticed as", "after s", "back after s"))
    with tempfile.TemporaryDirectory() as room, ThreadPoolExecutor(4) as pool:
        logs = {name: pool.submit(_one, name, Path(room)) for name in SILENCES}
        for name, log in logs.items():
            figures.tries(name, partial(_row, figures, name, log.result))
    figures.notes.append(
        f"With {TIMING.answer_within:g} s for each answer, a keep-alive of {KEEP_ALIVE_S} s; in the field 10 s, 30 s."
        " After: since the device was last answered, or began to dial."
    )
    return figures


def _one(name: str, room: Path) -> Log:
    folder = Path(tempfile.mkdtemp(dir=room))
    return outlived(name, make_site(folder))


def _row(figures: Figures, name: str, result: Any) -> None:
    lines = result().lines
    trouble = next(number for number, line in enumerate(lines) if "trouble" in line)
    good = next(number for number, line in enumerate(lines[trouble:], trouble) if line["event"] == "hello_sent")
    before = lines[trouble - 1]
    noticed = f"{lines[trouble]['event']} ({lines[trouble]['trouble']})"
    figures.add(name, noticed, _between(before, lines[trouble]), _between(before, lines[good]))


def _between(before: dict[str, Any], after: dict[str, Any]) -> str:
    begin, end = (datetime.fromisoformat(line["at"]) for line in (before, after))
    return f"{(end - begin).total_seconds():.2f}"
