"""The demonstration of the door `token` (`--door token` or `vending`): a device that has only a token.

An enrolment and a token for one device are created with `lobbyctl`. The example with curl and openssl creates a key and
requests a certificate by HTTPS. The remaining steps are the same as in `demo`.
"""

import os
import re
import secrets
import subprocess
from pathlib import Path
from typing import Final

from infra.local.demo import event_step, onboard
from infra.local.demo_claim import CommandFailed, lobbyctl
from infra.local.lobby_file import LobbyFile
from infra.local.manufacturer import new_name
from infra.local.powered_device import PoweredDevice
from infra.local.synthesis import ROOT
from infra.local.timeline import Timeline
from lobby.names import Fingerprint, parse_fingerprint
from pki.devices.credentials import DevicePaths

_EXAMPLE: Final = ROOT / "device" / "examples" / "vending.sh"
_SECONDS: Final = 120
_PRINTED: Final = re.compile(r"Fingerprint=([0-9A-F:]{95})")


def run(lobby: LobbyFile, state: Path, timeline: Timeline, *, renew: bool = False) -> None:
    """Onboard a new device and print the steps on `timeline`. Raise `StepFailed` or `CommandFailed`."""
    name, enrolment = new_name(), f"demo-{secrets.token_hex(4)}"
    folder = state / "devices" / name
    folder.mkdir(parents=True)
    with timeline.step("enrolment created for one device") as step:
        lobbyctl(state, "enrolments", "create", enrolment, "--door", "token", "--limit", "1")
        step.note = enrolment
    with timeline.step("token created, shown once") as step:
        token = lobbyctl(state, "enrolments", "tokens", "create", enrolment, "--name", name).strip()
        step.note = token.split()[0]
    with timeline.step("device got a certificate for its own key, with curl and openssl") as step:
        certid = _vend(lobby, token, name, folder)
        step.note = f"fingerprint {certid[:12]}…"
    certificate, key = folder / "device.cert.pem", folder / "device.key.pem"
    device = PoweredDevice(lobby, DevicePaths(certificate, certificate, key, folder / "none"), folder)
    timeline.logs = (*timeline.logs, device.log_path)
    try:
        began = event_step(device, timeline, "device powered on", "starting")
        connected = event_step(device, timeline, "device connected to the lobby", "connected", began)
        event_step(device, timeline, "device sent its hello and waits", "hello_sent", connected)
        onboard(lobby, certid, device, timeline, renew=renew)
    finally:
        device.stop()


def _vend(lobby: LobbyFile, token: str, name: str, folder: Path) -> Fingerprint:
    """Run the example, which leaves key and certificate in `folder`, and return the certificate's fingerprint."""
    variables = {"PATH": os.environ.get("PATH", os.defpath), "LOBBY_TOKEN": token, "HELLO": "no"}
    done = subprocess.run(
        ["/bin/sh", str(_EXAMPLE), lobby.console_url, name, "1.0"],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    printed = _PRINTED.search(done.stdout)
    if done.returncode or printed is None:
        raise CommandFailed((done.stderr or done.stdout).strip()[-500:])
    return parse_fingerprint(printed[1])
