"""Some hundred tries at a broker that is no good, by the client as it is run: what they leave behind in its process.

When they are over, a good broker takes the bad one's place, and all is quiet before the last look. Linux only: it looks
in /proc.
"""

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench.device_faults.client_process import ClientProcess
from tests.bench.device_faults.figures import Figures
from tests.functional.device import bad_wire
from tests.functional.device import scripted_broker as scripts
from tests.functional.device.bad_wire import Wire
from tests.functional.device.paper import issue
from tests.functional.device.scripted_broker import Broker, serve
from tests.functional.device.site import HERE, Site, make_site

_SETTLED_S: Final = 35
"""awscrt's TLS holds a connection that failed verification for up to 30 s."""
_MORE_HANDLES: Final = 6
_MORE_KB_A_TRY: Final = 4.0
"""What may be left: a few handles of the library's own, and what its allocator keeps."""
Kind = Callable[[Site, int], AbstractContextManager[object]]


@contextmanager
def _nobody(_: Site, port: int) -> Iterator[None]:
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HERE, port))
        yield


def _script(script: scripts.Script) -> Kind:
    return lambda site, port: site.broker(script, port=port)


def _wire(fault: bad_wire.Fault) -> Kind:
    return lambda _, port: Wire(0, *[fault] * 10_000, port=port)


def _stranger(site: Site, port: int) -> Broker:
    other = issue(site.folder, "other")
    return Broker(issue(site.folder, "server-of-a-stranger", other), site.ca, serve(), port=port)


KINDS: dict[str, Kind] = {
    "nobody there": _nobody,
    "accepted and closed": _wire(bad_wire.hung_up),
    "accepted, and no TLS": _wire(bad_wire.mute),
    "TLS refused: another CA": _stranger,
    "TLS, and no CONNACK": _script(scripts.never_connack),
    "hung up after CONNECT": _script(scripts.hang_up),
    "CONNACK refused": _script(scripts.refuse_connect),
    "SUBACK refused": _script(scripts.refuse_subscription),
    "no SUBACK": _script(scripts.never_suback),
    "no PUBACK": _script(scripts.never_puback),
    "lost after the hello": _script(serve(hang_up_after=1)),
}


@dataclass(frozen=True)
class Look:
    """At the client's process."""

    tries: int
    handles: int
    threads: int
    kilobytes: int
    """Resident."""


def tries(each: int) -> Figures:
    """Three kinds at a time."""
    figures = Figures(
        f"{each} tries in a row, the client as it is run",
        ("kind", "tries", "handles", "most", "at the end", "threads", "MB", "at half", "at the end", "kB a try"),
    )
    with ThreadPoolExecutor(3) as pool, tempfile.TemporaryDirectory() as room:
        looks = {kind: pool.submit(_tried, kind, each, Path(room)) for kind in KINDS}
        for kind, found in looks.items():
            figures.tries(kind, partial(_row, figures, kind, found.result))
    figures.notes.append(
        "Handles, threads, resident memory of the client's process: at the start, and when all was quiet again for"
        f" {_SETTLED_S} s. kB a try: growth over the second half of the tries. Each answer has half a second, and tries"
        " follow after 0.02 s: in the field a device makes as many in hours."
    )
    return figures


def _row(figures: Figures, kind: str, result: Callable[[], list[Look]]) -> None:
    looks = result()
    first, half, last, quiet = looks[0], looks[len(looks) // 2 - 1], looks[-2], looks[-1]
    growth = (last.kilobytes - half.kilobytes) / (last.tries - half.tries)
    figures.add(
        kind,
        last.tries,
        first.handles,
        max(look.handles for look in looks),
        quiet.handles,
        quiet.threads,
        *(f"{look.kilobytes / 1024:.1f}" for look in (first, half, quiet)),
        f"{growth:.2f}",
    )
    assert quiet.handles <= first.handles + _MORE_HANDLES, f"{quiet.handles - first.handles} handles left"
    assert growth <= _MORE_KB_A_TRY, f"{growth:.1f} kB a try"


def _tried(kind: str, each: int, room: Path) -> list[Look]:
    site = make_site(Path(tempfile.mkdtemp(dir=room)))
    port = _free_port()
    looks = []
    with ClientProcess(site, port, answer_within=0.5, retry_base=0.02, retry_cap=0.02) as device:
        with KINDS[kind](site, port):
            for tenth in range(1, 11):
                _until(device, each * tenth // 10)
                looks.append(_look(device))
        with site.broker(serve(), port=port):
            device.wait(len(device.lines), "hello_sent")
            time.sleep(_SETTLED_S)
            looks.append(_look(device))
    assert not device.count("client_died")
    return looks


def _until(device: ClientProcess, number: int) -> None:
    while device.count("connecting") <= number:
        time.sleep(0.1)


def _look(device: ClientProcess) -> Look:
    process = Path("/proc") / str(device.client)
    lines = (process / "status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    handles = len(os.listdir(process / "fd"))  # noqa: PTH208 - a count of names
    return Look(device.count("connecting"), handles, int(status["Threads"]), int(status["VmRSS"].split()[0]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])
