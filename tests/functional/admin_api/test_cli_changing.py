"""`lobbyctl move`, `release`, `revoke`, `retry`: what is asked first, what is done, and what following one tells."""

from collections.abc import Callable
from typing import Any

import pytest

from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint, Target
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.lobby_over_http import LobbyServer, Terminal, error_of


def claimed(lobby: Lobby, number: int, target: Target = HERE) -> Fingerprint:
    certid = lobby.waiting(number, f"sensor-{number}")
    lobby.ledger.claim(certid, ClaimRequest(target), "user:alice")
    return certid


def arrived(lobby: Lobby, number: int) -> Fingerprint:
    certid = claimed(lobby, number)
    commission(lobby, certid)
    arrive(lobby, certid)
    return certid


def commission(lobby: Lobby, certid: Fingerprint) -> None:
    device = lobby.ledger.get(certid)
    assert device
    lobby.ledger.commission(device, "a-ats.iot.example", "service:commissioner")


def arrive(lobby: Lobby, certid: Fingerprint) -> None:
    device = lobby.ledger.get(certid)
    assert device
    lobby.ledger.arrive(device, "service:arrivals")


def fail(lobby: Lobby, certid: Fingerprint) -> None:
    device = lobby.ledger.get(certid)
    assert device
    lobby.ledger.fail(device, "TARGET_ROLE_DENIED", "Run the setup command.", "service:commissioner")


def state(lobby: Lobby, certid: Fingerprint) -> State | None:
    device = lobby.ledger.get(certid)
    return device.devstate if device else None


def in_turn(
    lobby: Lobby, *steps: Callable[[Lobby, Fingerprint], object]
) -> Callable[[Fingerprint], Callable[[int], None]]:
    """For `meanwhile`: the steps of a device, one before each request from the fourth on."""

    def of(certid: Fingerprint) -> Callable[[int], None]:
        left = list(steps)

        def act(number: int) -> None:
            device = lobby.ledger.get(certid)
            if left and device and device.generation and number >= 4:
                left.pop(0)(lobby, certid)

        return act

    return of


@pytest.mark.parametrize(
    ("words", "says", "leads_to"),
    [
        (["move", "--target", "There"], "leaves 111111111111/eu-west-1 for 222222222222/us-east-1", State.CLAIMED),
        (["release"], "goes back to the lobby", State.INLOBBY),
        (["revoke", "--why", "stolen"], "banned for good", State.REVOKED),
    ],
)
def test_what_takes_something_away_is_asked_about_first(
    terminal: Terminal, lobby: Lobby, words: list[str], says: str, leads_to: State
) -> None:
    certid = arrived(lobby, 1)
    command = [words[0], "sensor-1", *words[1:]]
    nobody = terminal.run(*command, "--json")
    assert (nobody.exit_code, error_of(nobody)["code"]) == (2, "CONFIRMATION_NEEDED")
    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    no = terminal.run(*command, confirm=refuse)
    assert (no.exit_code, len(asked)) == (1, 1)
    assert says in no.stderr
    assert state(lobby, certid) is State.ARRIVED
    yes = terminal.run(*command, confirm=lambda _question: True)
    assert yes.exit_code == 0, yes.output
    assert state(lobby, certid) is leads_to


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


def test_an_expectation_that_is_released_is_forgotten(terminal: Terminal, lobby: Lobby) -> None:
    lobby.ledger.claim(fingerprint(1), ClaimRequest(HERE), "user:alice")
    done = terminal.run("release", fingerprint(1), "--yes")
    assert (done.exit_code, "forgotten" in done.stdout) == (0, True)
    assert "no longer expected" in done.stderr
    assert lobby.ledger.get(fingerprint(1)) is None


def test_what_was_never_seen_can_be_revoked_and_nothing_else(terminal: Terminal, lobby: Lobby) -> None:
    for command in (["move", "-t", "Here"], ["release"], ["retry"]):
        yes = [] if command[0] == "retry" else ["--yes"]
        done = terminal.run(command[0], fingerprint(1), *command[1:], *yes, "--json")
        assert (done.exit_code, error_of(done)["code"]) == (1, "UNKNOWN_DEVICE")
    (told,) = terminal.records("revoke", fingerprint(1), "--why", "sold", "--yes")
    assert told["device"]["devstate"] == "revoked"
    assert told["device"]["message"] == "sold"


def test_of_several_one_that_is_refused_does_not_hold_up_the_others(terminal: Terminal, lobby: Lobby) -> None:
    one, waiting, two = claimed(lobby, 1), lobby.waiting(2, "sensor-2"), claimed(lobby, 3)
    told = terminal.records("release", one, waiting, two, "--yes", exit_code=5)
    assert [(each["ok"], each["code"]) for each in told] == [(True, None), (False, "NOT_ALLOWED"), (True, None)]
    assert [state(lobby, certid) for certid in (one, waiting, two)] == [State.INLOBBY] * 3
    alone = terminal.run("release", waiting, "--yes", "--json")
    assert (alone.exit_code, error_of(alone)["code"]) == (1, "NOT_ALLOWED")
    assert terminal.run("release", waiting, lobby.waiting(4), "--yes").exit_code == 1


def test_many_are_looked_at_together_before_any_is_changed(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    certids = [fingerprint(number) for number in range(1, 43)]
    for certid in certids:
        lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    missing = terminal.run("release", *certids, fingerprint(99), "--yes")
    assert (missing.exit_code, len(server.asked)) == (1, 3)
    assert terminal.run("release", *certids, certids[0], "--yes").exit_code == 0
    assert len(server.asked) == 3 + 3 + 42


def test_a_viewer_is_refused(terminal: Terminal, lobby: Lobby) -> None:
    certid = claimed(lobby, 1)
    done = terminal.run("--as", "viewer", "--json", "release", certid, "--yes")
    assert (done.exit_code, error_of(done)["code"]) == (1, "FORBIDDEN")


def test_a_claim_is_followed_until_the_device_has_arrived(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    certid = lobby.waiting(1, "sensor-1")
    server.meanwhile = in_turn(lobby, commission, arrive)(certid)
    told = terminal.records("claim", certid, "-t", "Here", "--wait")
    assert [each["devstate"] for each in told] == ["claimed", "claimed", "commissioned", "arrived"]
    assert [each.get("ended") for each in told[1:]] == [False, False, True]
    assert told[-1]["seconds"] > 0


def test_a_claim_that_fails_is_told_with_its_reason_and_what_to_do(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    certid = lobby.waiting(1, "sensor-1")
    server.meanwhile = in_turn(lobby, fail)(certid)
    done = terminal.run("claim", certid, "-t", "Here", "--wait")
    assert done.exit_code == 1
    assert "failed  TARGET_ROLE_DENIED: Run the setup command." in done.stdout
    assert "DEVICE_FAILED" in done.stderr


def test_waiting_has_an_end(terminal: Terminal, lobby: Lobby) -> None:
    done = terminal.run("claim", fingerprint(1), "-t", "Here", "--wait", "--timeout", "30")
    assert done.exit_code == 6
    assert "WAIT_EXPIRED: the device is still expected after 30 s: the device has not knocked yet" in done.stderr
    assert sum(terminal.paused) == pytest.approx(30)
    assert len(terminal.paused) < 30


def test_a_move_is_followed_and_a_retry_mends_what_failed(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    certid = claimed(lobby, 1)
    fail(lobby, certid)

    def mend(_number: int) -> None:
        if state(lobby, certid) is State.CLAIMED:
            commission(lobby, certid)
            arrive(lobby, certid)

    server.meanwhile = mend
    (mended, followed) = terminal.records("retry", "sensor-1", "--wait")
    assert (mended["device"]["devstate"], followed["devstate"], followed["reached"]) == ("claimed", "arrived", True)
    told = terminal.records("move", "sensor-1", "-t", "There", "--yes", "--wait")
    assert told[-1]["devstate"] == "arrived"
    assert lobby.ledger.get(certid).target == THERE  # type: ignore[union-attr]  # it is there


def test_several_are_followed_and_the_worst_end_counts(terminal: Terminal, lobby: Lobby, server: LobbyServer) -> None:
    one, two = lobby.waiting(1, "sensor-1"), lobby.waiting(2, "sensor-2")
    steps: list[Any] = [in_turn(lobby, commission, arrive)(one), in_turn(lobby, fail)(two)]
    server.meanwhile = lambda number: [step(number) for step in steps]
    told = terminal.records("claim", one, two, "-t", "Here", "--wait", exit_code=5)
    last = {each["certid"]: each["devstate"] for each in told}
    assert last == {one: "arrived", two: "failed"}


def test_a_retry_of_what_was_left_is_followed_until_it_is_cleared(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    certid = arrived(lobby, 1)
    lobby.ledger.release(certid, "user:alice")

    def clear(number: int) -> None:
        device = lobby.ledger.get(certid)
        if number >= 5 and device and device.targets_to_clear:
            lobby.ledger.retire(device, HERE, "service:commissioner")

    server.meanwhile = clear
    told = terminal.records("retry", "sensor-1", "--wait")
    assert told[-1]["reached"]
    assert told[-1]["devstate"] == "inlobby"
