"""Kills the Lambdas of a real deployment, call by call: `python -m tests.simulation.faults.live`.

The matrix's confirmation on the emulator: real processes, real TLS, real devices. For each Lambda and each of its
calls in turn, a new device is onboarded, and the Lambda's process is killed (SIGKILL) as soon as that call shows in the
access log: it has taken effect, its answer is on the way or lost. Every device must arrive, once, with a whole history,
registered in its target and in the lobby. Linux only: processes are found in /proc.

Exit status: 0 every device arrived, 1 one did not or the deployment failed.
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
from tests.bench.report import Section, section
from tests.bench.stage import NewDevice, Stage, staged, until

app = typer.Typer(add_completion=False)
CALLS: Final = {"bouncer": 8, "receptionist": 2, "admin-api": 3, "commissioner": 9, "arrivals": 2}
"""How many calls each makes of an onboarding when it has just started, as it has after a kill."""
_EVENTS: Final = ["admit", "hello", "claim", "commission", "arrive"]
_LOOK: Final = 0.001


@dataclass(eq=False)
class Killer(threading.Thread):
    """Waits for the `number`-th call of a Lambda, and kills its processes. `killed` is how many there were."""

    stage: Stage
    by: str
    number: int
    killed: int = 0
    action: str = ""
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._began = self.stage.log.position()

    def run(self) -> None:
        while not self._over.wait(_LOOK):
            calls = [call for call in self.stage.log.since(self._began) if call.by.split()[0] == self.by]
            if len(calls) >= self.number:
                self.action = calls[self.number - 1].action
                for pid in processes_of(f"device-lobby-{self.by}", self.stage.local.emulator.pid or 0):
                    os.kill(pid, signal.SIGKILL)
                    self.killed += 1
                return

    def stop(self) -> None:
        self._over.set()
        self.join()


def processes_of(function: str, emulator: int) -> list[int]:
    """The Lambda's processes that this emulator has started, and no other's."""
    wanted = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == emulator and wanted in (path / "environ").read_bytes().split(b"\0"):
                found.append(int(path.name))
        except OSError:
            continue  # it has ended, or is not ours to look at
    return found


def onboard(stage: Stage, device: NewDevice) -> None:
    """From the power switch to the arrival. Raises `TimeoutError`, or `ValueError` where something is not as it
    should be."""
    powered = PoweredDevice(stage.file, device.paths, stage.local.state / "devices" / device.name)
    try:
        stage.until_state(device, "inlobby")
        until("the claim is answered", lambda: _claimed(stage, device))
        stage.until_state(device, "arrived")
    finally:
        powered.stop()
    history = until("the history is shown", lambda: _history(stage, device))
    told = [entry["event"] for entry in history["history"]]
    if told != _EVENTS or not history["historyIntact"]:
        raise ValueError(f"got history {told}, intact: {history['historyIntact']}, want {_EVENTS}, intact")
    target = stage.file.targets[0]
    for where in (stage.local.layout.lobby, parse_target(target.account, target.region)):
        iot = stage.local.emulator.session(where.account, where.region).client("iot")
        status = iot.describe_certificate(certificateId=device.certid)["certificateDescription"]["status"]
        if status != "ACTIVE":
            raise ValueError(f"got {status} in {where}, want ACTIVE")


def _claimed(stage: Stage, device: NewDevice) -> bool:
    """Whether there was an answer; a person presses again."""
    try:
        stage.claim(device)
    except ApiRefused as refused:
        if refused.code not in ("INTERNAL", "500", "502"):
            raise
        time.sleep(1)
        return False
    return True


def _history(stage: Stage, device: NewDevice) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = stage.api.ask(HISTORY, id=device.certid)["device"]
    return found


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
            staged(Path(name), timeline, gateway_port, mqtt_port) as stage,
        ):
            onboard(stage, stage.new_device())
            for by, calls in CALLS.items():
                lines += [_tried(stage, timeline, by, number) for number in range(1, calls + 1)]
    except (StepFailed, LocalCloudError, TimeoutError) as failed:
        print(f"FAILED: {failed}", file=sys.stderr)
        raise typer.Exit(1) from None
    struck = [line for line in lines if line[2] != "0"]
    arrived = [line for line in struck if line[3] == "arrived"]
    title = f"{len(arrived)} of {len(struck)} devices arrived whose onboarding a Lambda was killed in"
    print(section(Section(title, ("Lambda", "killed after", "processes", "the device"), tuple(lines))))
    if len(arrived) < len(struck) or any(line[3] != "arrived" for line in lines):
        raise typer.Exit(1)


def _tried(stage: Stage, timeline: Timeline, by: str, number: int) -> tuple[str, ...]:
    device, killer = stage.new_device(), Killer(stage, by, number)
    with timeline.step(f"{by}, killed after call {number}") as done:
        killer.start()
        try:
            onboard(stage, device)
            what = "arrived"
        except (TimeoutError, ValueError) as lost:
            what = f"LOST: {lost}"
        finally:
            killer.stop()
        done.note = f"{killer.action or 'not reached'}: {what}"
    return (by, f"{number} {killer.action or 'not reached'}", str(killer.killed), what)


if __name__ == "__main__":
    app()
