"""The demonstration's renewal: a device in its target gets a new certificate for a new key, and the old one is retired.

An operator requests the renewal, as the daily job does when a certificate is due. Each step waits for the observable
result: what the device logs, and what the API shows.
"""

from functools import partial
from typing import Any, Final

from infra.local.api import Api
from infra.local.powered_device import ClientProcess, event_time
from infra.local.timeline import Timeline
from lobby.names import Fingerprint

RENEW: Final = "mutation($id: ID!) { renewDevice(certid: $id) { certid } }"
ALLOWED: Final = "query($id: ID!) { device(certid: $id) { allowedActions } }"
RENEWAL: Final = "query($id: ID!) { device(certid: $id) { devstate renewal { stage } } }"
STABLE_AFTER: Final = 30.0
"""Seconds after which the client counts a connection as stable (`--settle-after`)."""
_STEPS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("device went to the lobby and was asked again", "renewal_requested", {"place": "lobby"}),
    ("device created a key and sent its request", "certificate_requested", {}),
    ("new certificate stored next to the old one", "new_certificate_stored", {}),
    ("both certificates registered in the target, route received", "route_received", {"generation": 2}),
    ("device connected to its target with the new certificate", "arrived_at_target", {"generation": 2}),
    ("connection is stable: the old certificate is no longer used", "certificate_renewed", {}),
)


def renew(api: Api, certid: Fingerprint, device: ClientProcess, timeline: Timeline) -> None:
    """Have a device in its target renew its certificate. Raise `StepFailed`."""
    timeline.print("\n  renewing its certificate")
    with timeline.step("operator asked for the renewal"):
        # The device can arrive before its hello, which says that it can renew, is processed.
        timeline.wait_for("client can renew", lambda: _can_renew(api, certid), device.last_output)
        api.ask(RENEW, id=certid)
    before = timeline.wait_for(
        "device asked", lambda: device.first("renewal_requested", place="target"), device.last_output
    )
    timeline.record("device asked in its target", 0)
    for step, event, fields in _STEPS:
        planned = STABLE_AFTER if event == "certificate_renewed" else 0.0
        logged = timeline.wait_for(step, partial(device.first, event, **fields), device.last_output, planned)
        timeline.record(step, (event_time(logged) - event_time(before)) * 1000)
        before = logged
    with timeline.step("old certificate retired in the target and in the lobby"):
        timeline.wait_for("old certificate retired", lambda: _is_done(api, certid), lambda: str(api.device(certid)))


def _can_renew(api: Api, certid: Fingerprint) -> bool | None:
    return "renewDevice" in api.ask(ALLOWED, id=certid)["device"]["allowedActions"] or None


def _is_done(api: Api, certid: Fingerprint) -> bool | None:
    device = api.ask(RENEWAL, id=certid)["device"]
    return (device["renewal"] is None and device["devstate"] == "arrived") or None
