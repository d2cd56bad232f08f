"""Lambda: the authorizer of `POST /register` (payload format 2.0, simple responses): is this token valid now?

API Gateway does not cache its answers, so a revoked token is refused immediately. A request without the header gets
401; a request that this Lambda refuses gets 403 without a reason. Operators see the reasons in the counts of the
token's enrolment, in the log, and as a metric. After many wrong tokens from one source, further requests are refused
before the token is checked (`token_failures`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lobby.aws.clients import at_init
from lobby.aws.metrics import NAMESPACE, TOKENS_REFUSED
from lobby.domain.enrolments.enrolment import Refusal
from lobby.domain.enrolments.enrolment_token import (
    LIMITED,
    MALFORMED,
    UNKNOWN,
    Credentials,
    enrolment_of,
    parse_authorization,
    refusal_of_token,
)
from lobby.home_guard import everywhere
from lobby.ledger.clock import now, timestamp
from lobby.ledger.connection import connect
from lobby.ledger.enrolments.enrolled_admission import count_refusal
from lobby.ledger.enrolments.enrolment_rows import EnrolmentNumberRow, FailureRow, TokenRow
from lobby.ledger.enrolments.enrolment_tokens import find_token
from lobby.ledger.enrolments.token_failures import TokenFailures
from lobby.ledger.regions.routing import Access

SERVICE: Final = "vending-authorizer"
_NO_CREDENTIALS: Final = Refusal(MALFORMED, "got a malformed header, want Authorization: <identifier> <token>")
logger = Logger(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


@dataclass(frozen=True)
class Authorizer:
    """Verifies tokens, and counts and limits wrong ones."""

    failures: TokenFailures
    clock: Callable[[], datetime] = now

    def refusal(self, credentials: Credentials | None, source: str) -> Refusal | None:
        """Return why the request is refused, or None. `source` is the address that it comes from."""
        token_id = credentials.id if credentials else None
        if self.failures.is_limited(source, token_id):
            return Refusal(LIMITED, "got too many wrong tokens from this address in this minute")
        refusal = self._refusal(credentials)
        if refusal is not None:
            self.failures.record(source, token_id)
        return refusal

    def _refusal(self, credentials: Credentials | None) -> Refusal | None:
        if credentials is None:
            return _NO_CREDENTIALS
        refusal = refusal_of_token(find_token(credentials.id), credentials.secret, timestamp(self.clock()))
        if refusal is not None and refusal.code != UNKNOWN:
            count_refusal(enrolment_of(credentials.id), refusal.code)
        return refusal


@at_init
def _authorizer() -> Authorizer:
    connect(TokenRow, FailureRow, EnrolmentNumberRow)
    return Authorizer(TokenFailures())


@everywhere(Access.DOOR)
def handler(event: dict[str, Any], _context: object, authorizer: Authorizer | None = None) -> dict[str, Any]:
    """Answer API Gateway (developer guide, "Control access to HTTP APIs with AWS Lambda authorizers")."""
    credentials, source = parse_authorization(event["headers"].get("authorization")), event["requestContext"]["http"]
    refusal = (authorizer or _authorizer()).refusal(credentials, source["sourceIp"])
    if refusal is None and credentials is not None:
        return {"isAuthorized": True, "context": {"token": credentials.id}}
    reason = refusal or _NO_CREDENTIALS
    token = credentials.id if credentials else None
    logger.warning("refused", extra={"token": token, "code": reason.code, "source": source["sourceIp"]})
    metrics.add_metric(name=TOKENS_REFUSED, unit=MetricUnit.Count, value=1)
    metrics.flush_metrics()
    return {"isAuthorized": False}
