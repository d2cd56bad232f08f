"""The demonstration of the door `claim`: a device that has a bundle of `lobbyctl`, and no certificate of its own.

An enrolment for one device is created, and a bundle is written and unzipped as on a machine that has only Python. The
client gets its certificate. The remaining steps are the same as in `demo`. All steps use the commands of users.
"""

import secrets
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from infra.local.demo import event_step, onboard
from infra.local.lobby_file import NAME, LobbyFile
from infra.local.manufacturer import new_name
from infra.local.powered_device import ClientProcess
from infra.local.synthesis import ROOT
from infra.local.timeline import Timeline
from lobby import strict_json
from lobby.names import Fingerprint, parse_fingerprint

_SECONDS: Final = 60


class CommandFailed(Exception):
    """`lobbyctl` ended with an error. The message is the command's output."""


def run(lobby: LobbyFile, state: Path, timeline: Timeline, *, renew: bool = False) -> None:
    """Onboard a new device and print the steps on `timeline`. Raise `StepFailed`."""
    serial, enrolment = new_name(), f"demo-{secrets.token_hex(4)}"
    folder = state / "devices" / serial
    folder.mkdir(parents=True)
    with timeline.step("enrolment created for one device") as step:
        lobbyctl(state, "enrolments", "create", enrolment, "--door", "claim", "--limit", "1")
        step.note = enrolment
    with timeline.step("bundle written and unzipped: client, claim certificate, settings") as step:
        bundle = folder / "client.zip"
        lobbyctl(state, "enrolments", "bundle", enrolment, "--out", str(bundle))
        step.note = f"{bundle.stat().st_size / 1000:.0f} kB"
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(folder)
    client = folder / f"{enrolment}-client"
    command = [sys.executable, "-I", str(client / "client.py"), "--serial", serial, "--log-format", "json"]
    device = ClientProcess(command, folder)
    timeline.logs = (*timeline.logs, device.log_path)
    try:
        certid = _provision(device, client / f"{serial}.state", timeline)
        onboard(lobby, certid, device, timeline, renew=renew)
    finally:
        device.stop()


def _provision(device: ClientProcess, state: Path, timeline: Timeline) -> Fingerprint:
    began = event_step(device, timeline, "device powered on", "starting", place="provisioning")
    event_step(
        device, timeline, "device connected with the claim certificate", "connected", began, place="provisioning"
    )
    created = event_step(device, timeline, "device got a certificate for its own key", "certificate_created", began)
    event_step(device, timeline, "device registered by the provisioning template", "identity_stored", created)
    connected = event_step(
        device, timeline, "device connected to the lobby with its own certificate", "connected", created, place="lobby"
    )
    event_step(device, timeline, "device sent its hello and waits", "hello_sent", connected)
    return parse_fingerprint(strict_json.loads((state / "identity.json").read_text())["identity"]["certid"])


def lobbyctl(state: Path, *arguments: str) -> str:
    """Run the command as admin and return its standard output. Raise `CommandFailed`."""
    command = [sys.executable, "-P", "-m", "admin_api.cli", "--lobby", str(state / NAME), "--as", "admin", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        raise CommandFailed(done.stderr.strip()[-500:])
    return done.stdout
