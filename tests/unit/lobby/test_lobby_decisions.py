"""What each event makes of a device: the table of cases, and what holds after any sequence of events."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lobby.errors import Conflict, InvalidInput
from lobby.identity import Identity
from lobby.ledger import decisions
from lobby.ledger.decisions import Claim
from lobby.ledger.device import Device
from lobby.ledger.models import LedgerRow, attributes_of, device_of_image
from lobby.ledger.states import State
from lobby.names import Fingerprint, Region, ThingName, parse_target
from lobby.wire import MAX_CONFIG_BYTES

CERTID = Fingerprint("ab" * 32)
HERE = Region("eu-west-1")
A, B, C = (parse_target(f"{number}" * 12, "eu-west-1") for number in (1, 2, 3))
WHO = Identity(CERTID, ThingName("sensor-1"), "PEM")
T = "2026-11-22T12:00:00.000Z"


def knocking() -> Device:
    return decisions.admit(None, WHO, HERE, T)


def inlobby() -> Device:
    return decisions.hello(knocking(), T, None)


def claimed(wish: Claim = Claim(A)) -> Device:  # noqa: B008  # frozen
    return decisions.claim(inlobby(), CERTID, wish, "user:ann", T)


def commissioned() -> Device:
    return decisions.commission(claimed(), 1, "a.example", T)


def arrived() -> Device:
    return decisions.arrive(commissioned(), T)


def test_a_certificate_never_seen_knocks() -> None:
    device = knocking()
    assert (device.devstate, device.devicename, device.devicecert, device.turn) == (
        State.KNOCKING,
        "sensor-1",
        "PEM",
        False,
    )
    assert (device.firstseen, device.lobbyregion) == (T, HERE)


def test_a_claim_before_the_first_connect_waits_and_then_goes_to_the_commissioner() -> None:
    expected = decisions.claim(None, CERTID, Claim(A), "user:ann", T)
    assert (expected.devstate, expected.turn, expected.devicecert) == (State.EXPECTED, False, None)
    device = decisions.admit(expected, WHO, HERE, T)
    assert (device.devstate, device.turn, device.target) == (State.CLAIMED, True, A)


def test_a_claim_of_a_waiting_device_goes_to_the_commissioner_at_once() -> None:
    device = claimed(Claim(A, "default", {"a": 1}))
    assert (device.devstate, device.turn, device.target, device.generation) == (State.CLAIMED, True, A, 1)
    assert (device.claimedby, device.claimedat, device.config) == ("user:ann", T, {"a": 1})


def test_the_same_claim_again_is_the_same_claim() -> None:
    device = claimed()
    assert decisions.claim(device, CERTID, Claim(A), "user:bob", T) is device
    with pytest.raises(Conflict, match="ALREADY_CLAIMED"):
        decisions.claim(device, CERTID, Claim(B), "user:bob", T)


def test_a_second_admission_changes_nothing() -> None:
    for device in (knocking(), inlobby(), claimed(), arrived()):
        assert decisions.admit(device, WHO, HERE, T) is device


def test_a_refusal_keeps_the_claim_for_the_day_the_device_may_come_in() -> None:
    expected = decisions.claim(None, CERTID, Claim(A), "user:ann", T)
    refused = decisions.refuse(expected, CERTID, WHO.name, HERE, "EXPIRED", "too old", T)
    assert (refused.devstate, refused.reason, refused.message, refused.target) == (
        State.REFUSED,
        "EXPIRED",
        "too old",
        A,
    )
    assert decisions.refuse(refused, CERTID, WHO.name, HERE, "EXPIRED", "too old", "later") is refused
    admitted = decisions.admit(refused, WHO, HERE, T)
    assert (admitted.devstate, admitted.turn, admitted.reason, admitted.message) == (State.CLAIMED, True, None, None)


def test_a_revoked_certificate_is_not_admitted_again() -> None:
    for device in (decisions.revoke(None, CERTID, "stolen", T), decisions.revoke(arrived(), CERTID, "stolen", T)):
        assert (device.devstate, device.reason, device.message, device.turn) == (
            State.REVOKED,
            "REVOKED",
            "stolen",
            True,
        )
        assert device.route() is None
        with pytest.raises(Conflict, match="REVOKED"):
            decisions.admit(device, WHO, HERE, T)
        assert decisions.revoke(device, CERTID, "again", T) is device


def test_commissioning_gives_the_route_and_ends_the_turn() -> None:
    device = commissioned()
    assert (device.devstate, device.iotep, device.turn) == (State.COMMISSIONED, "a.example", False)
    assert decisions.commission(device, 1, "a.example", T) is device


@pytest.mark.parametrize(
    "report",
    [
        lambda device: decisions.commission(device, 1, "a.example", T),
        lambda device: decisions.fail(device, 1, "TARGET_LIMIT", "full", T),
    ],
    ids=["success", "failure"],
)
def test_the_commissioners_word_on_an_old_claim_is_not_taken(report: Callable[[Device], Device]) -> None:
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        report(decisions.move(claimed(), Claim(B), "user:ann", T))


def test_a_failure_is_kept_with_its_reason_until_the_retry() -> None:
    device = decisions.fail(claimed(), 1, "TARGET_LIMIT", "full", T)
    assert (device.devstate, device.reason, device.message, device.turn) == (
        State.FAILED,
        "TARGET_LIMIT",
        "full",
        False,
    )
    again = decisions.retry(device, T)
    assert (again.devstate, again.reason, again.message, again.turn, again.generation) == (
        State.CLAIMED,
        None,
        None,
        True,
        2,
    )


def test_a_move_remembers_the_target_that_must_be_cleared() -> None:
    device = decisions.move(arrived(), Claim(B), "user:ann", T)
    assert (device.devstate, device.target, device.previous, device.iotep) == (State.CLAIMED, B, (A,), None)
    assert device.route() is None
    back = decisions.move(device, Claim(A), "user:ann", T)
    assert (back.target, back.previous) == (A, (B,))


def test_an_expectation_moves_without_anything_to_clear() -> None:
    expected = decisions.claim(None, CERTID, Claim(A), "user:ann", T)
    device = decisions.move(expected, Claim(B), "user:ann", T)
    assert (device.devstate, device.target, device.previous, device.turn) == (State.EXPECTED, B, (), False)


def test_a_release_takes_back_everything_the_claim_gave() -> None:
    device = decisions.release(
        decisions.arrive(decisions.commission(claimed(Claim(A, "cam", {"a": 1})), 1, "h", T), T), T
    )
    assert device is not None
    assert (device.devstate, device.target, device.previous, device.turn) == (State.INLOBBY, None, (A,), True)
    assert (device.iotep, device.claimedby, device.claimedat, device.profile, device.config) == (
        None, None, None, "default", "default",
    )  # fmt: skip


def test_a_released_expectation_is_no_longer_expected() -> None:
    assert decisions.release(decisions.claim(None, CERTID, Claim(A), "user:ann", T), T) is None


def test_a_release_asked_for_again_is_the_same_release() -> None:
    released = decisions.release(arrived(), T)
    assert released is not None
    assert decisions.release(released, "later") is released
    cleared = decisions.retire(released, released.generation, A)
    assert decisions.release(cleared, "later") is cleared


def test_a_device_that_was_never_claimed_is_not_released() -> None:
    with pytest.raises(Conflict, match="NOT_ALLOWED"):
        decisions.release(inlobby(), T)


def refused(wish: Claim | None) -> Device:
    before = decisions.claim(None, CERTID, wish, "user:ann", T) if wish else None
    return decisions.refuse(before, CERTID, WHO.name, HERE, "EXPIRED", "too old", T)


def test_a_release_drops_the_claim_of_a_refused_device_and_leaves_it_refused() -> None:
    before = refused(Claim(A, "cam", {"a": 1}, presence=True))
    device = decisions.release(before, "later")
    assert device is not None
    assert (device.devstate, device.reason, device.message, device.enteredat) == (
        State.REFUSED, "EXPIRED", "too old", T,
    )  # fmt: skip
    assert (device.target, device.claimedby, device.claimedat, device.profile, device.config, device.proof) == (
        None, None, None, "default", "default", None,
    )  # fmt: skip
    assert (device.previous, device.turn, device.generation) == ((), False, before.generation + 1)
    assert decisions.release(device, "later still") is device
    assert decisions.admit(device, WHO, HERE, T).devstate is State.KNOCKING


def test_a_refused_device_without_a_claim_is_not_released() -> None:
    with pytest.raises(Conflict, match="NOT_ALLOWED"):
        decisions.release(refused(None), T)


def test_an_arrived_device_that_says_hello_is_on_its_way_again_with_its_route() -> None:
    device = decisions.hello(arrived(), "later", "2.0")
    assert (device.devstate, device.enteredat, device.lastseen, device.clientversion) == (
        State.COMMISSIONED, "later", "later", "2.0",
    )  # fmt: skip
    assert (device.route(), device.turn, device.generation) == (arrived().route(), False, 1)
    assert decisions.arrive(device, "last").devstate is State.ARRIVED


def test_a_claim_for_the_target_just_left_takes_it_off_the_list_to_be_cleared() -> None:
    released = decisions.release(arrived(), T)
    assert released is not None
    device = decisions.claim(released, CERTID, Claim(A), "user:ann", T)
    assert (device.target, device.previous) == (A, ())


def test_a_cleared_target_goes_off_the_list_and_ends_the_turn() -> None:
    released = decisions.release(arrived(), T)
    assert released is not None
    device = decisions.retire(released, released.generation, A)
    assert (device.previous, device.turn, device.devstate) == ((), False, State.INLOBBY)


def test_a_target_that_cannot_be_cleared_stays_on_the_list_with_the_reason() -> None:
    released = decisions.release(arrived(), T)
    assert released is not None
    device = decisions.retire(released, released.generation, A, "TARGET_ROLE_DENIED", "no")
    assert (device.previous, device.turn, device.reason) == ((A,), False, "TARGET_ROLE_DENIED")


def test_a_target_that_is_cleared_after_all_takes_its_reason_along() -> None:
    released = decisions.release(arrived(), T)
    assert released is not None
    stuck = decisions.retire(released, released.generation, A, "TARGET_ROLE_DENIED", f"{A} answered no")
    cleared = decisions.retire(stuck, stuck.generation, A)
    assert (cleared.previous, cleared.reason, cleared.message) == ((), None, None)


def test_what_the_present_target_said_stays_when_the_old_one_is_cleared() -> None:
    moved = decisions.commission(decisions.move(arrived(), Claim(B), "u", T), 2, "b.example", T)
    mute = decisions.retire(moved, 2, None, "TARGET_PERMISSION_MISSING", f"{B} answered no to Publish")
    cleared = decisions.retire(mute, 2, A)
    assert (cleared.previous, cleared.reason) == ((), "TARGET_PERMISSION_MISSING")


def test_a_revoked_device_that_may_still_work_somewhere_says_so_until_it_does_not() -> None:
    revoked = decisions.revoke(decisions.move(arrived(), Claim(B), "u", T), CERTID, "stolen; really", T)
    stuck = decisions.retire(revoked, revoked.generation, A, "TARGET_ROLE_DENIED", "got no; run it")
    assert (stuck.devstate, stuck.reason, stuck.turn) == (State.REVOKED, "TARGET_ROLE_DENIED", False)
    assert stuck.message == "stolen; really; TARGET_ROLE_DENIED: got no; run it"
    other = decisions.retire(stuck, stuck.generation, B, "TARGET_LIMIT", "full")
    assert (other.reason, other.message) == ("TARGET_LIMIT", "stolen; really; TARGET_LIMIT: full")
    half = decisions.retire(other, other.generation, B)
    assert (half.reason, half.previous) == ("TARGET_LIMIT", (A,))
    for out in (decisions.retry(half, T), decisions.retire(half, half.generation, A)):
        assert (out.reason, out.message) == ("REVOKED", "stolen; really")


def test_clearing_for_an_old_claim_leaves_the_new_claims_turn() -> None:
    released = decisions.release(arrived(), T)
    assert released is not None
    device = decisions.claim(released, CERTID, Claim(B), "user:ann", T)
    cleared = decisions.retire(device, released.generation, A)
    assert (cleared.previous, cleared.turn, cleared.devstate) == ((), True, State.CLAIMED)
    assert decisions.retire(device, released.generation, A, "TARGET_ROLE_DENIED", "no") is device


def test_retry_wakes_the_commissioner_also_where_the_turn_is_still_set() -> None:
    released = decisions.release(arrived(), T)
    assert released is not None
    for stuck in (released, claimed(), decisions.revoke(arrived(), CERTID, "stolen", T)):
        again = decisions.retry(stuck, T)
        assert again.turn
        assert again.generation > stuck.generation


def test_retry_of_a_revoked_device_keeps_why_it_was_revoked() -> None:
    revoked = decisions.revoke(arrived(), CERTID, "stolen", T)
    again = decisions.retry(revoked, T)
    assert (again.reason, again.message) == ("REVOKED", "stolen")


def test_retry_is_refused_where_no_work_is_left() -> None:
    with pytest.raises(Conflict, match="NOT_ALLOWED"):
        decisions.retry(inlobby(), T)


def test_retry_of_an_arrived_device_has_it_commissioned_anew_as_its_target_may_have_thrown_it_out() -> None:
    again = decisions.retry(arrived(), T)
    assert (again.devstate, again.turn, again.iotep) == (State.CLAIMED, True, None)


def test_retry_of_a_refused_device_keeps_the_reason_until_it_is_let_in() -> None:
    refused = decisions.refuse(None, CERTID, None, HERE, "CRL_STALE", "old", T)
    again = decisions.retry(refused, T)
    assert (again.devstate, again.turn, again.reason) == (State.REFUSED, True, "CRL_STALE")


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
def test_a_config_that_no_device_could_be_sent_is_refused(config: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        Claim(A, "default", config)  # type: ignore[arg-type]
    assert refused.value.code == "INVALID_CONFIG"


EVENTS: dict[str, Callable[[Device | None, int], Device | None]] = {
    "admit": lambda d, _n: decisions.admit(d, WHO, HERE, T),
    "refuse": lambda d, n: decisions.refuse(d, CERTID, WHO.name, HERE, f"R{n}", "m", T),
    "revoke": lambda d, _n: decisions.revoke(d, CERTID, "w", T),
    "claim": lambda d, n: decisions.claim(d, CERTID, Claim((A, B, C)[n]), "u", T),
}  # fmt: skip
KNOWN: dict[str, Callable[[Device, int], Device | None]] = {
    "hello": lambda d, _n: decisions.hello(d, T, None),
    "move": lambda d, n: decisions.move(d, Claim((A, B, C)[n]), "u", T),
    "release": lambda d, _n: decisions.release(d, T),
    "retry": lambda d, _n: decisions.retry(d, T),
    "commission": lambda d, _n: decisions.commission(d, d.generation, "h", T),
    "fail": lambda d, n: decisions.fail(d, d.generation, f"F{n}", "m", T),
    "arrive": lambda d, _n: decisions.arrive(d, T),
    "retire": lambda d, _n: decisions.retire(d, d.generation, d.previous[0] if d.previous else None),
    "not retired": lambda d, _n: decisions.retire(d, d.generation, d.previous[0] if d.previous else None, "X", "m"),
    "retire late": lambda d, n: decisions.retire(d, d.generation - 1, (A, B, C)[n]),
}  # fmt: skip
steps = st.lists(st.tuples(st.sampled_from([*EVENTS, *KNOWN]), st.integers(0, 2)), max_size=25)


@given(steps)
@settings(max_examples=400, deadline=None)
def test_whatever_befalls_a_device_its_row_stays_sound(course: list[tuple[str, int]]) -> None:
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
        assert after.target not in after.previous
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
    assert (after.devstate is State.CLAIMED) <= after.turn, "a claimed device is the commissioner's to do"
    assert (after.devstate in (State.FAILED, State.EXPECTED, State.KNOCKING)) <= (not after.turn)
    assert len(set(after.previous)) == len(after.previous)
    assert (after.route() is not None) == (after.devstate in (State.COMMISSIONED, State.ARRIVED))
    assert after.devstate is not State.REFUSED or after.reason
    reread(after)


def reread(device: Device) -> None:
    """Through the item, as the stream carries it, and back."""
    row = LedgerRow(**attributes_of(device))
    assert device_of_image(row.serialize()) == device
    assert ("turn" in row.serialize()) == device.turn


def test_a_target_is_never_lost_before_it_is_cleared() -> None:
    device = arrived()
    for wish in (B, C, A, B):
        device = decisions.move(device, Claim(wish), "u", T)
    assert set(device.previous) == {A, C}
    assert set(decisions.revoke(device, CERTID, "w", T).previous) == {A, B, C}
