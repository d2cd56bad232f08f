"""Renaming, archiving, restoring and removing targets, with their history."""

from collections.abc import Callable

import pytest

from lobby.domain.standby.standby import StandbyMode
from lobby.domain.targets.target import RegisteredTarget
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.standby.standbys import Standbys
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_administration import TargetAdministration
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import Fingerprint, parse_target
from tests.aws import Calls, Clock

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "eu-west-1")
ANN, BOB = "user:ann", "user:bob"
ONE = Fingerprint("1a" * 32)


@pytest.fixture
def targets(calls: Calls, clock: Clock) -> Targets:
    found = Targets(lambda: "secret", clock)
    found.register(A, "Plant one", (), ANN)
    found.register(B, "Plant two", (), ANN)
    return found


@pytest.fixture
def standbys(targets: Targets, clock: Clock) -> Standbys:
    return Standbys(targets, Campaigns(clock), 1000, clock)


@pytest.fixture
def administration(targets: Targets, clock: Clock) -> TargetAdministration:
    return TargetAdministration(targets, clock)


def test_a_target_is_renamed(administration: TargetAdministration, targets: Targets) -> None:
    assert administration.rename(A, "North", BOB).name == targets.get(A).name == "North"
    assert targets.get(A).createdby == ANN


@pytest.mark.parametrize(
    ("name", "code"), [("", "INVALID_NAME"), ("a ", "INVALID_NAME"), ("plant TWO", "NAME_IMITATES")]
)
def test_a_misleading_name_changes_nothing(
    administration: TargetAdministration, targets: Targets, name: str, code: str
) -> None:
    with pytest.raises(InvalidInput, match=code):
        administration.rename(A, name, BOB)
    assert targets.get(A).name == "Plant one"
    assert len(administration.history(A)) == 1


def test_archiving_is_repeatable_and_reversible(administration: TargetAdministration, targets: Targets) -> None:
    archived = administration.archive(A, BOB)
    assert archived.archivedat == "2026-11-22T12:00:00.000Z"
    assert administration.archive(A, ANN) == targets.get(A) == archived
    assert administration.restore(A, BOB).archivedat is None
    assert administration.restore(A, BOB) == targets.get(A)


def test_a_target_is_removed_after_it_was_archived(
    administration: TargetAdministration, targets: Targets, clock: Clock
) -> None:
    with pytest.raises(Conflict, match="TARGET_NOT_ARCHIVED"):
        administration.remove(A, BOB)
    administration.archive(A, BOB)
    with pytest.raises(Conflict, match="TARGET_ARCHIVED_JUST_NOW"):
        administration.remove(A, BOB)
    clock.advance(seconds=31)
    administration.remove(A, BOB)
    with pytest.raises(NotFound, match="UNKNOWN_TARGET"):
        targets.get(A)
    assert [each.target for each in targets.all()] == [B]


def test_a_target_with_devices_is_not_removed(
    administration: TargetAdministration, ledger: Ledger, clock: Clock, targets: Targets
) -> None:
    ledger.claim(ONE, ClaimRequest(A), ANN)
    ledger.claim(Fingerprint("2b" * 32), ClaimRequest(A), ANN)
    ledger.claim(Fingerprint("3c" * 32), ClaimRequest(B), ANN)
    administration.archive(A, BOB)
    clock.advance(seconds=31)
    with pytest.raises(Conflict, match=r"TARGET_IN_USE: got 1{12}/eu-west-1: 2 devices are assigned \(2 expected\)"):
        administration.remove(A, BOB)
    for certid in (ONE, Fingerprint("2b" * 32)):
        ledger.move(certid, ClaimRequest(B), ANN)
    administration.remove(A, BOB)
    assert [each.target for each in targets.all()] == [B]


def test_the_commissioner_can_still_clear_devices_in_a_removed_target(
    administration: TargetAdministration, targets: Targets, clock: Clock
) -> None:
    administration.archive(A, BOB)
    clock.advance(seconds=31)
    removed = administration.remove(A, BOB)
    found = RecentTargets(targets, clock).get(A)
    assert (found, found.removed, found.externalid) == (removed, True, "secret")


def test_a_removed_target_can_be_registered_again(
    administration: TargetAdministration, targets: Targets, clock: Clock
) -> None:
    administration.archive(A, BOB)
    clock.advance(seconds=31)
    administration.remove(A, BOB)
    again = targets.register(A, "Plant one", (), ANN)
    assert targets.get(A) == again
    assert (again.archivedat, again.removed, again.externalid) == (None, False, "secret")


def test_the_history_states_who_did_what(administration: TargetAdministration, targets: Targets, clock: Clock) -> None:
    changes: list[Callable[[], RegisteredTarget]] = [
        lambda: administration.rename(A, "North", BOB),
        lambda: administration.rename(A, "North", BOB),
        lambda: targets.register(A, "North", ("default", "camera"), ANN, presence=True),
        lambda: administration.archive(A, BOB),
        lambda: administration.restore(A, BOB),
        lambda: administration.archive(A, ANN),
        lambda: administration.remove(A, ANN),
    ]
    for change in changes:
        clock.advance(seconds=31)
        change()
    history = administration.history(A)
    assert [(each.actor, each.event, each.detail) for each in history] == [
        (ANN, "registered", "name: Plant one; profiles: default"),
        (BOB, "changed", "name: Plant one → North"),
        (ANN, "changed", "profiles: default → default, camera; presence: False → True"),
        (BOB, "archived", ""),
        (BOB, "restored", ""),
        (ANN, "archived", ""),
        (ANN, "removed", ""),
    ]
    assert [each.at for each in history] == sorted(each.at for each in history)


def test_the_history_of_an_unknown_target_is_not_found(administration: TargetAdministration) -> None:
    with pytest.raises(NotFound, match="UNKNOWN_TARGET"):
        administration.history(parse_target("3" * 12, "eu-west-1"))


@pytest.mark.parametrize("change", ["rename", "archive", "restore", "remove"])
def test_an_unknown_target_cannot_be_changed(administration: TargetAdministration, change: str) -> None:
    unknown = parse_target("3" * 12, "eu-west-1")
    more = ("North",) if change == "rename" else ()
    with pytest.raises(NotFound, match="UNKNOWN_TARGET"):
        getattr(administration, change)(unknown, *more, ANN)


def test_of_two_concurrent_changes_one_is_made(
    administration: TargetAdministration, targets: Targets, calls: Calls
) -> None:
    calls.meanwhile["TransactWriteItems"] = lambda: administration.rename(A, "First", BOB)
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        administration.archive(A, ANN)
    assert (targets.get(A).name, targets.get(A).archivedat) == ("First", None)
    assert {each.event for each in administration.history(A)} == {"registered", "changed"}


def test_a_target_that_becomes_a_standby_meanwhile_is_not_archived(
    administration: TargetAdministration, standbys: Standbys, targets: Targets, calls: Calls
) -> None:
    calls.meanwhile["TransactWriteItems"] = lambda: standbys.set(A, B, StandbyMode.ACTIVE, BOB)
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        administration.archive(B, ANN)
    assert (targets.get(A).standby, targets.get(B).archivedat) == (B, None)


def test_a_target_that_is_archived_meanwhile_becomes_no_standby(
    administration: TargetAdministration, standbys: Standbys, targets: Targets, calls: Calls
) -> None:
    calls.meanwhile["TransactWriteItems"] = lambda: administration.archive(B, BOB)
    with pytest.raises(Conflict, match=f"CHANGED_MEANWHILE: got {A}, which \\(or {B}\\)"):
        standbys.set(A, B, StandbyMode.ACTIVE, ANN)
    assert targets.get(A).standby is None
    assert targets.get(B).archivedat


def test_a_former_standby_is_archived(administration: TargetAdministration, standbys: Standbys, clock: Clock) -> None:
    for standby in (B, None, B, None):
        clock.advance(seconds=1)
        standbys.set(A, standby, StandbyMode.ACTIVE, BOB)
    assert administration.archive(B, ANN).archivedat
