"""The delay until changed certificates and policies have an effect on devices."""

import json
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import pytest

from infra.local.emulator import Emulator
from infra.local.ministack.propagation import (
    Effect,
    Propagation,
    created_certificate,
    evaluated_with,
    named_certificate,
)
from infra.local.strictness import RELAXED, Strictness
from tests.infra.local.emulated_cloud import Device, Identity, aws, register, until

KEY = ("100000000001", "us-east-1", "c")
PENDING, ACTIVE, ALLOWED = Effect("PENDING_ACTIVATION"), Effect("ACTIVE"), Effect("ACTIVE", ("p",))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def propagation(clock: Clock) -> Propagation:
    return Propagation(lambda: 5.0, clock)


def _change(propagation: Propagation, before: Effect, after: Effect) -> None:
    registry = [before]
    with propagation.changing(KEY, lambda: registry[0]):
        registry[0] = after
        assert propagation.effect(KEY, after) == before  # also a change without an immediate effect


def test_each_change_takes_effect_after_the_delay(propagation: Propagation, clock: Clock) -> None:
    _change(propagation, PENDING, ACTIVE)
    clock.now += 3
    with propagation.changing(KEY, lambda: ACTIVE):
        pass
    with propagation.changing(KEY, iter((ACTIVE, ALLOWED)).__next__):
        pass
    assert propagation.effect(KEY, ALLOWED) == PENDING
    clock.now += 2.5
    assert propagation.effect(KEY, ALLOWED) == ACTIVE
    clock.now += 3
    assert propagation.effect(KEY, ALLOWED) == ALLOWED


def test_other_certificates_are_not_delayed(propagation: Propagation) -> None:
    _change(propagation, PENDING, ACTIVE)
    assert propagation.effect((*KEY[:2], "other"), ACTIVE) == ACTIVE
    assert propagation.effect((KEY[0], "eu-west-1", KEY[2]), ACTIVE) == ACTIVE


def test_unchanged_and_undelayed_values_are_not_recorded(propagation: Propagation, clock: Clock) -> None:
    with propagation.changing(KEY, lambda: PENDING):
        pass
    assert propagation.effect(KEY, ACTIVE) == ACTIVE
    immediate = Propagation(lambda: 0.0, clock)
    with immediate.changing(KEY, iter((PENDING, ACTIVE)).__next__):
        pass
    assert immediate.effect(KEY, ACTIVE) == ACTIVE


def test_a_registered_certificate_is_unknown_until_the_delay_has_passed(propagation: Propagation, clock: Clock) -> None:
    propagation.created(KEY)
    assert propagation.effect(KEY, ACTIVE) == Effect()
    clock.now += 5
    assert propagation.effect(KEY, ACTIVE) == ACTIVE


@pytest.mark.parametrize(
    ("path", "body", "certid"),
    [
        ("/certificates/abc", b"", "abc"),
        ("/target-policies/p", b'{"target": "arn:aws:iot:us-east-1:1:cert/abc"}', "abc"),
        ("/target-policies/p", b"{}", None),
        ("/target-policies/p", b"no json", None),
        ("/certificates/", b"", None),
        ("/things/abc", b"", None),
    ],
)
def test_the_certificate_that_a_request_changes_is_found(path: str, body: bytes, certid: str | None) -> None:
    assert named_certificate(path, body) == certid


def test_a_registered_certificate_is_found_in_the_response() -> None:
    assert created_certificate((200, {}, b'{"certificateId": "abc"}')) == "abc"
    assert created_certificate((409, {}, b'{"certificateId": "abc"}')) is None


_certificates: dict[str, Any] = {"c": {"attachedPolicies": ["new"]}}


def _policies(_account: str, _region: str, certificate_id: str) -> bool:
    return "old" in _certificates[certificate_id]["attachedPolicies"]


def test_a_decision_by_earlier_policies_does_not_change_the_registry() -> None:
    assert isinstance(_policies, FunctionType)
    assert evaluated_with(_policies, {"attachedPolicies": ["old"]}, KEY)
    assert not _policies(*KEY)


@pytest.fixture
def delayed(emulator: Emulator) -> Iterator[Emulator]:
    emulator.enforce(Strictness(policy_delay_seconds=1.0))
    yield emulator
    emulator.enforce(RELAXED)


def test_a_new_certificate_can_connect_later_and_a_deactivated_one_loses_its_session_later(delayed: Emulator) -> None:
    iot, identity, host = aws(delayed, 0, "iot"), Identity("delayed-1"), "127.0.0.1"
    register(iot, identity)
    with pytest.raises(Exception, match="AWS_ERROR_MQTT"):
        Device(delayed, identity, host).connect()

    def connected() -> Device | None:
        try:
            return Device(delayed, identity, host).connect()
        except Exception:  # noqa: BLE001  # awscrt raises its own error while the connection is refused
            return None

    device = until(connected)
    device.listen("a")
    iot.update_certificate(certificateId=identity.id, newStatus="INACTIVE")
    device.publish("a", json.dumps("still connected"))
    assert device.lost.wait(15)
