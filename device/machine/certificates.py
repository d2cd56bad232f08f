"""Selects the certificate of the next connection of a device that renews: the one in use, or the new one until it is
proven.

Either certificate can work or fail in the lobby and in the target. The lobby activates the new certificate before
sending it. A target accepts it once the device has a route of its generation, and the old certificate is retired as
soon as the target has reported the new one. So the device prefers the new certificate where it should work, and uses
the other one after a refusal. This module never removes a certificate.
"""

from typing import Final

from device.machine.events import Failure
from device.machine.renewal_events import NewHeld
from device.machine.state import Location, Phase, State, Step
from lobby.names import Fingerprint

_DOUBTS: Final = (Failure.REFUSED, Failure.UNTRUSTED, Failure.TIMEOUT, Failure.LOCAL)
"""Failures that the other certificate may avoid. A TLS library may report a refused certificate as a timeout."""


def choose(step: Step) -> Fingerprint | None:
    """Return the certificate for the next connection (None: the one in the settings). After a change of location, the
    preferred one comes first."""
    state = step.state
    if state.renewing.place is not state.location:
        step.update_renewing(place=state.location, other=False)
    certificate = _chosen(step.state)
    step.update_renewing(connected_with=certificate, stable=False)
    return certificate


def uses_new(state: State) -> bool:
    """Return whether the current connection uses the new certificate."""
    new = state.certificates.new
    return new is not None and state.renewing.connected_with == new.certid


def works_in_target(state: State, new: NewHeld) -> bool:
    """Return whether the route shows that the target has the new certificate."""
    generation = state.route.generation if state.route else None
    return generation is None or generation >= new.generation


def doubt(step: Step, failure: Failure, phase: Phase) -> None:
    """Handle a failed or lost connection in this phase: use the other certificate next, if that may help."""
    state = step.state
    if state.certificates.new is None or failure not in _DOUBTS:
        return
    if phase is Phase.ONLINE and (failure is not Failure.REFUSED or state.renewing.stable):
        return
    refused = uses_new(state) and failure in (Failure.REFUSED, Failure.UNTRUSTED)
    step.update_renewing(other=not state.renewing.other, new_refused=state.renewing.new_refused or refused)


def _chosen(state: State) -> Fingerprint | None:
    held = state.certificates
    if held.new is None:
        return held.used
    return held.new.certid if _prefers_new(state, held.new) is not state.renewing.other else held.used


def _prefers_new(state: State, new: NewHeld) -> bool:
    return not new.given_up and (state.location is Location.LOBBY or works_in_target(state, new))
