"""Lambda: the publisher, a handler for the history's stream. It publishes an event for each new entry, if a rule of the
bus can match it, sends it to the queue for each webhook that wants it, and writes the actions of users, campaigns,
rules and services to the activity log.

An event is published at least once. If it is not accepted, the stream delivers the record again. After `GIVE_UP`, the
entry's name goes to the on-failure queue, so that one event does not delay the others of its shard for a day. A redrive
sends these names, and the entries are read from the history, so nothing is lost when the stream no longer has them. An
item that is not an entry is not published; the notary raises an alarm for it.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger

from lobby.aws.bus_rules import BusRules
from lobby.aws.clients import LobbyClients, at_init, client
from lobby.aws.event_bus import EventBus
from lobby.aws.webhook_queue import WebhookQueue
from lobby.chunks import chunks
from lobby.contracts.targets import UNPUBLISHED
from lobby.domain.device import Device, Entry
from lobby.domain.events.activity import activity_of, has_place, leaves
from lobby.domain.events.device_events import DeviceEvent, event_id
from lobby.domain.events.webhook import Message, WebhookId, body_of, senders
from lobby.domain.regions.home import Duty
from lobby.errors import InvalidInput
from lobby.home_guard import duties, everywhere, nothing_failed
from lobby.ledger.activity.activity_log import ActivityLog
from lobby.ledger.batch_reader import READ_SIZE, read_rows
from lobby.ledger.clock import now, pause
from lobby.ledger.items import entry_of_item
from lobby.ledger.reader import LedgerReader
from lobby.ledger.regions.routing import Access
from lobby.ledger.webhooks.webhook_register import RecentWebhooks, Webhooks
from lobby.names import Fingerprint, parse_fingerprint, shown
from lobby.settings import PublisherSettings, read_settings

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

GIVE_UP: Final = timedelta(hours=1)
"""The age of a record after which its entry goes to the on-failure queue."""
_LOOKED_BACK: Final = 10
"""Entries that are read to find the target that a device has left."""
_REMEMBERED: Final = 4000
"""Messages to webhooks that a process remembers: two batches of 100 entries for 20 webhooks."""
NO_CAPACITY: Final = "NoCapacity"
"""DynamoDB had no capacity to read the device's row."""
Record = dict[str, Any]
logger = Logger(service="publisher")


class Unpublished(Exception):
    """Entries that a redrive has named could not be published. Lambda invokes the publisher again."""


@dataclass(frozen=True)
class Failures:
    """The on-failure queue."""

    sqs: Callable[[], "SQSClient"]
    url: str

    def hand_over(self, entry: Entry, why: str) -> None:
        """Raise `ClientError`."""
        body = {UNPUBLISHED: {"certid": entry.certid, "seq": entry.seq}, "reason": why}
        self.sqs().send_message(QueueUrl=self.url, MessageBody=json.dumps(body))


@dataclass(frozen=True)
class Subscribers:
    """The webhooks and their queue. `queued` are the last messages that the queue has accepted: while the bus refuses
    an event, the stream delivers its record again and again, and the receivers should not get each repetition."""

    webhooks: RecentWebhooks
    queue: WebhookQueue
    queued: deque[tuple[WebhookId, str]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def send(self, events: Sequence[DeviceEvent]) -> Mapping[str, str]:
        """Send each event to the webhooks that want it. Return the ids of the events that were not accepted, with the
        cause."""
        webhooks, known = self.webhooks.all(), set(self.queued)
        messages = [
            Message(webhook.id, event.id, body_of(event.type, event.entry.at, event.encode()))
            for event in events
            for webhook in senders(webhooks, event.type)
            if (webhook.id, event.id) not in known
        ]
        failed = self.queue.send(messages)
        self.queued.extend((each.webhook, each.event) for each in messages if each.event not in failed)
        return failed


class Publisher:
    """`lobby` is the lobby's key, which each event names."""

    def __init__(
        self,
        bus: EventBus,
        subscribers: Subscribers,
        log: ActivityLog,
        failures: Failures,
        ledger: LedgerReader,
        lobby: str,
        clock: Callable[[], datetime] = now,
        pause: Callable[[int], None] = pause,
    ) -> None:
        self._bus, self._subscribers, self._log, self._failures = bus, subscribers, log, failures
        self._ledger, self._lobby, self._clock, self._pause = ledger, lobby, clock, pause

    def process(self, records: Sequence[Record]) -> dict[str, Any]:
        """Publish the new entries. Return Lambda's partial batch response (Lambda developer guide, "Configuring partial
        batch response")."""
        entries = {number: entry for number, entry in map(_entry, records) if entry is not None}
        causes = self._publish(list(entries.values()))
        ages = {record["dynamodb"]["SequenceNumber"]: self._age(record) for record in records}
        failed = [
            number
            for number, entry in entries.items()
            if (why := causes.get(event_id(entry.certid, entry.seq)))
            and not (ages[number] > GIVE_UP and self._handed_over(entry, why))
        ]
        if failed:
            logger.error("not published; the stream delivers them again", extra={"failed": len(failed)})
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    def process_again(self, named: Sequence[Mapping[str, Any]]) -> None:
        """Publish the entries that a redrive names. Raise `InvalidInput`, or `Unpublished`."""
        causes = self._publish([self._named(each) for each in named])
        if causes:
            raise Unpublished(f"got {causes}, want every event accepted")

    def _publish(self, entries: Sequence[Entry]) -> dict[str, str]:
        """Publish an event for each entry. Return the ids of the events that were not accepted, with the cause."""
        rows = self._rows(entries)
        ready = [DeviceEvent(entry, rows[entry.certid], self._lobby) for entry in entries if entry.certid in rows]
        unread = [entry for entry in entries if entry.certid not in rows]
        causes = {event_id(entry.certid, entry.seq): NO_CAPACITY for entry in unread}
        self._log.record(filter(None, (activity_of(event, self._left(event.entry)) for event in ready)))
        return {**causes, **self._subscribers.send(ready), **self._bus.publish(ready)}

    def _left(self, entry: Entry) -> str | None:
        """Return the device's target before an entry by which it may have left it. The history has it in the entry
        before, or a few entries before while targets are cleared."""
        if not leaves(entry):
            return None
        for seq in range(entry.seq - 1, max(0, entry.seq - 1 - _LOOKED_BACK), -1):
            earlier = self._ledger.entry(entry.certid, seq)
            if earlier is not None and has_place(earlier):
                return earlier.target
        return None

    def _rows(self, entries: Sequence[Entry]) -> dict[Fingerprint, Device | None]:
        """Return the devices' rows, without those for which DynamoDB had no capacity. An eventually consistent read is
        sufficient and costs half, unless the row is older than the entry: then an event would lack the enrolment that
        rules select."""
        last = {entry.certid: entry for entry in sorted(entries, key=lambda each: each.seq)}
        found = self._read(list(last), consistent=False)
        late = [certid for certid, row in found.items() if _is_older(row, last[certid])]
        current = {certid: row for certid, row in found.items() if certid not in late}
        return current | self._read(late, consistent=True)

    def _read(self, certids: Sequence[Fingerprint], *, consistent: bool) -> dict[Fingerprint, Device | None]:
        found: dict[Fingerprint, Device | None] = {}
        for page in chunks(certids, READ_SIZE):
            found |= read_rows(page, self._pause, lambda: False, consistent=consistent)
        return found

    def _named(self, name: Mapping[str, Any]) -> Entry:
        certid, seq = parse_fingerprint(name.get("certid")), name.get("seq")
        entry = self._ledger.entry(certid, seq) if isinstance(seq, int) else None
        if entry is None:
            raise InvalidInput("UNKNOWN_ENTRY", f"got entry {shown(seq)} of {certid}, want one of its history")
        return entry

    def _handed_over(self, entry: Entry, why: str) -> bool:
        try:
            self._failures.hand_over(entry, why)
        except Exception:  # the stream delivers the record again
            logger.exception("not sent to the on-failure queue", extra={"certid": entry.certid, "seq": entry.seq})
            return False
        return True

    def _age(self, record: Record) -> timedelta:
        created = datetime.fromtimestamp(record["dynamodb"]["ApproximateCreationDateTime"], UTC)
        return self._clock() - created


def _is_older(row: Device | None, entry: Entry) -> bool:
    """Return whether a row does not have the change of an entry yet."""
    return entry.after is not None if row is None else row.version < entry.seq


def _entry(record: Record) -> tuple[str, Entry | None]:
    """Return the number and the entry of a record; None if the record is not of a new entry."""
    change = record["dynamodb"]
    number, image = change["SequenceNumber"], change.get("NewImage", {})
    try:
        entry = entry_of_item(image) if record["eventName"] == "INSERT" else None
    except (ValueError, TypeError, KeyError):
        entry = None
    return number, entry if isinstance(entry, Entry) else None


@at_init
def _publisher() -> Publisher:
    settings, clients = read_settings(PublisherSettings, os.environ), LobbyClients()
    events = client("events")
    bus = EventBus(events, settings.event_bus, BusRules(events, settings.event_bus).wanted, pause)
    failures = Failures(lambda: clients.sqs, settings.undelivered_queue)
    queue = WebhookQueue(lambda: clients.sqs, settings.webhooks_queue)
    subscribers = Subscribers(RecentWebhooks(Webhooks()), queue)
    return Publisher(bus, subscribers, ActivityLog(), failures, LedgerReader(), settings.lobby)


def _publish_new(records: Sequence[Record], publisher: Callable[[], Publisher]) -> dict[str, Any]:
    """Publish the new entries. A Region that is not home keeps them until the home has had time to publish them, and
    publishes entries that an earlier home left unpublished."""
    duty_at = duties(Access.DOOR)
    if duty_at is None:
        return publisher().process(records)
    by_duty: dict[Duty, list[Record]] = {each: [] for each in Duty}
    for record in records:
        by_duty[duty_at(_written_at(record))].append(record)
    kept = [{"itemIdentifier": each["dynamodb"]["SequenceNumber"]} for each in by_duty[Duty.KEEP]]
    published = publisher().process(by_duty[Duty.PROCESS]) if by_duty[Duty.PROCESS] else nothing_failed()
    return {"batchItemFailures": [*published["batchItemFailures"], *kept]}


def _written_at(record: Record) -> int:
    """Return when the entry of a record was written, in ms since 1970; a replica gets it later. 0: the record is not of
    an entry."""
    entry = _entry(record)[1]
    try:
        return int(1000 * datetime.fromisoformat(entry.at).timestamp()) if entry else 0
    except ValueError:  # the notary raises an alarm for it
        return 0


@everywhere(Access.DOOR)
def handler(event: Record, _context: object, publisher: Publisher | None = None) -> dict[str, Any]:
    if "entries" in event:
        (publisher or _publisher()).process_again(event["entries"])
        return {}
    return _publish_new(event["Records"], lambda: publisher or _publisher())
