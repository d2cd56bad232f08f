"""The changes of a device by each step of a renewal, and by claims, moves and revocations during it."""

from dataclasses import replace

import pytest

from lobby.domain.commissioner_transitions import arrive, commission, retire
from lobby.domain.device import Device, Priority
from lobby.domain.identity import Identity
from lobby.domain.lanes.lane import LOBBY, has_part, lane_to, main_lane, other_lanes
from lobby.domain.renewals.renewal import DEFAULT_GRACE, Renewal, stage_of
from lobby.domain.renewals.renewal_transitions import become_due, renew, request, retired
from lobby.domain.standby.standby import Standby, StandbyMode, StandbyStatus
from lobby.domain.standby.standby_transitions import announced, come_back, evacuate, prepare, prepared
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest, admit, move, release, retry, revoke
from lobby.errors import Conflict
from lobby.names import Fingerprint, Target
from tests.unit.lobby.domain.sample_devices import CERTID, HERE, WHO, A, B, C, T, arrived, claimed, inlobby

NEW, NEWER = Fingerprint("cd" * 32), Fingerprint("ef" * 32)
BY = "2026-12-22T12:00:00.000Z"
LATER = "2026-11-23T12:00:00.000Z"


def asked() -> Device:
    due = become_due(replace(arrived(), can_renew=True), BY)
    return retired(due, due.generation, ())


def signed() -> Device:
    return renew(asked(), NEW, "2049-12-31", LATER)


def commissioned() -> Device:
    return commission(signed(), 2, "a.example", LATER)


def proven() -> Device:
    return arrive(commissioned(), LATER, NEW)


def finished() -> Device:
    return retired(proven(), 2, (CERTID,))


def test_a_device_that_is_due_is_asked_in_the_lane_of_its_target() -> None:
    due = become_due(replace(arrived(), can_renew=True), BY)
    assert (due.renew_by, due.needs_commissioner, main_lane(due)) == (BY, True, lane_to(A))
    request = due.renewal_request()
    assert request is not None
    assert (request.by, request.generation) == (BY, 1)
    assert not retired(due, 1, ()).needs_commissioner


def test_the_deadline_stays_when_a_device_is_asked_again() -> None:
    again = become_due(asked(), "2027-01-01T00:00:00.000Z")
    assert (again.renew_by, again.needs_commissioner) == (BY, True)


@pytest.mark.parametrize("can_renew", [None, False])
def test_a_client_that_cannot_renew_is_never_asked_but_shown_as_due(can_renew: bool | None) -> None:
    due = become_due(replace(arrived(), can_renew=can_renew), BY)
    assert (stage_of(due), due.needs_commissioner, due.renewal_request()) == (Renewal.DUE, False, None)
    assert become_due(due, LATER) == due


def test_a_device_without_a_place_in_a_target_is_not_due() -> None:
    for device in (inlobby(), claimed()):
        with pytest.raises(Conflict, match="NOT_ALLOWED"):
            become_due(device, BY)


def test_a_new_certificate_is_commissioned_next_to_the_old_one() -> None:
    device = signed()
    assert (device.devstate, device.generation, device.priority) == (State.CLAIMED, 2, Priority.BULK)
    assert (device.current, device.awaited, device.certificates) == (CERTID, NEW, (CERTID, NEW))
    assert (main_lane(device), device.route()) == (lane_to(A), None)
    assert stage_of(device) is Renewal.SIGNED
    assert renew(device, NEW, "2049-12-31", T) == device


def test_only_a_device_that_was_asked_gets_a_new_certificate() -> None:
    with pytest.raises(Conflict, match="NOT_DUE"):
        renew(arrived(), NEW, None, T)
    with pytest.raises(Conflict, match="REVOKED"):
        renew(revoke(asked(), CERTID, "stolen", T), NEW, None, T)
    released = release(asked(), T)
    assert released is not None
    with pytest.raises(Conflict, match="NOT_ALLOWED"):
        renew(released, NEW, None, T)


def test_a_pending_certificate_that_the_device_has_lost_is_replaced_and_retired() -> None:
    device = renew(commissioned(), NEWER, None, LATER)
    assert (device.pending, device.retiring, device.certificates) == (NEWER, (NEW,), (CERTID, NEWER))
    assert commission(device, 3, "a.example", LATER).needs_commissioner


def test_an_arrival_with_the_old_certificate_proves_nothing() -> None:
    assert arrive(commissioned(), LATER, CERTID) == commissioned()


def test_an_arrival_with_the_new_certificate_proves_it_and_retires_the_old_one() -> None:
    device = proven()
    assert (device.devstate, device.current, device.pending, device.renew_by) == (State.ARRIVED, NEW, None, None)
    assert (device.retiring, device.expires, device.renewed_at) == ((CERTID,), "2049-12-31", LATER)
    assert (main_lane(device), stage_of(device)) == (lane_to(A), Renewal.PROVEN)


def test_after_the_retirement_the_row_has_only_the_new_certificate() -> None:
    device = finished()
    assert (device.all_certificates, device.needs_commissioner, stage_of(device)) == ((NEW,), False, None)
    assert device.certid == CERTID


def test_a_second_renewal_replaces_the_first_ones_certificate() -> None:
    due = become_due(finished(), BY)
    again = arrive(commission(renew(due, NEWER, None, LATER), 3, "a.example", LATER), LATER, NEWER)
    assert (again.certid, again.current, again.retiring) == (CERTID, NEWER, (NEW,))


def test_a_claim_since_then_keeps_its_own_work() -> None:
    moved = move(proven(), ClaimRequest(B), "user:ann", LATER)
    after = retired(moved, 2, (CERTID,))
    assert (after.retiring, after.needs_commissioner, after.devstate) == ((CERTID,), True, State.CLAIMED)
    assert after.targets_to_clear == (A,)


def test_a_move_during_a_renewal_takes_both_certificates_along_and_clears_both() -> None:
    moved = move(commissioned(), ClaimRequest(B), "user:ann", LATER)
    assert (moved.certificates, moved.targets_to_clear) == ((CERTID, NEW), (A,))
    there = arrive(commission(moved, 3, "b.example", LATER), LATER, NEW)
    assert there.current == NEW
    assert main_lane(there) == lane_to(A)
    assert other_lanes(there) == ()
    cleared = retire(there, 3, A)
    assert (cleared.needs_commissioner, main_lane(cleared)) == (True, lane_to(B))
    assert has_part(cleared, lane_to(B))
    done = retired(cleared, 3, (CERTID,))
    assert (done.retiring, done.needs_commissioner) == ((), False)


@pytest.mark.parametrize("stage", [asked, signed, commissioned, proven])
def test_a_revocation_ends_a_renewal_and_covers_every_certificate(stage: object) -> None:
    device: Device = stage()  # type: ignore[operator]
    revoked = revoke(device, CERTID, "stolen", LATER)
    assert set(revoked.all_certificates) == set(device.all_certificates)
    assert (revoked.renew_by, revoked.devstate) == (None, State.REVOKED)
    assert not has_part(replace(revoked, needs_commissioner=False, targets_to_clear=()), LOBBY)


def test_a_retry_of_an_unfinished_retirement_does_it_again() -> None:
    again = commission(retry(replace(proven(), needs_commissioner=False), LATER), 3, "a.example", LATER)
    assert again.needs_commissioner


def test_the_replaced_certificate_is_not_admitted_again() -> None:
    with pytest.raises(Conflict, match="CERTIFICATE_RENEWED"):
        admit(finished(), WHO, HERE, T)
    assert admit(asked(), Identity(CERTID, WHO.name, "PEM"), HERE, T) == asked()


def test_a_device_that_is_not_due_has_thirty_days_after_a_users_request() -> None:
    device = request(replace(arrived(), can_renew=True), LATER)
    assert (device.renew_by, device.needs_commissioner) == ("2026-12-23T12:00:00.000Z", True)
    assert DEFAULT_GRACE.days == 30
    assert request(asked(), LATER).renew_by == BY


def test_a_device_whose_renewal_is_in_progress_stays_as_it_is_when_a_user_asks() -> None:
    assert request(commissioned(), LATER) == commissioned()


@pytest.mark.parametrize(
    ("device", "code"),
    [
        (arrived(), "CANNOT_RENEW"),
        (replace(arrived(), can_renew=False), "CANNOT_RENEW"),
        (replace(inlobby(), can_renew=True), "NOT_ALLOWED"),
        (replace(claimed(), can_renew=True), "NOT_ALLOWED"),
    ],
)
def test_a_device_that_cannot_be_asked_is_refused(device: Device, code: str) -> None:
    with pytest.raises(Conflict, match=code):
        request(device, LATER)


def test_a_certificate_renewed_during_an_evacuation_is_retired_at_home_after_the_return() -> None:
    ready = replace(arrived(), can_renew=True, standby=Standby(B, StandbyStatus.ACTIVE, "b.example"))
    away = arrive(evacuate(ready, A, B, "user:ann", LATER), LATER)
    due = renew(become_due(away, BY), NEW, "2049-12-31", LATER)
    renewed = arrive(commission(due, due.generation, "b.example", LATER), LATER, NEW)
    there = retired(renewed, renewed.generation, (CERTID,))
    assert (there.retiring, there.needs_commissioner) == ((CERTID,), False)
    back = come_back(there, A, LATER)
    at_home = commission(back, back.generation, "a.example", LATER, B)
    assert main_lane(at_home) == lane_to(B)
    ready = prepared(at_home, at_home.generation, B, StandbyStatus.ACTIVE, "b.example")
    assert main_lane(ready) == lane_to(A)
    assert ready.needs_commissioner
    done = retired(ready, ready.generation, (CERTID,))
    assert (done.retiring, done.needs_commissioner, done.current) == ((), False, NEW)


def test_a_request_soon_after_a_renewal_is_a_repetition_and_a_later_one_is_not() -> None:
    assert request(finished(), "2026-11-23T12:59:59.999Z") == finished()
    assert request(finished(), "2026-11-23T13:00:00.000Z").renew_by is not None


def proven_next_to_a_standby() -> Device:
    return replace(proven(), standby=Standby(B, StandbyStatus.ACTIVE, "b.example", wanted=True))


def test_a_certificate_is_kept_until_a_standby_that_refuses_has_retired_it() -> None:
    before = proven_next_to_a_standby()
    refused = prepared(before, 2, B, StandbyStatus.REFUSED, None, "TARGET_LIMIT")
    assert (main_lane(refused), refused.needs_commissioner) == (lane_to(A), True)
    kept = retired(refused, 2, (CERTID,))
    assert (kept.retiring, kept.needs_commissioner) == ((CERTID,), False)
    again = prepare(kept, B, StandbyMode.ACTIVE)
    assert (main_lane(again), has_part(again, lane_to(A))) == (lane_to(B), False)
    ready = prepared(again, 2, B, StandbyStatus.ACTIVE, "b.example")
    assert (main_lane(ready), ready.needs_commissioner) == (lane_to(A), True)
    done = announced(retired(ready, 2, (CERTID,)), 2, "b.example", sent=True)
    assert (done.retiring, done.needs_commissioner) == ((), False)


@pytest.mark.parametrize("other", [None, C])
def test_a_former_standby_is_cleared_of_a_certificate_before_it_is_retired(other: Target | None) -> None:
    before = prepare(proven_next_to_a_standby(), other, StandbyMode.ACTIVE)
    assert (before.targets_to_clear, main_lane(before), has_part(before, lane_to(A))) == ((B,), lane_to(B), False)
    assert CERTID in before.all_certificates
    row = retire(before, 2, B)
    if other is not None:
        assert (main_lane(row), has_part(row, lane_to(A))) == (lane_to(other), False)
        row = prepared(row, 2, other, StandbyStatus.ACTIVE, "c.example")
    assert (main_lane(row), row.needs_commissioner) == (lane_to(A), True)
    done = retired(row, 2, (CERTID,))
    assert (done.retiring, done.needs_commissioner) == ((), other is not None)
    after = announced(done, 2, "c.example", sent=True)
    assert not after.needs_commissioner


def test_a_target_that_an_evacuated_device_has_left_is_cleared_of_a_certificate_before_it_is_retired() -> None:
    away = evacuate(proven_next_to_a_standby(), A, B, "user:ann", LATER)
    moved = move(away, ClaimRequest(C), "user:ann", LATER)
    there = arrive(commission(moved, moved.generation, "c.example", LATER), LATER, NEW)
    assert (there.targets_to_clear, has_part(there, lane_to(C))) == ((B, A), False)
    without_b = retire(there, there.generation, B)
    assert retired(without_b, there.generation, (CERTID,)).retiring == (CERTID,)
    cleared = retire(without_b, there.generation, A)
    assert (main_lane(cleared), cleared.needs_commissioner) == (lane_to(C), True)


def test_a_device_is_asked_to_renew_while_a_target_that_it_has_left_is_cleared() -> None:
    due = become_due(replace(arrived(), can_renew=True, targets_to_clear=(B,)), BY)
    assert has_part(due, lane_to(A))


def test_an_evacuated_device_leaves_its_home_before_a_certificate_is_retired_in_the_standby() -> None:
    away = evacuate(proven_next_to_a_standby(), A, B, "user:ann", LATER)
    ready = commission(away, away.generation, "b.example", LATER)
    assert (main_lane(ready), has_part(ready, lane_to(B))) == (lane_to(A), False)
    there = arrive(ready, LATER)
    assert (main_lane(there), has_part(there, lane_to(B))) == (lane_to(B), True)
    done = retired(there, there.generation, (CERTID,))
    assert (done.retiring, done.needs_commissioner) == ((CERTID,), False)
