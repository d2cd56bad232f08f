"""The emulator's process: applies the patches and serves MiniStack until it is stopped.

`infra.local.emulator` starts it and writes the layout as the first line of standard input. Standard input ends when the
parent exits. This process then saves its state and exits. It rejects a state directory that another process uses.
"""

import asyncio
import fcntl
import logging
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any, Final, cast

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from infra.local.errors import LocalCloudError, StartFailed
from infra.local.layout import GATEWAY_HOST, Layout
from infra.local.ministack import patches

GRACE_SECONDS: Final = 2
log = logging.getLogger("local.server")


def lock_state(state_dir: Path) -> IO[str]:
    """Lock the state directory until the returned file is closed. Raise `StartFailed` STATE_IN_USE if it is locked."""
    lock = (state_dir / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise StartFailed("STATE_IN_USE", f"got {state_dir}, which a running emulator uses; stop it first") from None
    return lock


async def serve(layout: Layout, app: patches.PatchedEmulator) -> None:
    """Serve the gateway and the console's port until a signal or the end of standard input."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    threading.Thread(target=_watch_stdin, args=(loop, stop), daemon=True).start()
    config = Config()
    config.bind = [f"{GATEWAY_HOST}:{port}" for port in (layout.gateway_port, layout.console_port)]
    config.keep_alive_timeout = 75
    config.graceful_timeout = GRACE_SECONDS
    config.shutdown_timeout = 30
    tasks = [asyncio.create_task(each()) for each in app.background]
    for each in tasks:
        each.add_done_callback(_log_failure)
    try:
        await hypercorn_serve(cast(Any, app), config, shutdown_trigger=stop.wait)
    finally:
        for each in tasks:
            each.cancel()


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        log.error("saving, replication or disconnection has stopped", exc_info=task.exception())


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    log.info("stopping: the process that started the emulator has exited or closed standard input")
    loop.call_soon_threadsafe(stop.set)


def _empty(directory: Path) -> None:
    """Delete the unpacked code of Lambda functions of earlier runs. It is unpacked again when it is used. The folder is
    renamed, then deleted in the background, because hundreds of megabytes of small files take up to a minute."""
    if directory.exists():
        directory.rename(directory.with_name(f"{directory.name}.{time.time_ns()}.old"))
    directory.mkdir(parents=True)
    for old in directory.parent.glob(f"{directory.name}.*.old"):
        threading.Thread(target=shutil.rmtree, args=(old, True), daemon=True).start()


def main() -> int:
    """Run the emulator and return the exit status."""
    layout = Layout.from_json(sys.stdin.readline())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        with lock_state(layout.state_dir):
            _empty(layout.state_dir / "tmp")
            asyncio.run(serve(layout, patches.apply(layout)))
    except LocalCloudError as error:
        log.error("%s", error)  # noqa: TRY400 - an expected failure: the message is sufficient
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
