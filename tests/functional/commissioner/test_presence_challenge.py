"""A claim with proof of presence: the commissioner sends the device its code, and registers nothing before."""

import json

import pytest

from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.names import PresenceCode
from tests import aws
from tests.functional.commissioner.lobby_with_targets import ANN, ONE, A, LobbyWithTargets, Record, statuses


def report_that_it_shows_codes(lobby: LobbyWithTargets, *, shows: bool = True) -> None:
    with lobby.calls.uncounted():
        lobby.clock.advance(minutes=2)
        assert lobby.ledger.record_heartbeat(lobby.device(), None, shows)


def claim_with_proof(lobby: LobbyWithTargets) -> Record:
    with lobby.calls.uncounted():
        assert lobby.ledger.claim(ONE, ClaimRequest(A, presence=True), ANN).devstate is State.PROVING
    return lobby.record()


def confirm(lobby: LobbyWithTargets) -> Device:
    with lobby.calls.uncounted():
        device = lobby.device()
        return lobby.ledger.confirm(device, device.code or PresenceCode(""), ANN)


def test_a_waiting_device_gets_its_code_immediately_and_nothing_is_registered(lobby: LobbyWithTargets) -> None:
    report_that_it_shows_codes(lobby)
    record = claim_with_proof(lobby)
    code = lobby.device().code
    assert lobby.deliver(record) == []
    assert lobby.calls.names() == ["BatchGetItem", "Publish", "TransactWriteItems"]
    assert [(topic, json.loads(payload)) for topic, payload in aws.published()] == [
        ("lobby/sensor-1", {"presence": code, "generation": 1})
    ]
    assert (lobby.device().devstate, lobby.device().needs_commissioner, statuses()) == (
        State.PROVING,
        False,
        ("ACTIVE", None, None),
    )


def test_the_right_code_has_the_device_registered_and_sent_to_the_target(lobby: LobbyWithTargets) -> None:
    report_that_it_shows_codes(lobby)
    assert lobby.deliver(claim_with_proof(lobby)) == []
    confirm(lobby)
    assert lobby.deliver(lobby.record()) == []
    assert (lobby.device().devstate, statuses()) == (State.COMMISSIONED, ("ACTIVE", "ACTIVE", None))
    assert "iotep" in json.loads(aws.published()[-1][1])


def test_the_claims_record_after_the_confirmation_does_not_end_the_commissioners_work(lobby: LobbyWithTargets) -> None:
    report_that_it_shows_codes(lobby)
    challenged = claim_with_proof(lobby)
    confirm(lobby)
    confirmed = lobby.record()
    assert lobby.deliver(challenged, confirmed) == []
    assert (lobby.device().devstate, lobby.device().needs_commissioner) == (State.COMMISSIONED, False)
    assert ["presence" in json.loads(payload) for _, payload in aws.published()].count(True) == 0


def test_a_claim_that_was_released_meanwhile_sends_no_code(lobby: LobbyWithTargets) -> None:
    report_that_it_shows_codes(lobby)
    record = claim_with_proof(lobby)
    lobby.release()
    assert lobby.deliver(record) == []
    assert aws.published() == []


def test_a_device_that_shows_no_codes_gets_none_and_needs_no_commissioner(lobby: LobbyWithTargets) -> None:
    report_that_it_shows_codes(lobby, shows=False)
    with lobby.calls.uncounted():
        lobby.ledger.claim(ONE, ClaimRequest(A, presence=True), ANN)
    assert "turn" not in (aws.item(ONE) or {})


@pytest.mark.parametrize("shows", [True, False])
def test_the_old_certificate_in_the_target_is_inactive_until_the_proof_and_active_after_it(
    lobby: LobbyWithTargets, *, shows: bool
) -> None:
    lobby.place()
    released = lobby.release()
    with lobby.calls.uncounted():
        lobby.ledger.record_heartbeat(lobby.ledger.retire(lobby.device(), None, ANN), None, shows)
    challenged = claim_with_proof(lobby)
    assert lobby.deliver(released, challenged) == []
    assert (lobby.device().targets_to_clear, statuses()) == ((), ("ACTIVE", "INACTIVE", None))
    confirm(lobby)
    assert lobby.deliver(lobby.record()) == []
    assert (lobby.device().devstate, statuses()) == (State.COMMISSIONED, ("ACTIVE", "ACTIVE", None))
