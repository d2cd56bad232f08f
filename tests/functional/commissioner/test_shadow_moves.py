"""Moves with a choice for shadows: what is copied, deleted and kept, and targets that refuse or are silent."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from commissioner.shadow_work import PATIENCE
from commissioner.target_gateway.shadows import MAX_SHADOWS
from lobby.domain.changes import Chosen, Move
from lobby.domain.shadows.shadow_choices import NOT_MIGRATED, ShadowChoice
from lobby.domain.states import State
from lobby.errors import Conflict
from lobby.names import Target
from tests.functional.commissioner.lobby_with_targets import (
    ANN,
    ONE,
    A,
    B,
    LobbyWithTargets,
    client_error,
    statuses,
)
from tests.functional.commissioner.shadow_lobby import (
    CLASSIC,
    LEAVE,
    MIGRATE,
    NAMED,
    RESET,
    move,
    placed_with_shadows,
    shadows,
    write,
)

BOTH = {"": CLASSIC, "firmware": NAMED}


@pytest.fixture
def lobby(lobby: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch) -> LobbyWithTargets:
    monkeypatch.setattr("moto.iotdata.models.time", SimpleNamespace(time=lambda: lobby.clock().timestamp()))
    placed_with_shadows(lobby)
    return lobby


def shadow_calls(lobby: LobbyWithTargets) -> list[tuple[str, str]]:
    return [(call.operation, call.region) for call in lobby.calls.made if "Shadow" in call.operation]


def silence(lobby: LobbyWithTargets, target: Target) -> None:
    """Let the data plane of a target not answer."""

    def answer(_parameters: dict[str, Any], call: Any) -> Any:
        if lobby.calls.made[-1].region == target.region:
            raise EndpointConnectionError(endpoint_url="https://iot.example")
        return call()

    lobby.calls.instead["ListNamedShadowsForThing"] = lobby.calls.instead["GetThingShadow"] = answer


def test_all_shadows_are_copied_before_the_device_gets_its_route(lobby: LobbyWithTargets) -> None:
    seen: list[dict[str, Any]] = []
    lobby.calls.meanwhile["TransactWriteItems"] = lambda: seen.append(shadows(B))
    record = move(lobby, MIGRATE)
    lobby.calls.meanwhile["TransactWriteItems"] = lambda: seen.append(shadows(B))
    assert lobby.deliver(record) == []
    assert (seen[-1], shadows(B), shadows(A)) == (BOTH, BOTH, BOTH)
    device = lobby.device()
    assert (device.devstate, device.shadows, device.reason) == (State.COMMISSIONED, None, None)
    assert ("move", "shadows: migrate", str(B)) in lobby.events()
    assert ("commission", "shadows: 2 of 2 migrated", str(B)) in lobby.events()


def test_a_move_with_shadows_costs_two_requests_for_each_shadow_and_one_list(lobby: LobbyWithTargets) -> None:
    assert lobby.deliver(move(lobby, MIGRATE)) == []
    old, new = A.region, B.region
    copied = [("GetThingShadow", new), ("UpdateThingShadow", new)]
    read = [("ListNamedShadowsForThing", old), ("GetThingShadow", old), ("GetThingShadow", old)]
    assert shadow_calls(lobby) == [*read, *copied, *copied]


@pytest.mark.parametrize("choice", [None, LEAVE])
def test_a_move_that_leaves_shadows_makes_no_further_calls(
    lobby: LobbyWithTargets, choice: ShadowChoice | None
) -> None:
    assert lobby.deliver(move(lobby, choice)) == []
    assert (shadow_calls(lobby), lobby.calls.count()["AssumeRole"]) == ([], 2)
    assert (shadows(A), shadows(B)) == (BOTH, {})


def test_a_device_without_shadows_is_moved(lobby: LobbyWithTargets) -> None:
    assert lobby.deliver(move(lobby, RESET)) == []
    assert ("commission", "shadows: 0 deleted", str(B)) in lobby.events()
    lobby.clock.advance(seconds=5)
    assert lobby.deliver(move(lobby, MIGRATE, target=A)) == []
    assert ("commission", "shadows: 0 of 0 migrated", str(A)) in lobby.events()
    assert shadows(A) == BOTH


def test_a_returning_device_starts_without_the_shadows_of_its_last_stay(lobby: LobbyWithTargets) -> None:
    assert lobby.deliver(move(lobby, LEAVE)) == []
    write(B, None, {"reported": {"at": "B"}})
    assert lobby.deliver(move(lobby, RESET, target=A)) == []
    assert (shadows(A), shadows(B)) == ({}, {"": {"reported": {"at": "B"}}})
    assert ("commission", "shadows: 2 deleted", str(A)) in lobby.events()


def test_a_shadow_of_an_earlier_stay_gets_exactly_the_new_state(lobby: LobbyWithTargets) -> None:
    assert lobby.deliver(move(lobby, MIGRATE)) == []
    write(
        B, None, {"desired": {"interval": None}, "reported": {"interval": 60, "battery": {"level": None, "type": "AA"}}}
    )
    lobby.clock.advance(days=300)  # the times of values are moto's, which has the machine's clock
    assert lobby.deliver(move(lobby, MIGRATE, target=A)) == []
    assert shadows(A)[""] == {"reported": {"interval": 60, "battery": {"type": "AA"}}}


def test_a_shadow_that_was_written_since_the_request_is_kept(lobby: LobbyWithTargets) -> None:
    assert lobby.deliver(move(lobby, LEAVE)) == []
    assert lobby.deliver(move(lobby, LEAVE, target=A)) == []
    record = move(lobby, MIGRATE)
    write(B, None, {"reported": {"interval": 99}})
    assert lobby.deliver(record) == []
    assert shadows(B) == {"": {"reported": {"interval": 99}}, "firmware": NAMED}
    assert ("commission", "shadows: 1 of 2 migrated, 1 kept that were written since", str(B)) in lobby.events()


def test_a_shadow_that_is_written_between_reading_and_writing_is_kept(lobby: LobbyWithTargets) -> None:
    assert lobby.deliver(move(lobby, LEAVE)) == []
    write(B, None, {"reported": {"interval": 1}})
    assert lobby.deliver(move(lobby, LEAVE, target=A)) == []
    lobby.clock.advance(seconds=1)
    lobby.calls.meanwhile["UpdateThingShadow"] = lambda: write(B, None, {"reported": {"interval": 2}})
    assert lobby.deliver(move(lobby, MIGRATE)) == []
    assert shadows(B) == {"": {"reported": {"interval": 2}}, "firmware": NAMED}
    assert lobby.calls.count()["UpdateThingShadow"] == 2


def test_an_old_target_that_is_silent_is_waited_for_and_then_left(lobby: LobbyWithTargets) -> None:
    record = move(lobby, MIGRATE)
    silence(lobby, A)
    assert lobby.deliver(record) == [0]
    assert lobby.device().devstate is State.CLAIMED
    lobby.clock.advance(seconds=PATIENCE.total_seconds())
    assert lobby.deliver(record) == []
    device = lobby.device()
    assert (device.devstate, device.reason, device.target) == (State.COMMISSIONED, NOT_MIGRATED, B)
    assert device.shadows is not None
    assert (device.shadows.source, device.shadows.code) == (A, "TARGET_UNREACHABLE")
    assert f"which are in {A}" in str(device.message)
    assert ("commission", f"shadows: {NOT_MIGRATED}: TARGET_UNREACHABLE", str(B)) in lobby.events()
    assert statuses()[1:] == ("INACTIVE", "ACTIVE")


def test_a_silent_target_is_not_called_for_each_device(lobby: LobbyWithTargets) -> None:
    record = move(lobby, MIGRATE)
    silence(lobby, A)
    lobby.deliver(record)
    lobby.calls.forget()
    lobby.clock.advance(seconds=10)
    assert lobby.deliver(record) == [0]
    assert shadow_calls(lobby) == []


def test_a_retry_copies_what_was_not_copied_and_the_device_has_not_written(lobby: LobbyWithTargets) -> None:
    record = move(lobby, MIGRATE)
    silence(lobby, A)
    lobby.clock.advance(seconds=PATIENCE.total_seconds())
    assert lobby.deliver(record) == []
    lobby.calls.instead.clear()
    lobby.clock.advance(minutes=1)
    write(B, None, {"reported": {"interval": 99}})
    assert lobby.deliver(lobby.retry()) == []
    assert shadows(B) == {"": {"reported": {"interval": 99}}, "firmware": NAMED}
    assert (lobby.device().shadows, lobby.device().reason) == (None, None)


def test_the_thing_with_shadows_that_are_not_copied_is_not_removed(lobby: LobbyWithTargets) -> None:
    lobby.removes_left = True
    lobby.server = lobby.new_server()
    record = move(lobby, MIGRATE)
    silence(lobby, A)
    lobby.clock.advance(seconds=PATIENCE.total_seconds())
    assert lobby.deliver(record) == []
    assert (lobby.device().targets_to_clear, shadows(A)) == ((), BOTH)


@pytest.mark.parametrize(
    ("operation", "target", "code"),
    [("GetThingShadow", A, "ForbiddenException"), ("UpdateThingShadow", B, "ForbiddenException")],
)
def test_a_role_of_an_earlier_version_fails_the_move_and_names_the_permission(
    lobby: LobbyWithTargets, operation: str, target: Target, code: str
) -> None:
    record = move(lobby, MIGRATE)
    lobby.calls.fails[operation] = client_error(code, operation)
    assert lobby.deliver(record) == []
    device = lobby.device()
    assert (device.devstate, device.reason) == (State.FAILED, "TARGET_PERMISSION_MISSING")
    assert all(part in str(device.message) for part in (operation, str(target), "deploy the target's stack again"))
    assert (statuses()[1], shadows(A)) == ("ACTIVE", BOTH)
    lobby.calls.fails.clear()
    assert lobby.deliver(lobby.retry()) == []
    assert shadows(B) == BOTH


def test_a_failed_move_is_made_without_shadows_by_another_choice(lobby: LobbyWithTargets) -> None:
    record = move(lobby, MIGRATE)
    lobby.calls.fails["GetThingShadow"] = client_error("ForbiddenException", "GetThingShadow")
    assert lobby.deliver(record) == []
    assert lobby.deliver(move(lobby, LEAVE)) == []
    assert (lobby.device().devstate, shadows(B)) == (State.COMMISSIONED, {})


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidClientTokenId"])
def test_a_closed_account_does_not_block_the_move(lobby: LobbyWithTargets, code: str) -> None:
    record = move(lobby, MIGRATE)

    def assume(parameters: dict[str, Any], call: Any) -> Any:
        if A.account in parameters["RoleArn"]:
            raise client_error(code, "AssumeRole")
        return call()

    lobby.calls.instead["AssumeRole"] = assume
    lobby.deliver(record)
    device = lobby.device()
    assert (device.devstate, device.target) == (State.COMMISSIONED, B)
    assert device.shadows is not None
    assert device.shadows.code in ("TARGET_ROLE_DENIED", "TARGET_REGION_DISABLED")


def test_more_shadows_than_are_copied_fail_the_move(lobby: LobbyWithTargets) -> None:
    for number in range(MAX_SHADOWS):
        write(A, f"shadow-{number}", {"reported": {"number": number}})
    assert lobby.deliver(move(lobby, MIGRATE)) == []
    device = lobby.device()
    assert (device.devstate, device.reason) == (State.FAILED, "TARGET_SHADOWS_REFUSED")
    assert "move the device again and leave its shadows" in str(device.message)


def test_a_repeated_move_copies_nothing_again(lobby: LobbyWithTargets) -> None:
    assert lobby.deliver(move(lobby, MIGRATE)) == []
    write(B, None, {"reported": {"interval": 99}})
    lobby.calls.forget()
    before = lobby.device()
    with lobby.calls.uncounted():
        lobby.ledger.change(Chosen(ONE), Move(lobby.targets.get(B), shadows=MIGRATE), ANN)
    assert lobby.device() == before
    assert lobby.deliver(lobby.retry()) == []
    assert shadow_calls(lobby) == []
    assert shadows(B)[""]["reported"]["interval"] == 99


def test_a_reset_where_the_device_is_is_refused(lobby: LobbyWithTargets) -> None:
    move(lobby, MIGRATE)
    with pytest.raises(Conflict) as error:
        move(lobby, RESET, target=A)
    assert error.value.code == "SHADOWS_IN_USE"


def test_a_move_on_while_the_first_waits_copies_from_where_the_device_is(lobby: LobbyWithTargets) -> None:
    move(lobby, MIGRATE)
    record = move(lobby, MIGRATE, target=A)
    assert lobby.device().shadows is None
    assert lobby.deliver(record) == []
    assert (shadows(A), shadow_calls(lobby)) == (BOTH, [])
