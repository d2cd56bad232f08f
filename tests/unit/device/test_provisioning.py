"""Provisioning by claim in the state machine: the order of its steps, answers of any kind, waits, and its ends."""

import dataclasses
import itertools
import json
from typing import Any

import pytest

from device.machine.events import (
    Connect,
    Connected,
    Disconnected,
    Event,
    Exit,
    Failure,
    IdentityNotStored,
    IdentityStored,
    KeyReady,
    Outcome,
    PendingStored,
    PrepareKey,
    Publish,
    StopRequested,
    StoreIdentity,
    StorePending,
    Subscribe,
    SubscriptionGranted,
)
from device.machine.plan import Plan
from device.machine.provisioning_messages import FROM_CSR, WITH_KEYS, Pending
from device.machine.state import Phase
from lobby.wire import Route
from tests.unit.device.machine_driver import LOBBY, OTHER_LOBBY, MachineDriver
from tests.unit.device.provisioning_cloud import PLAN, PROVISIONING, REGISTER, SERIAL, certificate_for, rejection

PUBLIC_KEY = b"public key 1;"
CERTIFICATE = certificate_for(PUBLIC_KEY)
PENDING = Pending(CERTIFICATE, "token 1")
CREATED = {"certificatePem": CERTIFICATE, "certificateOwnershipToken": "token 1", "certificateId": "0" * 64}
REGISTERED = {"thingName": SERIAL, "deviceConfiguration": {}}
TOPICS = (f"{FROM_CSR}/accepted", f"{FROM_CSR}/rejected", f"{REGISTER}/accepted", f"{REGISTER}/rejected")


class Driver(MachineDriver):
    """A device whose key is ready, unless `pending` is given, without a pending certificate."""

    def __init__(self, plan: Plan = PLAN, pending: Pending | None = None, route: Route | None = None) -> None:
        super().__init__(plan, route)
        self.feed(KeyReady("the csr", PUBLIC_KEY, pending))

    def subscribe(self, times: int = 4) -> "Driver":
        self.feed(Connected(self.state.connection_id))
        for _ in range(times):
            self.feed(SubscriptionGranted(self.state.connection_id))
        return self

    def answer(self, topic: str, document: object) -> "Driver":
        payload = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.receive(payload, topic)
        return self

    def create(self) -> "Driver":
        return self.subscribe().answer(TOPICS[0], CREATED)

    def register(self) -> "Driver":
        return self.answer(TOPICS[2], REGISTERED)

    @property
    def request(self) -> tuple[str, dict[str, Any]]:
        (published,) = self.actions(Publish)
        return published.topic, json.loads(published.payload)


def test_the_steps_follow_each_other() -> None:
    device = MachineDriver(PLAN)
    assert device.last_actions[-1] == PrepareKey()
    driver = Driver()
    assert driver.actions(Connect)[0].endpoint == LOBBY
    driver.feed(Connected(1))
    for topic in TOPICS:
        assert [each.topic for each in driver.actions(Subscribe)] == [topic]
        driver.feed(SubscriptionGranted(1))
    assert driver.request == (FROM_CSR, {"certificateSigningRequest": "the csr"})
    driver.answer(TOPICS[0], CREATED)
    assert driver.actions(StorePending) == [StorePending(PENDING)]
    driver.feed(PendingStored())
    token = {"certificateOwnershipToken": "token 1", "parameters": {"SerialNumber": SERIAL}}
    assert driver.request == (REGISTER, token)
    driver.register()
    assert driver.actions(StoreIdentity) == [StoreIdentity(SERIAL, PENDING)]
    driver.feed(IdentityStored()).feed(Disconnected(1))
    assert driver.actions(Exit) == [Exit(Outcome.PROVISIONED)]


def test_the_identity_is_stored_only_after_the_registration_was_accepted() -> None:
    driver = Driver()
    driver.create()
    for event in (PendingStored(), Disconnected(1)):
        driver.feed(event)
        assert driver.actions(StoreIdentity) == []
    driver.answer(TOPICS[3], rejection(403, "AccessDenied")[1])
    assert driver.actions(StoreIdentity) == []


def test_aws_iot_creates_the_key_if_asked_to() -> None:
    plan = dataclasses.replace(PLAN, provisioning=dataclasses.replace(PROVISIONING, with_keys=True))
    driver = Driver(plan)
    driver.feed(KeyReady())
    driver.subscribe()
    assert driver.request == (WITH_KEYS, {})
    driver.answer(f"{WITH_KEYS}/accepted", CREATED | {"privateKey": "their key"})
    assert driver.last_actions[-1] == StorePending(dataclasses.replace(PENDING, key="their key"))


def test_a_pending_certificate_of_an_earlier_run_is_registered_without_another_one() -> None:
    driver = Driver(pending=PENDING).subscribe()
    assert driver.request[1]["certificateOwnershipToken"] == "token 1"


def test_a_route_of_an_earlier_identity_is_not_followed() -> None:
    driver = Driver(route=Route("target.example", "blue", 8883, 1))
    for _ in range(20):
        driver.fail().finish_backoff()
        assert driver.state.endpoint == LOBBY


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"x" * 200_000,
        {},
        {"certificatePem": CERTIFICATE},
        CREATED | {"certificatePem": 7},
        CREATED | {"certificatePem": "no PEM"},
        CREATED | {"certificatePem": CERTIFICATE * 2},
        CREATED | {"certificatePem": certificate_for(b"public key 2;")},
        CREATED | {"certificateOwnershipToken": ""},
        CREATED | {"certificateOwnershipToken": ["token"]},
    ],
    ids=lambda document: repr(document)[:50],
)
def test_an_answer_that_is_no_certificate_for_the_key_is_a_denial(document: object) -> None:
    driver = Driver().subscribe().answer(TOPICS[0], document)
    assert driver.state.phase is Phase.BACKING_OFF
    assert driver.actions(StorePending) == []
    assert "provisioning_denied" in driver.logged


@pytest.mark.parametrize(
    "document", [b"", {}, {"thingName": ""}, {"thingName": "a/b"}, {"thingName": None}, {"thingName": "x" * 129}]
)
def test_an_answer_without_a_thing_name_is_a_denial(document: object) -> None:
    driver = Driver(pending=PENDING).subscribe().answer(TOPICS[2], document)
    assert driver.state.phase is Phase.BACKING_OFF
    assert driver.actions(StoreIdentity) == []


@pytest.mark.parametrize("topic", [*TOPICS[:2], f"lobby/{SERIAL}", "", f"{REGISTER}/accepted/more"])
def test_a_message_that_answers_no_open_request_is_ignored(topic: str) -> None:
    driver = Driver(pending=PENDING).subscribe().answer(topic, CREATED | REGISTERED)
    assert driver.logged == ["message_ignored"]
    assert driver.state.phase is Phase.ONLINE


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


def test_the_user_learns_the_possible_causes_of_a_denial_and_no_secret() -> None:
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


def test_nothing_is_sent_before_the_key_is_stored() -> None:
    driver = MachineDriver(PLAN)
    for _ in range(3):
        driver.feed(IdentityNotStored("disk full"))
        assert driver.actions(Connect) == []
        driver.advance_time(driver.plan.timing.store_every)
        assert driver.actions(PrepareKey) == [PrepareKey()]
    driver.feed(KeyReady("the csr", PUBLIC_KEY))
    assert len(driver.actions(Connect)) == 1


def test_a_certificate_is_registered_only_when_it_is_stored_as_pending() -> None:
    driver = Driver()
    driver.create().feed(IdentityNotStored("disk full"))
    assert driver.logged == ["identity_not_stored"]
    driver.feed(IdentityNotStored("disk full"))
    assert driver.logged == []
    driver.fail().finish_backoff()
    driver.subscribe()
    assert (driver.actions(Publish), driver.actions(StorePending)) == ([], [StorePending(PENDING)])
    driver.feed(PendingStored())
    assert driver.request[0] == REGISTER


def test_an_identity_that_cannot_be_stored_is_stored_later_without_another_registration() -> None:
    driver = Driver()
    driver.create().feed(PendingStored())
    driver.register().feed(IdentityNotStored("disk full")).fail()
    for _ in range(3):
        driver.advance_time(driver.plan.timing.store_every)
        assert driver.actions(StoreIdentity)
        assert driver.actions(Publish) == []
        driver.feed(IdentityNotStored("disk full"))
    driver.feed(IdentityStored()).feed(Disconnected(driver.state.connection_id))
    assert driver.state.phase is Phase.STOPPED


STEPS: tuple[Event, ...] = (
    Connected(1),
    *[SubscriptionGranted(1)] * 4,
    PendingStored(),
    IdentityStored(),
)


@pytest.mark.parametrize("steps", range(len(STEPS) + 1))
def test_a_stop_request_at_any_time_ends_the_client_as_stopped(steps: int) -> None:
    driver = Driver()
    for event in itertools.islice(STEPS, steps):
        driver.feed(event)
        if event == STEPS[4] and driver.state.phase is Phase.ONLINE:
            driver.answer(TOPICS[0], CREATED)
    driver.feed(StopRequested())
    driver.feed(Disconnected(driver.state.connection_id))
    assert driver.actions(Exit) == [Exit(Outcome.STOPPED)]
