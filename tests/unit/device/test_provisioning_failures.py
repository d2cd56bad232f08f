"""Provisioning by claim that is denied or fails: waits, retries, and when it ends."""

import dataclasses

import pytest

from device.machine.events import (
    Connected,
    Disconnected,
    Exit,
    Failure,
    Outcome,
    PendingStored,
    StorePending,
)
from device.machine.provisioning_messages import FROM_CSR
from device.machine.state import Phase
from tests.unit.device.machine_driver import LOBBY, OTHER_LOBBY
from tests.unit.device.provisioning_cloud import PLAN, rejection
from tests.unit.device.provisioning_driver import PENDING, TOPICS, Driver


@pytest.mark.parametrize("status", [403, 429, 500, 400, 0])
def test_denials_are_repeated_with_waits_of_up_to_a_quarter_of_an_hour(status: int) -> None:
    driver, waits = Driver(pending=PENDING), list[float]()
    for _ in range(8):
        topic = f"{driver.subscribe().request[0]}/rejected"
        driver.answer(topic, rejection(status, "AccessDenied")[1])
        assert "provisioning_denied" in driver.logged
        waits.append(driver.next_wait)
        driver.feed(PendingStored()).finish_backoff()
    assert waits == [60, 120, 240, 480, 900, 900, 900, 900]


def test_a_denied_certificate_is_registered_again_until_its_token_expires() -> None:
    driver = Driver()
    driver.create().feed(PendingStored())
    tokens = []
    for _ in range(8):
        driver.answer(TOPICS[3], rejection(403, "AccessDenied")[1]).finish_backoff()
        driver.subscribe()
        tokens.append("certificateOwnershipToken" in driver.request[1])
        if not tokens[-1]:
            break
    assert tokens == [True] * 6 + [False]  # 60 + 120 + 240 + 480 + 3 × 900 s have passed
    assert driver.state.progress.pending is None


def test_an_expired_token_is_replaced_soon() -> None:
    driver = Driver(pending=PENDING).subscribe()
    driver.answer(TOPICS[3], rejection(400, "InvalidCertificateOwnershipToken")[1])
    assert driver.actions(StorePending) == [StorePending(None)]
    assert driver.next_wait == driver.plan.timing.retry_base
    driver.feed(PendingStored()).finish_backoff()
    driver.subscribe()
    assert driver.request[0] == FROM_CSR


def test_the_user_sees_the_possible_causes_of_a_denial_and_no_secret() -> None:
    driver = Driver()
    driver.create().feed(PendingStored()).feed(Connected(1))
    driver.answer(TOPICS[3], rejection(403, "AccessDenied\nforged line")[1])
    (line,) = (each for each in map(str, driver.last_actions) if "provisioning_denied" in each)
    assert "paused" in line
    assert "\n" not in line
    assert "token 1" not in str(driver.state)


@pytest.mark.parametrize(("status", "code"), [(400, "InvalidTemplate"), (404, "ResourceNotFoundException")])
def test_an_unknown_template_ends_the_client(status: int, code: str) -> None:
    driver = Driver(pending=PENDING).subscribe()
    driver.answer(TOPICS[3], rejection(status, code)[1]).feed(Disconnected(1))
    (ending,) = driver.actions(Exit)
    assert ending.outcome is Outcome.IMPOSSIBLE
    assert "device-lobby" in ending.detail


def test_six_refused_subscriptions_in_a_row_end_the_client() -> None:
    driver = Driver()
    for attempt in range(6):
        assert driver.actions(Exit) == [], attempt
        driver.finish_backoff()
        driver.subscribe(times=2).fail(Failure.REFUSED)
    (ending,) = driver.actions(Exit)
    assert ending.outcome is Outcome.IMPOSSIBLE
    assert TOPICS[2] in ending.detail


def test_refused_subscriptions_between_others_do_not_end_the_client() -> None:
    driver = Driver()
    for _ in range(10):
        driver.subscribe(times=2).fail(Failure.REFUSED).finish_backoff()
        driver.subscribe().fail(Failure.REFUSED).finish_backoff()
    assert driver.state.phase is Phase.CONNECTING


def test_a_refused_connection_is_retried_without_end_at_each_lobby() -> None:
    driver, endpoints = Driver(dataclasses.replace(PLAN, lobbies=(LOBBY, OTHER_LOBBY))), set()
    for _ in range(30):
        endpoints.add(driver.state.endpoint)
        driver.fail(Failure.REFUSED)
        assert "claim_certificate_refused" in driver.logged or driver.state.suppressed_lines
        while driver.state.phase is Phase.BACKING_OFF:
            driver.finish_backoff()
    assert driver.state.phase is Phase.CONNECTING
    assert endpoints == {LOBBY, OTHER_LOBBY}


@pytest.mark.parametrize("subscriptions", [None, 0, 2, 4])
def test_a_missing_answer_is_a_failure_and_retried(subscriptions: int | None) -> None:
    driver = Driver()
    if subscriptions is not None:
        driver.subscribe(times=subscriptions)
    driver.advance_time(driver.plan.timing.answer_within)
    assert driver.state.phase is Phase.BACKING_OFF
    driver.finish_backoff()
    assert driver.subscribe().request[0] == FROM_CSR
