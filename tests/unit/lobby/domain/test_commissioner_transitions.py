"""The changes of a device by the commissioner's events."""

from collections.abc import Callable

import pytest

from lobby.domain import transitions
from lobby.domain.commissioner_transitions import commission, fail, leave_uncleared, retire
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict
from tests.unit.lobby.domain.sample_devices import CERTID, A, B, T, arrived, claimed, commissioned


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


def test_clearing_for_an_old_claim_changes_nothing() -> None:
    """Since then, the device may have been registered in the target again, and have left it again."""
    released = transitions.release(arrived(), T)
    assert released is not None
    device = transitions.claim(released, CERTID, ClaimRequest(B), "user:ann", T)
    cleared = retire(device, released.generation, A)
    assert (cleared.targets_to_clear, cleared.needs_commissioner, cleared.devstate) == ((A,), True, State.CLAIMED)
    assert cleared is device
    assert retire(device, released.generation, A, "TARGET_ROLE_DENIED", "no") is device


def test_a_target_that_a_superseded_claim_cannot_leave_is_cleared_by_a_new_generation_of_work() -> None:
    released = transitions.release(arrived(), T)
    assert released is not None
    cleared = retire(released, released.generation, A)
    for device in (released, cleared):
        again = leave_uncleared(device, A)
        assert (again.devstate, again.targets_to_clear, again.needs_commissioner) == (State.INLOBBY, (A,), True)
        assert again.generation == released.generation + 1
        assert retire(again, released.generation, A) is again


def test_a_failed_device_keeps_such_a_target_until_its_retry() -> None:
    failed = leave_uncleared(fail(claimed(), 1, "TARGET_LIMIT", "full", T), B)
    assert (failed.devstate, failed.targets_to_clear, failed.needs_commissioner) == (State.FAILED, (B,), False)
    assert (failed.reason, transitions.retry(failed, T).targets_to_clear) == ("TARGET_LIMIT", (B,))


def test_a_target_that_the_device_is_claimed_for_is_not_to_be_cleared() -> None:
    for device in (claimed(), commissioned(), arrived()):
        assert leave_uncleared(device, A) is device
