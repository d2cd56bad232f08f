"""The receptionist: which devices get a route, which wait, the cost, and payloads that cannot change the identity."""

import json
import logging
from typing import Any

import pytest

from lobby import receptionist
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint, parse_target
from lobby.receptionist import version_of
from tests import aws
from tests.aws import Clock
from tests.functional.lobby.reception import CERTID, GOLDEN, TARGET, Reception, device, starts_the_commissioner


def test_the_first_hello_enters_the_lobby(reception: Reception) -> None:
    assert reception.hello() == "entered"
    row = device()
    assert (row["devstate"]["S"], row["clientversion"]["S"]) == (State.INLOBBY, "1.0")
    assert reception.calls.names() == ["GetItem", "TransactWriteItems"]


def test_a_further_hello_in_the_lobby_is_one_read(reception: Reception) -> None:
    reception.hello()
    reception.calls.forget()
    assert reception.hello() == "waiting"
    assert reception.calls.names() == ["GetItem"]


def test_hellos_in_the_lobby_write_once_in_half_an_hour_and_never_start_the_commissioner(
    reception: Reception, clock: Clock
) -> None:
    reception.hello()
    reception.calls.forget()
    for _ in range(10):
        clock.advance(minutes=6)
        reception.hello()
        assert not starts_the_commissioner(device())
    assert reception.calls.count() == {"GetItem": 10, "UpdateItem": 2}
    assert len(aws.tables()["device-lobby-history"]) == 2


def test_a_v01_client_that_repeats_its_hello_every_five_seconds_costs_reads_only(
    reception: Reception, clock: Clock
) -> None:
    reception.hello()
    reception.calls.forget()
    for _ in range(100):
        clock.advance(seconds=5)
        assert reception.hello() == "waiting"
    assert reception.calls.count() == {"GetItem": 100}


def test_a_hello_is_logged_only_if_it_changes_something_or_is_a_fault(
    reception: Reception, caplog: pytest.LogCaptureFixture
) -> None:
    def outcomes() -> list[str]:
        lines = [vars(each) for each in caplog.records if each.levelno >= logging.INFO]
        return [line["outcome"] for line in lines if line["message"] == "hello"]

    reception.hello()
    reception.hello()
    reception.commission()
    reception.hello()
    assert outcomes() == ["entered"]
    reception.hello(devicename="sensor-2")
    reception.hello(certid="2b" * 32)
    assert outcomes() == ["entered", "mistaken", "unknown"]


def test_hellos_during_the_commissioning_write_nothing(reception: Reception, clock: Clock) -> None:
    reception.hello()
    with reception.calls.uncounted():
        reception.ledger.claim(CERTID, ClaimRequest(TARGET), "user:ann")
    before = aws.tables()
    reception.calls.forget()
    for _ in range(10):
        clock.advance(minutes=1)
        assert reception.hello() == "waiting"
    assert aws.tables() == before
    assert reception.calls.count() == {"GetItem": 10}


def test_a_commissioned_device_gets_its_route_with_one_read_and_one_publish(reception: Reception) -> None:
    reception.hello()
    reception.commission()
    before = aws.tables()
    reception.calls.forget()
    assert reception.hello() == "routed"
    assert reception.calls.names() == ["GetItem", "Publish"]
    assert aws.tables() == before
    topic, payload = aws.published()[-1]
    assert topic == "lobby/sensor-1"
    assert json.loads(payload) == {"iotep": "a.example", "config": {"a": 1}, "generation": 1}
    sent = reception.calls.of("Publish")[0].params
    assert (sent["qos"], sent["messageExpiry"]) == (1, 60)


def test_the_route_is_that_of_the_current_claim(reception: Reception) -> None:
    reception.hello()
    reception.commission("old.example")
    with reception.calls.uncounted():
        moved = reception.ledger.move(CERTID, ClaimRequest(parse_target("2" * 12, "eu-west-1")), "user:ann")
    assert reception.hello() == "waiting"
    with reception.calls.uncounted():
        reception.ledger.commission(moved, "new.example", "service:commissioner")
    assert reception.hello() == "routed"
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
def test_the_payload_does_not_decide_the_topic_or_the_content_of_the_answer(reception: Reception, payload: Any) -> None:
    reception.hello()
    reception.commission()
    assert reception.hello(**payload) == "routed"
    assert aws.published() == [("lobby/sensor-1", b'{"iotep":"a.example","config":{"a":1},"generation":1}')]


@pytest.mark.parametrize("clientid", ["victim", "", None, 7, "sensor-1 ", "SENSOR-1", ["sensor-1"]])
def test_a_hello_with_another_client_id_changes_nothing_and_gets_no_answer(
    reception: Reception, clientid: object
) -> None:
    reception.commission()
    before = aws.tables()
    assert reception.hello(devicename=clientid) == "mistaken"
    assert (aws.tables(), aws.published()) == (before, [])


@pytest.mark.parametrize("certid", ["2b" * 32, "", None, "anonymous", 7, "../" * 22, {"S": "x"}])
def test_a_hello_of_an_unknown_certificate_creates_no_row(reception: Reception, certid: object) -> None:
    before = aws.tables()
    assert reception.hello(certid=certid) == "unknown"
    assert (aws.tables(), aws.published()) == (before, [])


def test_an_expected_device_that_was_not_admitted_is_unknown(reception: Reception) -> None:
    other = Fingerprint("2b" * 32)
    with reception.calls.uncounted():
        reception.ledger.claim(other, ClaimRequest(TARGET), "user:ann")
    before = aws.tables()
    assert reception.hello(certid=other) == "unknown"
    assert aws.tables() == before


def test_a_failed_device_waits(reception: Reception) -> None:
    reception.hello()
    with reception.calls.uncounted():
        claimed = reception.ledger.claim(CERTID, ClaimRequest(TARGET), "user:ann")
        reception.ledger.fail(claimed, "TARGET_LIMIT", "full", "service:commissioner")
    assert reception.hello() == "waiting"
    assert device()["devstate"]["S"] == "failed"
    assert aws.published() == []


def test_a_revoked_device_that_can_still_connect_is_deactivated_again(reception: Reception) -> None:
    with reception.calls.uncounted():
        revoked = reception.ledger.revoke(CERTID, "stolen", "user:ann")
        reception.ledger.retire(revoked, None, "service:commissioner")
    assert "turn" not in device()
    assert [reception.hello(), reception.hello()] == ["revoked", "revoked"]
    assert (device()["devstate"]["S"], device()["reason"]["S"], device()["turn"]["S"]) == (
        "revoked",
        "REVOKED",
        "commissioner#lobby#1",
    )
    assert [entry.event for entry in reception.ledger.history(CERTID)].count(Event.RETRY) == 1
    assert aws.published() == []


def test_a_claim_during_the_first_hello_wins(reception: Reception) -> None:
    reception.calls.meanwhile["TransactWriteItems"] = lambda: reception.ledger.claim(
        CERTID, ClaimRequest(TARGET), "user:ann"
    )
    assert reception.hello() == "waiting"
    row = device()
    assert row["devstate"]["S"] == State.CLAIMED
    assert row["turn"]["S"].startswith("commissioner#")


@pytest.mark.parametrize("text", [None, 7, "", "x" * 65, "1\n2", "\x00", {"a": 1}, "\u202e1"])
def test_an_invalid_client_version_is_ignored(reception: Reception, text: object) -> None:
    assert version_of(text) is None
    assert reception.hello(clientversion=text) == "entered"
    assert "clientversion" not in device()


def test_the_handler_is_configured_by_the_environment(reception: Reception) -> None:
    receptionist._receptionist.cache_clear()
    try:
        event = json.loads(GOLDEN.read_text().replace("CERTIFICATE_ID", CERTID))
        assert receptionist.handler(event, None) == {"outcome": "entered"}
    finally:
        receptionist._receptionist.cache_clear()
