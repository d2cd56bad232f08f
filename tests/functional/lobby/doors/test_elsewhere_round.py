"""The registrar's round in each Region of a lobby: what other doors have issued is registered half a minute after it
was found, and what was deactivated meanwhile is not."""

from collections.abc import Callable
from typing import Any

import pytest

from lobby.aws.pacer import Pacer
from lobby.domain.changes import Chosen, Lift, Quarantine
from lobby.domain.pacing import Pace
from lobby.doors import elsewhere_round
from lobby.doors.claim_registrations import ClaimRegistrations
from lobby.doors.elsewhere_round import PARTS, ElsewhereRound, part_of
from lobby.ledger.models import LedgerRow
from lobby.ledger.reader import LedgerReader
from lobby.ledger.store import Ledger
from tests.aws import REGION, WAITING_POLICY, Calls, Clock, CutOff
from tests.functional.lobby.doors.other_region import MAKER, OtherRegion

WHY = "user:ann"


class Region(OtherRegion):
    def __init__(self, calls: Calls, ledger: Ledger, clock: Clock) -> None:
        super().__init__(calls, ledger)
        self.clock = clock

    def run(self, meanwhile: Callable[[], Any] = lambda: None, seconds: float = 110.0) -> int:
        claims = ClaimRegistrations(self.iot, "claim", "claim-keys", LedgerReader(), self.clock)
        working = ElsewhereRound(self.iot, WAITING_POLICY, Pacer(Pace(1000)), self.clock, lambda _: meanwhile())
        self.calls.forget()
        return working.run(claims, lambda: seconds)


@pytest.fixture
def region(calls: Calls, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Region:
    """A Region whose round has one part."""
    monkeypatch.setattr(elsewhere_round, "PARTS", 1)
    return Region(calls, Ledger(REGION, clock, pause=lambda _attempt: None), clock)


def test_a_certificate_of_another_door_is_registered_once_and_a_manufacturers_is_left_to_the_door(
    region: Region,
) -> None:
    issued, signed = region.admitted("pump-1"), region.admitted("sensor-1", MAKER)
    assert (region.run(), region.run()) == (1, 0)
    assert (region.status(issued), region.status(signed)) == ("ACTIVE", None)
    [principal] = region.iot.list_thing_principals(thingName="pump-1")["principals"]
    assert (principal.rpartition("/")[2], region.policies(issued)) == (issued, [WAITING_POLICY])


def test_an_interrupted_registration_is_completed(region: Region) -> None:
    issued = region.admitted("pump-1")
    region.register_inactive("pump-1")
    assert (region.run(), region.status(issued)) == (1, "ACTIVE")


STEPS = ["RegisterCertificateWithoutCA", "CreateThing", "AttachThingPrincipal", "UpdateCertificate", "AttachPolicy"]


@pytest.mark.parametrize("after", STEPS)
def test_a_registration_that_is_killed_between_two_calls_is_completed_by_the_next_run(
    region: Region, after: str
) -> None:
    issued = region.admitted("pump-1")
    region.kill_after(after)
    with pytest.raises(CutOff):
        region.run()
    region.run()
    assert (region.status(issued), region.policies(issued)) == ("ACTIVE", [WAITING_POLICY])
    assert (region.run(), region.calls.count()["AttachPolicy"]) == (0, 0)


def test_certificates_are_read_together_and_an_empty_part_needs_no_call_of_aws_iot(region: Region) -> None:
    assert (region.run(), region.calls.names()) == (0, ["Query", "Scan"])
    for number in range(3):
        region.admitted(f"pump-{number}")
    assert (region.run(), region.calls.count()["BatchGetItem"]) == (3, 1)
    assert "GetItem" not in [call.operation for call in region.calls.made if "certificates" in str(call.params)]


@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED"])
def test_what_an_administrator_has_deactivated_stays_inactive(region: Region, status: str) -> None:
    issued = region.admitted("pump-1")
    region.run()
    region.iot.update_certificate(certificateId=issued, newStatus=status)
    assert (region.run(), region.status(issued)) == (0, status)


def test_a_device_that_is_revoked_before_or_meanwhile_is_not_registered(region: Region) -> None:
    before, meanwhile = region.admitted("pump-1"), region.admitted("pump-2")
    region.ledger.revoke(before, WHY, "stolen")
    assert region.run(lambda: region.ledger.revoke(meanwhile, WHY, "stolen")) == 0
    assert (region.status(before), region.status(meanwhile)) == (None, None)


def test_a_certificate_that_stayed_active_after_a_revocation_is_deactivated(region: Region) -> None:
    issued = region.admitted("pump-1")
    region.run()
    region.ledger.revoke(issued, WHY, "stolen")
    assert (region.run(), region.status(issued), region.run()) == (1, "INACTIVE", 0)


def test_a_quarantine_that_is_lifted_meanwhile_deactivates_nothing(region: Region) -> None:
    issued = region.admitted("pump-1")
    region.run()
    region.ledger.change_many([Chosen(issued)], Quarantine("a copy?"), WHY, lambda: False)
    lift = Lift("no copy")
    assert region.run(lambda: region.ledger.change_many([Chosen(issued)], lift, WHY, lambda: False)) == 0
    assert region.status(issued) == "ACTIVE"


def test_a_refusal_does_not_stop_the_others(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = sorted((region.admitted("pump-1"), region.admitted("pump-2")))
    region.refuse_policy(one, monkeypatch)
    assert region.run() == 1
    assert (region.policies(one), region.policies(two)) == ([], [WAITING_POLICY])


def test_work_that_does_not_fit_into_a_run_follows_on_the_next_days(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere_round, "MOST", 1)
    issued = [region.admitted(f"pump-{number}") for number in range(3)]
    done = 0
    for _ in range(3):
        done += region.run()
        region.clock.advance(days=1)
    assert (done, {region.status(each) for each in issued}) == (3, {"ACTIVE"})
    assert region.run(seconds=60) == 0


def test_each_part_of_the_ledger_has_its_time_of_the_day(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def scan(**arguments: Any) -> list[Any]:
        asked.append(arguments)
        return []

    monkeypatch.setattr(elsewhere_round, "PARTS", PARTS)
    monkeypatch.setattr(LedgerRow, "scan", scan)
    first = region.clock()
    for _ in range(PARTS):
        region.run()
        region.clock.advance(minutes=5)
    assert sorted(each["segment"] for each in asked) == list(range(PARTS))
    assert {each["total_segments"] for each in asked} == {PARTS}
    assert part_of(region.clock()) == part_of(first)
