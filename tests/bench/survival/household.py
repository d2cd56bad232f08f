"""Many devices in one process: `python -m tests.bench.survival.household LIST.json`.

Each is the reference client, whole: its journey, its storage, its own connections over TLS; what it says is in its own
log. Only the process is shared, as a hundred of them would want gigabytes and minutes to start. Ends when stdin does.
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
from device.mqtt import MqttConnection
from device.runtime import uniform
from device.settings import Options, load_settings
from device.storage import Storage
from infra.local.lobby_file import LobbyFile
from infra.local.synthesis import ROOT
from pki.devices import DevicePaths

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
"""In the field it is minutes and hours."""


@contextmanager
def household(lobby: LobbyFile, devices: Sequence[DevicePaths], state: Path) -> Iterator[Path]:
    """Powered while this lasts; where their logs are."""
    state.mkdir(parents=True)
    listed = [
        {
            "cert": str(paths.chain),
            "key": str(paths.key),
            "ca": lobby.server_ca_path,
            "lobby": f"{lobby.lobby_endpoint}:{lobby.mqtt_port}",
            "state": str(state / paths.certificate.stem),
        }
        for paths in devices
    ]
    (state / "devices.json").write_text(json.dumps(listed))
    command = [sys.executable, "-m", "tests.bench.survival.household", str(state / "devices.json")]
    with (state / "household.log").open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield state
    finally:
        process.communicate(timeout=60)


def _client(listed: dict[str, str]) -> Client:
    state = Path(listed["state"])
    state.mkdir()
    options = Options(Path(listed["cert"]), Path(listed["key"]), Path(listed["ca"]), (listed["lobby"],), 8883, state)
    settings = load_settings(options, TIMING, exit_on_arrival=False)
    plan, credentials = settings.plan, settings.credentials
    return Client(
        plan,
        Storage(state),
        EventLog("json", (state / "device.log").open("a")),
        lambda connection_id, report: MqttConnection(
            connection_id, report, credentials, plan.thing, plan.timing.answer_within
        ),
        uniform=uniform,
        clock_error=partial(settings.identity.clock_error, utc_now()),
    )


def main(path: Path) -> None:
    listed: list[dict[str, Any]] = json.loads(path.read_text())
    clients = [_client(each) for each in listed]
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
