"""Brokers that do not answer, over real TLS, several at a time: the failure that the device logs, and the time to
recover."""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.device_faults.results import BenchResult
from tests.functional.device.running_device import Log, make_tls_setup
from tests.functional.device.unresponsive_brokers import KEEP_ALIVE_S, TIMING, UNRESPONSIVE_BROKERS, assert_recovers


def unresponsive_brokers() -> BenchResult:
    result = BenchResult("brokers that do not answer", ("broker", "logged as", "after s", "recovered after s"))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as pool:
        logs = {name: pool.submit(_run, name, Path(folder)) for name in UNRESPONSIVE_BROKERS}
        for name, log in logs.items():
            result.run_case(name, partial(_add_row, result, name, log.result))
    result.notes.append(
        f"With {TIMING.answer_within:g} s for each answer and a keep-alive of {KEEP_ALIVE_S} s; defaults: 10 s, 30 s."
        " After: since the last answer to the device, or since it started to connect."
    )
    return result


def _run(name: str, parent: Path) -> Log:
    folder = Path(tempfile.mkdtemp(dir=parent))
    return assert_recovers(name, make_tls_setup(folder))


def _add_row(result: BenchResult, name: str, log: Callable[[], Log]) -> None:
    lines = log().lines
    failed = next(number for number, line in enumerate(lines) if "failure" in line)
    recovered = next(number for number, line in enumerate(lines[failed:], failed) if line["event"] == "hello_sent")
    before = lines[failed - 1]
    logged = f"{lines[failed]['event']} ({lines[failed]['failure']})"
    result.add(name, logged, _seconds(before, lines[failed]), _seconds(before, lines[recovered]))


def _seconds(before: dict[str, Any], after: dict[str, Any]) -> str:
    start, end = (datetime.fromisoformat(line["at"]) for line in (before, after))
    return f"{(end - start).total_seconds():.2f}"
