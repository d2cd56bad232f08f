"""The publisher: every entry becomes an event, in order, and none is lost while EventBridge refuses or fails."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.redrive.envelopes import read
from lobby.aws.bus_rules import BusRules
from lobby.aws.event_bus import EventBus
from lobby.aws.webhook_queue import WebhookQueue, decode
from lobby.domain.events.activity import ActivityFilter
from lobby.domain.events.webhook import Webhook, WebhookState
from lobby.domain.identity import Identity
from lobby.domain.transitions import ClaimRequest
from lobby.errors import InvalidInput
from lobby.ledger.activity.activity_log import ActivityLog
from lobby.ledger.store import Ledger
from lobby.ledger.webhooks.webhook_register import RecentWebhooks, Webhooks
from lobby.names import Fingerprint, ThingName
from lobby.publisher import GIVE_UP, NO_CAPACITY, Failures, Publisher, Subscribers, Unpublished, handler
from tests import aws
from tests.aws import ENVIRONMENT, HOME, Calls, Clock
from tests.functional.lobby.fake_bus import FakeBus
from tests.functional.lobby.notary_fixture import ONE, OTHER, TARGET, Item, claim_and_revoke, inserted, items, record

UNDELIVERED = ENVIRONMENT["UNDELIVERED_QUEUE"]
WEBHOOKS = ENVIRONMENT["WEBHOOKS_QUEUE"]
LOBBY = "123456789012/eu-west-1"


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def clock_of_records(clock: Clock) -> Clock:
    """The records of `notary_fixture` are of this time."""
    clock.time = clock.time.fromtimestamp(1_790_000_000, clock.time.tzinfo)
    return clock


@pytest.fixture
def publisher(ledger: Ledger, bus: FakeBus, clock_of_records: Clock) -> Publisher:
    aws.client("sqs").create_queue(QueueName="device-lobby-undelivered")
    failures = Failures(lambda: aws.client("sqs"), UNDELIVERED)
    rules = BusRules(bus, "device-lobby")
    event_bus = EventBus(bus, "device-lobby", rules.wanted, lambda _attempt: None)
    aws.client("sqs").create_queue(QueueName="device-lobby-webhooks")
    recent = RecentWebhooks(Webhooks(clock_of_records), clock_of_records)
    subscribers = Subscribers(recent, WebhookQueue(lambda: aws.client("sqs"), WEBHOOKS))
    return Publisher(
        event_bus, subscribers, ActivityLog(), failures, ledger, LOBBY, clock_of_records, lambda _attempt: None
    )


def publish(publisher: Publisher, *records: Item) -> list[str]:
    """Return the numbers of the records to retry."""
    return [each["itemIdentifier"] for each in handler({"Records": records}, None, publisher)["batchItemFailures"]]


def handed_over() -> list[dict[str, Any]]:
    sqs = aws.client("sqs")
    received = sqs.receive_message(QueueUrl=UNDELIVERED, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [json.loads(each["Body"]) for each in received.get("Messages", [])]


def test_each_entry_becomes_an_event_in_order(publisher: Publisher, bus: FakeBus, ledger: Ledger) -> None:
    first, second = claim_and_revoke(ledger)
    assert publish(publisher, *inserted([first, second])) == []
    assert bus.ids == [f"{ONE}-1", f"{ONE}-2"]
    [claim, revoke] = bus.accepted
    assert {name: claim[name] for name in ("EventBusName", "Source", "DetailType")} == {
        "EventBusName": "device-lobby",
        "Source": "device-lobby",
        "DetailType": "device.claim",
    }
    detail = json.loads(revoke["Detail"])
    assert (detail["before"], detail["after"], detail["reason"], detail["seq"]) == ("expected", "revoked", "lost", 2)
    assert detail["hash"] == second["hash"]["S"]
    assert claim["Time"].isoformat(timespec="milliseconds").replace("+00:00", "Z") == first["at"]["S"]


def test_the_rows_of_a_batch_are_read_with_one_call(publisher: Publisher, ledger: Ledger, calls: Calls) -> None:
    entries = [*claim_and_revoke(ledger), *claim_and_revoke(ledger, OTHER)]
    calls.forget()
    assert publish(publisher, *inserted(entries)) == []
    assert calls.names() == ["BatchGetItem", "BatchWriteItem", "Query"]


def test_a_removed_device_has_no_name(publisher: Publisher, bus: FakeBus, ledger: Ledger) -> None:
    ledger.claim(ONE, ClaimRequest(TARGET), "user:ann")
    ledger.release(ONE, "user:ann")
    assert publish(publisher, *inserted(items(ONE))) == []
    details = [json.loads(entry["Detail"]) for entry in bus.accepted]
    assert [(each["after"], each["device"]["name"]) for each in details] == [("expected", None), (None, None)]


def test_twenty_five_entries_take_three_calls(publisher: Publisher, bus: FakeBus, ledger: Ledger) -> None:
    entries = [item for number in range(13) for item in claim_and_revoke(ledger, Fingerprint(f"{number:064x}"))][:25]
    assert publish(publisher, *inserted(entries)) == []
    assert bus.calls == [10, 10, 5]


def test_a_refused_event_is_sent_again_without_the_accepted_ones(
    publisher: Publisher, bus: FakeBus, ledger: Ledger
) -> None:
    bus.refuses = lambda event, call: event["seq"] == 1 and call < 3
    assert publish(publisher, *inserted(claim_and_revoke(ledger))) == []
    assert bus.ids == [f"{ONE}-2", f"{ONE}-1"]
    assert bus.calls == [2, 1, 1]


def test_the_stream_delivers_an_event_again_that_stays_refused(
    publisher: Publisher, bus: FakeBus, ledger: Ledger
) -> None:
    bus.refuses = lambda event, _call: event["seq"] == 2
    records = inserted(claim_and_revoke(ledger))
    assert publish(publisher, *records) == ["2"]
    bus.refuses = lambda _event, _call: False
    assert publish(publisher, records[1]) == []
    assert bus.ids == [f"{ONE}-1", f"{ONE}-2"]
    assert handed_over() == []


def test_an_outage_fails_every_record(publisher: Publisher, bus: FakeBus, ledger: Ledger) -> None:
    bus.fails = ClientError({"Error": {"Code": "ServiceUnavailable"}}, "PutEvents")
    assert publish(publisher, *inserted(claim_and_revoke(ledger))) == ["1", "2"]


def test_an_event_is_not_published_without_its_row(publisher: Publisher, ledger: Ledger, calls: Calls) -> None:
    """A row that DynamoDB did not return does not count as removed."""
    records = inserted(claim_and_revoke(ledger))
    calls.instead["BatchGetItem"] = lambda params, _call: {"Responses": {}, "UnprocessedKeys": params["RequestItems"]}
    assert publish(publisher, *records) == ["1", "2"]


@pytest.mark.parametrize("is_known", [False, True], ids=["no row", "an older row"])
def test_a_row_that_is_older_than_its_entry_is_read_again(
    publisher: Publisher, bus: FakeBus, ledger: Ledger, calls: Calls, is_known: bool
) -> None:
    """DynamoDB may return an older row to an eventually consistent read."""
    ledger.claim(ONE, ClaimRequest(TARGET), "user:ann")
    older = aws.items("device-lobby-ledger") if is_known else []
    ledger.admit(Identity(ONE, ThingName("sensor-1"), "PEM"), "service:bouncer")

    def answer(params: Item, call: Callable[[], Item]) -> Item:
        [(table, wanted)] = params["RequestItems"].items()
        return call() if wanted.get("ConsistentRead") else {"Responses": {table: older}, "UnprocessedKeys": {}}

    calls.instead["BatchGetItem"] = answer
    assert publish(publisher, *inserted(items(ONE))) == []
    assert [json.loads(each["Detail"])["device"]["name"] for each in bus.accepted] == ["sensor-1"] * 2


@pytest.mark.parametrize("is_known", [False, True], ids=["no row", "an older row"])
def test_an_event_is_not_published_with_a_row_that_is_older_than_its_entry(
    publisher: Publisher, bus: FakeBus, ledger: Ledger, calls: Calls, is_known: bool
) -> None:
    """DynamoDB has no capacity for the consistent read."""
    ledger.claim(ONE, ClaimRequest(TARGET), "user:ann")
    older = aws.items("device-lobby-ledger") if is_known else []
    ledger.admit(Identity(ONE, ThingName("sensor-1"), "PEM"), "service:bouncer")

    def answer(params: Item, _call: Callable[[], Item]) -> Item:
        [(table, wanted)] = params["RequestItems"].items()
        is_consistent = wanted.get("ConsistentRead")
        return {
            "Responses": {} if is_consistent else {table: older},
            "UnprocessedKeys": params["RequestItems"] if is_consistent else {},
        }

    calls.instead["BatchGetItem"] = answer
    assert publish(publisher, *inserted(items(ONE))) == ["1", "2"]
    assert bus.accepted == []


def test_an_entry_that_fails_for_an_hour_is_named_in_the_queue_and_can_be_redriven(
    publisher: Publisher, bus: FakeBus, ledger: Ledger, clock_of_records: Clock
) -> None:
    bus.refuses = lambda event, _call: event["seq"] == 1
    records = inserted(claim_and_revoke(ledger))
    clock_of_records.advance(seconds=GIVE_UP.total_seconds())
    assert publish(publisher, *records) == ["1"]
    clock_of_records.advance(seconds=1)
    assert publish(publisher, *records) == []
    [message] = handed_over()
    assert message == {"unpublished": {"certid": ONE, "seq": 1}, "reason": "InternalFailure"}
    event = read(json.dumps(message), HOME, lambda _name: None)
    with pytest.raises(Unpublished):
        handler(event.payload, None, publisher)
    bus.refuses = lambda _event, _call: False
    assert handler(event.payload, None, publisher) == {}
    assert bus.ids[-1] == f"{ONE}-1"


def test_an_entry_that_cannot_be_handed_over_stays_in_the_stream(
    publisher: Publisher, bus: FakeBus, ledger: Ledger, clock_of_records: Clock, calls: Calls
) -> None:
    bus.refuses = lambda _event, _call: True
    clock_of_records.time += GIVE_UP + timedelta(seconds=1)
    calls.fails["SendMessage"] = ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessage")
    assert publish(publisher, *inserted(claim_and_revoke(ledger))) == ["1", "2"]


@pytest.mark.parametrize("named", [{"certid": ONE, "seq": 9}, {"certid": OTHER, "seq": 1}, {"certid": ONE}, {}])
def test_a_redrive_of_another_event_is_refused(publisher: Publisher, ledger: Ledger, named: dict[str, Any]) -> None:
    claim_and_revoke(ledger)
    with pytest.raises(InvalidInput):
        handler({"entries": [named]}, None, publisher)


def test_only_entries_are_published(publisher: Publisher, bus: FakeBus, ledger: Ledger) -> None:
    """The notary raises the alarm."""
    first, second = claim_and_revoke(ledger)
    forged = {**first, "event": {"S": "party"}}
    keys_only = {name: first[name] for name in ("certid", "seq")}
    changed, removed = record(second, first), record(None, first)
    assert publish(publisher, record(forged), record(keys_only), changed, removed) == []
    assert bus.calls == []


def test_no_capacity_is_a_cause(publisher: Publisher, ledger: Ledger, calls: Calls, clock_of_records: Clock) -> None:
    records = inserted(claim_and_revoke(ledger)[:1])
    clock_of_records.time += GIVE_UP + timedelta(seconds=1)
    calls.instead["BatchGetItem"] = lambda params, _call: {"Responses": {}, "UnprocessedKeys": params["RequestItems"]}
    assert publish(publisher, *records) == []
    assert [each["reason"] for each in handed_over()] == [NO_CAPACITY]


def webhook(webhooks: Webhooks, *events: str) -> Webhook:
    added = webhooks.new("https://example.com/hook", events, "user:ann")
    webhooks.add(added)
    return added


def queued() -> set[tuple[str, str]]:
    """Return webhook and event of each message in the webhooks' queue."""
    sqs = aws.client("sqs")
    received = sqs.receive_message(QueueUrl=WEBHOOKS, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    return {(message.webhook, message.event) for message in (decode(each["Body"]) for each in received)}


def test_each_webhook_gets_the_events_that_it_names(publisher: Publisher, ledger: Ledger, clock: Clock) -> None:
    webhooks = Webhooks(clock)
    every, revoked, disabled = webhook(webhooks), webhook(webhooks, "device.revoke"), webhook(webhooks)
    webhooks.set_state(disabled, WebhookState.DISABLED, "not needed")
    assert publish(publisher, *inserted(claim_and_revoke(ledger))) == []
    assert queued() == {(every.id, f"{ONE}-1"), (every.id, f"{ONE}-2"), (revoked.id, f"{ONE}-2")}


def test_an_event_that_cannot_be_queued_is_delivered_again(
    publisher: Publisher, bus: FakeBus, ledger: Ledger, clock: Clock, calls: Calls
) -> None:
    webhook(Webhooks(clock), "device.revoke")
    calls.instead["SendMessageBatch"] = lambda _params, _call: {
        "Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]
    }
    assert publish(publisher, *inserted(claim_and_revoke(ledger))) == ["2"]
    assert bus.ids == [f"{ONE}-1", f"{ONE}-2"]


def test_an_event_that_the_bus_refuses_is_queued_for_webhooks_once(
    publisher: Publisher, bus: FakeBus, ledger: Ledger, clock: Clock, calls: Calls
) -> None:
    webhook(Webhooks(clock))
    records = inserted(claim_and_revoke(ledger))
    bus.fails = ClientError({"Error": {"Code": "ServiceUnavailable"}}, "PutEvents")
    assert publish(publisher, *records) == publish(publisher, *records) == ["1", "2"]
    bus.fails = None
    assert publish(publisher, *records) == []
    assert [len(call.params["Entries"]) for call in calls.of("SendMessageBatch")] == [2]


def test_webhooks_are_read_every_half_minute(
    publisher: Publisher, ledger: Ledger, calls: Calls, clock_of_records: Clock
) -> None:
    records = inserted(claim_and_revoke(ledger))
    calls.forget()
    for _ in range(3):
        assert publish(publisher, *records) == []
        clock_of_records.advance(seconds=15)
    assert calls.count()["Query"] == 2


def test_a_user_action_is_in_the_activity_log_once(publisher: Publisher, ledger: Ledger) -> None:
    records = inserted(claim_and_revoke(ledger))
    assert publish(publisher, *records) == publish(publisher, *records) == []
    page, more = ActivityLog().page(ActivityFilter(actor="user:ann"), 10)
    assert ([(each.event, each.seq) for each in page], more) == ([("revoke", 2), ("claim", 1)], None)
