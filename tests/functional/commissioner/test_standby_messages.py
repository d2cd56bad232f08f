"""A standby that refuses the message which asks a returned device to leave."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lobby.domain.standby.standby import StandbyMode, StandbyStatus
from lobby.domain.states import State
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.commissioner.lobby_with_targets import RESET, B, statuses
from tests.functional.commissioner.standby_lobby import ACTIVE, INACTIVE, StandbyLobby


def _refuse_resets(params: dict[str, Any], call: Callable[[], Any]) -> Any:
    if b"factory reset" in params["payload"]:
        raise ClientError({"Error": {"Code": "UnauthorizedException", "Message": "denied"}}, "Publish")
    return call()


def _returned(lobby: StandbyLobby) -> None:
    lobby.place()
    assert lobby.deliver(lobby.evacuate()) == []
    lobby.arrive()
    lobby.calls.instead["Publish"] = _refuse_resets
    assert lobby.deliver(lobby.come_back()) == []


def test_a_refused_message_is_recorded_and_sent_again_by_the_next_preparation(calls: Calls, clock: Clock) -> None:
    lobby = StandbyLobby(calls, clock, ACTIVE)
    _returned(lobby)
    device = lobby.device()
    assert (device.devstate, device.standby and device.standby.code) == (
        State.COMMISSIONED,
        "TARGET_PERMISSION_MISSING",
    )
    assert device.standby is not None
    assert device.standby.status is StandbyStatus.REFUSED
    assert RESET not in aws.published(B)
    del lobby.calls.instead["Publish"]
    assert lobby.deliver(lobby.prepare()) == []
    assert RESET in aws.published(B)
    standby = lobby.device().standby
    assert standby is not None
    assert (standby.status, standby.code, standby.leaving) == (StandbyStatus.ACTIVE, None, False)


@pytest.mark.parametrize("mode", [ACTIVE, INACTIVE])
def test_a_refused_message_does_not_prevent_the_preparation(calls: Calls, clock: Clock, mode: StandbyMode) -> None:
    lobby = StandbyLobby(calls, clock, mode)
    _returned(lobby)
    assert statuses()[2] == ("ACTIVE" if mode is ACTIVE else "INACTIVE")
    standby = lobby.device().standby
    assert standby is not None
    assert (standby.code is None) == (mode is INACTIVE)
