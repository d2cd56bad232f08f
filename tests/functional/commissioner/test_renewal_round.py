"""The daily round of renewals: which devices are asked, how often, and the report."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from commissioner.reconciliation.renewal_round import INTERVAL, RenewalRound
from lobby.domain.device import Device
from lobby.domain.enrolments.enrolment import Door, Enrolment, EnrolmentState, Match
from lobby.domain.expiry import Expiring
from lobby.domain.renewals.renewal import Renewal, RenewalPolicy, stage_of
from lobby.domain.signer import Signer
from lobby.domain.states import State
from lobby.domain.targets.profile import Profiles
from lobby.ledger.models import LedgerRow
from lobby.ledger.renewals.renewal_summary import read_summary
from lobby.names import EnrolmentName
from tests import certificates as make
from tests.functional.commissioner.lobby_with_targets import ONE, PROFILES, THREE, TWO, LobbyWithTargets

YEARLY = Profiles.of(replace(each, renewal=RenewalPolicy(365, 30)) for each in PROFILES.by_name.values())
ROOT = Expiring("ca", "ab" * 32, "CN=Maker", "2027-01-01T00:00:00Z")


class Round:
    """A round whose note is kept between runs."""

    def __init__(self, lobby: LobbyWithTargets, profiles: Profiles = YEARLY) -> None:
        self.lobby, self.note = lobby, dict[str, Any]()
        self.enrolments: list[Enrolment] = []
        self.round = RenewalRound(lobby.ledger, profiles, lambda: self.enrolments, lambda _at: [ROOT], lobby.clock)

    def run(self, *, days: int = 0) -> dict[str, int]:
        self.lobby.clock.advance(days=days)
        numbers = self.round.resume(self.note, lambda: False)
        return {name: number for name, number in numbers.items() if number}

    def device(self) -> Device:
        return self.lobby.device()


def start_placed(lobby: LobbyWithTargets) -> None:
    """Place a device whose certificate expires late."""
    lobby.start_placed()
    LedgerRow(ONE).update(actions=[LedgerRow.expires.set("2099-12-31")])


@pytest.fixture
def able(lobby: LobbyWithTargets) -> LobbyWithTargets:
    start_placed(lobby)
    assert lobby.ledger.record_heartbeat(lobby.device(), "2.0", can_renew=True)
    return lobby


@pytest.mark.parametrize(
    ("days", "state", "found"),
    [(180, EnrolmentState.PAUSED, 1), (200, EnrolmentState.ACTIVE, 0), (180, EnrolmentState.REVOKED, 0)],
)
def test_the_ca_of_a_signer_that_will_expire_is_reported(
    able: LobbyWithTargets, days: int, state: EnrolmentState, found: int
) -> None:
    daily = Round(able)
    ca = make.authority("Own CA", end=able.clock() + days * make.DAY)
    signed = Enrolment(EnrolmentName("pumps"), Door.TOKEN, Match(), "user:ann", "2026-11-22T12:00:00.000Z", state)
    daily.enrolments = [replace(signed, signer=Signer("arn", ca.pem, 30), name=EnrolmentName(name)) for name in "ab"]
    assert daily.run()["AuthoritiesExpiring"] == 1 + found
    summary = read_summary()
    assert summary is not None
    assert [each.name for each in summary.authorities[1:]] == ["CN=Own CA"] * found


def test_a_device_is_asked_when_its_certificate_has_the_maximum_age(able: LobbyWithTargets) -> None:
    daily = Round(able)
    assert daily.run(days=364) == {"AuthoritiesExpiring": 1}
    assert daily.run(days=1) == {"RenewalsAsked": 1, "RenewalsDue": 1, "AuthoritiesExpiring": 1}
    device = daily.device()
    assert (stage_of(device), device.needs_commissioner, device.devstate) == (Renewal.DUE, True, State.ARRIVED)


def test_it_is_asked_again_each_day_and_is_overdue_after_the_grace_period(able: LobbyWithTargets) -> None:
    daily = Round(able)
    daily.run(days=365)
    deadline = daily.device().renew_by
    able.ledger.retire_certificates(daily.device(), (), "service:commissioner")
    assert daily.run() == {}, "one round a day"
    assert daily.run(days=1)["RenewalsAsked"] == 1
    assert daily.run(days=30)["RenewalsOverdue"] == 1
    assert daily.device().renew_by == deadline


def test_a_client_that_cannot_renew_is_counted_and_not_asked(lobby: LobbyWithTargets) -> None:
    start_placed(lobby)
    daily = Round(lobby)
    assert daily.run(days=365) == {"RenewalsDue": 1, "RenewalsUnable": 1, "AuthoritiesExpiring": 1}
    assert not daily.device().needs_commissioner
    assert stage_of(daily.device()) is Renewal.DUE


def test_without_a_policy_no_device_is_due(able: LobbyWithTargets) -> None:
    assert Round(able, PROFILES).run(days=5000) == {"AuthoritiesExpiring": 1}


def test_the_policy_of_an_enrolment_has_precedence(able: LobbyWithTargets) -> None:
    LedgerRow(ONE).update(actions=[LedgerRow.enrolment.set("pumps")])
    daily, name = Round(able), EnrolmentName("pumps")
    daily.enrolments = [
        Enrolment(name, Door.REGISTRATION, Match(), "user:ann", "", renewal=RenewalPolicy(10, 5)),
    ]
    assert daily.run(days=10)["RenewalsDue"] == 1


@pytest.mark.parametrize(
    ("door", "signed", "asked"),
    [(Door.CLAIM, True, 1), (Door.CLAIM, False, 0), (Door.REGISTRATION, True, 0), (Door.TOKEN, True, 0)],
)
def test_the_signer_of_an_enrolment_replaces_the_first_certificates_of_the_door_claim(
    able: LobbyWithTargets, door: Door, signed: bool, asked: int
) -> None:
    LedgerRow(ONE).update(actions=[LedgerRow.enrolment.set("pumps")])
    daily = Round(able, PROFILES)
    signer = Signer("arn", make.authority("Own CA").pem, 30) if signed else None
    daily.enrolments = [Enrolment(EnrolmentName("pumps"), door, Match(), "user:ann", "", signer=signer)]
    assert daily.run().get("RenewalsAsked", 0) == asked
    assert (stage_of(daily.device()) is Renewal.DUE) == bool(asked)


def test_a_first_certificate_is_not_replaced_in_the_lobby_or_twice(able: LobbyWithTargets) -> None:
    LedgerRow(ONE).update(actions=[LedgerRow.enrolment.set("pumps"), LedgerRow.renewed_at.set("2026-11-22T12:00:00Z")])
    daily = Round(able, PROFILES)
    signer = Signer("arn", make.authority("Own CA").pem, 30)
    daily.enrolments = [Enrolment(EnrolmentName("pumps"), Door.CLAIM, Match(), "user:ann", "", signer=signer)]
    assert "RenewalsAsked" not in daily.run()
    LedgerRow(ONE).update(actions=[LedgerRow.renewed_at.remove()])
    able.ledger.release(ONE, "user:ann")
    assert "RenewalsAsked" not in daily.run(days=1)


def test_a_certificate_that_expires_earlier_is_due_a_grace_period_before(able: LobbyWithTargets) -> None:
    expires = (able.clock() + timedelta(days=60)).date().isoformat()
    LedgerRow(ONE).update(actions=[LedgerRow.expires.set(expires)])
    daily = Round(able)
    assert daily.run(days=29) == {"CertificatesExpiring": 1, "AuthoritiesExpiring": 1}
    assert daily.run(days=1)["RenewalsAsked"] == 1


def test_the_expiry_of_a_row_of_an_earlier_version_is_read_from_the_certificate(able: LobbyWithTargets) -> None:
    LedgerRow(ONE).update(actions=[LedgerRow.expires.remove()])
    assert Round(able, PROFILES).run(days=20_000)["CertificatesExpiring"] == 1


def test_the_overview_gets_the_numbers_of_the_last_complete_round(able: LobbyWithTargets) -> None:
    assert read_summary() is None
    Round(able).run(days=365)
    summary = read_summary()
    assert summary is not None
    assert (summary.due, summary.overdue, summary.unable) == (1, 0, 0)
    assert summary.authorities == (ROOT,)


def test_a_round_without_time_continues_in_the_next_run(
    three: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch
) -> None:
    lobby = three
    lobby.start_placed(ONE, TWO, THREE)
    monkeypatch.setattr("lobby.ledger.lists.walk.PAGE", 1)
    daily = Round(lobby)
    lobby.clock.advance(days=365)
    answers: Iterator[bool] = iter([False, True])
    assert daily.round.resume(daily.note, lambda: next(answers)) == {"RenewalsAsked": 0}
    assert daily.note["counts"]["due"] == 1
    assert daily.run()["RenewalsDue"] == 3
    assert timedelta(hours=23) < INTERVAL < timedelta(days=1)
