"""`lobbyctl move`, `release`, `revoke`, `retry`: confirmation, effect, and following the devices with --wait."""

from typing import Any

import pytest

from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.device_steps import act_in_order, arrive, arrived, claimed, commission, fail, state
from tests.functional.admin_api.lobby_over_http import LobbyServer, Terminal, error_of


@pytest.mark.parametrize(
    ("arguments", "effect", "new_state"),
    [
        (["move", "--target", "There"], "moves from 111111111111/eu-west-1 to 222222222222/us-east-1", State.CLAIMED),
        (["release"], "to the lobby", State.INLOBBY),
        (["revoke", "--why", "stolen"], "revoked permanently", State.REVOKED),
    ],
)
def test_a_change_that_takes_a_device_out_of_service_needs_confirmation(
    terminal: Terminal, lobby: Lobby, arguments: list[str], effect: str, new_state: State
) -> None:
    certid = arrived(lobby, 1)
    command = [arguments[0], "sensor-1", *arguments[1:]]
    unconfirmed = terminal.run(*command, "--json")
    assert (unconfirmed.exit_code, error_of(unconfirmed)["code"]) == (2, "CONFIRMATION_NEEDED")
    questions: list[str] = []

    def refuse(question: str) -> bool:
        questions.append(question)
        return False

    refused = terminal.run(*command, confirm=refuse)
    assert (refused.exit_code, len(questions)) == (1, 1)
    assert effect in refused.stderr
    assert state(lobby, certid) is State.ARRIVED
    confirmed = terminal.run(*command, confirm=lambda _question: True)
    assert confirmed.exit_code == 0, confirmed.output
    assert state(lobby, certid) is new_state


def test_a_move_keeps_profile_and_config_unless_they_are_given(terminal: Terminal, lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    lobby.ledger.claim(certid, ClaimRequest(THERE, "default", {"a": 1}), "user:alice")
    assert terminal.run("move", certid, "-t", "Here", "--yes").exit_code == 0
    device = lobby.ledger.get(certid)
    assert device
    assert (device.target, device.profile, device.config) == (HERE, "default", {"a": 1})
    assert terminal.run("move", certid, "-t", "Here", "-y", "--profile", "camera", "--config", "b").exit_code == 0
    device = lobby.ledger.get(certid)
    assert device
    assert (device.profile, device.config) == ("camera", "b")


def test_releasing_an_expected_device_removes_it(terminal: Terminal, lobby: Lobby) -> None:
    lobby.ledger.claim(fingerprint(1), ClaimRequest(HERE), "user:alice")
    result = terminal.run("release", fingerprint(1), "--yes")
    assert (result.exit_code, "removed" in result.stdout) == (0, True)
    assert "no longer expected" in result.stderr
    assert lobby.ledger.get(fingerprint(1)) is None


def test_an_unknown_device_can_only_be_revoked(terminal: Terminal, lobby: Lobby) -> None:
    for command in (["move", "-t", "Here"], ["release"], ["retry"]):
        yes = [] if command[0] == "retry" else ["--yes"]
        result = terminal.run(command[0], fingerprint(1), *command[1:], *yes, "--json")
        assert (result.exit_code, error_of(result)["code"]) == (1, "UNKNOWN_DEVICE")
    (record,) = terminal.records("revoke", fingerprint(1), "--why", "sold", "--yes")
    assert record["device"]["devstate"] == "revoked"
    assert record["device"]["reason"] == "REVOKED"
    revoked = lobby.ledger.get(fingerprint(1))
    assert revoked is not None
    assert revoked.message == "sold"


def test_a_refused_device_does_not_stop_the_others(terminal: Terminal, lobby: Lobby) -> None:
    one, waiting, two = claimed(lobby, 1), lobby.waiting(2, "sensor-2"), claimed(lobby, 3)
    records = terminal.records("release", one, waiting, two, "--yes", exit_code=5)
    assert [(each["certid"], each["ok"], each["code"]) for each in records] == [
        (waiting, False, "NOT_ALLOWED"),
        (one, True, None),
        (two, True, None),
    ]
    assert [state(lobby, certid) for certid in (one, waiting, two)] == [State.INLOBBY] * 3
    alone = terminal.run("release", waiting, "--yes", "--json")
    assert (alone.exit_code, error_of(alone)["code"]) == (1, "NOT_ALLOWED")
    assert terminal.run("release", waiting, lobby.waiting(4), "--yes").exit_code == 1


def test_a_retry_asks_before_it_restarts_a_device_in_service(terminal: Terminal, lobby: Lobby) -> None:
    certid = arrived(lobby, 1)
    unconfirmed = terminal.run("retry", certid, "--json")
    assert (unconfirmed.exit_code, error_of(unconfirmed)["code"]) == (2, "CONFIRMATION_NEEDED")
    assert "is arrived; it is registered in" in unconfirmed.stderr
    assert state(lobby, certid) is State.ARRIVED
    assert terminal.run("retry", certid, "--yes").exit_code == 0
    assert state(lobby, certid) is State.CLAIMED


def test_a_viewer_is_refused(terminal: Terminal, lobby: Lobby) -> None:
    certid = claimed(lobby, 1)
    result = terminal.run("--as", "viewer", "--json", "release", certid, "--yes")
    assert (result.exit_code, error_of(result)["code"]) == (1, "FORBIDDEN")


def test_a_claim_is_followed_until_the_device_has_arrived(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    certid = lobby.waiting(1, "sensor-1")
    server.before_request = act_in_order(lobby, commission, arrive)(certid)
    records = terminal.records("claim", certid, "-t", "Here", "--wait")
    assert [each["devstate"] for each in records] == ["claimed", "claimed", "commissioned", "arrived"]
    assert [each.get("ended") for each in records[1:]] == [False, False, True]
    assert records[-1]["seconds"] > 0


def test_a_failed_claim_is_reported_with_reason_and_advice(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    certid = lobby.waiting(1, "sensor-1")
    server.before_request = act_in_order(lobby, fail)(certid)
    result = terminal.run("claim", certid, "-t", "Here", "--wait")
    assert result.exit_code == 1
    assert "failed  TARGET_ROLE_DENIED: Run the setup command." in result.stdout
    assert "DEVICE_FAILED" in result.stderr


def test_a_wait_ends_at_its_timeout(terminal: Terminal, lobby: Lobby) -> None:
    result = terminal.run("claim", fingerprint(1), "-t", "Here", "--wait", "--timeout", "30")
    assert result.exit_code == 6
    assert "WAIT_EXPIRED: the device is still expected after 30 s: the device has not connected yet" in result.stderr
    assert sum(terminal.sleeps) == pytest.approx(30)
    assert len(terminal.sleeps) < 30


def test_a_retry_and_a_move_are_followed_until_arrival(terminal: Terminal, lobby: Lobby, server: LobbyServer) -> None:
    certid = claimed(lobby, 1)
    fail(lobby, certid)

    def commission_and_arrive(_number: int) -> None:
        if state(lobby, certid) is State.CLAIMED:
            commission(lobby, certid)
            arrive(lobby, certid)

    server.before_request = commission_and_arrive
    (retried, followed) = terminal.records("retry", "sensor-1", "--wait")
    assert (retried["device"]["devstate"], followed["devstate"], followed["reached"]) == ("claimed", "arrived", True)
    records = terminal.records("move", "sensor-1", "-t", "There", "--yes", "--wait")
    assert records[-1]["devstate"] == "arrived"
    assert lobby.ledger.get(certid).target == THERE  # type: ignore[union-attr]  # the device exists


def test_following_several_devices_has_one_status(terminal: Terminal, lobby: Lobby, server: LobbyServer) -> None:
    one, two = lobby.waiting(1, "sensor-1"), lobby.waiting(2, "sensor-2")
    steps: list[Any] = [act_in_order(lobby, commission, arrive)(one), act_in_order(lobby, fail)(two)]
    server.before_request = lambda number: [step(number) for step in steps]
    records = terminal.records("claim", one, two, "-t", "Here", "--wait", exit_code=5)
    last = {each["certid"]: each["devstate"] for each in records}
    assert last == {one: "arrived", two: "failed"}


def test_a_retry_of_an_uncleared_target_is_followed_until_it_is_cleared(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    certid = arrived(lobby, 1)
    lobby.ledger.release(certid, "user:alice")

    def clear(number: int) -> None:
        device = lobby.ledger.get(certid)
        if number >= 5 and device and device.targets_to_clear:
            lobby.ledger.retire(device, HERE, "service:commissioner")

    server.before_request = clear
    records = terminal.records("retry", "sensor-1", "--wait")
    assert records[-1]["reached"]
    assert records[-1]["devstate"] == "inlobby"
