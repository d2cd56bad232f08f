"""Handles the messages of a FIFO queue of tokens, one at a time, and reports which of them stay in the queue.

A message that cannot be parsed is logged and deleted; the sweeper finds its work. A message whose handling fails is
delivered again.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from aws_lambda_powertools import Logger

from lobby.errors import InvalidInput

T = TypeVar("T")
Record = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """The decision about a message: delete it, or hide it for `hide` seconds. `hand_over`: another token must be
    sent."""

    hide: int | None = None
    hand_over: bool = False


DELETE: Final = Verdict()


class TokenMessages(ABC, Generic[T]):
    """Handles the messages of an invocation."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    @abstractmethod
    def decode(self, body: str) -> T:
        """Return the token of a message. Raise `InvalidInput`."""

    @abstractmethod
    def handle(self, token: T, hide: Callable[[int], None]) -> Verdict:
        """Work on a token. `hide` hides it for a number of seconds. Any raised error makes the queue deliver it
        again."""

    @abstractmethod
    def hide(self, token: T, receipt: str, seconds: int) -> None: ...

    @abstractmethod
    def hand_over(self, token: T, unique: str) -> None:
        """Send another token. `unique` is used once."""

    @abstractmethod
    def fields_of(self, token: T) -> dict[str, Any]:
        """Return the fields of a log line about a token."""

    def process(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return Lambda's partial batch response: the messages that stay in their queue (Lambda developer guide,
        "Handling errors for an SQS event source")."""
        failed = [record["messageId"] for record in event["Records"] if not self._is_done(record)]
        return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}

    def _is_done(self, record: Record) -> bool:
        try:
            token = self.decode(record["body"])
        except InvalidInput as error:
            fields = {"message_id": record["messageId"], "error": error.message}
            self._logger.exception("not a token", extra=fields)
            return True
        try:
            verdict = self.handle(token, lambda seconds: self._hide(token, record, seconds))
            if verdict.hand_over:
                self.hand_over(token, record["messageId"])
        except Exception:  # the message must be delivered again after any error
            fields = self.fields_of(token)
            self._logger.exception("interrupted", extra=fields)
            return False
        if verdict.hide is not None:
            self._hide(token, record, verdict.hide)
        return verdict.hide is None

    def _hide(self, token: T, record: Record, seconds: int) -> None:
        try:
            self.hide(token, record["receiptHandle"], seconds)
        except Exception:  # the message is delivered again in any case, only at another time
            fields = self.fields_of(token)
            self._logger.exception("not hidden", extra=fields)
