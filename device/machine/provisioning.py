"""Provisioning by claim: how a device that has only a claim certificate gets a certificate of its own.

The steps are: create and store the device's key; connect to a lobby with the claim certificate; subscribe to the topics
of the answers; request a certificate; store it as pending, with its ownership token; register it; store it as the
device's own; and end, so that the client starts again with it. After an interruption the client continues with the same
key and pending certificate, because the lobby rejects a second key for a serial number. After a denial the client
repeats its request with long waits: AWS IoT does not report the cause, and an operator may remove it. Errors that a
retry cannot correct end the client.
"""

from typing import Final

from device.machine import connection, fallback
from device.machine.events import (
    Connected,
    ConnectionFailed,
    Disconnect,
    Disconnected,
    Exit,
    Failure,
    IdentityNotStored,
    IdentityStored,
    KeyReady,
    MessageReceived,
    Outcome,
    PendingStored,
    PrepareKey,
    Publish,
    PublishAcknowledged,
    StoreIdentity,
    StorePending,
    SubscriptionGranted,
)
from device.machine.plan import Provisioning
from device.machine.provisioning_messages import (
    ACCEPTED,
    FROM_CSR,
    REJECTED,
    WITH_KEYS,
    Rejection,
    create_request,
    parse_created,
    parse_registered,
    parse_rejection,
    register_request,
    register_topic,
)
from device.machine.state import Phase, Step, Timer
from lobby.errors import InvalidInput
from lobby.names import shown

_REFUSED_SUBSCRIPTIONS: Final = 6
"""After this many consecutive connections that end at a subscription, the claim certificate counts as belonging to
another template. A new policy may take some seconds to apply, so a single failure is not enough."""
DENIAL_CAUSES: Final = (
    "the serial number is not expected, or belongs to another key; or the enrolment is full, paused, not started, ended"
    " or revoked. `lobbyctl enrolments show NAME` has the reason"
)
REFUSAL_CAUSES: Final = (
    "the claim certificate is revoked, expired, of another lobby, or its enrolment is not active. `lobbyctl enrolments"
    " certificates list NAME` has its state"
)


def start(step: Step) -> None:
    step.act(PrepareKey())


def on_storage_event(step: Step, event: KeyReady | PendingStored | IdentityStored | IdentityNotStored) -> None:
    if isinstance(event, IdentityNotStored):
        _on_not_stored(step, event.detail)
        return
    step.cancel(Timer.IDENTITY)
    step.update_progress(storage_error="")
    match event:
        case KeyReady(csr, public_key, pending):
            step.update_progress(csr=csr, public_key=public_key, key_ready=True)
            if pending:
                step.update_progress(pending=pending, pending_stored=True, pending_since=step.now)
            connection.connect(step)
        case PendingStored():
            step.update_progress(pending_stored=step.state.progress.pending is not None)
            if step.state.progress.pending_stored and step.state.phase is Phase.ONLINE:
                _request(step)
        case IdentityStored():
            step.log("identity_stored", thing=step.state.progress.thing)
            _end(step, Exit(Outcome.PROVISIONED))


def _on_not_stored(step: Step, detail: str) -> None:
    """Try again without limit, because a certificate whose key is not stored would be lost. The same error is logged
    once."""
    step.set_timer(Timer.IDENTITY, step.timing.store_every)
    if detail != step.state.progress.storage_error:
        step.update_progress(storage_error=detail)
        step.log("identity_not_stored", detail=detail, retry_every_s=step.timing.store_every)


def store(step: Step) -> None:
    """Store what is missing: the key, the identity, or the pending certificate."""
    progress = step.state.progress
    if not progress.key_ready:
        step.act(PrepareKey())
    elif progress.thing and progress.pending:
        step.act(StoreIdentity(progress.thing, progress.pending))
    else:
        step.act(StorePending(progress.pending))


def on_connection_event(
    step: Step,
    event: Connected | SubscriptionGranted | PublishAcknowledged | ConnectionFailed | Disconnected | MessageReceived,
) -> None:
    match event, step.state.phase:
        case Connected(), Phase.CONNECTING:
            step.update(phase=Phase.SUBSCRIBING)
            step.update_progress(granted=0)
            step.log("connected", place=step.state.location.value, endpoint=str(step.state.endpoint))
            connection.subscribe_to(step, _topics(_plan(step))[0])
        case SubscriptionGranted(), Phase.SUBSCRIBING:
            _on_granted(step)
        case MessageReceived(_, topic, payload), Phase.ONLINE:
            _on_message(step, topic, payload)
        case ConnectionFailed(_, failure, detail), (Phase.CONNECTING | Phase.SUBSCRIBING | Phase.ONLINE):
            on_failure(step, failure, detail)
        case _:
            pass  # the answer follows a PUBACK; others are late events of an abandoned connection


def on_failure(step: Step, failure: Failure, detail: str) -> None:
    """Handle a failed or lost connection: try again, unless the claim certificate belongs to another template."""
    phase, progress = step.state.phase, step.state.progress
    topic = _topics(_plan(step))[progress.granted] if phase is Phase.SUBSCRIBING else ""
    fallback.on_failure(step, failure, detail)
    if failure is not Failure.REFUSED:
        return
    if phase is Phase.CONNECTING:
        step.log_limited("claim_certificate_refused", possible_causes=REFUSAL_CAUSES)
    elif topic:
        step.update_progress(refused=progress.refused + 1)
        if progress.refused + 1 >= _REFUSED_SUBSCRIPTIONS:
            want = "want the template and the claim certificate of one enrolment"
            _give_up(step, f"the claim certificate is not permitted to subscribe to {topic}; {want}")


def _on_granted(step: Step) -> None:
    topics, granted = _topics(_plan(step)), step.state.progress.granted + 1
    step.update_progress(granted=granted)
    if granted < len(topics):
        connection.subscribe_to(step, topics[granted])
        return
    step.cancel(Timer.ANSWER)
    step.update(phase=Phase.ONLINE, online_since=step.now)
    step.update_progress(refused=0)
    _request(step)


def _request(step: Step) -> None:
    """Send the next request."""
    if _token_has_expired(step):
        _drop_pending(step)
    plan, progress = _plan(step), step.state.progress
    if progress.thing:
        return  # registered: only the certificate must still be stored, which has its own timer
    if progress.pending is None:
        _publish(step, _create_topic(plan), create_request(None if plan.with_keys else progress.csr))
    elif progress.pending_stored:
        _publish(step, register_topic(plan.template), register_request(progress.pending.token, plan.serial))
    else:
        step.act(StorePending(progress.pending))


def _publish(step: Step, topic: str, payload: bytes) -> None:
    step.log("requested", topic=topic)
    step.act(Publish(step.state.connection_id, topic, payload))
    step.set_timer(Timer.ANSWER, step.timing.answer_within)


def _on_message(step: Step, topic: str, payload: bytes) -> None:
    plan, progress = _plan(step), step.state.progress
    creating = progress.pending is None
    expected = _create_topic(plan) if creating else register_topic(plan.template)
    if progress.thing or topic not in (expected + ACCEPTED, expected + REJECTED):
        step.ignore(f"got topic {shown(topic)}, want an answer of {expected}")
        return
    step.cancel(Timer.ANSWER)
    try:
        if topic.endswith(REJECTED):
            _on_rejected(step, parse_rejection(payload))
        elif creating:
            pending = parse_created(payload, with_key=plan.with_keys, public_key=progress.public_key)
            step.update_progress(pending=pending, pending_stored=False, pending_since=step.now)
            step.log("certificate_created")
            step.act(StorePending(pending))
        else:
            step.update_progress(thing=parse_registered(payload))
            step.log("registered", thing=step.state.progress.thing)
            store(step)
    except InvalidInput as error:
        _on_rejected(step, Rejection(0, error.code, error.message))


def _on_rejected(step: Step, rejection: Rejection) -> None:
    """Keep the pending certificate after a denial. Otherwise each attempt would add a certificate to the lobby."""
    if rejection.concerns_template:
        _give_up(step, f"{rejection}; got template {shown(_plan(step).template)}, want that of the enrolment")
        return
    denials = step.state.progress.denials + 1
    step.update_progress(denials=denials)
    backoff = step.timing.retry if rejection.concerns_token else step.timing.denied
    step.log("provisioning_denied", answer=str(rejection), possible_causes=DENIAL_CAUSES)
    step.act(Disconnect(step.state.connection_id))
    connection.back_off(step, backoff.wait(denials, step.uniform), reason="denied")
    if rejection.concerns_token or rejection.status == 400:
        _drop_pending(step)


def _token_has_expired(step: Step) -> bool:
    since = step.state.progress.pending_since
    return step.state.progress.thing is None and since is not None and step.now - since >= step.timing.token_for


def _drop_pending(step: Step) -> None:
    """Get another certificate with the next attempt, for the same key unless AWS IoT creates it."""
    if step.state.progress.pending is not None:
        step.update_progress(pending=None, pending_stored=False, pending_since=None)
        step.act(StorePending(None))


def _give_up(step: Step, detail: str) -> None:
    step.log("provisioning_impossible", detail=detail)
    _end(step, Exit(Outcome.IMPOSSIBLE, detail))


def _end(step: Step, ending: Exit) -> None:
    step.update_progress(ending=ending)
    connection.leave(step, None)


def _topics(plan: Provisioning) -> tuple[str, ...]:
    requests = (_create_topic(plan), register_topic(plan.template))
    return tuple(f"{topic}{answer}" for topic in requests for answer in (ACCEPTED, REJECTED))


def _create_topic(plan: Provisioning) -> str:
    return WITH_KEYS if plan.with_keys else FROM_CSR


def _plan(step: Step) -> Provisioning:
    if step.plan.provisioning is None:
        raise TypeError("got a plan without provisioning, want one with it")
    return step.plan.provisioning
