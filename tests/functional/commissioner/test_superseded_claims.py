"""Claims that are replaced while they are carried out, or that another worker carries out in the meantime."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lobby.domain.states import State
from lobby.errors import Conflict
from lobby.ledger.store import Ledger
from tests import aws
from tests.aws import CutOff
from tests.functional.commissioner.lobby_with_targets import ONE, TWO, A, LobbyWithTargets, statuses


@pytest.mark.parametrize("change", ["move", "release", "revoke"])
def test_a_superseded_record_registers_nothing(lobby: LobbyWithTargets, change: str) -> None:
    record = lobby.claim()
    later = getattr(lobby, change)()
    lobby.clock.advance(seconds=10)
    assert lobby.deliver(record) == []
    assert aws.registry(A)["certificates"] == {}
    assert lobby.deliver(later) == []
    assert statuses()[1:] == (None, "ACTIVE" if change == "move" else None)


def test_a_record_whose_device_is_deleted_is_skipped(lobby: LobbyWithTargets) -> None:
    record = lobby.claim()
    record["dynamodb"]["NewImage"]["certid"] = {"S": TWO}
    lobby.clock.advance(seconds=10)
    assert lobby.deliver(record) == []


def _released_by_another_worker(lobby: LobbyWithTargets, before: str) -> None:
    """Release the device and let another worker clear its target, before the next call of this operation."""
    lobby.calls.meanwhile[before] = lambda: lobby.deliver(lobby.release())


@pytest.mark.parametrize("call", ["RegisterCertificateWithoutCA", "AttachPolicy", "TransactWriteItems"])
def test_a_claim_that_another_worker_has_cleared_meanwhile_leaves_no_active_certificate(
    lobby: LobbyWithTargets, call: str
) -> None:
    """The lease prevents this case, but the certificate must be inactive even without the lease."""
    claimed = lobby.claim()
    _released_by_another_worker(lobby, call)
    assert lobby.deliver(claimed) == []
    assert statuses() == ("ACTIVE", "INACTIVE", None)
    assert (lobby.device().devstate, lobby.device().targets_to_clear) == (State.INLOBBY, ())


def test_a_claim_refused_midway_after_its_release_leaves_no_active_certificate(lobby: LobbyWithTargets) -> None:
    claimed = lobby.claim()
    _released_by_another_worker(lobby, "AttachPolicy")
    lobby.calls.fails["AttachPolicy"] = ClientError({"Error": {"Code": "LimitExceededException"}}, "AttachPolicy")
    assert lobby.deliver(claimed) == []
    assert statuses() == ("ACTIVE", "INACTIVE", None)


def test_a_certificate_that_a_superseded_claim_cannot_deactivate_is_to_be_cleared(lobby: LobbyWithTargets) -> None:
    """The target denies every call from the moment at which the device was released and cleared."""
    claimed = lobby.claim()

    def release_and_close() -> None:
        lobby.deliver(lobby.release())
        for operation in ("UpdateCertificate", "AssumeRole"):
            lobby.calls.fails[operation] = ClientError({"Error": {"Code": "AccessDeniedException"}}, operation)

    lobby.calls.meanwhile["AttachPolicy"] = release_and_close
    assert lobby.deliver(claimed) == []
    device = lobby.device()
    assert (device.devstate, device.targets_to_clear, device.needs_commissioner) == (State.INLOBBY, (A,), True)
    assert lobby.ledger.latest(ONE, 1)[0].reason == "TARGET_ROLE_DENIED"
    assert lobby.deliver(lobby.record()) == []
    assert lobby.device().reason == "TARGET_ROLE_DENIED"
    lobby.calls.fails.clear()
    lobby.server = lobby.new_server()
    assert lobby.deliver(lobby.retry()) == []
    assert (lobby.device().targets_to_clear, lobby.device().reason) == ((), None)
    assert statuses() == ("ACTIVE", "INACTIVE", None)


def test_work_interrupted_after_its_result_is_completed_even_if_the_target_now_refuses(
    lobby: LobbyWithTargets,
) -> None:
    """A device that is connected to its target gets a new configuration only by this push."""
    lobby.place()
    with lobby.calls.uncounted():
        lobby.ledger.move(ONE, _claim_of_a_again(), "user:ann")
    record = lobby.record()
    lobby.calls.cut_after = len(CLAIM_IN_THE_SAME_TARGET)
    with pytest.raises(CutOff):
        lobby.deliver(record)
    assert lobby.calls.names() == CLAIM_IN_THE_SAME_TARGET
    lobby.calls.cut_after = None
    lobby.server = lobby.new_server()
    lobby.calls.fails["CreateThing"] = ClientError({"Error": {"Code": "AccessDeniedException"}}, "CreateThing")
    assert lobby.deliver(record) == []
    assert lobby.device().devstate is State.COMMISSIONED
    assert [topic for topic, _ in aws.published(A)] == ["lobby/sensor-1"]


CLAIM_IN_THE_SAME_TARGET = [
    "BatchGetItem",
    "CreateThing",
    "DescribeThing",
    "UpdateThing",
    "RegisterCertificateWithoutCA",
    "DescribeCertificate",
    "AttachThingPrincipal",
    "AttachPolicy",
    "ListAttachedPolicies",
    "TransactWriteItems",
]


@pytest.mark.parametrize("result", ["commission", "fail"])
def test_a_row_too_busy_for_the_commissioners_result_is_handed_back(
    lobby: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch, result: str
) -> None:
    def busy(*_: Any) -> None:
        raise Conflict("CHANGED_MEANWHILE", "got a device that keeps changing, want it unchanged: try again")

    record = lobby.claim()
    if result == "fail":
        lobby.calls.fails["AssumeRole"] = ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, result, busy)
        assert lobby.deliver(record) == [0]
    assert lobby.device().devstate is State.CLAIMED
    assert lobby.deliver(record) == []
    assert lobby.device().devstate is (State.FAILED if result == "fail" else State.COMMISSIONED)


def test_a_superseded_claim_does_not_deactivate_the_current_claims_certificate(lobby: LobbyWithTargets) -> None:
    first = lobby.claim()
    with lobby.calls.uncounted():
        lobby.ledger.move(ONE, _claim_of_a_again(), "user:ann")
    assert lobby.deliver(lobby.record()) == []
    lobby.clock.advance(seconds=10)
    assert lobby.deliver(first) == []
    assert statuses() == ("ACTIVE", "ACTIVE", None)
    assert lobby.device().devstate is State.COMMISSIONED


def _claim_of_a_again() -> Any:
    from lobby.domain.transitions import ClaimRequest  # noqa: PLC0415

    return ClaimRequest(A, "default", "another config")


def test_a_superseded_claim_leaves_pending_clearing_to_the_claim_that_clears(lobby: LobbyWithTargets) -> None:
    """The device still works in A, and gets its reset message when B is ready, not before."""
    lobby.place()
    with lobby.calls.uncounted():
        lobby.ledger.move(ONE, _claim_of_a_again(), "user:ann")
    again = lobby.record()
    moved = lobby.move()
    lobby.clock.advance(seconds=10)
    assert lobby.deliver(again) == []
    assert statuses() == ("ACTIVE", "ACTIVE", None)
    assert lobby.deliver(moved) == []
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")
    assert aws.published(A) == [("lobby/sensor-1", b'{"config": "factory reset"}')]


def test_a_release_delivered_again_does_not_affect_the_claim_after_it(lobby: LobbyWithTargets) -> None:
    lobby.place()
    released, claimed = lobby.release(), lobby.claim()
    assert lobby.deliver(released, claimed) == []
    assert lobby.deliver(released) == []
    assert statuses()[1] == "ACTIVE"
