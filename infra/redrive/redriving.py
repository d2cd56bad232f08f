"""Redrives the on-failure queues of a lobby: failed work is invoked again, then its message is deleted.

Every step is idempotent: the Lambdas recognise completed work, and a device that no longer needs the commissioner is
not changed. The archive may contain an event twice. So a redrive can be interrupted and repeated. An unreadable message
is reported and stays in its queue.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from infra.archive import delivery as archive
from infra.parts import permissions
from infra.redrive.archived import read_archived
from infra.redrive.envelopes import Event, Unreadable, read
from infra.redrive.held import Held, Message
from lobby.contracts.lane_tokens import TOKENS, fresh_token_message
from lobby.domain.lanes.lane import Lane
from lobby.ledger.lanes.lane_register import Lanes
from lobby.ledger.redrive import start_again, unsorted_rows, waiting_lanes
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Target

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_sqs import SQSClient

Report = Callable[[str], None]
_MAX_SHOWN: Final = 120
_NO_QUEUE: Final = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
"""The same error, in SQS's protocols."""


@dataclass
class Tally:
    """The numbers of a queue's messages that were redriven and that stay in it (`left`)."""

    done: int = 0
    left: int = 0


@dataclass
class Redriving:
    """One run. `put` puts a record into a stream of the archive. `holder_of` returns the certificate that has a thing
    name. With `dry`, nothing is changed."""

    sqs: "SQSClient"
    functions: "LambdaClient"
    put: Callable[[str, bytes], None]
    ledger: Ledger
    holder_of: Callable[[str], Fingerprint | None]
    lobby: Target
    now: datetime
    report: Report
    dry: bool = False
    wait: int = 1
    tallies: dict[str, Tally] = field(default_factory=dict)

    def run(self) -> bool:
        """Redrive all queues and return whether every message was redriven. A lobby without an archive has no queue
        for it."""
        handlers = {
            permissions.UNDELIVERED: self._deliver,
            permissions.UNCOMMISSIONED: self._commission,
            permissions.ARRIVALS_DEAD: self._report_again,
            archive.FAILED: self._archive,
        }
        for name, handle in handlers.items():
            try:
                held = Held(self.sqs, name, self.now, self.wait)
            except ClientError as error:
                if name == archive.FAILED and error.response["Error"]["Code"] in _NO_QUEUE:
                    continue
                raise
            tally = self.tallies[name] = Tally()
            try:
                handle(held, tally)
            finally:
                held.put_back()
            self.report(f"{name}: {self._summary(tally)}")
        return not any(tally.left for tally in self.tallies.values())

    def _summary(self, tally: Tally) -> str:
        if not tally.done and not tally.left:
            return "empty"
        action = "would be redriven" if self.dry else "redriven"
        return f"{tally.done} {action}" + (f", {tally.left} left (see above)" if tally.left else "")

    def _deliver(self, held: Held, tally: Tally) -> None:
        for message in held.messages():
            try:
                event = read(message.body, self.lobby, self.holder_of)
            except Unreadable as unreadable:
                self._leave(held, tally, message, unreadable)
                continue
            tally.done += 1
            self.report(f"  {event.destination}: {_brief(event.payload)} ({event.why})")
            if not self.dry:
                self._send(event)
                held.done(message)

    def _leave(self, held: Held, tally: Tally, message: Message, why: Unreadable) -> None:
        tally.left += 1
        self.report(f"  {held.name}: {message.id} left: {why}; message: {message.body[:_MAX_SHOWN]!r}")

    def _archive(self, held: Held, tally: Tally) -> None:
        """Put each event into the stream of its table."""
        for message in held.messages():
            try:
                record = read_archived(message.body, message.attributes)
            except Unreadable as unreadable:
                self._leave(held, tally, message, unreadable)
                continue
            tally.done += 1
            self.report(f"  {record.table.stream}: {_brief(record.event)} ({record.why})")
            if not self.dry:
                self.put(record.table.stream, record.encode())
                held.done(message)

    def _send(self, event: Event) -> None:
        payload = json.dumps(event.payload)
        if event.function:
            self.functions.invoke(FunctionName=event.function, InvocationType="Event", Payload=payload.encode())
        elif event.queue:
            url = self.sqs.get_queue_url(QueueName=event.queue)["QueueUrl"]
            self.sqs.send_message(QueueUrl=url, MessageBody=payload)

    def _commission(self, held: Held, tally: Tally) -> None:
        """Start the workers of the lanes. The messages contain rows that could not be processed, or stream positions;
        the rows still wait in their lanes."""
        messages: list[Message] = list(held.messages())
        tally.done = len(messages)
        for lane in waiting_lanes(Lanes()) if messages else ():
            self.report(f"  lane {lane}: {'would be started' if self.dry else self._start(lane)}")
        for certid in unsorted_rows() if messages else ():
            self.report(f"  {certid}: {'would be triggered again' if self.dry else start_again(self.ledger, certid)}")
        if not self.dry:
            for message in messages:
                held.done(message)

    def _start(self, lane: Lane) -> str:
        url = self.sqs.get_queue_url(QueueName=TOKENS)["QueueUrl"]
        self.sqs.send_message(QueueUrl=url, **fresh_token_message(lane, f"redrive {self.now.isoformat()}"))
        return "started"

    def _report_again(self, held: Held, tally: Tally) -> None:
        url = self.sqs.get_queue_url(QueueName=permissions.ARRIVALS)["QueueUrl"]
        for message in held.messages():
            tally.done += 1
            self.report(f"  {permissions.ARRIVALS}: {_brief(message.body)}")
            if not self.dry:
                self.sqs.send_message(QueueUrl=url, MessageBody=message.body, MessageAttributes=message.attributes)
                held.done(message)


def _brief(payload: Any) -> str:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
