"""Shadows whose change is larger than an update may be: one update empties the shadow, and a second one fills it. A
crash between them is continued, and what an application writes between them is kept."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.aws import CutOff
from tests.functional.commissioner.lobby_with_targets import A, B, LobbyWithTargets
from tests.functional.commissioner.shadow_lobby import LEAVE, MIGRATE, move, shadows, write

MIGRATED = ("commission", "shadows: 1 of 1 migrated", str(B))
KEPT = ("commission", "shadows: 0 of 1 migrated, 1 kept that were written since", str(B))
WRITTEN = {"desired": {"interval": 5}}


def large(prefix: str) -> dict[str, Any]:
    """Return a state of almost 8 kB whose keys start with `prefix`."""
    values = {f"{prefix}-{number}": "x" * 90 for number in range(38)}
    return {"desired": values, "reported": values}


@pytest.fixture
def lobby(lobby: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch) -> LobbyWithTargets:
    """A device in A has a large shadow there, and has left another one in B."""
    monkeypatch.setattr("moto.iotdata.models.time", SimpleNamespace(time=lambda: lobby.clock().timestamp()))
    lobby.start_placed()
    write(A, None, large("new"))
    assert lobby.deliver(move(lobby, LEAVE)) == []
    write(B, None, large("old"))
    lobby.clock.advance(seconds=5)
    assert lobby.deliver(move(lobby, LEAVE, target=A)) == []
    lobby.clock.advance(seconds=5)
    lobby.calls.forget()
    return lobby


def after_update(lobby: LobbyWithTargets, number: int, then: Callable[[], None]) -> None:
    """Call `then` after this update of a shadow took effect, before the worker has its answer."""

    def act(_parameters: dict[str, Any], call: Any) -> Any:
        answer = call()
        if lobby.calls.count()["UpdateThingShadow"] == number:
            then()
        return answer

    lobby.calls.instead["UpdateThingShadow"] = act


def crash() -> None:
    raise CutOff


def restart(lobby: LobbyWithTargets) -> None:
    lobby.calls.instead.clear()
    lobby.clock.advance(seconds=5)
    lobby.server = lobby.new_server()


@pytest.mark.parametrize(("number", "found"), [(1, {"": {}}), (2, {"": large("new")})])
def test_a_crash_after_either_update_is_continued(lobby: LobbyWithTargets, number: int, found: dict[str, Any]) -> None:
    record = move(lobby, MIGRATE)
    after_update(lobby, number, crash)
    with pytest.raises(CutOff):
        lobby.deliver(record)
    assert shadows(B) == found
    restart(lobby)
    assert lobby.deliver(record) == []
    assert (shadows(B), lobby.calls.count()["UpdateThingShadow"]) == ({"": large("new")}, 2)
    assert MIGRATED in lobby.events()


@pytest.mark.parametrize("number", [1, 2])
def test_a_lost_answer_to_either_update_is_continued(lobby: LobbyWithTargets, number: int) -> None:
    def attempt_twice(_parameters: dict[str, Any], call: Any) -> Any:
        if lobby.calls.count()["UpdateThingShadow"] == number:
            call()
        return call()

    lobby.calls.instead["UpdateThingShadow"] = attempt_twice
    assert lobby.deliver(move(lobby, MIGRATE)) == []
    assert shadows(B) == {"": large("new")}
    assert MIGRATED in lobby.events()


def test_what_the_device_writes_in_the_old_target_after_a_crash_is_copied(lobby: LobbyWithTargets) -> None:
    record = move(lobby, MIGRATE)
    after_update(lobby, 1, crash)
    with pytest.raises(CutOff):
        lobby.deliver(record)
    restart(lobby)
    write(A, None, {"reported": {"new-0": "y"}})
    assert lobby.deliver(record) == []
    assert shadows(B) == shadows(A)
    assert shadows(B)[""]["reported"]["new-0"] == "y"


def test_what_an_application_writes_between_both_updates_is_kept(lobby: LobbyWithTargets) -> None:
    after_update(lobby, 1, lambda: write(B, None, WRITTEN))
    assert lobby.deliver(move(lobby, MIGRATE)) == []
    assert (shadows(B), shadows(A)) == ({"": WRITTEN}, {"": large("new")})
    assert KEPT in lobby.events()


def test_what_an_application_writes_after_a_crash_is_kept(lobby: LobbyWithTargets) -> None:
    record = move(lobby, MIGRATE)
    after_update(lobby, 1, crash)
    with pytest.raises(CutOff):
        lobby.deliver(record)
    restart(lobby)
    write(B, None, WRITTEN)
    assert lobby.deliver(record) == []
    assert (shadows(B), shadows(A)) == ({"": WRITTEN}, {"": large("new")})
    assert KEPT in lobby.events()
