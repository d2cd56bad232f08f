"""What a message of an on-failure queue is about: pure, and strict, as whatever is invoked again is invoked for it.

An event for one of this lobby's Lambdas, as Lambda wraps it when it gives up (developer guide, "Asynchronous
invocation"), or as a rule's error action tells of a message that it could not hand over (AWS IoT developer guide,
"Error handling"). Of the ledger's stream only where it was given up is told, and no row: see `lobby.ledger.redrive`.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from infra.functions import BOUNCER, PREFIX, RECEPTIONIST
from infra.lobby_stack import REGISTERED_RULE
from lobby.names import Fingerprint, Target
from lobby.wire import HELLO_RULE, PRESENCE

NOT_READ: Final = "neither an event that a Lambda gave up nor one that a rule could not hand over"
HolderOf = Callable[[str], Fingerprint | None]
"""Which certificate holds a thing name."""


class Unreadable(ValueError):
    """The message is about nothing that could be done again."""


@dataclass(frozen=True)
class Event:
    """An event for a Lambda, by the function's full name; None: there is nothing to be done, for this reason."""

    function: str | None
    payload: Any
    why: str


def read(body: str, lobby: Target, holder_of: HolderOf) -> Event:
    """Raises `Unreadable`."""
    try:
        found = json.loads(body)
        if isinstance(found, dict) and "requestPayload" in found:
            return _given_up(found, lobby)
        if isinstance(found, dict) and "ruleName" in found:
            return _not_handed_over(found, holder_of)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise Unreadable(f"{NOT_READ}: {type(error).__name__}: {error}") from None
    raise Unreadable(NOT_READ)


def _given_up(envelope: dict[str, Any], lobby: Target) -> Event:
    arn = str(envelope["requestContext"]["functionArn"])
    ours = f"arn:aws:lambda:{lobby.region}:{lobby.account}:function:{PREFIX}-"
    if not arn.startswith(ours):
        raise Unreadable(f"got an event for {arn[:200]!r}, want one for a Lambda of this lobby")
    name = arn.removeprefix(ours).partition(":")[0]
    return Event(f"{PREFIX}-{name}", envelope["requestPayload"], _reason(envelope))


def _reason(envelope: dict[str, Any]) -> str:
    said = envelope.get("responsePayload")
    told = said.get("errorMessage") or said.get("errorType") if isinstance(said, dict) else None
    return str(told or envelope["requestContext"].get("condition") or "no reason given")[:200]


def _not_handed_over(report: dict[str, Any], holder_of: HolderOf) -> Event:
    rule = report["ruleName"]
    failures = report.get("failures") or [{}]
    why = str(failures[0].get("errorMessage", "no reason given"))[:200]
    if rule == REGISTERED_RULE:
        return Event(BOUNCER.full_name, json.loads(base64.b64decode(report["base64OriginalPayload"])), why)
    if rule == HELLO_RULE:
        return _hello(report, holder_of, why)
    raise Unreadable(f"got a report of the rule {str(rule)[:100]!r}, want one of {REGISTERED_RULE}, {HELLO_RULE}")


def _hello(report: dict[str, Any], holder_of: HolderOf, why: str) -> Event:
    """Who spoke is what AWS IoT says: the client id, which is the thing's name, and by the ledger the certificate's.
    The payload adds what it would have added (`wire.HELLO_SQL`)."""
    name = str(report.get("clientId"))
    certid = holder_of(name)
    if certid is None:
        return Event(None, None, f"{name!r} is no device of this lobby: {why}")
    try:
        said = json.loads(base64.b64decode(report["base64OriginalPayload"]))
    except (ValueError, binascii.Error, RecursionError):
        said = {}
    said = said if isinstance(said, dict) else {}
    payload = {"certid": certid, "devicename": name, "clientversion": said.get("version")}
    return Event(RECEPTIONIST.full_name, payload | {PRESENCE: said.get("presence")}, why)
