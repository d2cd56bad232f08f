"""Presence events that are duplicated, out of order and stamped with wrong times."""

import random

from infra.local.ministack.presence_events import LARGEST_ERROR, LONGEST_DELAY, deliveries

SEED = 7
EVENT = {"clientId": "a", "timestamp": 1_000_000_000, "versionNumber": 3}


def _chance() -> random.Random:
    return random.Random(SEED)  # noqa: S311 - not for cryptography


def test_events_are_delayed_duplicated_and_stamped_wrongly_within_the_limits() -> None:
    chance = _chance()
    sent = [deliveries(EVENT, chance) for _ in range(400)]
    errors = [messages[0][1]["timestamp"] - EVENT["timestamp"] for messages in sent]
    assert max(map(abs, errors)) <= LARGEST_ERROR
    assert min(errors) < -60_000 < 60_000 < max(errors)
    assert all(0 <= delay <= LONGEST_DELAY for messages in sent for delay, _event in messages)
    assert {len(messages) for messages in sent} == {1, 2}


def test_both_copies_of_an_event_are_equal_and_its_order_is_kept_in_the_version() -> None:
    chance = _chance()
    twice = next(messages for messages in iter(lambda: deliveries(EVENT, chance), None) if len(messages) == 2)
    assert twice[0][1] == twice[1][1]
    assert twice[0][1]["versionNumber"] == EVENT["versionNumber"]


def test_the_same_seed_gives_the_same_disorder() -> None:
    assert deliveries(EVENT, _chance()) == deliveries(EVENT, _chance())
