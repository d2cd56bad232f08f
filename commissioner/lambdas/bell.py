"""Lambda: reads the ledger's stream, and starts the workers of the lanes in which rows wait.

The event filter selects the rows that need the commissioner. A single claim is announced by name, because a user waits
for it. If a row also has work in another lane, it is announced by name in that lane. Bulk claims send a token of their
lane, at most once in a bucket, because SQS would ignore a second one and bill it. Rows of earlier versions have no
lane, and are announced in the lane to which their work belongs.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger

from lobby.aws.clients import at_init, client
from lobby.contracts.lane_tokens import announcement_messages, bucket_of, token_message
from lobby.domain.device import Priority
from lobby.domain.lanes.lane import LOBBY, Lane, main_lane, other_lanes, parse_turn, priority_of
from lobby.errors import InvalidInput
from lobby.home_guard import at_home_only, nothing_failed
from lobby.ledger.items import device_of_image
from lobby.names import Fingerprint
from lobby.settings import BellSettings, read_settings

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_LONGEST_SEND: Final = 1.0
"""The maximum time to send a token, in seconds. If the token's bucket ends during the call, SQS may ignore this token
although the earlier one is already deleted, so another token is sent."""
Record = dict[str, Any]
logger = Logger(service="bell")


class Bell:
    """`tokens` and `express` are the URLs of the lanes' queues; `clock` returns seconds since 1970."""

    def __init__(self, sqs: "SQSClient", tokens: str, express: str, clock: Callable[[], float] = time.time) -> None:
        self._sqs, self._tokens, self._express, self._clock = sqs, tokens, express, clock
        self._sent: dict[Lane, int] = {}
        """The bucket of the last token that was sent to each lane."""

    def start_workers(self, records: list[Record]) -> None:
        """Send what these records require. Raise `ClientError`; the records are then delivered again."""
        announced: defaultdict[Lane, list[Fingerprint]] = defaultdict(list)
        lanes: dict[Lane, None] = {}
        for record in records:
            for lane, priority, certid in _work_of(record):
                if priority is Priority.SINGLE:
                    announced[lane].append(certid)
                else:
                    lanes[lane] = None
        number = records[-1]["dynamodb"]["SequenceNumber"]
        for lane, certids in announced.items():
            for message in announcement_messages(lane, certids, number):
                self._sqs.send_message(QueueUrl=self._express, **message)
        for lane in lanes:
            self._send_token(lane)

    def _send_token(self, lane: Lane) -> None:
        while True:
            began = self._clock()
            if self._sent.get(lane) == bucket_of(began):
                return
            self._sqs.send_message(QueueUrl=self._tokens, **token_message(lane, began))
            if self._clock() - began < _LONGEST_SEND:
                self._sent[lane] = bucket_of(began)
                return


def _work_of(record: Record) -> Iterator[tuple[Lane, Priority, Fingerprint]]:
    """Yield the lanes that have work for a row, each with the priority with which it is announced. A row that cannot be
    read is announced in the lane of its key, or the lobby's, whose worker reports it."""
    change = record["dynamodb"]
    certid = Fingerprint(change["Keys"]["certid"]["S"])
    try:
        device = device_of_image(change["NewImage"])
        home, priority = main_lane(device), priority_of(device)
    except Exception:  # the worker that reads the row reports any error
        logger.exception("not read", extra={"certid": certid})
        yield _lane_of_key(change), Priority.SINGLE, certid
        return
    yield home, priority, certid
    for lane in other_lanes(device):
        yield lane, Priority.SINGLE, certid


def _lane_of_key(change: dict[str, Any]) -> Lane:
    try:
        found = parse_turn(change["NewImage"]["turn"]["S"])
    except (InvalidInput, KeyError, TypeError):
        return LOBBY
    return found[0] if found else LOBBY


@at_init
def _bell() -> Bell:
    settings = read_settings(BellSettings, os.environ)
    return Bell(client("sqs"), settings.lanes_queue, settings.express_queue)


@at_home_only(nothing_failed)
def handler(event: dict[str, Any], _context: object, bell: Bell | None = None) -> dict[str, Any]:
    (bell or _bell()).start_workers(event["Records"])
    return {"batchItemFailures": []}
