"""Certificates that another Region's door has issued are registered in this Region, and only these."""

from collections.abc import Callable
from typing import Any

import pytest

from lobby.aws.pacer import Pacer
from lobby.domain.pacing import Pace
from lobby.doors.issued_elsewhere import IssuedElsewhere, Result
from lobby.ledger.store import Ledger
from tests.aws import WAITING_POLICY, Calls, CutOff
from tests.functional.lobby.doors.other_region import MAKER, OtherRegion

WHY = "user:ann"


class Region(OtherRegion):
    def register(self, meanwhile: Callable[[], Any] = lambda: None) -> Result:
        pacer = Pacer(Pace(1000))
        self.calls.forget()
        return IssuedElsewhere(self.iot, WAITING_POLICY, pacer, lambda _: meanwhile()).register_all()


@pytest.fixture
def region(calls: Calls, ledger: Ledger) -> Region:
    return Region(calls, ledger)


def test_a_certificate_of_another_regions_door_is_registered_and_a_manufacturers_is_left_to_the_door(
    region: Region,
) -> None:
    issued, signed = region.admitted("pump-1"), region.admitted("sensor-1", MAKER)
    assert region.register() == Result(registered=1)
    assert (region.status(issued), region.status(signed)) == ("ACTIVE", None)
    principals = region.iot.list_thing_principals(thingName="pump-1")["principals"]
    assert [each.rpartition("/")[2] for each in principals] == [issued]
    [policy] = region.iot.list_attached_policies(target=principals[0])["policies"]
    assert policy["policyName"] == WAITING_POLICY


def test_complete_registrations_are_not_changed(region: Region) -> None:
    region.admitted("pump-1")
    region.register()
    assert region.register() == Result()


def test_an_interrupted_registration_is_completed(region: Region) -> None:
    issued = region.admitted("pump-1")
    region.register_inactive("pump-1")
    assert region.register() == Result(registered=1)
    assert region.status(issued) == "ACTIVE"


@pytest.mark.parametrize("after", ["RegisterCertificateWithoutCA", "AttachThingPrincipal", "UpdateCertificate"])
def test_a_command_that_was_killed_completes_its_work_when_it_is_repeated(region: Region, after: str) -> None:
    issued = region.admitted("pump-1")
    region.kill_after(after)
    with pytest.raises(CutOff):
        region.register()
    assert region.register() == Result(registered=1)
    assert (region.status(issued), region.policies(issued)) == ("ACTIVE", [WAITING_POLICY])


def test_a_certificate_with_another_policy_is_complete(region: Region) -> None:
    issued = region.admitted("pump-1")
    region.register()
    region.replace_policy(issued, "device-lobby-camera")
    assert region.register() == Result()
    assert region.policies(issued) == ["device-lobby-camera"]


def test_certificates_are_read_together(region: Region) -> None:
    for number in range(3):
        region.admitted(f"pump-{number}")
    assert region.register() == Result(registered=3)
    assert region.calls.count()["BatchGetItem"] == 1


def test_a_revoked_device_gets_no_active_certificate_also_if_it_is_revoked_meanwhile(
    region: Region, ledger: Ledger
) -> None:
    before, meanwhile = region.admitted("pump-1"), region.admitted("pump-2")
    ledger.revoke(before, WHY, "stolen")
    assert region.register(lambda: ledger.revoke(meanwhile, WHY, "stolen")) == Result(registered=1, deactivated=1)
    assert (region.status(before), region.status(meanwhile)) == (None, "INACTIVE")


def test_a_refusal_is_reported_and_the_others_are_registered(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = sorted((region.admitted("pump-1"), region.admitted("pump-2")))
    region.refuse_policy(one, monkeypatch)
    result = region.register()
    assert (result.registered, list(result.refused)) == (1, [one])
    assert "LimitExceededException" in result.refused[one]
    assert (region.policies(one), region.policies(two)) == ([], [WAITING_POLICY])
