"""The desk: who gets a route, who waits, what it costs, and that nothing in a payload can pose as anybody."""

import json
from pathlib import Path
from typing import Any

import pytest

from lobby import receptionist
from lobby.domain.device import Device
from lobby.domain.identity import Identity
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.models import COMMISSIONER
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName, parse_target
from lobby.receptionist import Receptionist, version_of
from tests import aws
from tests.aws import Calls, Clock

GOLDEN = Path(__file__).parents[2] / "events" / "hello.json"
CERTID, NAME = Fingerprint("1a" * 32), ThingName("sensor-1")
TARGET = parse_target("1" * 12, "eu-west-1")


class StreamProcessor:
    """A lobby with one admitted device, and the receptionist at her desk."""

    def __init__(self, calls: Calls, ledger: Ledger) -> None:
        self.calls, self.ledger = calls, ledger
        self.receptionist = Receptionist(aws.client("iot-data"), ledger)
        with calls.uncounted():
            self.device = ledger.admit(Identity(CERTID, NAME, "PEM"), "service:bouncer")

    def hello(self, **fields: Any) -> str:
        event = json.loads(GOLDEN.read_text().replace("CERTIFICATE_ID", CERTID)) | fields
        return receptionist.handler(event, None, self.receptionist)["outcome"]

    def commission(self, iotep: str = "a.example") -> Device:
        with self.calls.uncounted():
            claimed = self.ledger.claim(CERTID, ClaimRequest(TARGET, "default", {"a": 1}), "user:ann")
            return self.ledger.commission(claimed, iotep, "service:commissioner")


@pytest.fixture
def desk(calls: Calls, ledger: Ledger) -> StreamProcessor:
    return StreamProcessor(calls, ledger)


def device(certid: Fingerprint = CERTID) -> dict[str, Any]:
    return aws.item(certid) or {}


def starts_the_commissioner(row: dict[str, Any]) -> bool:
    """What the event filter on the stream's mapping asks: `dynamodb.NewImage.turn.S` is the commissioner."""
    return bool(row.get("turn", {}).get("S") == COMMISSIONER)


def test_the_first_hello_enters_the_lobby(desk: StreamProcessor) -> None:
    assert desk.hello() == "entered"
    row = device()
    assert (row["devstate"]["S"], row["clientversion"]["S"]) == (State.INLOBBY, "1.0")
    assert desk.calls.names() == ["GetItem", "TransactWriteItems"]


def test_a_further_hello_in_the_lobby_is_one_read(desk: StreamProcessor) -> None:
    desk.hello()
    desk.calls.forget()
    assert desk.hello() == "waiting"
    assert desk.calls.names() == ["GetItem"]


def test_hellos_in_the_lobby_write_once_a_minute_and_never_start_the_commissioner(
    desk: StreamProcessor, clock: Clock
) -> None:
    desk.hello()
    desk.calls.forget()
    for _ in range(10):
        clock.advance(seconds=12)
        desk.hello()
        assert not starts_the_commissioner(device())
    assert desk.calls.count() == {"GetItem": 10, "UpdateItem": 2}
    assert len(aws.tables()["device-lobby-history"]) == 2


def test_hellos_during_the_commissioning_write_nothing(desk: StreamProcessor, clock: Clock) -> None:
    desk.hello()
    with desk.calls.uncounted():
        desk.ledger.claim(CERTID, ClaimRequest(TARGET), "user:ann")
    before = aws.tables()
    desk.calls.forget()
    for _ in range(10):
        clock.advance(minutes=1)
        assert desk.hello() == "waiting"
    assert aws.tables() == before
    assert desk.calls.count() == {"GetItem": 10}


def test_a_commissioned_device_gets_its_route_with_one_read_and_one_publish(desk: StreamProcessor) -> None:
    desk.hello()
    desk.commission()
    before = aws.tables()
    desk.calls.forget()
    assert desk.hello() == "routed"
    assert desk.calls.names() == ["GetItem", "Publish"]
    assert aws.tables() == before
    topic, payload = aws.published()[-1]
    assert topic == "lobby/sensor-1"
    assert json.loads(payload) == {"iotep": "a.example", "config": {"a": 1}, "generation": 1}
    assert desk.calls.of("Publish")[0].params["qos"] == 1


def ms(clock: Clock) -> int:
    return int(clock().timestamp() * 1000)


@pytest.fixture
def settled(desk: StreamProcessor, clock: Clock) -> StreamProcessor:
    """Its device has arrived, just now."""
    desk.hello()
    device = desk.commission()
    clock.advance(minutes=5)
    with desk.calls.uncounted():
        desk.ledger.arrive(device, "service:arrivals")
    desk.calls.forget()
    return desk


def test_a_hello_of_an_arrived_device_is_answered_and_recorded(settled: StreamProcessor, clock: Clock) -> None:
    clock.advance(minutes=2)
    assert settled.hello(receivedat=ms(clock)) == "fell back"
    assert settled.calls.names() == ["GetItem", "Publish", "TransactWriteItems"]
    row = device()
    assert row["devstate"]["S"] == State.COMMISSIONED
    assert not starts_the_commissioner(row)
    with settled.calls.uncounted():
        last = settled.ledger.history(CERTID)[-1]
    assert (last.event, last.before, last.after) == (Event.HELLO, State.ARRIVED, State.COMMISSIONED)
    settled.calls.forget()
    clock.advance(minutes=2)
    assert settled.hello(receivedat=ms(clock)) == "routed"
    assert settled.calls.names() == ["GetItem", "Publish"]


@pytest.mark.parametrize("seconds", [-300, -1, 0, 59])
def test_a_hello_from_before_the_arrival_processed_late_changes_nothing(
    settled: StreamProcessor, clock: Clock, seconds: int
) -> None:
    """And no more than one a minute writes, whatever the device does."""
    said, before = ms(clock) + seconds * 1000, aws.tables()
    clock.advance(minutes=10)
    assert settled.hello(receivedat=said) == "routed"
    assert (settled.calls.names(), aws.tables()) == (["GetItem", "Publish"], before)


@pytest.mark.parametrize("moment", [None, "1795348800000", True, 1.5e12, [], {}])
def test_a_hello_without_a_time_is_not_recorded(settled: StreamProcessor, clock: Clock, moment: object) -> None:
    clock.advance(minutes=10)
    assert settled.hello(receivedat=moment) == "routed"
    assert device()["devstate"]["S"] == State.ARRIVED


def test_a_move_during_a_fallback_wins(settled: StreamProcessor, clock: Clock) -> None:
    clock.advance(minutes=2)

    def move() -> None:
        settled.ledger.move(CERTID, ClaimRequest(parse_target("2" * 12, "eu-west-1")), "user:ann")

    settled.calls.meanwhile["TransactWriteItems"] = move
    assert settled.hello(receivedat=ms(clock)) == "fell back"
    assert device()["devstate"]["S"] == State.CLAIMED


def test_the_route_is_that_of_the_current_claim(desk: StreamProcessor) -> None:
    desk.hello()
    desk.commission("old.example")
    with desk.calls.uncounted():
        moved = desk.ledger.move(CERTID, ClaimRequest(parse_target("2" * 12, "eu-west-1")), "user:ann")
    assert desk.hello() == "waiting"
    with desk.calls.uncounted():
        desk.ledger.commission(moved, "new.example", "service:commissioner")
    assert desk.hello() == "routed"
    assert [json.loads(payload)["iotep"] for _, payload in aws.published()] == ["new.example"]


@pytest.mark.parametrize(
    "payload",
    [
        {"iotep": "evil.example", "endpoint": "evil.example"},
        {"config": "factory reset", "devstate": "commissioned", "targetaccount": "666666666666"},
        {"topic": "lobby/victim"},
    ],
    ids=["endpoint", "state", "topic"],
)
def test_the_payload_does_not_decide_the_topic_or_the_content_of_the_answer(
    desk: StreamProcessor, payload: Any
) -> None:
    desk.hello()
    desk.commission()
    assert desk.hello(**payload) == "routed"
    assert aws.published() == [("lobby/sensor-1", b'{"iotep":"a.example","config":{"a":1},"generation":1}')]


@pytest.mark.parametrize("clientid", ["victim", "", None, 7, "sensor-1 ", "SENSOR-1", ["sensor-1"]])
def test_a_hello_with_another_client_id_changes_nothing_and_gets_no_answer(
    desk: StreamProcessor, clientid: object
) -> None:
    desk.commission()
    before = aws.tables()
    assert desk.hello(devicename=clientid) == "mistaken"
    assert (aws.tables(), aws.published()) == (before, [])


@pytest.mark.parametrize("certid", ["2b" * 32, "", None, "anonymous", 7, "../" * 22, {"S": "x"}])
def test_a_hello_of_an_unknown_certificate_creates_no_row(desk: StreamProcessor, certid: object) -> None:
    before = aws.tables()
    assert desk.hello(certid=certid) == "unknown"
    assert (aws.tables(), aws.published()) == (before, [])


def test_an_expected_device_that_was_not_admitted_is_unknown(desk: StreamProcessor) -> None:
    other = Fingerprint("2b" * 32)
    with desk.calls.uncounted():
        desk.ledger.claim(other, ClaimRequest(TARGET), "user:ann")
    before = aws.tables()
    assert desk.hello(certid=other) == "unknown"
    assert aws.tables() == before


def test_a_failed_device_waits(desk: StreamProcessor) -> None:
    desk.hello()
    with desk.calls.uncounted():
        claimed = desk.ledger.claim(CERTID, ClaimRequest(TARGET), "user:ann")
        desk.ledger.fail(claimed, "TARGET_LIMIT", "full", "service:commissioner")
    assert desk.hello() == "waiting"
    assert device()["devstate"]["S"] == "failed"
    assert aws.published() == []


def test_a_revoked_device_that_can_still_connect_is_deactivated_again(desk: StreamProcessor) -> None:
    with desk.calls.uncounted():
        revoked = desk.ledger.revoke(CERTID, "stolen", "user:ann")
        desk.ledger.retire(revoked, None, "service:commissioner")
    assert "turn" not in device()
    assert [desk.hello(), desk.hello()] == ["revoked", "revoked"]
    assert (device()["devstate"]["S"], device()["reason"]["S"], device()["turn"]["S"]) == (
        "revoked",
        "REVOKED",
        "commissioner",
    )
    assert [entry.event for entry in desk.ledger.history(CERTID)].count(Event.RETRY) == 1
    assert aws.published() == []


def test_a_claim_during_the_first_hello_wins(desk: StreamProcessor) -> None:
    desk.calls.meanwhile["TransactWriteItems"] = lambda: desk.ledger.claim(CERTID, ClaimRequest(TARGET), "user:ann")
    assert desk.hello() == "waiting"
    row = device()
    assert (row["devstate"]["S"], row["turn"]["S"]) == (State.CLAIMED, COMMISSIONER)


@pytest.mark.parametrize("text", [None, 7, "", "x" * 65, "1\n2", "\x00", {"a": 1}, "\u202e1"])
def test_an_invalid_client_version_is_ignored(desk: StreamProcessor, text: object) -> None:
    assert version_of(text) is None
    assert desk.hello(clientversion=text) == "entered"
    assert "clientversion" not in device()


def test_the_handler_is_configured_by_the_environment(desk: StreamProcessor) -> None:
    receptionist._receptionist.cache_clear()
    try:
        event = json.loads(GOLDEN.read_text().replace("CERTIFICATE_ID", CERTID))
        assert receptionist.handler(event, None) == {"outcome": "entered"}
    finally:
        receptionist._receptionist.cache_clear()
