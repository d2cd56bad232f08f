"""Provisioning by claim in the state machine: the order of its steps, answers of any kind, and what is stored when."""

import dataclasses
import itertools

import pytest

from device.machine.events import (
    Connect,
    Connected,
    Disconnected,
    Event,
    Exit,
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
from device.machine.provisioning_messages import FROM_CSR, WITH_KEYS
from device.machine.state import Phase
from lobby.wire import Route
from tests.unit.device.machine_driver import LOBBY, MachineDriver
from tests.unit.device.provisioning_cloud import PLAN, PROVISIONING, REGISTER, SERIAL, certificate_for, rejection
from tests.unit.device.provisioning_driver import CERTIFICATE, CREATED, PENDING, PUBLIC_KEY, REGISTERED, TOPICS, Driver


def test_the_steps_follow_each_other() -> None:
    device = MachineDriver(PLAN)
    assert device.last_actions[-1] == PrepareKey()
    driver = Driver()
    assert driver.actions(Connect)[0].endpoint == LOBBY
    driver.feed(Connected(1))
    assert driver.logged == ["connected"]
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
    driver.answer(f"{WITH_KEYS}/accepted", CREATED | {"privateKey": "their key"})  # pragma: allowlist secret
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
