"""The commissioner's work for a quarantine and for its end: which certificates are active, also after interruptions."""

from commissioner.lanes.serving import ATTEMPTS
from lobby.domain.changes import Change, Chosen, Lift, Quarantine
from lobby.domain.states import State
from tests import aws
from tests.functional.commissioner.lobby_with_targets import (
    ANN,
    ONE,
    A,
    LobbyWithTargets,
    Record,
    client_error,
    statuses,
)


def change(lobby: LobbyWithTargets, wanted: Change) -> Record:
    with lobby.calls.uncounted():
        lobby.ledger.change(Chosen(ONE), wanted, ANN)
    return lobby.record()


def quarantine(lobby: LobbyWithTargets) -> Record:
    return change(lobby, Quarantine("two addresses"))


def lift(lobby: LobbyWithTargets) -> Record:
    return change(lobby, Lift("seen on site"))


def test_a_quarantine_deactivates_the_device_everywhere_without_a_reset_message(lobby: LobbyWithTargets) -> None:
    lobby.place()
    aws.published(A).clear()
    assert lobby.deliver(quarantine(lobby)) == []
    assert statuses() == ("INACTIVE", "INACTIVE", None)
    device = lobby.device()
    assert (device.devstate, device.target, device.targets_to_clear) == (State.QUARANTINED, A, ())
    assert (device.reason, device.message, device.needs_commissioner) == ("QUARANTINED", "two addresses", False)
    assert aws.published() == aws.published(A) == []
    assert {call.region for call in lobby.calls.of("DeleteConnection")} == {A.region, aws.REGION}


def test_a_lifted_device_is_active_in_the_lobby_and_commissioned_again(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.deliver(quarantine(lobby))
    assert lobby.deliver(lift(lobby)) == []
    assert statuses() == ("ACTIVE", "ACTIVE", None)
    device = lobby.device()
    assert (device.devstate, device.reactivate, device.reason) == (State.COMMISSIONED, False, None)
    assert aws.registry(A)["things"]["sensor-1"]["claim"].startswith(f"{device.generation}:default:awaited:")


def test_a_device_without_a_claim_is_active_in_the_lobby_again(lobby: LobbyWithTargets) -> None:
    lobby.deliver(quarantine(lobby))
    assert statuses() == ("INACTIVE", None, None)
    assert lobby.deliver(lift(lobby)) == []
    assert statuses() == ("ACTIVE", None, None)
    device = lobby.device()
    assert (device.devstate, device.reactivate, device.needs_commissioner) == (State.INLOBBY, False, False)


def test_a_quarantine_that_is_lifted_before_it_is_carried_out_leaves_the_device_active(lobby: LobbyWithTargets) -> None:
    lobby.place()
    late = quarantine(lobby)
    assert lobby.deliver(lift(lobby)) == []
    lobby.deliver(late)
    assert statuses() == ("ACTIVE", "ACTIVE", None)


def test_a_device_that_is_quarantined_again_while_it_is_activated_ends_inactive(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.deliver(quarantine(lobby))
    lifted = lift(lobby)
    lobby.calls.meanwhile["UpdateCertificate"] = lambda: lobby.deliver(quarantine(lobby))
    lobby.deliver(lifted)
    assert statuses() == ("INACTIVE", "INACTIVE", None)
    assert lobby.device().devstate is State.QUARANTINED


def test_a_certificate_that_an_administrator_has_revoked_in_the_lobby_stays_revoked(lobby: LobbyWithTargets) -> None:
    lobby.deliver(quarantine(lobby))
    aws.client("iot").update_certificate(certificateId=ONE, newStatus="REVOKED")
    assert lobby.deliver(lift(lobby)) == []
    assert statuses() == ("REVOKED", None, None)


def test_a_target_that_cannot_be_cleared_is_named_until_it_is(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.server = lobby.new_server()
    lobby.calls.fails["AssumeRole"] = client_error("AccessDenied", "AssumeRole")
    assert lobby.deliver(quarantine(lobby)) == []
    assert statuses() == ("INACTIVE", "ACTIVE", None)
    assert (lobby.device().reason, lobby.device().targets_to_clear) == ("TARGET_ROLE_DENIED", (A,))
    lobby.calls.fails.clear()
    assert lobby.deliver(lobby.retry()) == []
    assert statuses() == ("INACTIVE", "INACTIVE", None)
    assert (lobby.device().devstate, lobby.device().reason) == (State.QUARANTINED, "QUARANTINED")


def test_a_device_that_cannot_be_activated_for_minutes_can_be_tried_again(lobby: LobbyWithTargets) -> None:
    lobby.deliver(quarantine(lobby))
    lifted = lift(lobby)
    lobby.calls.fails["DescribeCertificate"] = client_error("InternalFailureException", "DescribeCertificate")
    lobby.clock.advance(minutes=4)
    assert lobby.deliver(lifted, number=ATTEMPTS) == []
    device = lobby.device()
    assert (device.devstate, device.reason, device.needs_commissioner) == (State.INLOBBY, "TARGET_UNREACHABLE", False)
    assert statuses() == ("INACTIVE", None, None)
    lobby.calls.fails.clear()
    assert lobby.deliver(lobby.retry()) == []
    assert statuses() == ("ACTIVE", None, None)
    device = lobby.device()
    assert (device.reason, device.reactivate, device.needs_commissioner) == (None, False, False)
