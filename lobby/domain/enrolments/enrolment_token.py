"""An enrolment token: a device without a certificate sends it to get one (`Door.TOKEN`).

It has two parts, as in the header `Authorization: <identifier> <token>`. The identifier names the enrolment and is not
secret. The token is 256 random bits; the lobby stores only their SHA-256. A slow hash gives no additional protection,
because 256 random bits cannot be guessed. `refusal_of_token` is the only check of a token.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lobby.domain.device import Device
from lobby.domain.enrolments.enrolment import Refusal
from lobby.errors import IdentityRefused, InvalidInput
from lobby.names import EnrolmentName, ThingName, TokenId, parse_token_id

ISSUES_PER_USE: Final = 5
"""The maximum number of certificates for each use of a token. A device that does not get the answer requests another
certificate."""
MAX_USES: Final = 1_000_000
MAX_TOKENS: Final = 1000
"""The number of tokens of an enrolment, including ended ones; DynamoDB deletes these `KEPT_DAYS` after their expiry."""
MAX_DAYS: Final = 366
"""The longest validity of a token."""
DEFAULT_DAYS: Final = 7
KEPT_DAYS: Final = 30
MALFORMED: Final = "TOKEN_MALFORMED"
UNKNOWN: Final = "TOKEN_UNKNOWN"
WRONG: Final = "TOKEN_WRONG"
REVOKED: Final = "TOKEN_REVOKED"
EXPIRED: Final = "TOKEN_EXPIRED"
USED_UP: Final = "TOKEN_USED_UP"
OTHER_NAME: Final = "TOKEN_OTHER_NAME"
LIMITED: Final = "TOKEN_LIMITED"
"""Too many requests had a wrong token; further requests are refused before the token is checked."""
_SECRET_BYTES: Final = 32
_SUFFIX_BYTES: Final = 7
_SUFFIX_LENGTH: Final = 10
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_LONGEST_HEADER: Final = 128
_NO_DIGEST: Final = "0" * 64
"""Compared if the token does not exist, so that the answer takes the same time."""


class TokenRefused(IdentityRefused):
    """A token does not permit the request."""


class TokenState(StrEnum):
    """The state of a token. A token that is used up still issues certificates to its devices that did not get the
    answer."""

    ACTIVE = "active"
    USED_UP = "used up"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Credentials:
    """The credentials that a device sends. `repr` omits the secret, so it cannot appear in a log."""

    id: TokenId
    secret: str = field(repr=False)


@dataclass(frozen=True)
class EnrolmentToken:
    """A token as the ledger has it. Times are ISO 8601 UTC with milliseconds.

    `digest` is the SHA-256 of the secret, as hex. `limit` is the highest number of `uses`: a use is a new device, or a
    new certificate of a device that had connected. `issued` counts all certificates. `name`: the only thing name that
    it permits, if any."""

    id: TokenId
    digest: str = field(repr=False)
    createdby: str
    createdat: str
    expires: str
    limit: int
    name: ThingName | None = None
    uses: int = 0
    issued: int = 0
    lastuse: str | None = None
    revokedat: str | None = None
    revokedby: str | None = None

    @property
    def enrolment(self) -> EnrolmentName:
        return enrolment_of(self.id)

    def state(self, at: str) -> TokenState:
        if self.revokedat is not None:
            return TokenState.REVOKED
        if at >= self.expires:
            return TokenState.EXPIRED
        return TokenState.USED_UP if self.uses >= self.limit else TokenState.ACTIVE


@dataclass(frozen=True)
class TokenUse:
    """The use of a token by an admission. `counts`: the use counts towards the token's limit. `replaces`: the device
    whose certificate the new one replaces."""

    token: EnrolmentToken
    counts: bool
    replaces: Device | None = None


def enrolment_of(token: TokenId) -> EnrolmentName:
    return EnrolmentName(token.partition(".")[0])


def new_credentials(enrolment: EnrolmentName, random: Callable[[int], bytes]) -> Credentials:
    """Return a new token. `random` returns the requested number of unpredictable bytes, like `secrets.token_bytes`."""
    suffix = base64.b32encode(random(_SUFFIX_BYTES)).decode().lower()[:_SUFFIX_LENGTH]
    secret = base64.urlsafe_b64encode(random(_SECRET_BYTES)).decode().rstrip("=")
    return Credentials(TokenId(f"{enrolment}.{suffix}"), secret)


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def parse_authorization(header: object) -> Credentials | None:
    """Return the credentials in the header's value `<identifier> <token>`, or None if it is malformed."""
    if not isinstance(header, str) or len(header) > _LONGEST_HEADER:
        return None
    identifier, _, secret = header.partition(" ")
    if not _SECRET.fullmatch(secret):
        return None
    try:
        return Credentials(parse_token_id(identifier), secret)
    except InvalidInput:
        return None


def refusal_of_token(token: EnrolmentToken | None, secret: str, at: str) -> Refusal | None:
    """Return the reason why the token is refused at the time `at`, or None. Only a bearer of the right secret gets
    that the token is revoked or has expired. Whether it has uses left depends on the device (`refusal_of_use`)."""
    digest = token.digest if token is not None else _NO_DIGEST
    right = hmac.compare_digest(digest_of(secret), digest)
    if token is None:
        return Refusal(UNKNOWN, "got a token that does not exist, want the identifier of one")
    if not right:
        return Refusal(WRONG, f"got another secret than that of token {token.id}")
    return refusal_of_validity(token, at)


def refusal_of_validity(token: EnrolmentToken, at: str) -> Refusal | None:
    """Return why the token, whose bearer is known, is not valid at the time `at`, or None."""
    if token.revokedat is not None:
        return Refusal(REVOKED, f"got token {token.id}, which is revoked; create another one")
    if at >= token.expires:
        return Refusal(EXPIRED, f"got token {token.id}, which has expired at {token.expires}; create another one")
    return None


def refusal_of_use(use: TokenUse, at: str) -> Refusal | None:
    """Return why the token does not issue a certificate at the time `at`, or None."""
    token = use.token
    if refusal := refusal_of_validity(token, at):
        return refusal
    if (use.counts and token.uses >= token.limit) or token.issued >= most_issued(token):
        got = f"got one more use of token {token.id}"
        return Refusal(USED_UP, f"{got}, which has {token.uses} of {token.limit}; create another one")
    return None


def most_issued(token: EnrolmentToken) -> int:
    return token.limit * ISSUES_PER_USE
