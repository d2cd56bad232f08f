"""The activity of a target also has the actions by which devices have left it, wherever the history has the target."""

import pytest

from lobby.aws.bus_rules import BusRules
from lobby.aws.event_bus import EventBus
from lobby.aws.webhook_queue import WebhookQueue
from lobby.domain.events.activity import ActivityFilter
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.activity.activity_log import ActivityLog
from lobby.ledger.store import Ledger
from lobby.ledger.webhooks.webhook_register import RecentWebhooks, Webhooks
from lobby.names import Target
from lobby.publisher import Failures, Publisher, Subscribers, handler
from tests import aws
from tests.aws import ENVIRONMENT, Calls
from tests.functional.lobby.fake_bus import FakeBus
from tests.functional.lobby.ledger.bulk_claims import A, B, in_lobby
from tests.functional.lobby.notary_fixture import ONE, inserted, items

ANN = "user:ann"


@pytest.fixture
def publisher(ledger: Ledger) -> Publisher:
    bus, sqs = FakeBus(), lambda: aws.client("sqs")
    event_bus = EventBus(bus, "device-lobby", BusRules(bus, "device-lobby").wanted, lambda _attempt: None)
    subscribers = Subscribers(RecentWebhooks(Webhooks()), WebhookQueue(sqs, ENVIRONMENT["WEBHOOKS_QUEUE"]))
    failures = Failures(sqs, ENVIRONMENT["UNDELIVERED_QUEUE"])
    return Publisher(event_bus, subscribers, ActivityLog(), failures, ledger, "123456789012/eu-west-1")


def settle(ledger: Ledger) -> None:
    """Simulate the commissioner, and let the device arrive."""
    device = ledger.get(ONE)
    assert device is not None
    device = ledger.commission(device, "a.example", "service:tests")
    for left in device.targets_to_clear:
        device = ledger.retire(device, left, "service:tests")
    ledger.arrive(device, "service:tests")


def of(target: Target) -> list[tuple[str, str | None, str | None]]:
    """Return the event, the target and the target that was left of each entry, the newest first."""
    found, _ = ActivityLog().page(ActivityFilter(target=target), 20)
    return [(each.event, each.target, each.left) for each in found]


def test_a_target_shows_the_devices_that_were_moved_or_released_from_it(publisher: Publisher, ledger: Ledger) -> None:
    in_lobby(ledger, ONE)
    ledger.claim(ONE, ClaimRequest(A), ANN)
    settle(ledger)
    ledger.move(ONE, ClaimRequest(B), ANN)
    settle(ledger)  # the entry before the release is about the target that was cleared
    ledger.release(ONE, ANN)
    assert handler({"Records": inserted(items(ONE))}, None, publisher) == {"batchItemFailures": []}
    a, b = str(A), str(B)
    assert of(A) == [("move", b, a), ("claim", a, None)]
    assert of(B) == [("release", None, b), ("move", b, a)]


def test_a_change_within_a_target_leaves_nothing_and_a_claim_needs_no_read(
    publisher: Publisher, ledger: Ledger, calls: Calls
) -> None:
    ledger.claim(ONE, ClaimRequest(A), ANN)
    entries = items(ONE)
    calls.forget()
    handler({"Records": inserted(entries)}, None, publisher)
    assert calls.count()["GetItem"] == 0
    ledger.move(ONE, ClaimRequest(A, "camera"), ANN)
    handler({"Records": inserted(items(ONE)[1:])}, None, publisher)
    assert of(A) == [("move", str(A), None), ("claim", str(A), None)]
