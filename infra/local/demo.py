"""The whole main job on this machine: a new device from its label to its account, and how long each step took.

A factory makes the device; it is powered on, knocks with a certificate that the cloud has never seen, and waits in
the lobby. Somebody reads the label with a camera, signs in, claims the device through GraphQL; it is commissioned,
told its route, reconnects to its target, and is seen there. Nothing is taken for granted: each step is waited for
where it shows, and the history's hash chain is checked at the end.
"""

from pathlib import Path
from typing import Any, Final

import zxingcpp
from PIL import Image

from infra.local.api import Api
from infra.local.factory import Factory
from infra.local.lobby_file import LobbyFile
from infra.local.powered_device import PoweredDevice, moment
from infra.local.timeline import StepFailed, Timeline
from lobby.names import Fingerprint
from lobby.wire import decode_label
from pki.devices import DevicePaths

CLAIM: Final = """
mutation($id: ID!, $account: String!, $region: String!) {
  claimDevice(certid: $id, target: {account: $account, region: $region}) { certid devstate }
}"""
HISTORY: Final = """
query($id: ID!) {
  device(certid: $id) { historyIntact history { at actor event before after target } }
}"""


def run(lobby: LobbyFile, factory: Factory, state: Path, timeline: Timeline) -> None:
    """The job, told on `timeline`. Raises `StepFailed`."""
    with timeline.step("the factory makes a device and prints its label") as done:
        paths = factory.make_device()
        done.note = paths.label.name
    device = PoweredDevice(lobby, paths, state / "devices" / paths.certificate.name.removesuffix(".cert.pem"))
    timeline.logs = (*timeline.logs, device.log_path)
    try:
        _onboard(lobby, paths, device, timeline)
    finally:
        device.stop()


def _onboard(lobby: LobbyFile, paths: DevicePaths, device: PoweredDevice, timeline: Timeline) -> None:
    _knock(device, timeline)
    with timeline.step("a camera reads the label") as done:
        certid = read_label(paths.label)
        done.note = f"fingerprint {certid[:12]}…"
    with timeline.step("an operator signs in"):
        api = Api(lobby, lobby.operator("operator"))
    try:
        with timeline.step("the ledger shows the device waiting") as done:
            _until_state(api, certid, ("inlobby",), timeline)
            done.note = "inlobby"
        _claim(lobby, api, certid, device, timeline)
        _show_history(api, certid, timeline)
    finally:
        api.close()


def _knock(device: PoweredDevice, timeline: Timeline) -> None:
    began = _event(device, timeline, "the device is powered on", "starting")
    _event(device, timeline, "the device knocks: unknown certificate, connection closed", "refused", since=began)
    connected = _event(device, timeline, "the bouncer lets it in", "connected", since=began)
    _event(device, timeline, "the device says hello and waits", "hello_sent", since=connected)


def _claim(lobby: LobbyFile, api: Api, certid: Fingerprint, device: PoweredDevice, timeline: Timeline) -> None:
    target = lobby.targets[0]
    with timeline.step("the operator claims it") as done:
        api.ask(CLAIM, id=certid, account=target.account, region=target.region)
        done.note = f"for account {target.account}, {target.region}"
    claimed_at = {
        "at": api.ask("query($id: ID!) { device(certid: $id) { claimedAt } }", id=certid)["device"]["claimedAt"]
    }
    route = _event(
        device, timeline, "commissioned in the target; the route is at the device", "route_received", since=claimed_at
    )
    _event(device, timeline, f"the device reconnects to {target.endpoint}", "arrived_at_target", since=route)
    with timeline.step("the target reports it: arrived") as done:
        _until_state(api, certid, ("arrived",), timeline)
        done.note = "the ledger says so"


def _event(
    device: PoweredDevice, timeline: Timeline, what: str, name: str, since: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Waits for the device to say `name`; the step's time is the device's own."""
    found = timeline.until(what, lambda: device.first(name), device.last_said)
    timeline.record(what, (moment(found) - moment(since)) * 1000 if since else 0)
    return found


def _until_state(api: Api, certid: Fingerprint, wanted: tuple[str, ...], timeline: Timeline) -> None:
    seen: list[Any] = [None]

    def look() -> bool | None:
        seen[0] = api.device(certid)
        if seen[0] and seen[0]["devstate"] in ("failed", "refused", "revoked"):
            raise StepFailed(
                "the device is " + seen[0]["devstate"], f"{seen[0]['reason']}: {seen[0]['message']}", timeline.logs
            )
        return True if seen[0] and seen[0]["devstate"] in wanted else None

    timeline.until(f"the ledger says {wanted[0]}", look, lambda: str(seen[0]))


def _show_history(api: Api, certid: Fingerprint, timeline: Timeline) -> None:
    with timeline.step("the history's hash chain is whole") as done:
        found = api.ask(HISTORY, id=certid)["device"]
        if not found["historyIntact"]:
            raise StepFailed("history", "its hash chain is broken", timeline.logs)
        done.note = f"{len(found['history'])} entries"
    timeline.say("\n  history")
    for entry in found["history"]:
        change = f"{entry['before'] or '·'} → {entry['after'] or '·'}"
        timeline.say(f"    {entry['at']}  {entry['event']:<11} {change:<26} {entry['actor']}")


def read_label(path: Path) -> Fingerprint:
    """The fingerprint on a photographed label. Raises `StepFailed` where no code can be made out."""
    with Image.open(path) as image:
        codes = zxingcpp.read_barcodes(image.convert("L"))
    if len(codes) != 1:
        raise StepFailed("a camera reads the label", f"{len(codes)} codes on {path}, want one")
    return decode_label(codes[0].text)
