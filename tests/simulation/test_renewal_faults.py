"""The fault matrix of renewals: each AWS call of a renewal fails in each way, with immediate and with late retries.

The end is that of the undisturbed run: the device has one certificate, which is in use everywhere, the old one is
retired, and no orphan is left. After each call, the device could connect with one of its certificates. Users' changes
during a renewal have the outcome that they have without a fault.
"""

import pytest

from commissioner.commissioning import Commissioner
from lobby.domain.device import Device
from lobby.domain.lanes.lane import Lane
from lobby.doors import orphaned_certificates
from tests.simulation.faults.devices import A
from tests.simulation.faults.injector import Fault, FaultInjector
from tests.simulation.faults.matrix import LOST, SURVIVED
from tests.simulation.faults.renewals import ASKED_AGAIN, SCENARIOS, RenewalRunner
from tests.simulation.faults.scenarios import Scenario
from tests.simulation.faults.setup import ScenarioSetup

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
ISSUE, RECORD = "CreateCertificateFromCsr", "TransactWriteItems"


@pytest.mark.full
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_fault_of_a_renewal_loses_a_device_or_leaves_a_certificate(
    injector: FaultInjector, setup: ScenarioSetup, scenario: Scenario
) -> None:
    lost = [cell for cell in RenewalRunner(injector, setup, scenario).cells(tuple(Fault)) if cell.result == LOST]
    assert not lost


def test_a_renewer_that_is_killed_at_any_call_renews_in_the_end(injector: FaultInjector, setup: ScenarioSetup) -> None:
    runner = RenewalRunner(injector, setup, BY_NAME["the device requests a certificate"])
    numbers = [number for number, call in enumerate(runner.calls, 1) if call.by == "renewer"]
    cells = [runner.cell(number, Fault.KILLED, [number % 2 == 0]) for number in numbers]
    assert [cell for cell in cells if cell.result not in (SURVIVED, ASKED_AGAIN)] == []
    assert {ISSUE, RECORD} <= {cell.call.operation for cell in cells}


def result_of(injector: FaultInjector, setup: ScenarioSetup, name: str, by: str, operation: str, fault: Fault) -> str:
    """Return the result of a scenario in which this operation fails."""
    runner = RenewalRunner(injector, setup, BY_NAME[name])
    number = next(index for index, each in enumerate(runner.calls, 1) if (each.by, each.operation) == (by, operation))
    cell = runner.cell(number, fault, [False])
    return " ".join((cell.result, *cell.lost))


# Defects that these tests must detect.


def test_an_orphan_that_is_not_deleted_is_detected(
    injector: FaultInjector, setup: ScenarioSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphaned_certificates, "was_requested", lambda _key: False)
    monkeypatch.setattr(orphaned_certificates.OrphanedCertificates, "_is_key_of_device", lambda *_: False)
    result = result_of(injector, setup, "the device requests a certificate", "renewer", ISSUE, Fault.KILLED)
    assert result.startswith(LOST)
    assert "registries" in result


def test_a_commissioner_that_retires_the_old_certificate_too_early_is_detected(
    injector: FaultInjector, setup: ScenarioSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    commission = Commissioner._commission

    def hasty(commissioner: Commissioner, device: Device, lane: Lane) -> str:
        commissioner._gateway.retire(A, (device.current,))
        return commission(commissioner, device, lane)

    monkeypatch.setattr(Commissioner, "_commission", hasty)
    with pytest.raises(AssertionError, match="no certificate works in 111111111111/eu-west-1 after commissioner: iot"):
        RenewalRunner(injector, setup, BY_NAME["the device requests a certificate"])
