"""Parses messages of an on-failure queue. No I/O, and strict, because the result is invoked again.

A message contains an event for a Lambda of this lobby, in one of these forms:
- the record that Lambda sends after the last retry (developer guide, "Asynchronous invocation"),
- the report of a rule's error action (AWS IoT developer guide, "Error handling"),
- the bouncer's report of a registration, or the registration's own message if its runs crashed,
- the name of an entry that the publisher has not published.
A message of the ledger's stream contains only a position, no row: see `lobby.ledger.redrive`.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from infra.parts.connections import RULE as CONNECTIONS_RULE
from infra.parts.functions import BOUNCER, CONNECTIONS, PREFIX, PUBLISHER, RECEPTIONIST
from infra.parts.permissions import REGISTRATIONS
from infra.parts.webhooks import QUEUE as WEBHOOKS
from infra.stack_names import REGISTERED_RULE
from lobby import strict_json
from lobby.contracts.targets import UNPUBLISHED
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, Target, parse_fingerprint
from lobby.wire import HELLO_RULE, PRESENCE, RENEW, TRANSFER

NOT_READ: Final = "neither a failed event of a Lambda nor an undelivered message of a rule"
HolderOf = Callable[[str], Fingerprint | None]
"""Returns the certificate that has a thing name."""


class Unreadable(ValueError):
    """The message contains no event that can be invoked again."""


@dataclass(frozen=True)
class Event:
    """An event for a Lambda, by the function's full name, or for a queue. An event with neither needs no work; `why` is
    the reason."""

    function: str | None
    payload: Any
    why: str
    queue: str | None = None

    @property
    def destination(self) -> str:
        return self.function or self.queue or "nothing to do"


def read(body: str, lobby: Target, holder_of: HolderOf) -> Event:
    """Return the event in a message. Raise `Unreadable`."""
    try:
        parsed = strict_json.loads(body)
        if isinstance(parsed, dict) and "requestPayload" in parsed:
            return _failed_invocation(parsed, lobby)
        if isinstance(parsed, dict) and "ruleName" in parsed:
            return _undelivered_message(parsed, holder_of)
        if isinstance(parsed, dict) and "registration" in parsed:
            return _registration(strict_json.loads(parsed["registration"]), str(parsed["reason"])[:200])
        if isinstance(parsed, dict) and UNPUBLISHED in parsed:
            return _unpublished(parsed[UNPUBLISHED], str(parsed["reason"])[:200])
        if isinstance(parsed, dict) and "webhook" in parsed:
            return Event(None, parsed, "the courier's runs ended without a result", queue=WEBHOOKS)
        if isinstance(parsed, dict) and "certificateId" in parsed:
            return _registration(parsed, "the bouncer's runs ended without a result")
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise Unreadable(f"{NOT_READ}: {type(error).__name__}: {error}") from None
    raise Unreadable(NOT_READ)


def _unpublished(name: Any, why: str) -> Event:
    """Return the publisher's event for an entry."""
    try:
        entry = {"certid": parse_fingerprint(name["certid"]), "seq": int(name["seq"])}
    except InvalidInput as error:
        raise ValueError(error.message) from error
    return Event(PUBLISHER.full_name, {"entries": [entry]}, why)


def _failed_invocation(envelope: dict[str, Any], lobby: Target) -> Event:
    arn = str(envelope["requestContext"]["functionArn"])
    prefix = f"arn:aws:lambda:{lobby.region}:{lobby.account}:function:{PREFIX}-"
    if not arn.startswith(prefix):
        raise Unreadable(f"got an event for {arn[:200]!r}, want one for a Lambda of this lobby")
    name = arn.removeprefix(prefix).partition(":")[0]
    if f"{PREFIX}-{name}" == BOUNCER.full_name:  # an earlier version's rule, without a queue, invoked it
        return _registration(envelope["requestPayload"], _reason(envelope))
    return Event(f"{PREFIX}-{name}", envelope["requestPayload"], _reason(envelope))


def _registration(event: Any, why: str) -> Event:
    """Return a registration for the bouncer's queue, which needs only the certificate id."""
    try:
        parse_fingerprint(event["certificateId"])
    except InvalidInput as error:
        raise ValueError(error.message) from error
    return Event(None, event, why, queue=REGISTRATIONS)


def _reason(envelope: dict[str, Any]) -> str:
    response = envelope.get("responsePayload")
    error = response.get("errorMessage") or response.get("errorType") if isinstance(response, dict) else None
    return str(error or envelope["requestContext"].get("condition") or "no reason given")[:200]


def _undelivered_message(report: dict[str, Any], holder_of: HolderOf) -> Event:
    rule = report["ruleName"]
    failures = report.get("failures") or [{}]
    why = str(failures[0].get("errorMessage", "no reason given"))[:200]
    if rule == REGISTERED_RULE:
        return _registration(strict_json.loads(base64.b64decode(report["base64OriginalPayload"])), why)
    if rule == HELLO_RULE:
        return _hello(report, holder_of, why)
    if rule == CONNECTIONS_RULE:
        return _connection(strict_json.loads(base64.b64decode(report["base64OriginalPayload"])), why)
    rules = f"{REGISTERED_RULE}, {HELLO_RULE}, {CONNECTIONS_RULE}"
    raise Unreadable(f"got a report of the rule {str(rule)[:100]!r}, want one of {rules}")


def _connection(event: Any, why: str) -> Event:
    """Return the event for the Lambda `connections`, with the fields of `wire.CONNECTIONS_SQL`."""
    if not isinstance(event, dict):
        raise TypeError(f"got an event of type {type(event).__name__}, want an object")
    names = {
        "event": "eventType",
        "certid": "principalIdentifier",
        "devicename": "clientId",
        "session": "sessionIdentifier",
        "version": "versionNumber",
        "at": "timestamp",
        "address": "ipAddress",
        "reason": "disconnectReason",
    }
    payload = {name: event[source] for name, source in names.items() if source in event}
    return Event(CONNECTIONS.full_name, payload, why)


def _hello(report: dict[str, Any], holder_of: HolderOf, why: str) -> Event:
    """Return the receptionist's event. The identity is the client id that AWS IoT reported, which is the thing name,
    and its certificate in the ledger. The payload fields are those of `wire.HELLO_SQL`."""
    name = str(report.get("clientId"))
    certid = holder_of(name)
    if certid is None:
        return Event(None, None, f"{name!r} is not a device of this lobby: {why}")
    try:
        hello = strict_json.loads(base64.b64decode(report["base64OriginalPayload"]))
    except (ValueError, binascii.Error, RecursionError):
        hello = {}
    hello = hello if isinstance(hello, dict) else {}
    payload = {"certid": certid, "devicename": name, "clientversion": hello.get("version")}
    return Event(RECEPTIONIST.full_name, payload | {name: hello.get(name) for name in (PRESENCE, RENEW, TRANSFER)}, why)
