"""The emulator's process: checks and applies our seams, then serves MiniStack until it is told to stop.

Started by `infra.local.emulator` only, with the layout on its first line of standard input. The rest of standard input
is a lifeline: when it ends, the parent is gone and this process saves its state and leaves. Refuses a state directory
that another process uses.
"""

import asyncio
import fcntl
import logging
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any, Final, cast

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from infra.local.errors import LocalCloudError, StartFailed
from infra.local.layout import GATEWAY_HOST, Layout
from infra.local.ministack import patches

GRACE_SECONDS: Final = 2
log = logging.getLogger("local.server")


def hold(state_dir: Path) -> IO[str]:
    """The state directory's lock, for as long as the file is open. Raises `StartFailed` STATE_IN_USE."""
    lock = (state_dir / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise StartFailed("STATE_IN_USE", f"got {state_dir}, which a running emulator uses; stop that one") from None
    return lock


async def serve(layout: Layout, app: patches.Wrapped) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    threading.Thread(target=_watch_lifeline, args=(loop, stop), daemon=True).start()
    config = Config()
    config.bind = [f"{GATEWAY_HOST}:{port}" for port in (layout.gateway_port, layout.console_port)]
    config.keep_alive_timeout = 75
    config.graceful_timeout = GRACE_SECONDS
    config.shutdown_timeout = 30
    keeping = asyncio.create_task(app.keeper.run())
    keeping.add_done_callback(_told)
    try:
        await hypercorn_serve(cast(Any, app), config, shutdown_trigger=stop.wait)
    finally:
        keeping.cancel()


def _told(keeping: asyncio.Task[None]) -> None:
    if not keeping.cancelled():
        log.error("the state is no longer saved", exc_info=keeping.exception())


def _watch_lifeline(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    log.info("the process that started the emulator is gone or has asked it to stop")
    loop.call_soon_threadsafe(stop.set)


def _sweep(directory: Path) -> None:
    """The unpacked code of Lambdas that are no more, hundreds of megabytes of it: whoever needs it unpacks it anew."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)


def main() -> int:
    layout = Layout.from_json(sys.stdin.readline())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        with hold(layout.state_dir):
            _sweep(layout.state_dir / "tmp")
            asyncio.run(serve(layout, patches.apply(layout)))
    except LocalCloudError as error:
        log.error("%s", error)  # noqa: TRY400 - an expected failure: the message says it all
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
