"""Creates an enrolment token: checks the caller's input and creates the secret, which only the caller gets."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from admin_api.roles import Caller
from admin_api.services import Services
from lobby.domain.enrolments.enrolment import Door, EnrolmentState
from lobby.domain.enrolments.enrolment_rules import parse_period, require_door
from lobby.domain.enrolments.enrolment_token import (
    DEFAULT_DAYS,
    MAX_DAYS,
    MAX_USES,
    Credentials,
    EnrolmentToken,
    digest_of,
    new_credentials,
)
from lobby.errors import Conflict, InvalidInput
from lobby.ledger.clock import now, timestamp
from lobby.names import parse_enrolment_name, parse_thing_name


@dataclass(frozen=True)
class NewToken:
    """A token as the caller enters it."""

    enrolment: str
    uses: int
    expires: str | None
    thing_name: str | None


def create(services: Services, caller: Caller, entered: NewToken) -> tuple[EnrolmentToken, Credentials]:
    """Create a token. Raise `InvalidInput`, `NotFound` UNKNOWN_ENROLMENT, or `Conflict` WRONG_DOOR, ENROLMENT_REVOKED
    or as `EnrolmentTokens.create`."""
    at = now()
    enrolment = services.enrolments.get(parse_enrolment_name(entered.enrolment))
    require_door(enrolment, Door.TOKEN)
    if enrolment.state is EnrolmentState.REVOKED:
        raise Conflict("ENROLMENT_REVOKED", f"got a token for {enrolment.name}, which is revoked permanently")
    credentials = new_credentials(enrolment.name, secrets.token_bytes)
    token = EnrolmentToken(
        credentials.id,
        digest_of(credentials.secret),
        caller.actor,
        timestamp(at),
        parse_expiry(entered.expires, at),
        parse_uses(entered.uses),
        parse_thing_name(entered.thing_name) if entered.thing_name is not None else None,
    )
    services.enrolment_tokens.create(token)
    return token, credentials


def parse_uses(uses: int) -> int:
    """Return the number of uses of a token. Raise `InvalidInput` INVALID_USES."""
    if not 1 <= uses <= MAX_USES:
        raise InvalidInput("INVALID_USES", f"got {uses} uses, want 1 to {MAX_USES}")
    return uses


def parse_expiry(text: str | None, at: datetime) -> str:
    """Return the time at which a token expires, by default after `DEFAULT_DAYS`. Raise `InvalidInput` INVALID_TIME."""
    _, entered = parse_period(None, text)
    latest = timestamp(at + timedelta(days=MAX_DAYS))
    expires = entered or timestamp(at + timedelta(days=DEFAULT_DAYS))
    if not timestamp(at) < expires <= latest:
        raise InvalidInput("INVALID_TIME", f"got {expires}, want a time in the future, within {MAX_DAYS} days")
    return expires
