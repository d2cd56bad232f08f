"""The fault matrix of the doors that issue certificates: each call of vending and registrar fails in each way, and a
device or user asks again. Nothing is lost: one device has the name, its certificate is the only active one, and the
token and the enrolment are counted once.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from lobby.contracts.claim_certificates import AddClaimCertificate, RevokeClaimCertificate
from lobby.domain.enrolments.enrolment import EnrolmentEvent
from tests import aws
from tests import certificates as make
from tests.simulation.faults import doors
from tests.simulation.faults.doors import PUMPS, Run
from tests.simulation.faults.injector import Call, Fault, FaultInjector

ADD = AddClaimCertificate(PUMPS, "user:ann", None, doors.claim_pem()).encode()
REVOKE = RevokeClaimCertificate(make.fingerprint_of(doors.claim_pem()), "user:ann").encode()
REGISTRAR: dict[str, tuple[Callable[[], None], Callable[[Run], None], int]] = {
    "a claim certificate is added": (doors.claim_lobby, doors.ask_registrar(ADD), 1),
    "its enrolment is paused": (doors.claim_lobby_with_certificate, doors.change_enrolment(EnrolmentEvent.PAUSED), 0),
    "it is revoked": (doors.claim_lobby_with_certificate, doors.ask_registrar(REVOKE), 0),
}
"""The initial state, what happens, and how many claim certificates are active afterwards."""
SAMPLE = (Fault.KILLED, Fault.TIMED_OUT)
FAULTS = [pytest.param(SAMPLE, id="sample"), pytest.param(tuple(Fault), id="all", marks=pytest.mark.full)]


@pytest.fixture(scope="module")
def empty(injector: FaultInjector) -> Any:
    injector.begin({})
    return aws.snapshot()


def every_fault(
    injector: FaultInjector,
    empty: Any,
    begin: Callable[[], None],
    act: Callable[[Run], Any],
    problems: Callable[[Any], list[str]],
    faults: Sequence[Fault],
) -> tuple[list[Call], list[str]]:
    """Return the calls without a fault, and what is wrong after each fault of each call."""

    def run(plan: dict[int, Fault]) -> list[str]:
        aws.restore(empty)
        injector.begin({})
        begin()
        injector.begin(plan)
        try:
            return problems(act(Run(injector)))
        except AssertionError as error:
            return [str(error)]

    assert run({}) == []
    calls = list(injector.calls)
    found = [
        f"{call} {fault}: {problem}"
        for number, call in enumerate(calls, 1)
        for fault in faults
        for problem in run({number: fault})
    ]
    return calls, found


@pytest.mark.parametrize("faults", FAULTS)
def test_no_fault_at_the_vending_door_loses_a_device_or_a_use_of_its_token(
    injector: FaultInjector, empty: Any, faults: Sequence[Fault]
) -> None:
    act, problems = doors.request_certificate, doors.vending_problems
    calls, lost = every_fault(injector, empty, doors.vending_lobby, act, problems, faults)
    assert lost == []
    made = {call.operation for call in calls}
    assert made >= {
        "GetParameter",
        "CreateCertificateFromCsr",
        "TransactWriteItems",
        "AttachPolicy",
        "UpdateCertificate",
    }


@pytest.mark.parametrize("faults", FAULTS)
@pytest.mark.parametrize("name", REGISTRAR)
def test_no_fault_leaves_a_claim_certificate_that_differs_from_its_enrolment(
    injector: FaultInjector, empty: Any, name: str, faults: Sequence[Fault]
) -> None:
    begin, act, active = REGISTRAR[name]
    calls, lost = every_fault(injector, empty, begin, act, lambda _answer: doors.registrar_problems(active), faults)
    assert lost == []
    assert "UpdateCertificate" in {call.operation for call in calls}
