"""Devices that are registered in a standby are also compared there, and prepared again if the standby does not match
the ledger."""

from collections.abc import Callable
from typing import Any

import pytest
from moto.iot.models import IoTBackend, iot_backends

from commissioner.errors import TargetRefusal
from commissioner.reconciliation.by_device import Reconciliation
from commissioner.reconciliation.comparison import DifferenceCode
from commissioner.reconciliation.examination import Examination
from commissioner.reconciliation.inspector_client import InspectorClient
from commissioner.target_gateway.registry import certificate_arn
from lobby.contracts.inspector import FactsRequest
from lobby.contracts.invocation import Request, decode_response
from lobby.domain.standby.standby import StandbyStatus
from lobby.names import Target
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.commissioner.lobby_with_targets import (
    ANN,
    KEY,
    ONE,
    PROFILES,
    THREE,
    A,
    B,
    make_thing,
    new_inspector,
)
from tests.functional.commissioner.standby_lobby import ACTIVE, INACTIVE, StandbyLobby

ARN = certificate_arn(B, ONE)


def missing(iot: IoTBackend) -> None:
    del iot.principal_policies[(ARN, "device-lobby-default")], iot.principal_things[(ARN, "sensor-1")]
    del iot.certificates[ONE]


def inactive(iot: IoTBackend) -> None:
    iot.certificates[ONE].status = "INACTIVE"


def revoked(iot: IoTBackend) -> None:
    iot.certificates[ONE].status = "REVOKED"


def unbound(iot: IoTBackend) -> None:
    iot.principal_things.pop((ARN, "sensor-1"))


def of_another(iot: IoTBackend) -> None:
    _thing(iot).attributes["certid"] = THREE


def claim_changed(iot: IoTBackend) -> None:
    _thing(iot).attributes["claim"] = "theirs"


def elsewhere(iot: IoTBackend) -> None:
    make_thing(iot, "theirs")
    iot.attach_thing_principal("theirs", ARN)


def no_policy(iot: IoTBackend) -> None:
    iot.detach_policy("device-lobby-default", ARN)


def _thing(iot: IoTBackend) -> Any:
    return next(each for each in iot.things.values() if each.thing_name == "sensor-1")


REPAIRABLE: dict[Callable[[IoTBackend], None], DifferenceCode] = {
    missing: DifferenceCode.CERTIFICATE_MISSING,
    inactive: DifferenceCode.CERTIFICATE_INACTIVE,
    unbound: DifferenceCode.THING_UNBOUND,
    claim_changed: DifferenceCode.THING_CLAIM,
    no_policy: DifferenceCode.POLICY_MISSING,
}
OF_OWNER: dict[Callable[[IoTBackend], None], DifferenceCode] = {
    revoked: DifferenceCode.CERTIFICATE_REVOKED,
    of_another: DifferenceCode.THING_OF_ANOTHER,
    elsewhere: DifferenceCode.THING_ELSEWHERE,
}
Change = Callable[[IoTBackend], None]


class Compared:
    """A device that is placed in A and prepared in B, and the comparison of A."""

    def __init__(self, lobby: StandbyLobby) -> None:
        self.lobby, self.refused = lobby, False
        self.asked: list[tuple[Target, int]] = []
        self.time_for = 100
        lobby.place()
        self.iot: IoTBackend = iot_backends[B.account][B.region]
        inspector = new_inspector()

        def send(request: "Request[object]") -> object:
            if self.refused and request.encode()["region"] == B.region:
                raise TargetRefusal("TARGET_UNREACHABLE", "got no answer")
            answer = decode_response(request, inspector.answer(request.encode()))
            if not isinstance(request, FactsRequest):
                return answer
            self.asked.append((request.target, len(request.devices)))
            return answer[: self.time_for]  # type: ignore[index]  # a tuple of facts

        client = InspectorClient(send)  # type: ignore[arg-type]  # one signature for all requests
        self.examination = Examination(lobby.ledger, client, PROFILES, KEY, lambda target: target == A)
        self._pages = Reconciliation(client, self.examination)

    def codes(self, repair_as: str | None = None) -> list[tuple[DifferenceCode, bool]]:
        page = self._pages.page(A, None, repair_as)
        for finding in page.findings:
            assert f"in {B}" in finding.difference.message
        return [(each.difference.code, each.repaired) for each in page.findings]


@pytest.fixture
def active(calls: Calls, clock: Clock) -> Compared:
    return Compared(StandbyLobby(calls, clock, ACTIVE))


@pytest.fixture
def unused(calls: Calls, clock: Clock) -> Compared:
    return Compared(StandbyLobby(calls, clock, INACTIVE))


def test_a_standby_in_step_has_no_differences_and_is_only_read(active: Compared, unused: Compared) -> None:
    before = aws.registry(B), aws.tables()
    assert (active.codes(), unused.codes(ANN)) == ([], [])
    assert (aws.registry(B), aws.tables()) == before


def test_devices_for_which_there_was_no_time_are_not_compared_in_the_standby_either(active: Compared) -> None:
    """They are compared with the next page, and would be reported twice."""
    device, active.time_for = active.lobby.device(), 1
    assert active.examination.placed(A, [device, device]).count == 1
    assert active.asked == [(A, 2), (B, 1)]


@pytest.mark.parametrize("change", REPAIRABLE, ids=lambda change: change.__name__)
def test_a_difference_is_reported_and_repaired_on_request(active: Compared, change: Change) -> None:
    change(active.iot)
    assert active.codes() == [(REPAIRABLE[change], False)]
    assert active.codes(ANN) == [(REPAIRABLE[change], True)]
    row = active.lobby.device()
    assert row.standby is not None
    assert (row.standby.wanted, row.needs_commissioner) == (True, True)
    assert active.lobby.events()[-1][:2] == ("prepare", "the standby is out of step")
    assert active.codes() == []  # a change in progress is not reported
    assert active.lobby.deliver(active.lobby.record()) == []
    assert active.codes() == []
    assert active.iot.certificates[ONE].status == "ACTIVE"


@pytest.mark.parametrize("change", OF_OWNER, ids=lambda change: change.__name__)
def test_what_the_owner_has_changed_is_reported_only(active: Compared, change: Change) -> None:
    change(active.iot)
    before = active.lobby.device()
    assert active.codes(ANN) == [(OF_OWNER[change], False)]
    assert active.lobby.device() == before


def test_a_certificate_that_is_to_be_inactive_is_deactivated_again(unused: Compared) -> None:
    unused.iot.certificates[ONE].status = "ACTIVE"
    assert unused.codes(ANN) == [(DifferenceCode.CERTIFICATE_ACTIVE, True)]
    assert unused.lobby.deliver(unused.lobby.record()) == []
    assert unused.iot.certificates[ONE].status == "INACTIVE"
    standby = unused.lobby.device().standby
    assert standby is not None
    assert standby.status is StandbyStatus.INACTIVE


def test_a_standby_that_does_not_answer_does_not_stop_the_comparison_of_the_target(active: Compared) -> None:
    inactive(active.iot)
    active.refused = True
    assert active.codes() == []
    active.refused = False
    assert active.codes() == [(DifferenceCode.CERTIFICATE_INACTIVE, False)]


def test_an_evacuated_device_is_compared_where_it_is(active: Compared) -> None:
    active.lobby.deliver(active.lobby.evacuate())
    inactive(active.iot)
    assert active.codes() == []  # it is no longer one of A's
