"""Renewal of the device's certificate, on request of the lobby or a target.

The steps are: go to the lobby; create and store a new key; send the request for a certificate with the old one; store
the new certificate next to the old one; wait for the route with which it works; connect to the target with it; and
remove the old one once this connection is stable. After an interruption the same key is used again. A device that gets
no answer in time returns to its target with the old certificate, and gets another request the next day. A target can
send a renewal request, but not a certificate.
"""

import hashlib
import json
from dataclasses import replace
from typing import Final

from device.machine import certificates, connection, routes
from device.machine.events import Publish
from device.machine.provisioning_messages import certificate_der
from device.machine.renewal_events import (
    Certificates,
    CertificatesNotStored,
    CertificatesStored,
    GiveUpCertificate,
    PrepareRenewalKey,
    PromoteCertificate,
    RenewalEvent,
    RenewalKeyReady,
    StoreCertificate,
)
from device.machine.state import Location, Phase, Step, Timer
from lobby.errors import InvalidInput
from lobby.wire import RENEWAL_TOPIC, NewCertificate, RenewalRequest, Route

REFUSALS_OF_NEW: Final = 6
"""After this many refusals of the new certificate by a target that accepts the old one, the device waits for another
request."""


def on_message(step: Step, message: RenewalRequest | NewCertificate) -> None:
    """Handle a renewal request of the lobby or the target, or a new certificate of the lobby."""
    if isinstance(message, RenewalRequest):
        on_request(step, message)
    else:
        on_certificate(step, message)


def on_request(step: Step, request: RenewalRequest) -> None:
    """Handle a renewal request of the lobby or the target."""
    state = step.state
    new = state.certificates.new
    if not step.plan.renews or state.phase not in (Phase.ONLINE, Phase.SUBSCRIBING):
        step.ignore("got a renewal request, want none: this client does not renew, or is disconnecting")
    elif state.location is Location.STANDBY:
        step.ignore("got a renewal request in the standby, want one in the lobby or the target")
    elif state.location is not Location.LOBBY:
        _on_request_in_target(step, request)
    elif new is not None and not new.given_up:
        step.ignore("got a renewal request, but already has a new certificate")
    elif not step.is_set(Timer.RENEWAL):
        _on_request_in_lobby(step, request)


def _on_request_in_target(step: Step, request: RenewalRequest) -> None:
    if step.is_set(Timer.VISITED):
        step.ignore("got a renewal request, but has just been in the lobby for one")
        return
    step.log("renewal_requested", by=request.by, place=step.state.location.value)
    _visit(step)


def _visit(step: Step) -> None:
    """Go to the lobby, for a limited time, because the device has work to do in its target."""
    step.update_renewing(resume=False)
    step.set_timer(Timer.VISITED, step.timing.renewal_visit_every)
    step.set_timer(Timer.VISIT, step.timing.renewal_for)
    connection.leave(step, Location.LOBBY)


def _on_request_in_lobby(step: Step, request: RenewalRequest) -> None:
    if not step.state.renewing.asked:
        step.log("renewal_requested", by=request.by, place=step.state.location.value)
        step.update_renewing(asked=True, attempts=0, resume=False)
        step.set_timer(Timer.VISIT, step.timing.renewal_for)
    if step.state.renewing.csr:
        send(step)
    elif step.state.renewing.unstored is None:
        step.act(PrepareRenewalKey())


def send(step: Step) -> None:
    """Send the request for a certificate, unless the device has left the lobby."""
    state = step.state
    if not state.renewing.asked or state.location is not Location.LOBBY or state.phase is not Phase.ONLINE:
        return
    attempts = state.renewing.attempts + 1
    step.update_renewing(attempts=attempts)
    step.log("certificate_requested", attempt=attempts)
    step.act(Publish(state.connection_id, RENEWAL_TOPIC, json.dumps({"csr": state.renewing.csr}).encode()))
    step.set_timer(Timer.RENEWAL, step.timing.renewal.wait(attempts, step.uniform))


def on_certificate(step: Step, message: NewCertificate) -> None:
    """Handle the certificate that the lobby has signed. A certificate of another key, or from a target, is ignored."""
    state = step.state
    if state.location is not Location.LOBBY or not state.renewing.public_key:
        step.ignore("got a new certificate, want none: not in a lobby, or not requested")
        return
    try:
        der = certificate_der(message.pem)
    except InvalidInput as error:
        step.ignore(error.message)
        return
    new = state.certificates.new
    if new is not None and new.certid == hashlib.sha256(der).hexdigest():
        return
    if state.renewing.public_key not in der:
        step.ignore("got a new certificate of another key, want one for the key of the request")
        return
    step.cancel(Timer.RENEWAL)
    step.act(StoreCertificate(message.pem, message.generation))


def on_route(step: Step, route: Route) -> None:
    """Follow a route. While the device renews in the lobby, the last route is held and followed afterwards. If the
    target sends the device's own route with another standby, fetch the standby from the lobby."""
    if _names_other_standby(step, route) and not step.is_set(Timer.VISITED):
        step.log("standby_announced", place=step.state.location.value)
        _visit(step)
    elif not _holds(step, route):
        routes.on_route(step, route)
    else:
        step.log_limited("route_held", endpoint=f"{route.iotep}:{route.port}", generation=route.generation)
        step.update_renewing(held=route)


def _names_other_standby(step: Step, route: Route) -> bool:
    state = step.state
    if state.location is not Location.TARGET or state.phase is not Phase.ONLINE or state.route is None:
        return False
    if route.standby is None or route.standby == state.route.standby or state.endpoint in step.lobbies:
        return False
    return replace(route, standby=state.route.standby) == state.route


def _holds(step: Step, route: Route) -> bool:
    state = step.state
    new = state.certificates.new
    if state.location is not Location.LOBBY or not step.is_set(Timer.VISIT):
        return False
    is_early = new is not None and not new.given_up and (route.generation or new.generation) < new.generation
    return state.renewing.asked or is_early


def on_visit_over(step: Step) -> None:
    """Follow the held route, or return to the target of the stored one, where the old certificate works."""
    state, held = step.state, step.state.renewing.held
    waiting = state.renewing.asked
    step.cancel(Timer.RENEWAL, Timer.VISIT)
    step.update_renewing(asked=False, held=None)
    if waiting:
        step.log("renewal_postponed", attempts=state.renewing.attempts)
    if state.location is not Location.LOBBY or state.phase is Phase.DISCONNECTING:
        return
    if held is not None:
        routes.on_route(step, held)
    elif state.route is not None and not step.is_set(Timer.REVISIT):
        connection.leave(step, Location.TARGET)


def on_storage_event(step: Step, event: RenewalEvent) -> None:
    """Handle the result of an action of the store."""
    if isinstance(event, CertificatesNotStored):
        _on_not_stored(step, event)
        return
    step.cancel(Timer.CERTIFICATES)
    step.update_renewing(unstored=None, storage_error="")
    match event:
        case RenewalKeyReady(csr, public_key):
            step.update_renewing(csr=csr, public_key=public_key)
            send(step)
        case CertificatesStored(stored):
            before = step.state.certificates
            step.update(certificates=stored)
            _on_stored(step, before, stored)


def _on_not_stored(step: Step, event: CertificatesNotStored) -> None:
    """Try again without limit. Until then the stored certificates are unchanged. The same error is logged once."""
    step.update_renewing(unstored=event.action)
    step.set_timer(Timer.CERTIFICATES, step.timing.store_every)
    if event.detail != step.state.renewing.storage_error:
        step.update_renewing(storage_error=event.detail)
        step.log("certificate_not_stored", detail=event.detail, retry_every_s=step.timing.store_every)


def store(step: Step) -> None:
    """Repeat the failed action of the store."""
    if step.state.renewing.unstored is not None:
        step.act(step.state.renewing.unstored)


def _on_stored(step: Step, before: Certificates, stored: Certificates) -> None:
    step.update_renewing(new_refused=False, refusals_of_new=0, other=False)
    step.cancel(Timer.TRY_NEW)
    new = stored.new
    if new is None:
        step.log("certificate_renewed", certificate=stored.used)
    elif new.given_up:
        step.log("new_certificate_given_up", certificate=new.certid)
    elif before.new is None or before.new.certid != new.certid:
        step.log("new_certificate_stored", certificate=new.certid, generation=new.generation)
        step.update_renewing(asked=False, csr="", public_key=b"")
        _go_on(step)


def _go_on(step: Step) -> None:
    """Use the new certificate: with the held route, if its generation is high enough, or in the target, if the device
    is there."""
    state, held = step.state, step.state.renewing.held
    if state.location is Location.TARGET:
        step.set_timer(Timer.TRY_NEW, step.timing.retry.wait(1, step.uniform))
    elif held is not None and not _holds(step, held):
        step.update_renewing(held=None)
        routes.on_route(step, held)


def on_online(step: Step) -> None:
    """Handle a subscribed connection. If the target accepts the old certificate after refusing the new one, try the new
    one again later."""
    state = step.state
    new = state.certificates.new
    if new is None or new.given_up or state.location is not Location.TARGET or certificates.uses_new(state):
        return
    refusals = state.renewing.refusals_of_new + state.renewing.new_refused
    step.update_renewing(new_refused=False, refusals_of_new=refusals)
    if refusals >= REFUSALS_OF_NEW:
        step.act(GiveUpCertificate())
    elif certificates.works_in_target(state, new):
        step.set_timer(Timer.TRY_NEW, step.timing.try_new.wait(refusals + 1, step.uniform))


def try_new(step: Step) -> None:
    """Connect to the target again, with the new certificate."""
    state = step.state
    if state.location is Location.TARGET and state.phase is Phase.ONLINE and not certificates.uses_new(state):
        step.update_renewing(other=False)
        connection.leave(step, Location.TARGET)


def on_settled(step: Step) -> None:
    """Handle a stable connection. In the target, this proves the new certificate."""
    step.update_renewing(stable=True)
    if step.state.location is not Location.TARGET:
        return
    if certificates.uses_new(step.state):
        step.act(PromoteCertificate())
    elif step.state.renewing.resume:
        step.log("renewal_resumed")
        _visit(step)
