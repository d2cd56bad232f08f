"""The changes of a device by each event of its registration and claims."""

import json

import pytest

from lobby.domain import hellos, transitions
from lobby.domain.commissioner_transitions import arrive, commission, retire
from lobby.domain.device import Device
from lobby.domain.hellos import Report
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, InvalidInput
from lobby.wire import MAX_CONFIG_BYTES
from tests.unit.lobby.domain.sample_devices import (
    CERTID,
    HERE,
    WHO,
    A,
    B,
    T,
    arrived,
    claimed,
    inlobby,
    knocking,
)


def test_a_new_certificate_is_knocking() -> None:
    device = knocking()
    assert (device.devstate, device.devicename, device.devicecert, device.needs_commissioner) == (
        State.KNOCKING,
        "sensor-1",
        "PEM",
        False,
    )
    assert (device.firstseen, device.lobbyregion) == (T, HERE)


def test_a_claim_before_the_first_connection_needs_the_commissioner_after_the_admission() -> None:
    expected = transitions.claim(None, CERTID, ClaimRequest(A), "user:ann", T)
    assert (expected.devstate, expected.needs_commissioner, expected.devicecert) == (State.EXPECTED, False, None)
    device = transitions.admit(expected, WHO, HERE, T)
    assert (device.devstate, device.needs_commissioner, device.target) == (State.CLAIMED, True, A)


def test_a_claim_of_a_waiting_device_needs_the_commissioner_immediately() -> None:
    device = claimed(ClaimRequest(A, "default", {"a": 1}))
    assert (device.devstate, device.needs_commissioner, device.target, device.generation) == (State.CLAIMED, True, A, 1)
    assert (device.claimedby, device.claimedat, device.config) == ("user:ann", T, {"a": 1})


def test_repeating_a_claim_changes_nothing() -> None:
    device = claimed()
    assert transitions.claim(device, CERTID, ClaimRequest(A), "user:bob", T) is device
    with pytest.raises(Conflict, match="ALREADY_CLAIMED"):
        transitions.claim(device, CERTID, ClaimRequest(B), "user:bob", T)


def test_a_second_admission_changes_nothing() -> None:
    for device in (knocking(), inlobby(), claimed(), arrived()):
        assert transitions.admit(device, WHO, HERE, T) is device


def test_a_refused_device_keeps_its_claim_until_it_is_admitted() -> None:
    expected = transitions.claim(None, CERTID, ClaimRequest(A), "user:ann", T)
    refused = transitions.refuse(expected, CERTID, WHO.name, HERE, "EXPIRED", "too old", T)
    assert (refused.devstate, refused.reason, refused.message, refused.target) == (
        State.REFUSED,
        "EXPIRED",
        "too old",
        A,
    )
    assert transitions.refuse(refused, CERTID, WHO.name, HERE, "EXPIRED", "too old", "later") is refused
    admitted = transitions.admit(refused, WHO, HERE, T)
    assert (admitted.devstate, admitted.needs_commissioner, admitted.reason, admitted.message) == (
        State.CLAIMED,
        True,
        None,
        None,
    )


def test_a_revoked_certificate_is_not_admitted_again() -> None:
    for device in (transitions.revoke(None, CERTID, "stolen", T), transitions.revoke(arrived(), CERTID, "stolen", T)):
        assert (device.devstate, device.reason, device.message, device.needs_commissioner) == (
            State.REVOKED,
            "REVOKED",
            "stolen",
            True,
        )
        assert device.route() is None
        with pytest.raises(Conflict, match="REVOKED"):
            transitions.admit(device, WHO, HERE, T)
        assert transitions.revoke(device, CERTID, "again", T) is device


def test_a_move_adds_the_old_target_to_the_targets_to_clear() -> None:
    device = transitions.move(arrived(), ClaimRequest(B), "user:ann", T)
    assert (device.devstate, device.target, device.targets_to_clear, device.iotep) == (State.CLAIMED, B, (A,), None)
    assert device.route() is None
    back = transitions.move(device, ClaimRequest(A), "user:ann", T)
    assert (back.target, back.targets_to_clear) == (A, (B,))


def test_moving_an_expected_device_leaves_nothing_to_clear() -> None:
    expected = transitions.claim(None, CERTID, ClaimRequest(A), "user:ann", T)
    device = transitions.move(expected, ClaimRequest(B), "user:ann", T)
    assert (device.devstate, device.target, device.targets_to_clear, device.needs_commissioner) == (
        State.EXPECTED,
        B,
        (),
        False,
    )


def test_a_release_removes_everything_that_the_claim_set() -> None:
    device = transitions.release(
        arrive(commission(claimed(ClaimRequest(A, "cam", {"a": 1})), 1, "h", T), T),
        T,
    )
    assert device is not None
    assert (device.devstate, device.target, device.targets_to_clear, device.needs_commissioner) == (
        State.INLOBBY,
        None,
        (A,),
        True,
    )
    assert (device.iotep, device.claimedby, device.claimedat, device.profile, device.config) == (
        None,
        None,
        None,
        "default",
        "default",
    )


def test_releasing_an_expected_device_removes_the_row() -> None:
    assert transitions.release(transitions.claim(None, CERTID, ClaimRequest(A), "user:ann", T), T) is None


def test_repeating_a_release_changes_nothing() -> None:
    released = transitions.release(arrived(), T)
    assert released is not None
    assert transitions.release(released, "later") is released
    cleared = retire(released, released.generation, A)
    assert transitions.release(cleared, "later") is cleared


def test_a_device_that_was_never_claimed_is_not_released() -> None:
    with pytest.raises(Conflict, match="NOT_ALLOWED"):
        transitions.release(inlobby(), T)


def refused(request: ClaimRequest | None) -> Device:
    before = transitions.claim(None, CERTID, request, "user:ann", T) if request else None
    return transitions.refuse(before, CERTID, WHO.name, HERE, "EXPIRED", "too old", T)


def test_a_release_drops_the_claim_of_a_refused_device_and_leaves_it_refused() -> None:
    before = refused(ClaimRequest(A, "cam", {"a": 1}, presence=True))
    device = transitions.release(before, "later")
    assert device is not None
    assert (device.devstate, device.reason, device.message, device.enteredat) == (
        State.REFUSED,
        "EXPIRED",
        "too old",
        T,
    )
    assert (
        device.target,
        device.claimedby,
        device.claimedat,
        device.profile,
        device.config,
        device.presence_proof,
    ) == (
        None,
        None,
        None,
        "default",
        "default",
        None,
    )
    assert (device.targets_to_clear, device.needs_commissioner, device.generation) == ((), False, before.generation + 1)
    assert transitions.release(device, "later still") is device
    assert transitions.admit(device, WHO, HERE, T).devstate is State.KNOCKING


def test_a_refused_device_without_a_claim_is_not_released() -> None:
    with pytest.raises(Conflict, match="NOT_ALLOWED"):
        transitions.release(refused(None), T)


def test_a_hello_of_an_arrived_device_makes_it_commissioned_again_with_its_route() -> None:
    later = "2026-11-22T13:00:00.000Z"
    device = hellos.hello(arrived(), Report("2.0"), later)
    assert (device.devstate, device.enteredat, device.lastseen, device.clientversion) == (
        State.COMMISSIONED,
        later,
        later,
        "2.0",
    )
    assert (device.route(), device.needs_commissioner, device.generation) == (arrived().route(), False, 1)
    assert arrive(device, "last").devstate is State.ARRIVED


def test_a_claim_for_a_target_to_clear_removes_it_from_the_targets_to_clear() -> None:
    released = transitions.release(arrived(), T)
    assert released is not None
    device = transitions.claim(released, CERTID, ClaimRequest(A), "user:ann", T)
    assert (device.target, device.targets_to_clear) == (A, ())


def test_a_retry_starts_the_commissioner_even_if_its_work_is_not_recorded_as_done() -> None:
    released = transitions.release(arrived(), T)
    assert released is not None
    for stuck in (released, claimed(), transitions.revoke(arrived(), CERTID, "stolen", T)):
        again = transitions.retry(stuck, T)
        assert again.needs_commissioner
        assert again.generation > stuck.generation


def test_a_retry_of_a_revoked_device_keeps_the_reason_of_the_revocation() -> None:
    revoked = transitions.revoke(arrived(), CERTID, "stolen", T)
    again = transitions.retry(revoked, T)
    assert (again.reason, again.message) == ("REVOKED", "stolen")


def test_a_retry_without_work_left_is_rejected() -> None:
    with pytest.raises(Conflict, match="NOT_ALLOWED"):
        transitions.retry(inlobby(), T)


def test_a_retry_of_an_arrived_device_commissions_it_again() -> None:
    again = transitions.retry(arrived(), T)
    assert (again.devstate, again.needs_commissioner, again.iotep) == (State.CLAIMED, True, None)


def test_a_retry_of_a_refused_device_keeps_the_reason_until_it_is_admitted() -> None:
    refused = transitions.refuse(None, CERTID, None, HERE, "CRL_STALE", "old", T)
    again = transitions.retry(refused, T)
    assert (again.devstate, again.needs_commissioner, again.reason) == (State.REFUSED, True, "CRL_STALE")


@pytest.mark.parametrize(
    "config",
    [
        "factory reset",
        7,
        None,
        ["a"],
        "x" * MAX_CONFIG_BYTES,
        {"a": "é" * MAX_CONFIG_BYTES},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": {1}},
        json.loads('{"a":' * 40 + "1" + "}" * 40),
    ],
    ids=lambda config: ascii(config)[:20],
)
def test_an_invalid_config_is_rejected(config: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        ClaimRequest(A, "default", config)  # type: ignore[arg-type]
    assert refused.value.code == "INVALID_CONFIG"
