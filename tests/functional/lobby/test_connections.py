"""The Lambda for lifecycle events: what it records, its cost, and events that it rejects."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lobby import connections
from lobby.connections import ConnectionRecorder
from lobby.domain.connections.connectivity import online_of
from lobby.domain.identity import Identity
from lobby.errors import InvalidInput
from lobby.ledger.connections.device_connections import Connections
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName
from tests import aws
from tests.aws import Calls
from tests.clone_watches import clone_watch
from tests.functional.lobby.ledger.ledger_devices import ONE, TWO, admitted, arrived, in_lobby

GOLDEN = Path(__file__).parents[2] / "events" / "lifecycle_connected.json"
TABLE = "device-lobby-connections"
AT = 1_795_348_800_000


class Events:
    """The Lambda, and events of one device."""

    def __init__(self, calls: Calls, ledger: Ledger) -> None:
        self.calls, self.ledger, self.connections = calls, ledger, Connections(lambda _attempt: None)
        self.recorder = ConnectionRecorder(ledger, self.connections, clone_watch(ledger))

    def send(self, certid: str = ONE, **fields: Any) -> str:
        event = json.loads(GOLDEN.read_text().replace("CERTIFICATE_ID", certid)) | fields
        return connections.handler(event, None, self.recorder)["outcome"]

    def online(self, certid: Fingerprint = ONE) -> bool | None:
        with self.calls.uncounted():
            device = self.ledger.get(certid)
            assert device is not None
            return online_of(device, self.connections.statuses([certid]).get(certid)).online


@pytest.fixture
def events(calls: Calls, ledger: Ledger) -> Events:
    with calls.uncounted():
        in_lobby(ledger)
    calls.forget()
    return Events(calls, ledger)


def rows() -> list[dict[str, Any]]:
    return aws.items(TABLE)


def test_a_connection_and_its_end_are_recorded_with_one_write_each(events: Events) -> None:
    assert events.online() is None
    assert events.send() == "online"
    assert events.online() is True
    assert events.calls.names() == ["GetItem", "GetItem", "PutItem"]
    assert events.send(event="disconnected", at=AT + 1, reason="CONNECTION_LOST") == "offline"
    assert events.online() is False
    assert events.calls.count()["PutItem"] == 2


def test_the_end_of_a_connection_in_another_region_ends_no_connection(events: Events) -> None:
    regions = [
        ConnectionRecorder(events.ledger, events.connections, clone_watch(events.ledger), f"lobby in {region}")
        for region in ("eu-west-1", "us-east-1")
    ]
    for at, recorder, change, session, version in (
        (AT, regions[0], "connected", "s1", 57),
        (AT + 1, regions[1], "connected", "s2", 0),
        (AT + 2, regions[0], "disconnected", "s1", 57),
    ):
        events.recorder = recorder
        events.send(event=change, at=at, session=session, version=version, reason="CONNECTION_LOST")
    assert events.online() is True


def test_a_repeated_event_writes_nothing(events: Events) -> None:
    events.send()
    before = rows()
    events.calls.forget()
    assert events.send() == "nothing new"
    assert events.calls.names() == ["GetItem"] * 3
    assert rows() == before


@pytest.mark.parametrize(
    ("version", "outcome", "session"), [(1, "offline", "s2"), (-1, "nothing new", "s1")], ids=["newer", "older"]
)
def test_a_stale_read_of_the_status_decides_nothing(events: Events, version: int, outcome: str, session: str) -> None:
    events.send(session="s1", version=0)

    def read(params: dict[str, Any], call: Callable[[], Any]) -> Any:
        return call() if params["ConsistentRead"] else {}

    events.calls.instead["GetItem"] = read
    later: dict[str, Any] = {"event": "disconnected", "session": "s2", "version": version, "at": AT + 9}
    assert events.send(**later) == outcome
    (row,) = rows()
    assert (row["session"]["S"], events.calls.of("GetItem")[-1].params["ConsistentRead"]) == (session, True)


def test_events_that_are_processed_at_the_same_time_are_decided_again(events: Events) -> None:
    later: dict[str, Any] = {"session": "s2", "version": 1, "at": AT + 9}
    events.calls.meanwhile["PutItem"] = lambda: events.send(**later)
    assert events.send() == "nothing new"
    assert events.online() is True
    (row,) = rows()
    assert row["session"]["S"] == "s2"


def test_a_status_changes_neither_the_ledger_nor_the_history(events: Events) -> None:
    before = aws.tables()
    events.send()
    after = aws.tables()
    assert {name for name in after if after[name] != before[name]} == {TABLE}


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"certid": TWO}, "unknown device"),
        ({"certid": "AROASTLVWKQ4VKIMFNOIF:ann"}, "not a certificate"),
        ({"certid": ""}, "not a certificate"),
        ({"devicename": "sensor-2"}, "mistaken"),
    ],
)
def test_an_event_of_no_device_of_the_ledger_changes_nothing(
    events: Events, fields: dict[str, Any], outcome: str
) -> None:
    assert events.send(**fields) == outcome
    assert rows() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"event": "subscribed"},
        {"event": None},
        {"version": None},
        {"version": "1"},
        {"version": True},
        {"session": None},
        {"session": ""},
        {"session": "s" * 129},
        {"at": None},
        {"at": "1795348800000"},
        {"at": 0},
        {"at": 10**15},
    ],
)
def test_an_event_of_another_form_is_an_error_and_changes_nothing(events: Events, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="got "):
        events.send(**fields)
    assert rows() == []


def test_a_refused_connection_is_a_problem_of_the_certificate(events: Events) -> None:
    fields: dict[str, Any] = {"event": "connect_failed", "devicename": "sensor-2", "version": None}
    assert events.send(**fields) == "problem"
    assert events.send(**fields) == "nothing new"
    assert events.online() is None
    (problem,) = events.connections.problems_of(ONE)
    assert (problem.code, problem.clientid, problem.place, problem.count) == ("CONNECT_DENIED", "sensor-2", "lobby", 1)
    (row,) = rows()
    assert row["expires"] == {"N": str(AT // 1000 + 7 * 24 * 3600)}


def test_devices_that_take_the_connection_from_each_other_are_reported(events: Events) -> None:
    taken_over: dict[str, Any] = {"event": "disconnected", "reason": "DUPLICATE_CLIENTID"}
    for number in range(3):
        assert events.connections.problems_of(ONE) == []
        assert events.send(session=f"s{number}", version=number, at=AT + number, **taken_over) == "problem"
    (problem,) = events.connections.problems_of(ONE)
    assert (problem.code, problem.count) == ("DUPLICATE_CLIENTID", 3)
    assert events.connections.recent_problems(10) == [problem]


def test_recent_problems_are_those_of_all_devices_with_the_latest_first(events: Events) -> None:
    with events.calls.uncounted():
        admitted(events.ledger, Identity(TWO, ThingName("sensor-2"), "PEM 2"))
    events.send(event="connect_failed", at=AT + 1)
    events.send(TWO, event="connect_failed", at=AT + 2)
    assert [each.certid for each in events.connections.recent_problems(10)] == [TWO, ONE]
    assert [each.certid for each in events.connections.recent_problems(1)] == [TWO]


def test_a_device_that_left_for_its_target_is_not_shown_as_offline(calls: Calls, ledger: Ledger) -> None:
    with calls.uncounted():
        arrived(ledger)
    events = Events(calls, ledger)
    events.send()
    events.send(event="disconnected", at=AT + 1)
    assert events.online() is None
