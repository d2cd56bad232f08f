"""Many devices in one process: `python -m tests.bench.survival.device_processes LIST.json`.

Each is the complete reference client with its own storage, TLS connections and log. They share a process because a
hundred processes would need gigabytes and minutes to start. The process ends when its standard input is closed.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from device.client import Client
from device.event_log import EventLog, utc_now
from device.machine.events import StopRequested
from device.machine.plan import Timing
from device.options import Options
from device.runtime import uniform
from device.settings import load_settings
from device.storage import Storage
from infra.local.lobby_file import LobbyFile
from infra.local.synthesis import ROOT
from pki.devices.credentials import DevicePaths

TIMING: Final = Timing(
    hello_every=5,
    alive_every=30,
    answer_within=30,
    settle_after=0.5,
    retry_base=1,
    retry_cap=4,
    fallback_attempts=3,
    revisit_base=2,
    revisit_cap=5,
)
"""Seconds, instead of minutes and hours in production."""


@contextmanager
def device_process(lobby: LobbyFile, devices: Sequence[DevicePaths], state: Path) -> Iterator[Path]:
    """Run the devices within the context. Yield the directory of their states and logs."""
    state.mkdir(parents=True)
    entries = [
        {
            "cert": str(paths.chain),
            "key": str(paths.key),
            "ca": lobby.server_ca_path,
            "lobby": f"{lobby.lobby_endpoint}:{lobby.mqtt_port}",
            "state": str(state / paths.certificate.stem),
        }
        for paths in devices
    ]
    (state / "devices.json").write_text(json.dumps(entries))
    command = [sys.executable, "-m", "tests.bench.survival.device_processes", str(state / "devices.json")]
    with (state / "process.log").open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield state
    finally:
        process.communicate(timeout=60)


def _client(entry: dict[str, str]) -> Client:
    state = Path(entry["state"])
    state.mkdir()
    options = Options(Path(entry["cert"]), Path(entry["key"]), Path(entry["ca"]), (entry["lobby"],), 8883, state)
    settings = load_settings(options, TIMING, exit_on_arrival=False)
    setup = settings.setup
    return Client(
        setup.plan,
        Storage(state),
        EventLog("json", (state / "device.log").open("a")),
        setup.open_connection,
        uniform=uniform,
        clock_error=partial(settings.identity.clock_error, utc_now()),
    )


def main(path: Path) -> None:
    entries: list[dict[str, Any]] = json.loads(path.read_text())
    clients = [_client(entry) for entry in entries]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    for client in clients:
        client.post(StopRequested())
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
