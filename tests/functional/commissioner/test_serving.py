"""The results of the work for one device: retried failures, rows that cannot be processed, failed devices."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from pynamodb.exceptions import TransactWriteError

from commissioner.commissioning import Commissioner
from commissioner.lanes.serving import ATTEMPTS, Attempt, Result
from lobby.domain.lanes.lane import LOBBY, lane_to
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import NotHome
from lobby.ledger.models import LedgerRow
from lobby.ledger.store import Ledger
from tests import aws
from tests.functional.commissioner.lobby_with_targets import (
    ONE,
    TWO,
    A,
    B,
    LobbyWithTargets,
    client_error,
    statuses,
)

DAMAGE = {
    "no such state": {"devstate": "unheard of"},
    "no target": {"target": "nowhere"},
    "no such priority": {"priority": 7},
}
NO_ANSWER = EndpointConnectionError(endpoint_url="https://iot.eu-west-1")


def serve(lobby: LobbyWithTargets, number: int = 1, target: Any = A) -> Result:
    return lobby.server.serve(Attempt(ONE, number), lane_to(target))


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_row_that_cannot_be_read_is_reported_once(lobby: LobbyWithTargets, damage: dict[str, Any]) -> None:
    lobby.claim()
    with lobby.calls.uncounted():
        row = LedgerRow.get(ONE)
        LedgerRow(ONE).update(actions=[getattr(LedgerRow, name).set(value) for name, value in damage.items()])
    assert [serve(lobby), serve(lobby)] == [Result.SET_ASIDE, Result.SET_ASIDE]
    assert [certid for certid, _ in lobby.queued] == [ONE]
    with lobby.calls.uncounted():
        row.save()
    assert serve(lobby) is Result.DONE
    assert statuses()[1] == "ACTIVE"


def test_a_device_that_our_code_fails_on_is_reported(lobby: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch) -> None:
    lobby.claim()

    def defect(*_: object) -> str:
        raise AttributeError("a defect")

    monkeypatch.setattr(Commissioner, "process", defect)
    assert serve(lobby) is Result.SET_ASIDE
    assert lobby.queued == [(ONE, "AttributeError: a defect")]


def test_a_device_that_cannot_be_reported_is_tried_again(
    lobby: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise NO_ANSWER

    monkeypatch.setattr(lobby.server, "_send_to_queue", refused)
    monkeypatch.setattr(Commissioner, "process", lambda *_: 1 / 0)
    lobby.claim()
    assert serve(lobby) is Result.FAILED


def test_errors_of_the_ledger_never_fail_a_device(lobby: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> None:
        raise TransactWriteError("busy", NO_ANSWER)

    lobby.claim()
    monkeypatch.setattr(Ledger, "commission", busy)
    lobby.clock.advance(hours=1)
    assert serve(lobby, ATTEMPTS) is Result.FAILED
    assert (lobby.device().devstate, lobby.queued) == (State.CLAIMED, [])


def test_a_target_that_does_not_answer_fails_no_device(lobby: LobbyWithTargets) -> None:
    lobby.claim()
    lobby.calls.fails["CreateThing"] = NO_ANSWER
    lobby.clock.advance(hours=1)
    assert serve(lobby, ATTEMPTS) is Result.NO_ANSWER
    assert lobby.device().devstate is State.CLAIMED


def test_throttling_fails_no_device(lobby: LobbyWithTargets) -> None:
    lobby.claim()
    lobby.calls.fails["CreateThing"] = client_error("ThrottlingException", "CreateThing")
    lobby.clock.advance(hours=1)
    assert serve(lobby, ATTEMPTS) is Result.THROTTLED
    assert lobby.device().devstate is State.CLAIMED


def test_a_device_that_keeps_failing_for_minutes_fails_with_a_reason(lobby: LobbyWithTargets) -> None:
    lobby.claim()
    lobby.calls.fails["CreateThing"] = client_error("StrangeException", "CreateThing")
    assert serve(lobby, ATTEMPTS) is Result.FAILED
    lobby.clock.advance(minutes=3)
    assert serve(lobby, ATTEMPTS - 1) is Result.FAILED
    assert lobby.device().devstate is State.CLAIMED
    assert serve(lobby, ATTEMPTS) is Result.DONE
    assert (lobby.device().devstate, lobby.device().reason) == (State.FAILED, "TARGET_UNREACHABLE")


def test_a_target_that_cannot_be_cleared_for_minutes_stays_on_the_row_with_a_reason(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.release()
    lobby.calls.fails["UpdateCertificate"] = client_error("StrangeException", "UpdateCertificate")
    lobby.clock.advance(minutes=3)
    assert serve(lobby, ATTEMPTS) is Result.DONE
    device = lobby.device()
    assert (device.reason, device.targets_to_clear, device.needs_commissioner) == ("TARGET_UNREACHABLE", (A,), False)


def test_a_row_without_work_in_this_lane_is_not_changed(lobby: LobbyWithTargets) -> None:
    lobby.claim()
    lobby.calls.forget()
    assert serve(lobby, target=B) is Result.DONE
    assert lobby.server.serve(Attempt(TWO), LOBBY) is Result.DONE
    assert lobby.calls.names() == ["BatchGetItem", "BatchGetItem"]


def test_an_unfinished_run_sends_the_route_again(lobby: LobbyWithTargets) -> None:
    lobby.deliver(lobby.claim())
    aws.published().clear()
    assert serve(lobby) is Result.DONE
    assert aws.published() == []
    assert lobby.server.serve(Attempt(ONE, unfinished=True), lane_to(A)) is Result.DONE
    assert [topic for topic, _ in aws.published()] == ["lobby/sensor-1"]


def test_each_target_is_cleared_in_its_own_lane(lobby: LobbyWithTargets) -> None:
    """A target that refuses does not prevent the deactivation in the other one."""
    lobby.place()
    lobby.deliver(lobby.move())
    with lobby.calls.uncounted():
        lobby.ledger.move(ONE, _to_a(), "user:ann")
        lobby.ledger.release(ONE, "user:ann")
    assert lobby.device().targets_to_clear == (B, A)

    def refuse_in_b(params: dict[str, Any], make: Any) -> Any:
        if lobby.calls.made[-1].region == B.region:
            raise client_error("AccessDeniedException", "UpdateCertificate")
        return make()

    lobby.calls.instead["UpdateCertificate"] = refuse_in_b
    assert serve(lobby, target=A) is Result.DONE
    assert (lobby.device().targets_to_clear, lobby.device().needs_commissioner) == ((B,), True)
    assert serve(lobby, target=B) is Result.DONE
    device = lobby.device()
    assert (device.reason, device.targets_to_clear) == ("TARGET_PERMISSION_MISSING", (B,))
    assert not device.needs_commissioner


def test_the_lobbys_part_of_a_revocation_does_not_wait_for_a_target(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.revoke()
    assert lobby.server.serve(Attempt(ONE), LOBBY) is Result.DONE
    assert statuses()[:2] == ("INACTIVE", "ACTIVE")
    assert lobby.device().needs_commissioner
    assert serve(lobby) is Result.DONE
    assert statuses()[:2] == ("INACTIVE", "INACTIVE")
    assert not lobby.device().needs_commissioner


def _to_a() -> ClaimRequest:

    return ClaimRequest(A)


def test_a_region_that_is_no_longer_home_ends_the_worker_and_reports_no_row(
    lobby: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch
) -> None:
    lobby.claim()

    def ended(*_: object) -> None:
        raise NotHome("LEASE_EXPIRED", "got a lease that has ended")

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "commission", ended)
        assert serve(lobby) is Result.LEASE_LOST
    assert lobby.queued == []
    assert serve(lobby) is Result.DONE
