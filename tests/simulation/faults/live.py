"""Kills the Lambdas of a local deployment, call by call: `python -m tests.simulation.faults.live`.

This confirms the matrix on the emulator, with real processes, TLS and devices. For each call of each Lambda, a new
device is onboarded, and the Lambda's process is killed (SIGKILL) as soon as the call is in the access log: it has taken
effect, and its response may be lost. Every device must arrive, once, with a valid history, registered in its target and
in the lobby. Linux only: processes are found in /proc.

Exit status: 0 every device arrived, 1 a device did not arrive, or the deployment failed.
"""

import os
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import typer

from infra.local.api import ApiRefused
from infra.local.bringup import exclusive_use
from infra.local.demo import HISTORY
from infra.local.errors import LocalCloudError
from infra.local.powered_device import PoweredDevice
from infra.local.timeline import StepFailed, Timeline
from lobby.names import parse_target
from tests.bench.deployment import LobbyUnderTest, NewDevice, running_lobby, wait_for
from tests.bench.report import Section, section

app = typer.Typer(add_completion=False)
CALLS: Final = {"bouncer": 8, "receptionist": 2, "admin-api": 3, "bell": 1, "commissioner": 13, "arrivals": 2}
"""Calls that each Lambda makes for one onboarding after a start."""
_FUNCTIONS: Final = {"commissioner": "express"}
"""The function that carries out single claims, if its name is not that of the role."""
_EVENTS: Final = ["admit", "hello", "claim", "commission", "arrive"]
_POLL_SECONDS: Final = 0.001


@dataclass(eq=False)
class Killer(threading.Thread):
    """Waits for the `number`-th call of a Lambda, and kills its processes. `killed` counts the processes."""

    lobby: LobbyUnderTest
    by: str
    number: int
    killed: int = 0
    action: str = ""
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._began = self.lobby.log.position()

    def run(self) -> None:
        while not self._stopped.wait(_POLL_SECONDS):
            calls = [call for call in self.lobby.log.since(self._began) if call.by.split()[0] == self.by]
            if len(calls) >= self.number:
                self.action = calls[self.number - 1].action
                function = _FUNCTIONS.get(self.by, self.by)
                for pid in processes_of(f"device-lobby-{function}", self.lobby.local.emulator.pid or 0):
                    os.kill(pid, signal.SIGKILL)
                    self.killed += 1
                return

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def processes_of(function: str, emulator: int) -> list[int]:
    """Return the ids of the Lambda's processes that this emulator has started."""
    wanted = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == emulator and wanted in (path / "environ").read_bytes().split(b"\0"):
                found.append(int(path.name))
        except OSError:
            continue  # the process has ended, or belongs to another user
    return found


def onboard(lobby: LobbyUnderTest, device: NewDevice) -> None:
    """Onboard a device until it has arrived. Raise `TimeoutError`, or `ValueError` if a condition is violated."""
    powered = PoweredDevice(lobby.file, device.paths, lobby.local.state / "devices" / device.name)
    try:
        lobby.wait_for_state(device, "inlobby")
        wait_for("the claim is answered", lambda: _claimed(lobby, device))
        lobby.wait_for_state(device, "arrived")
    finally:
        powered.stop()
    history = wait_for("the history is shown", lambda: _history(lobby, device))
    events = [entry["event"] for entry in history["history"]]
    if events != _EVENTS or not history["historyIntact"]:
        raise ValueError(f"got history {events}, intact: {history['historyIntact']}, want {_EVENTS}, intact")
    target = lobby.file.targets[0]
    for where in (lobby.local.layout.lobby, parse_target(target.account, target.region)):
        iot = lobby.local.emulator.session(where.account, where.region).client("iot")
        status = iot.describe_certificate(certificateId=device.certid)["certificateDescription"]["status"]
        if status != "ACTIVE":
            raise ValueError(f"got {status} in {where}, want ACTIVE")


def _claimed(lobby: LobbyUnderTest, device: NewDevice) -> bool:
    """Claim the device; return whether there was a response. The caller repeats the request."""
    try:
        lobby.claim(device)
    except ApiRefused as refused:
        if refused.code not in ("INTERNAL", "500", "502"):
            raise
        time.sleep(1)
        return False
    return True


def _history(lobby: LobbyUnderTest, device: NewDevice) -> dict[str, list[dict[str, str]]]:
    history: dict[str, list[dict[str, str]]] = lobby.api.ask(HISTORY, id=device.certid)["device"]
    return history


@app.command(help=__doc__)
def main(
    gateway_port: Annotated[int, typer.Option(help="Port of the AWS API.")] = 25_100,
    mqtt_port: Annotated[int, typer.Option(help="Port of the MQTT endpoints.")] = 25_101,
) -> None:
    timeline, lines = Timeline(out=sys.stderr), []
    try:
        with (
            tempfile.TemporaryDirectory(prefix="device-lobby-kills-") as name,
            exclusive_use(Path(name)),
            running_lobby(Path(name), timeline, gateway_port, mqtt_port, durable=True) as lobby,
        ):
            onboard(lobby, lobby.new_device())
            for by, calls in CALLS.items():
                lines += [_try(lobby, timeline, by, number) for number in range(1, calls + 1)]
    except (StepFailed, LocalCloudError, TimeoutError) as failed:
        print(f"FAILED: {failed}", file=sys.stderr)
        raise typer.Exit(1) from None
    hit = [line for line in lines if line[2] != "0"]
    arrived = [line for line in hit if line[3] == "arrived"]
    title = f"{len(arrived)} of {len(hit)} devices arrived although a Lambda was killed during their onboarding"
    print(section(Section(title, ("Lambda", "killed after", "processes", "result"), tuple(lines))))
    if len(arrived) < len(hit) or any(line[3] != "arrived" for line in lines):
        raise typer.Exit(1)


def _try(lobby: LobbyUnderTest, timeline: Timeline, by: str, number: int) -> tuple[str, ...]:
    device, killer = lobby.new_device(), Killer(lobby, by, number)
    with timeline.step(f"{by}, killed after call {number}") as step:
        killer.start()
        try:
            onboard(lobby, device)
            result = "arrived"
        except (TimeoutError, ValueError) as lost:
            result = f"LOST: {lost}"
        finally:
            killer.stop()
        step.note = f"{killer.action or 'not reached'}: {result}"
    return (by, f"{number} {killer.action or 'not reached'}", str(killer.killed), result)


if __name__ == "__main__":
    app()
