"""A connection that is paused at its start receives no data until it is resumed, in every supported Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import infra

ROOT = Path(infra.__file__).parents[1]
PROGRAM = """
import asyncio, sys
from infra.local.ministack import early_pause

if "patched" in sys.argv:
    early_pause.apply()


class Paused(asyncio.Protocol):
    received = b""

    def connection_made(self, transport):
        transport.pause_reading()
        accepted.set_result((transport, self))

    def data_received(self, data):
        self.received += data
        if resumed.done():
            finished.set_result(None)


async def main():
    global accepted, resumed, finished
    loop = asyncio.get_running_loop()
    accepted, resumed, finished = (loop.create_future() for _ in range(3))
    server = await loop.create_server(Paused, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"ClientHello")
    transport, protocol = await accepted
    for _ in range(50):
        await asyncio.sleep(0.002)
    print("early" if protocol.received else "waited", end=" ")
    if not protocol.received:
        resumed.set_result(None)
        transport.resume_reading()
        await finished
    print(protocol.received.decode())
    writer.close()
    transport.abort()
    server.close()


asyncio.run(main())
"""


def affected_python() -> str | None:
    """Return an installed Python that has the fault, such as that of Debian 12."""
    for candidate in ("/usr/bin/python3", shutil.which("python3.11")):
        if candidate and Path(candidate).exists() and (3, 11, 0) <= version_of(candidate) < (3, 11, 4):
            return candidate
    return None


def version_of(python: str) -> tuple[int, ...]:
    printed = subprocess.run(
        [python, "-c", "import sys; print(*sys.version_info[:3])"], capture_output=True, text=True, check=True
    )
    return tuple(map(int, printed.stdout.split()))


def outcome(python: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [python, "-c", PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    return (done.stdout or done.stderr).strip()


def test_a_paused_connection_receives_nothing_in_this_python() -> None:
    assert outcome(sys.executable, "patched") == "waited ClientHello"


@pytest.mark.skipif(affected_python() is None, reason="needs a Python 3.11.0 to 3.11.3")
def test_an_affected_python_waits_with_the_patch_only() -> None:
    python = affected_python() or ""
    assert outcome(python) == "early ClientHello"
    assert outcome(python, "patched") == "waited ClientHello"
