"""The demonstration: onboard one new device on this machine and print how long each step takes.

The manufacturer creates the device. It is powered on, connects for the first time with a certificate that the cloud
does not have, and waits in the lobby. An operator signs in, reads the label with a camera and claims the device through
GraphQL. The device is commissioned, receives its route, reconnects to its target and arrives. Each step waits for the
observable result; the last one verifies the history's hash chain.
"""

from pathlib import Path
from typing import Any, Final

import zxingcpp
from PIL import Image

from infra.local import demo_renewal
from infra.local.api import Api
from infra.local.lobby_file import LobbyFile
from infra.local.manufacturer import Manufacturer
from infra.local.powered_device import ClientProcess, PoweredDevice, event_time
from infra.local.timeline import StepFailed, Timeline
from lobby.names import Fingerprint
from lobby.text.label import decode_label

CLAIM: Final = """
mutation($id: ID!, $account: String!, $region: String!) {
  claimDevice(certid: $id, target: {account: $account, region: $region}) { certid devstate }
}"""
HISTORY: Final = """
query($id: ID!) {
  device(certid: $id) { historyIntact history { at actor event before after target } }
}"""
READ_LABEL: Final = "label read with a camera"


def run(lobby: LobbyFile, manufacturer: Manufacturer, state: Path, timeline: Timeline, *, renew: bool = False) -> None:
    """Onboard a new device, with `renew` renew its certificate, and print the steps. Raise `StepFailed`."""
    with timeline.step("device manufactured, label printed") as step:
        paths = manufacturer.make_device()
        step.note = paths.label.name
    device = PoweredDevice(lobby, paths, state / "devices" / paths.certificate.name.removesuffix(".cert.pem"))
    timeline.logs = (*timeline.logs, device.log_path)
    try:
        _connect(device, timeline)
        with timeline.step(READ_LABEL) as step:
            certid = read_label(paths.label)
            step.note = f"fingerprint {certid[:12]}…"
        onboard(lobby, certid, device, timeline, renew=renew)
    finally:
        device.stop()


def onboard(
    lobby: LobbyFile, certid: Fingerprint, device: ClientProcess, timeline: Timeline, *, renew: bool = False
) -> None:
    """Claim a device that waits in the lobby, and wait until it arrives; with `renew`, renew its certificate."""
    with timeline.step("operator signed in"):
        api = Api(lobby, lobby.operator("operator"))
    try:
        with timeline.step("device listed as waiting in the lobby") as step:
            _wait_for_state(api, certid, "inlobby", timeline)
            step.note = "state inlobby"
        _claim(lobby, api, certid, device, timeline)
        if renew:
            demo_renewal.renew(api, certid, device, timeline)
        _print_history(api, certid, timeline)
    finally:
        api.close()


def _connect(device: ClientProcess, timeline: Timeline) -> None:
    began = event_step(device, timeline, "device powered on", "starting")
    event_step(device, timeline, "device connected for the first time, certificate not registered", "refused", began)
    connected = event_step(
        device, timeline, "device admitted by the bouncer, connected to the lobby", "connected", began
    )
    event_step(device, timeline, "device sent its hello and waits", "hello_sent", connected)


def _claim(lobby: LobbyFile, api: Api, certid: Fingerprint, device: ClientProcess, timeline: Timeline) -> None:
    target = lobby.targets[0]
    with timeline.step("device claimed by the operator") as step:
        api.ask(CLAIM, id=certid, account=target.account, region=target.region)
        step.note = f"for account {target.account}, {target.region}"
    claimed_at = {
        "at": api.ask("query($id: ID!) { device(certid: $id) { claimedAt } }", id=certid)["device"]["claimedAt"]
    }
    route = event_step(
        device, timeline, "device commissioned in the target, route received", "route_received", claimed_at
    )
    event_step(device, timeline, f"device reconnected to {target.endpoint}", "arrived_at_target", route)
    with timeline.step("arrived: the target reported the connection") as step:
        _wait_for_state(api, certid, "arrived", timeline)
        step.note = "state arrived"


def event_step(
    device: ClientProcess,
    timeline: Timeline,
    step: str,
    event: str,
    since: dict[str, Any] | None = None,
    **fields: str,
) -> dict[str, Any]:
    """Wait until the device logs `event` with these fields. Record the step with the time since `since`, by its
    clock."""
    logged = timeline.wait_for(step, lambda: device.first(event, **fields), device.last_output)
    timeline.record(step, (event_time(logged) - event_time(since)) * 1000 if since else 0)
    return logged


def _wait_for_state(api: Api, certid: Fingerprint, state: str, timeline: Timeline) -> None:
    last: list[Any] = [None]

    def look() -> bool | None:
        last[0] = device = api.device(certid)
        if device and device["devstate"] in ("failed", "refused", "revoked"):
            raise StepFailed(
                f"device {state}",
                f"state {device['devstate']}, {device['reason']}: {device['message']}",
                timeline.logs,
            )
        return True if device and device["devstate"] == state else None

    timeline.wait_for(f"device {state}", look, lambda: str(last[0]))


def _print_history(api: Api, certid: Fingerprint, timeline: Timeline) -> None:
    with timeline.step("history verified") as step:
        device = api.ask(HISTORY, id=certid)["device"]
        if not device["historyIntact"]:
            raise StepFailed("history verified", "the hash chain is invalid", timeline.logs)
        step.note = f"{len(device['history'])} entries"
    timeline.print("\n  history")
    for entry in device["history"]:
        change = f"{entry['before'] or '·'} → {entry['after'] or '·'}"
        timeline.print(f"    {entry['at']}  {entry['event']:<11} {change:<26} {entry['actor']}")


def read_label(path: Path) -> Fingerprint:
    """Return the fingerprint on the image of a label. Raise `StepFailed` unless it contains exactly one code."""
    with Image.open(path) as image:
        codes = zxingcpp.read_barcodes(image.convert("L"))
    if len(codes) != 1:
        raise StepFailed(READ_LABEL, f"got {len(codes)} codes on {path}, want one")
    return decode_label(codes[0].text)
