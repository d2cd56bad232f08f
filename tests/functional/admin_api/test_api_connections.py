"""The online status of devices and the problems of their connections, in the API and in `lobbyctl`."""

from typing import Any

from lobby.domain.connections.connection_problem import DENIED, ConnectionProblem
from lobby.domain.connections.connectivity import ConnectionChange, LifecycleEvent
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.connections.device_connections import Connections
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import HERE, Lobby, counted
from tests.functional.admin_api.lobby_over_http import Terminal

AT = 1_795_348_800_000
SINCE = "2026-11-22T12:00:00.000Z"
DEVICE = """query($id: ID!) { device(certid: $id) {
  online onlineSince connectionProblems { code message clientId place count firstAt lastAt }
} }"""
LIST = "{ devices { nodes { certid online onlineSince } } }"
PROBLEMS = "query($first: Int) { connectionProblems(first: $first) { certid code place lastAt } }"
UNKNOWN = {"online": None, "onlineSince": None}


def connect(
    lobby: Lobby, certid: Fingerprint, change: ConnectionChange = ConnectionChange.CONNECTED, at: int = AT
) -> None:
    device = lobby.ledger.get(certid)
    assert device is not None
    assert Connections().record(device, LifecycleEvent(change, "s1", 0, at))


def refuse(certid: Fingerprint, at: int = AT) -> None:
    assert Connections().record_problem(ConnectionProblem(certid, DENIED, "sensor-x", "lobby", "s1", at, at))


def shown(lobby: Lobby, certid: Fingerprint) -> dict[str, Any]:
    device: dict[str, Any] = lobby.ask(DEVICE, {"id": certid}).data["device"]
    return device


def test_a_device_is_online_offline_or_unknown(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    assert shown(lobby, certid) == UNKNOWN | {"connectionProblems": []}
    connect(lobby, certid)
    assert shown(lobby, certid) == {"online": True, "onlineSince": SINCE, "connectionProblems": []}
    connect(lobby, certid, ConnectionChange.DISCONNECTED)
    assert shown(lobby, certid) == {"online": False, "onlineSince": SINCE, "connectionProblems": []}


def test_a_device_that_went_to_its_target_is_unknown(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    connect(lobby, certid)
    device = lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    lobby.ledger.commission(device, "a.example", "service:commissioner")
    assert shown(lobby, certid)["online"] is True
    connect(lobby, certid, ConnectionChange.DISCONNECTED)
    assert shown(lobby, certid) == UNKNOWN | {"connectionProblems": []}


def test_a_list_reads_the_status_of_all_its_devices_with_one_call(lobby: Lobby) -> None:
    certids = [lobby.waiting(number) for number in range(1, 6)]
    connect(lobby, certids[2])
    with counted() as calls:
        nodes = lobby.ask(LIST).data["devices"]["nodes"]
    assert {each["certid"]: each["online"] for each in nodes} == dict.fromkeys(certids, None) | {certids[2]: True}
    assert calls.count("BatchGetItem") == 1
    assert set(calls) == {"Query", "BatchGetItem"}


def test_a_list_that_does_not_ask_for_the_status_does_not_read_it(lobby: Lobby) -> None:
    lobby.waiting(1)
    with counted() as calls:
        lobby.ask("{ devices { nodes { certid } } }")
    assert set(calls) == {"Query"}


def test_a_refused_connection_is_shown_with_its_device(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    refuse(certid)
    (problem,) = shown(lobby, certid)["connectionProblems"]
    assert "client id 'sensor-x'" in problem.pop("message")
    assert problem == {
        "code": "CONNECT_DENIED",
        "clientId": "sensor-x",
        "place": "lobby",
        "count": 1,
        "firstAt": SINCE,
        "lastAt": SINCE,
    }


def test_recent_problems_of_all_devices_are_listed(lobby: Lobby) -> None:
    one, two = lobby.waiting(1), lobby.waiting(2)
    refuse(one)
    refuse(two, AT + 1)
    found = lobby.ask(PROBLEMS, {"first": 10}).data["connectionProblems"]
    assert [each["certid"] for each in found] == [two, one]
    assert lobby.ask(PROBLEMS, {"first": 0}).code == "INVALID_COUNT"
    assert lobby.ask(PROBLEMS, {"first": 101}).code == "INVALID_COUNT"


def test_doctor_lists_problems_and_exits_with_1(terminal: Terminal, lobby: Lobby) -> None:
    healthy = terminal.run("doctor")
    assert (healthy.exit_code, healthy.stdout) == (0, "")
    assert "no connection problems" in healthy.stderr
    certid = lobby.waiting(1)
    refuse(certid)
    found = terminal.run("doctor")
    assert found.exit_code == 1
    assert certid[:12] in found.stdout
    assert "CONNECT_DENIED" in found.stdout
    (record,) = terminal.records("doctor", exit_code=1)
    assert (record["certid"], record["code"]) == (certid, "CONNECT_DENIED")


def test_devices_show_and_list_have_the_status(terminal: Terminal, lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    connect(lobby, certid)
    connect(lobby, certid, ConnectionChange.DISCONNECTED)
    refuse(certid)
    text = " ".join(terminal.run("devices", "show", certid).stdout.split())
    assert f"offline in the lobby since {SINCE}" in text
    assert "CONNECT_DENIED" in text
    assert "offline" in terminal.run("devices", "list").stdout


def test_a_viewer_may_not_list_the_problems_of_all_devices(lobby: Lobby) -> None:
    assert lobby.ask(PROBLEMS, {"first": 1}, groups=("viewer",)).code == "FORBIDDEN"
