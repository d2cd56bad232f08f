"""Some hundred tries at a broker that is no good, by the real client: what they leave behind in its process.

`python -m tests.bench.device_faults.tries KIND TRIES` prints the samples as JSON; each kind has a process of its own.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from device.plan import Endpoint
from tests.bench.device_faults.figures import Figures
from tests.functional.device import bad_wire
from tests.functional.device import scripted_broker as scripts
from tests.functional.device.bad_wire import Wire
from tests.functional.device.paper import issue
from tests.functional.device.running_device import QUICK, Log, RunningDevice
from tests.functional.device.scripted_broker import Broker, serve
from tests.functional.device.site import HERE, Site, make_site

_ROOT: Final = Path(__file__).parents[3]
_TIMING = replace(QUICK, answer_within=0.5, retry_base=0.02, retry_cap=0.02)
_SETTLED_S: Final = 32
"""awscrt's TLS holds a connection that failed verification for up to 30 s."""
_MORE_HANDLES: Final = 4
_MORE_KB_A_TRY: Final = 8.0
"""What is allowed to be left: a few handles of the library's own, and what its allocator keeps."""


@contextmanager
def _nobody(_: Site) -> Iterator[Endpoint]:
    with socket.socket() as bound:
        bound.bind((HERE, 0))
        yield Endpoint(HERE, bound.getsockname()[1])


@contextmanager
def _script(script: scripts.Script, site: Site) -> Iterator[Endpoint]:
    with site.broker(script) as broker:
        yield Endpoint(HERE, broker.port)


@contextmanager
def _wire(fault: bad_wire.Fault, site: Site) -> Iterator[Endpoint]:
    with site.broker(serve()) as broker, Wire(broker.port, *[fault] * 10_000) as wire:
        yield Endpoint(HERE, wire.port)


@contextmanager
def _stranger(site: Site) -> Iterator[Endpoint]:
    other = issue(site.folder, "other")
    with Broker(issue(site.folder, "server-of-a-stranger", other), site.ca, serve()) as broker:
        yield Endpoint(HERE, broker.port)


KINDS: dict[str, Callable[[Site], AbstractContextManager[Endpoint]]] = {
    "nobody there": _nobody,
    "accepted and closed": partial(_wire, bad_wire.hung_up),
    "accepted, and no TLS": partial(_wire, bad_wire.mute),
    "TLS refused: another CA": _stranger,
    "TLS, and no CONNACK": partial(_script, scripts.never_connack),
    "hung up after CONNECT": partial(_script, scripts.hang_up),
    "CONNACK refused": partial(_script, scripts.refuse_connect),
    "SUBACK refused": partial(_script, scripts.refuse_subscription),
    "lost after the hello": partial(_script, serve(hang_up_after=1)),
}


def tries(each: int) -> Figures:
    """Two kinds at a time, each in its process."""
    figures = Figures(
        f"{each} tries in a row, real awscrt",
        (
            "kind",
            "tries",
            "a second",
            "handles",
            "most",
            "at the end",
            "threads",
            "MB at half",
            "MB at the end",
            "kB a try",
        ),
    )
    with ThreadPoolExecutor(2) as pool:
        samples = {kind: pool.submit(_in_a_process, kind, each) for kind in KINDS}
        for kind, sample in samples.items():
            figures.tries(kind, partial(_row, figures, kind, sample.result))
    figures.notes.append(
        "Handles, threads: of the process, at the start, at most, and when all is quiet again. kB a try: growth of the"
        " resident memory over the second half. The bench's own broker lives in the same process."
    )
    return figures


def _row(figures: Figures, kind: str, result: Callable[[], list[list[float]]]) -> None:
    first, half, *_, last, quiet = samples = result()
    growth = (last[2] - half[2]) / (last[4] - half[4])
    most = max(sample[1] for sample in samples)
    figures.add(
        kind, f"{last[4]:.0f}", f"{last[4] / last[0]:.1f}", f"{first[1]:.0f}", f"{most:.0f}", f"{quiet[1]:.0f}",
        f"{quiet[3]:.0f}", f"{half[2] / 1024:.1f}", f"{quiet[2] / 1024:.1f}", f"{growth:.2f}",
    )  # fmt: skip
    assert quiet[1] <= first[1] + _MORE_HANDLES, f"{quiet[1] - first[1]:.0f} handles left"
    assert quiet[3] <= first[3] + _MORE_HANDLES, f"{quiet[3] - first[3]:.0f} threads left"
    assert growth <= _MORE_KB_A_TRY, f"{growth:.1f} kB a try"


def _in_a_process(kind: str, each: int) -> list[list[float]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.device_faults.tries", kind, str(each)],
        cwd=_ROOT, capture_output=True, text=True, timeout=540, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-600:]
    found: list[list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure(kind: str, each: int) -> list[list[float]]:
    with tempfile.TemporaryDirectory() as room:
        site = make_site(Path(room))
        with KINDS[kind](site) as endpoint:
            begin = time.monotonic()
            samples = []
            with RunningDevice(site.credentials, site.state, endpoint, timing=_TIMING) as log:
                for part in (0.1, 0.5, 0.75, 1):
                    _until(log, int(each * part))
                    samples.append(_sample(begin, log))
            time.sleep(_SETTLED_S)
            samples.append(_sample(begin, log))
    return samples


def _until(log: Log, tries_made: int) -> None:
    while log.counts["connecting"] <= tries_made:
        time.sleep(0.05)


def _sample(begin: float, log: Log) -> list[float]:
    """Seconds, handles, resident kB, threads, tries."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    handles = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count of names
    tried = log.counts["connecting"]
    return [time.monotonic() - begin, handles, int(status["VmRSS"].split()[0]), int(status["Threads"]), tried]


if __name__ == "__main__":
    sys.stdout.write(f"\n{json.dumps(_measure(sys.argv[1], int(sys.argv[2])))}\n")
