"""Changes of a device while the commissioner processes it, and deliveries that are repeated."""

from typing import Any

import pytest

from lobby.domain.device import Device
from lobby.domain.states import State
from tests import aws
from tests.functional.commissioner.lobby_with_targets import A, B, LobbyWithTargets, statuses


@pytest.mark.parametrize("change", ["move", "release", "revoke"])
@pytest.mark.parametrize("operation", ["RegisterCertificateWithoutCA", "TransactWriteItems"])
def test_a_concurrent_change_is_never_overwritten_and_no_certificate_stays_active(
    lobby: LobbyWithTargets, change: str, operation: str
) -> None:
    record = lobby.claim()
    later: list[Any] = []
    lobby.calls.meanwhile[operation] = lambda: later.append(getattr(lobby, change)())
    assert lobby.deliver(record) == []
    state = {"move": State.CLAIMED, "release": State.INLOBBY, "revoke": State.REVOKED}[change]
    assert (lobby.device().devstate, lobby.device().generation, lobby.device().iotep) == (state, 2, None)
    assert lobby.deliver(*later) == []
    in_lobby, in_a, in_b = statuses()
    assert (in_lobby == "ACTIVE", in_a, in_b) == (
        change != "revoke",
        "INACTIVE",
        "ACTIVE" if change == "move" else None,
    )
    assert (lobby.device().targets_to_clear, lobby.device().needs_commissioner) == ((), False)


def test_clearing_does_not_end_the_work_of_a_concurrent_claim(lobby: LobbyWithTargets) -> None:
    lobby.place()
    record = lobby.release()
    later: list[Any] = []
    lobby.calls.meanwhile["TransactWriteItems"] = lambda: later.append(lobby.claim(target=B))
    assert lobby.deliver(record) == []
    assert (lobby.device().devstate, lobby.device().needs_commissioner, lobby.device().targets_to_clear) == (
        State.CLAIMED,
        True,
        (A,),
    )
    assert lobby.deliver(*later) == []
    assert (lobby.device().needs_commissioner, lobby.device().targets_to_clear) == (False, ())
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")


def test_a_finished_device_is_unchanged_when_its_record_is_delivered_again(lobby: LobbyWithTargets) -> None:
    record = lobby.claim()
    lobby.deliver(record)
    with lobby.calls.uncounted():
        lobby.ledger.arrive(lobby.device(), "service:arrivals")
    before: tuple[Device, Any] = lobby.device(), aws.registry(A)
    for seconds in (1, 60):
        lobby.clock.advance(seconds=seconds)
        assert lobby.deliver(record) == []
        assert (lobby.device(), aws.registry(A)) == before
