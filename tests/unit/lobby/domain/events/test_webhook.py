"""Which events a webhook gets, when a failed request is repeated, and when a webhook is disabled."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lobby.domain.events.device_events import TEST, TYPES
from lobby.domain.events.webhook import (
    FAILING,
    LONGEST_WAIT,
    WAITS,
    Webhook,
    WebhookId,
    WebhookState,
    new_webhook_id,
    parse_events,
    parse_webhook_id,
    wait_after,
)
from lobby.errors import InvalidInput
from lobby.ledger.clock import timestamp
from tests.certificates import NOW

AT = timestamp(NOW)
WEBHOOK = Webhook(WebhookId("wh_" + "0" * 16), "https://example.com/", ("device.claim",), "user:ann", AT)


def test_a_webhook_gets_its_events_and_tests() -> None:
    assert [type_ for type_ in (*TYPES, TEST) if WEBHOOK.wants(type_)] == ["device.claim", TEST]
    assert all(replace(WEBHOOK, events=()).wants(type_) for type_ in (*TYPES, TEST))


def test_a_disabled_webhook_gets_nothing() -> None:
    disabled = replace(WEBHOOK, events=(), state=WebhookState.DISABLED)
    assert not any(disabled.wants(type_) for type_ in (*TYPES, TEST))


def test_events_are_named_by_type_or_by_what_happened() -> None:
    assert parse_events(["claim", "device.arrive", "claim"]) == ("device.claim", "device.arrive")
    assert parse_events([]) == ()


@pytest.mark.parametrize("text", ["", "*", "Claim", "device.", "test", "device.claimed"])
def test_other_events_are_rejected(text: str) -> None:
    with pytest.raises(InvalidInput, match="want one of: admit, refuse"):
        parse_events([text])


def test_ids_are_new_and_readable() -> None:
    assert len({new_webhook_id() for _ in range(10)}) == 10
    assert parse_webhook_id(new_webhook_id())


@pytest.mark.parametrize("text", ["", "wh_", "wh_" + "g" * 16, "wh_" + "0" * 17, None, 7])
def test_other_ids_are_rejected(text: object) -> None:
    with pytest.raises(InvalidInput) as failure:
        parse_webhook_id(text)
    assert failure.value.code == "INVALID_WEBHOOK"


def test_waits_grow_and_end() -> None:
    waits = [wait_after(attempt, 0.0) for attempt in range(1, len(WAITS) + 1)]
    assert waits == sorted(WAITS)
    assert wait_after(len(WAITS) + 1, 0.0) is None
    assert sum(WAITS) > timedelta(days=1).total_seconds()


def test_waits_are_spread_and_never_longer_than_sqs_allows() -> None:
    assert wait_after(2, 0.0) == 300
    assert wait_after(2, 1.0) == 330
    assert all((wait_after(attempt, 1.0, 999_999) or 0) <= LONGEST_WAIT for attempt in range(1, 9))


def test_a_wait_ends_within_the_time_for_which_sqs_hides_a_message_although_the_run_has_used_some_of_it() -> None:
    longest_run = timedelta(minutes=2)  # twice the courier's timeout
    assert timedelta(seconds=LONGEST_WAIT) + longest_run < timedelta(hours=12)
    assert max(WAITS) < LONGEST_WAIT


def test_a_receiver_can_ask_for_a_longer_wait_but_not_for_a_shorter_one() -> None:
    assert wait_after(1, 0.0, retry_after=60) == 60
    assert wait_after(2, 0.0, retry_after=60) == 300


def test_a_webhook_is_disabled_after_days_without_an_accepted_request() -> None:
    failing = replace(WEBHOOK, failing_since=AT)
    last, later = len(WAITS) + 1, timestamp(NOW + FAILING + timedelta(milliseconds=1))
    assert not failing.gives_up(timestamp(NOW + FAILING), last)
    assert failing.gives_up(later, last)
    assert not failing.gives_up(later, last - 1)
    assert not WEBHOOK.gives_up(timestamp(NOW + 2 * FAILING), last)


def test_after_a_rotation_two_secrets_sign_for_a_day() -> None:
    rotated = replace(WEBHOOK, secret=3, previous_until=AT)
    assert rotated.secret_numbers(timestamp(NOW - timedelta(milliseconds=1))) == (3, 2)
    assert rotated.secret_numbers(AT) == (3,)
    assert WEBHOOK.secret_numbers(AT) == (1,)
