"""The enrolment tokens: created, found, listed, revoked, and used.

A use is recorded by the transaction that admits the device (`update_of`), which requires that the token is valid and
has uses left. So a limit is never exceeded, and a revocation applies to every later admission.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from lobby.domain.enrolments.enrolment import EnrolmentEntry, EnrolmentEvent
from lobby.domain.enrolments.enrolment_token import (
    KEPT_DAYS,
    MAX_TOKENS,
    EnrolmentToken,
    TokenRefused,
    TokenUse,
    most_issued,
    refusal_of_use,
)
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.clock import now, timestamp
from lobby.ledger.commits import Put, committed
from lobby.ledger.enrolments.enrolment_register import entry_row
from lobby.ledger.enrolments.enrolment_rows import TokenRow
from lobby.ledger.transaction import Update
from lobby.names import EnrolmentName, ThingName, TokenId


def find_token(token: TokenId) -> EnrolmentToken | None:
    """Return a token as it is now."""
    try:
        return token_of(TokenRow.get(*_key(token), consistent_read=True))
    except DoesNotExist:
        return None


class EnrolmentTokens:
    """The tokens. `clock` returns the time."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock

    @staticmethod
    def of_enrolment(enrolment: EnrolmentName) -> list[EnrolmentToken]:
        """Return the tokens of an enrolment, the newest first."""
        found = [token_of(row) for row in TokenRow.query(_kind(enrolment), consistent_read=True)]
        return sorted(found, key=lambda each: (each.createdat, each.id), reverse=True)

    @staticmethod
    def create(new: EnrolmentToken) -> None:
        """Write a new token. Raise `InvalidInput` INVALID_COUNT, or `Conflict` CHANGED_MEANWHILE."""
        if TokenRow.count(_kind(new.enrolment), consistent_read=True) >= MAX_TOKENS:
            message = f"got one more token of {new.enrolment}, want at most {MAX_TOKENS}"
            raise InvalidInput("INVALID_COUNT", f"{message}: each counts until {KEPT_DAYS} days after its expiry")
        entry = EnrolmentEntry(new.createdat, new.createdby, EnrolmentEvent.TOKEN_CREATED, new.id)
        if not committed(Put(_row_of(new), TokenRow.kind.does_not_exist()), Put(entry_row(new.enrolment, entry))):
            raise Conflict("CHANGED_MEANWHILE", f"got token {new.id}, which exists; try again")

    def revoke(self, token: TokenId, actor: str) -> EnrolmentToken:
        """Revoke a token permanently. Repeating it changes nothing. Raise `NotFound` UNKNOWN_TOKEN."""
        before = find_token(token)
        if before is None:
            raise NotFound("UNKNOWN_TOKEN", f"got {token}, want the identifier of a token")
        if before.revokedat is not None:
            return before
        at = timestamp(self._clock())
        entry = EnrolmentEntry(at, actor, EnrolmentEvent.TOKEN_REVOKED, token)
        actions: list[Action] = [TokenRow.revokedat.set(at), TokenRow.revokedby.set(actor)]
        unrevoked = TokenRow.digest.exists() & TokenRow.revokedat.does_not_exist()
        if committed(Update(TokenRow(*_key(token)), actions, unrevoked), Put(entry_row(before.enrolment, entry))):
            return _present(find_token(token))
        raise Conflict("CHANGED_MEANWHILE", f"got token {token}, which was used or changed just now; try again")


def update_of(use: TokenUse, at: str) -> Update:
    """Return the update that records a use at the time `at`, on condition that the token permits it then."""
    token = use.token
    actions: list[Action] = [TokenRow.issued.add(1), TokenRow.lastuse.set(at)]
    condition: Condition = TokenRow.digest.exists() & TokenRow.revokedat.does_not_exist() & (TokenRow.expires > at)
    condition &= TokenRow.issued < most_issued(token)
    if use.counts:
        actions.append(TokenRow.uses.add(1))
        condition &= TokenRow.uses < token.limit
    return Update(TokenRow(*_key(token.id)), actions, condition)


def require_usable(use: TokenUse, at: str) -> None:
    """Raise `TokenRefused` if the token, as it is now, does not permit the use."""
    current = find_token(use.token.id)
    if current is None:
        raise TokenRefused("TOKEN_UNKNOWN", f"got token {use.token.id}, which was deleted; create another one")
    if refusal := refusal_of_use(TokenUse(current, use.counts, use.replaces), at):
        raise TokenRefused(refusal.code, refusal.message)


def token_of(row: TokenRow) -> EnrolmentToken:
    return EnrolmentToken(
        TokenId(f"{row.kind.removeprefix(_kind(EnrolmentName('')))}.{row.name}"),
        row.digest,
        row.createdby,
        row.createdat,
        row.expires,
        int(row.limit),
        ThingName(row.thing) if row.thing else None,
        int(row.uses),
        int(row.issued),
        row.lastuse,
        row.revokedat,
        row.revokedby,
    )


def _row_of(token: EnrolmentToken) -> TokenRow:
    deleted = datetime.fromisoformat(token.expires) + timedelta(days=KEPT_DAYS)
    return TokenRow(
        *_key(token.id),
        digest=token.digest,
        createdby=token.createdby,
        createdat=token.createdat,
        expires=token.expires,
        limit=token.limit,
        uses=token.uses,
        issued=token.issued,
        thing=token.name,
        deleteat=int(deleted.timestamp()),
    )


def _kind(enrolment: EnrolmentName) -> str:
    return f"token#{enrolment}"


def _key(token: TokenId) -> tuple[str, str]:
    enrolment, _, suffix = token.partition(".")
    return _kind(EnrolmentName(enrolment)), suffix


def _present(token: EnrolmentToken | None) -> EnrolmentToken:
    if token is None:
        raise AssertionError("a token is never deleted before its expiry")
    return token
