"""What each event makes of a device: the table of cases, and what holds after any sequence of events."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lobby.domain import transitions
from lobby.domain.commissioner_transitions import arrive, commission, fail, retire
from lobby.domain.device import Device
from lobby.domain.identity import Identity
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, InvalidInput
from lobby.ledger.items import attributes_of, device_of_image
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, Region, ThingName, parse_target
from lobby.wire import MAX_CONFIG_BYTES

CERTID = Fingerprint("ab" * 32)
HERE = Region("eu-west-1")
A, B, C = (parse_target(f"{number}" * 12, "eu-west-1") for number in (1, 2, 3))
WHO = Identity(CERTID, ThingName("sensor-1"), "PEM")
T = "2026-11-22T12:00:00.000Z"


def knocking() -> Device:
    return transitions.admit(None, WHO, HERE, T)


def inlobby() -> Device:
    return transitions.hello(knocking(), T, None)


def claimed(request: ClaimRequest = ClaimRequest(A)) -> Device:  # noqa: B008  # frozen
    return transitions.claim(inlobby(), CERTID, request, "user:ann", T)


def commissioned() -> Device:
    return commission(claimed(), 1, "a.example", T)


def arrived() -> Device:
    return arrive(commissioned(), T)


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


def test_a_claim_of_a_waiting_device_needs_the_commissioner_at_once() -> None:
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


def test_commissioning_sets_the_route_and_ends_the_commissioner_s_work() -> None:
    device = commissioned()
    assert (device.devstate, device.iotep, device.needs_commissioner) == (State.COMMISSIONED, "a.example", False)
    assert commission(device, 1, "a.example", T) is device


@pytest.mark.parametrize(
    "report",
    [
        lambda device: commission(device, 1, "a.example", T),
        lambda device: fail(device, 1, "TARGET_LIMIT", "full", T),
    ],
    ids=["success", "failure"],
)
def test_a_commissioner_s_result_for_an_old_claim_is_rejected(report: Callable[[Device], Device]) -> None:
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        report(transitions.move(claimed(), ClaimRequest(B), "user:ann", T))


def test_a_failure_is_kept_with_its_reason_until_the_retry() -> None:
    device = fail(claimed(), 1, "TARGET_LIMIT", "full", T)
    assert (device.devstate, device.reason, device.message, device.needs_commissioner) == (
        State.FAILED,
        "TARGET_LIMIT",
        "full",
        False,
    )
    again = transitions.retry(device, T)
    assert (again.devstate, again.reason, again.message, again.needs_commissioner, again.generation) == (
        State.CLAIMED,
        None,
        None,
        True,
        2,
    )


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
    device = transitions.hello(arrived(), "later", "2.0")
    assert (device.devstate, device.enteredat, device.lastseen, device.clientversion) == (
        State.COMMISSIONED,
        "later",
        "later",
        "2.0",
    )
    assert (device.route(), device.needs_commissioner, device.generation) == (arrived().route(), False, 1)
    assert arrive(device, "last").devstate is State.ARRIVED


def test_a_claim_for_a_target_to_clear_removes_it_from_the_targets_to_clear() -> None:
    released = transitions.release(arrived(), T)
    assert released is not None
    device = transitions.claim(released, CERTID, ClaimRequest(A), "user:ann", T)
    assert (device.target, device.targets_to_clear) == (A, ())


def test_a_cleared_target_is_removed_and_ends_the_commissioner_s_work() -> None:
    released = transitions.release(arrived(), T)
    assert released is not None
    device = retire(released, released.generation, A)
    assert (device.targets_to_clear, device.needs_commissioner, device.devstate) == ((), False, State.INLOBBY)


def test_a_target_that_cannot_be_cleared_stays_with_the_reason() -> None:
    released = transitions.release(arrived(), T)
    assert released is not None
    device = retire(released, released.generation, A, "TARGET_ROLE_DENIED", "no")
    assert (device.targets_to_clear, device.needs_commissioner, device.reason) == ((A,), False, "TARGET_ROLE_DENIED")


def test_clearing_a_target_later_removes_its_reason() -> None:
    released = transitions.release(arrived(), T)
    assert released is not None
    stuck = retire(released, released.generation, A, "TARGET_ROLE_DENIED", f"{A} answered no")
    cleared = retire(stuck, stuck.generation, A)
    assert (cleared.targets_to_clear, cleared.reason, cleared.message) == ((), None, None)


def test_a_reason_of_the_current_target_stays_when_the_old_target_is_cleared() -> None:
    moved = commission(transitions.move(arrived(), ClaimRequest(B), "u", T), 2, "b.example", T)
    mute = retire(moved, 2, None, "TARGET_PERMISSION_MISSING", f"{B} answered no to Publish")
    cleared = retire(mute, 2, A)
    assert (cleared.targets_to_clear, cleared.reason) == ((), "TARGET_PERMISSION_MISSING")


def test_a_revoked_device_shows_an_uncleared_target_until_all_are_cleared() -> None:
    revoked = transitions.revoke(transitions.move(arrived(), ClaimRequest(B), "u", T), CERTID, "stolen; really", T)
    stuck = retire(revoked, revoked.generation, A, "TARGET_ROLE_DENIED", "got no; run it")
    assert (stuck.devstate, stuck.reason, stuck.needs_commissioner) == (State.REVOKED, "TARGET_ROLE_DENIED", False)
    assert stuck.message == "stolen; really; TARGET_ROLE_DENIED: got no; run it"
    other = retire(stuck, stuck.generation, B, "TARGET_LIMIT", "full")
    assert (other.reason, other.message) == ("TARGET_LIMIT", "stolen; really; TARGET_LIMIT: full")
    half = retire(other, other.generation, B)
    assert (half.reason, half.targets_to_clear) == ("TARGET_LIMIT", (A,))
    for out in (transitions.retry(half, T), retire(half, half.generation, A)):
        assert (out.reason, out.message) == ("REVOKED", "stolen; really")


def test_clearing_for_an_old_claim_leaves_the_new_claim_s_work() -> None:
    released = transitions.release(arrived(), T)
    assert released is not None
    device = transitions.claim(released, CERTID, ClaimRequest(B), "user:ann", T)
    cleared = retire(device, released.generation, A)
    assert (cleared.targets_to_clear, cleared.needs_commissioner, cleared.devstate) == ((), True, State.CLAIMED)
    assert retire(device, released.generation, A, "TARGET_ROLE_DENIED", "no") is device


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


EVENTS: dict[str, Callable[[Device | None, int], Device | None]] = {
    "admit": lambda d, _n: transitions.admit(d, WHO, HERE, T),
    "refuse": lambda d, n: transitions.refuse(d, CERTID, WHO.name, HERE, f"R{n}", "m", T),
    "revoke": lambda d, _n: transitions.revoke(d, CERTID, "w", T),
    "claim": lambda d, n: transitions.claim(d, CERTID, ClaimRequest((A, B, C)[n]), "u", T),
}
KNOWN: dict[str, Callable[[Device, int], Device | None]] = {
    "hello": lambda d, _n: transitions.hello(d, T, None),
    "move": lambda d, n: transitions.move(d, ClaimRequest((A, B, C)[n]), "u", T),
    "release": lambda d, _n: transitions.release(d, T),
    "retry": lambda d, _n: transitions.retry(d, T),
    "commission": lambda d, _n: commission(d, d.generation, "h", T),
    "fail": lambda d, n: fail(d, d.generation, f"F{n}", "m", T),
    "arrive": lambda d, _n: arrive(d, T),
    "retire": lambda d, _n: retire(d, d.generation, d.targets_to_clear[0] if d.targets_to_clear else None),
    "not retired": lambda d, _n: retire(
        d, d.generation, d.targets_to_clear[0] if d.targets_to_clear else None, "X", "m"
    ),
    "retire late": lambda d, n: retire(d, d.generation - 1, (A, B, C)[n]),
}
steps = st.lists(st.tuples(st.sampled_from([*EVENTS, *KNOWN]), st.integers(0, 2)), max_size=25)


@given(steps)
@settings(max_examples=400, deadline=None)
def test_any_sequence_of_events_leaves_a_consistent_row(course: list[tuple[str, int]]) -> None:
    device: Device | None = None
    for name, number in course:
        before = device
        try:
            if name in EVENTS:
                device = EVENTS[name](device, number)
            elif device is not None:
                device = KNOWN[name](device, number)
        except Conflict:
            continue
        sound(before, device)


def sound(before: Device | None, after: Device | None) -> None:
    if after is None:
        assert before is None or before.devstate is State.EXPECTED
        return
    assert after.generation >= (before.generation if before else 0)
    assert (before is None) or (before.devstate is not State.REVOKED) or after.devstate is State.REVOKED
    if after.devstate in (State.EXPECTED, State.CLAIMED, State.COMMISSIONED, State.ARRIVED, State.FAILED):
        assert after.target is not None
        assert after.target not in after.targets_to_clear
    if after.devstate in (State.KNOCKING, State.INLOBBY):
        assert after.target is None
    assert (after.devicecert is None) or after.devicename == WHO.name
    if after.devstate is State.EXPECTED:
        assert after.devicecert is None
    if after.devstate in (
        State.CLAIMED,
        State.COMMISSIONED,
        State.ARRIVED,
        State.FAILED,
        State.KNOCKING,
        State.INLOBBY,
    ):
        assert after.devicecert is not None
    assert (after.devstate is State.CLAIMED) <= after.needs_commissioner, "a claimed device is the commissioner's to do"
    assert (after.devstate in (State.FAILED, State.EXPECTED, State.KNOCKING)) <= (not after.needs_commissioner)
    assert len(set(after.targets_to_clear)) == len(after.targets_to_clear)
    assert (after.route() is not None) == (after.devstate in (State.COMMISSIONED, State.ARRIVED))
    assert after.devstate is not State.REFUSED or after.reason
    reread(after)


def reread(device: Device) -> None:
    """Through the item, as the stream carries it, and back."""
    row = LedgerRow(**attributes_of(device))
    assert device_of_image(row.serialize()) == device
    assert ("turn" in row.serialize()) == device.needs_commissioner


def test_a_target_is_never_lost_before_it_is_cleared() -> None:
    device = arrived()
    for request in (B, C, A, B):
        device = transitions.move(device, ClaimRequest(request), "u", T)
    assert set(device.targets_to_clear) == {A, C}
    assert set(transitions.revoke(device, CERTID, "w", T).targets_to_clear) == {A, B, C}
