"""The resources that hundreds of connection attempts to a faulty broker leave allocated in the process of the real
client. Then a working broker replaces the faulty one, and the last sample is taken when the client is idle. Linux only:
it reads /proc.
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
from tests.bench.device_faults.results import BenchResult
from tests.functional.device import faulty_tcp_proxy as proxy
from tests.functional.device import scripted_broker as scripts
from tests.functional.device.faulty_tcp_proxy import Fault, FaultyTcpProxy
from tests.functional.device.running_device import LOOPBACK, TlsSetup, make_tls_setup
from tests.functional.device.scripted_broker import Broker, serve
from tests.functional.device.tls_certificates import issue

_IDLE_S: Final = 35
"""awscrt's TLS library keeps a connection that failed verification for up to 30 s."""
_MAX_MORE_HANDLES: Final = 6
_MAX_KB_PER_ATTEMPT: Final = 4.0
"""Allowed growth: a few handles of the library, and memory that its allocator keeps."""
BrokerStarter = Callable[[TlsSetup, int], AbstractContextManager[object]]


@contextmanager
def _no_listener(_: TlsSetup, port: int) -> Iterator[None]:
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((LOOPBACK, port))
        yield


def _script(script: scripts.Script) -> BrokerStarter:
    return lambda tls, port: tls.broker(script, port=port)


def _proxy(fault: Fault) -> BrokerStarter:
    return lambda _, port: FaultyTcpProxy(0, *[fault] * 10_000, port=port)


def _other_ca(tls: TlsSetup, port: int) -> Broker:
    other = issue(tls.folder, "other")
    return Broker(issue(tls.folder, "server-of-another-ca", other), tls.ca, serve(), port=port)


FAULTS: dict[str, BrokerStarter] = {
    "no listener": _no_listener,
    "closed after accept": _proxy(proxy.closed),
    "TCP without TLS": _proxy(proxy.silent),
    "server of another CA": _other_ca,
    "no CONNACK": _script(scripts.never_connack),
    "closed after CONNECT": _script(scripts.close_after_connect),
    "CONNACK refused": _script(scripts.refuse_connect),
    "SUBACK refused": _script(scripts.refuse_subscription),
    "no SUBACK": _script(scripts.never_suback),
    "no PUBACK": _script(scripts.never_puback),
    "closed after the hello": _script(serve(close_after=1)),
}


@dataclass(frozen=True)
class ProcessSample:
    """Resources of the client's process."""

    attempts: int
    handles: int
    threads: int
    kilobytes: int
    """Resident memory."""


def repeated_attempts(each: int) -> BenchResult:
    """Run three faults at a time, with `each` attempts."""
    result = BenchResult(
        f"{each} attempts in a row",
        (
            "fault",
            "attempts",
            "handles",
            "maximum",
            "at the end",
            "threads",
            "MB",
            "at half",
            "at the end",
            "kB per attempt",
        ),
    )
    with ThreadPoolExecutor(3) as pool, tempfile.TemporaryDirectory() as folder:
        samples = {fault: pool.submit(_run, fault, each, Path(folder)) for fault in FAULTS}
        for fault, future in samples.items():
            result.run_case(fault, partial(_add_row, result, fault, future.result))
    result.notes.append(
        "Handles, threads and resident memory of the client's process: at the start, and at the end after"
        f" {_IDLE_S} s without attempts. kB per attempt: growth over the second half of the attempts. The time limit of"
        " each answer is 0.5 s and the wait 0.02 s; with the defaults a device needs hours for as many attempts."
    )
    return result


def _add_row(result: BenchResult, fault: str, sampled: Callable[[], list[ProcessSample]]) -> None:
    samples = sampled()
    first, half, last, idle = samples[0], samples[len(samples) // 2 - 1], samples[-2], samples[-1]
    growth = (last.kilobytes - half.kilobytes) / (last.attempts - half.attempts)
    result.add(
        fault,
        last.attempts,
        first.handles,
        max(sample.handles for sample in samples),
        idle.handles,
        idle.threads,
        *(f"{sample.kilobytes / 1024:.1f}" for sample in (first, half, idle)),
        f"{growth:.2f}",
    )
    assert idle.handles <= first.handles + _MAX_MORE_HANDLES, f"{idle.handles - first.handles} more handles"
    assert growth <= _MAX_KB_PER_ATTEMPT, f"{growth:.1f} kB per attempt"


def _run(fault: str, each: int, parent: Path) -> list[ProcessSample]:
    tls = make_tls_setup(Path(tempfile.mkdtemp(dir=parent)))
    port = _free_port()
    samples = []
    with ClientProcess(tls, port, answer_within=0.5, retry_base=0.02, retry_cap=0.02) as device:
        with FAULTS[fault](tls, port):
            for tenth in range(1, 11):
                _wait_for_attempts(device, each * tenth // 10)
                samples.append(_sample(device))
        with tls.broker(serve(), port=port):
            device.wait(len(device.lines), "hello_sent")
            time.sleep(_IDLE_S)
            samples.append(_sample(device))
    assert not device.count("client_crashed")
    return samples


def _wait_for_attempts(device: ClientProcess, number: int) -> None:
    while device.count("connecting") <= number:
        time.sleep(0.1)


def _sample(device: ClientProcess) -> ProcessSample:
    process = Path("/proc") / str(device.client)
    lines = (process / "status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    handles = len(os.listdir(process / "fd"))  # noqa: PTH208 - a count of names
    return ProcessSample(device.count("connecting"), handles, int(status["Threads"]), int(status["VmRSS"].split()[0]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
