"""Redriving the on-failure queues: what is invoked again, and which messages stay."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.parts import permissions
from infra.redrive.redriving import Redriving
from infra.redrive.start import put_into
from lobby.contracts.lane_tokens import TOKENS, Token
from lobby.domain.history.history_audit import first_broken_entry
from lobby.domain.identity import Identity
from lobby.domain.lanes.lane import lane_to
from lobby.domain.states import Event
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.lanes.lane_register import Lanes
from lobby.ledger.redrive import ACTOR, holder_of
from lobby.ledger.store import Ledger
from lobby.names import ThingName, parse_target
from tests import aws
from tests.aws import HOME, Calls
from tests.infra.failure_messages import (
    ONE,
    OURS,
    REGISTRATION,
    failed_invocation,
    failed_registration,
    undelivered,
)

A = parse_target("1" * 12, "eu-west-1")
IDENTITY = Identity(ONE, ThingName("sensor-1"), "PEM 1")
HELLO = OURS.replace("bouncer", "receptionist")
FAILURES = (permissions.UNDELIVERED, permissions.UNCOMMISSIONED, permissions.ARRIVALS_DEAD)


class Functions:
    """A Lambda client that records invocations, or raises `error`."""

    def __init__(self, error: Exception | None = None) -> None:
        self.invoked: list[tuple[str, Any]] = []
        self.error = error

    def invoke(self, **request: Any) -> None:
        assert request["InvocationType"] == "Event"
        if self.error:
            raise self.error
        self.invoked.append((request["FunctionName"], json.loads(request["Payload"])))


@pytest.fixture
def sqs(calls: Calls) -> Any:
    client = aws.client("sqs")
    for name in (*FAILURES, permissions.ARRIVALS, permissions.REGISTRATIONS):
        client.create_queue(QueueName=name)
    client.create_queue(QueueName=TOKENS, Attributes={"FifoQueue": "true"})
    return client


def bodies(sqs: Any, name: str) -> list[str]:
    """Return the bodies of the messages that are visible now."""
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    received: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60).get("Messages"):
        received += [message["Body"] for message in messages]
    return sorted(received)


def send(sqs: Any, name: str, *texts: str) -> None:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    for text in texts:
        sqs.send_message(QueueUrl=url, MessageBody=text)


Redrive = Callable[..., tuple[bool, Functions, list[str]]]


@pytest.fixture
def redrive(sqs: Any, ledger: Ledger) -> Redrive:
    def run(*, dry: bool = False, functions: Functions | None = None, before: float = 0) -> Any:
        reported: list[str] = []
        invoked, at = functions or Functions(), datetime.now(UTC) + timedelta(seconds=1 - before)
        put = put_into(aws.client("firehose"))
        complete = Redriving(sqs, invoked, put, ledger, holder_of, HOME, at, reported.append, dry, 0).run()  # type: ignore[arg-type]
        return complete, invoked, reported

    return run


def test_a_failed_invocation_is_repeated_and_its_message_deleted(sqs: Any, redrive: Redrive) -> None:
    send(sqs, permissions.UNDELIVERED, *[failed_invocation([number], HELLO) for number in range(25)])
    complete, functions, reported = redrive()
    assert complete
    assert sorted(number for _, [number] in functions.invoked) == list(range(25))
    assert bodies(sqs, permissions.UNDELIVERED) == []
    assert "device-lobby-undelivered: 25 redriven" in reported


def test_failed_registrations_return_to_their_queue(sqs: Any, redrive: Redrive) -> None:
    rule = undelivered("device_lobby_registered", json.dumps(REGISTRATION).encode())
    send(sqs, permissions.UNDELIVERED, failed_registration(), failed_invocation(), rule, json.dumps(REGISTRATION))
    complete, functions, reported = redrive()
    assert (complete, functions.invoked) == (True, [])
    assert bodies(sqs, permissions.REGISTRATIONS) == [json.dumps(REGISTRATION)] * 4
    assert bodies(sqs, permissions.UNDELIVERED) == []
    assert any("ThrottlingException" in line for line in reported)


def test_a_dry_run_reports_everything_and_returns_the_messages(sqs: Any, redrive: Redrive, ledger: Ledger) -> None:
    claim_unprocessed(ledger)
    for name in FAILURES:
        send(sqs, name, failed_invocation())
    complete, functions, reported = redrive(dry=True)
    assert (complete, functions.invoked) == (True, [])
    assert "device-lobby-uncommissioned: 1 would be redriven" in reported
    assert f"  lane {A}: would be started" in reported
    assert [bodies(sqs, name) for name in FAILURES] == [[failed_invocation()]] * 3
    assert [entry.actor for entry in ledger.history(ONE)].count(ACTOR) == 0


def test_an_unreadable_message_stays_and_does_not_block_the_others(sqs: Any, redrive: Redrive) -> None:
    send(sqs, permissions.UNDELIVERED, "poison", failed_invocation([], HELLO), "poison, too")
    complete, functions, reported = redrive()
    assert not complete
    assert len(functions.invoked) == 1
    assert bodies(sqs, permissions.UNDELIVERED) == ["poison", "poison, too"]
    assert "device-lobby-undelivered: 1 redriven, 2 left (see above)" in reported


def test_an_interrupted_redrive_leaves_the_remaining_messages(sqs: Any, redrive: Redrive) -> None:
    message = failed_invocation([], HELLO)
    send(sqs, permissions.UNDELIVERED, message)
    with pytest.raises(KeyboardInterrupt):
        redrive(functions=Functions(KeyboardInterrupt()))  # type: ignore[arg-type]
    assert bodies(sqs, permissions.UNDELIVERED) == [message]


def test_messages_sent_during_a_redrive_stay_for_the_next_one(sqs: Any, redrive: Redrive) -> None:
    """Otherwise work that fails again would be redriven endlessly."""
    send(sqs, permissions.UNDELIVERED, failed_invocation())
    complete, functions, _ = redrive(before=3600)
    assert (complete, functions.invoked) == (True, [])
    assert bodies(sqs, permissions.UNDELIVERED) == [failed_invocation()]


def test_an_arrival_in_the_dead_letter_queue_is_sent_again(sqs: Any, redrive: Redrive) -> None:
    send(sqs, permissions.ARRIVALS_DEAD, "an envelope")
    assert redrive()[0]
    assert bodies(sqs, permissions.ARRIVALS_DEAD) == []
    assert bodies(sqs, permissions.ARRIVALS) == ["an envelope"]


def claim_unprocessed(ledger: Ledger) -> None:
    """Claim a device whose stream record is lost, in a lane that has worked before."""
    Lanes().resume(lane_to(A))
    ledger.hello(ledger.admit(IDENTITY, "service:bouncer"), None, "service:receptionist")
    ledger.claim(ONE, ClaimRequest(A), "user:ann")


def events(ledger: Ledger) -> list[Event]:
    entries, device = ledger.history(ONE), ledger.get(ONE)
    assert device is not None
    assert first_broken_entry(entries, version=device.version, head=device.head) is None
    return [entry.event for entry in entries if entry.actor == ACTOR]


def test_the_lanes_in_which_rows_wait_are_started(sqs: Any, redrive: Redrive, ledger: Ledger) -> None:
    claim_unprocessed(ledger)
    send(sqs, permissions.UNCOMMISSIONED, "position in the stream")
    done, _, reported = redrive()
    assert done
    assert f"  lane {A}: started" in reported
    assert [Token.decode(body) for body in bodies(sqs, TOKENS)] == [Token(lane_to(A))]
    assert events(ledger) == []
    assert bodies(sqs, permissions.UNCOMMISSIONED) == []


def test_a_row_that_an_earlier_version_wrote_is_put_in_its_lane(sqs: Any, redrive: Redrive, ledger: Ledger) -> None:
    claim_unprocessed(ledger)
    aws.client("dynamodb").update_item(
        TableName="device-lobby-ledger",
        Key={"certid": {"S": ONE}},
        UpdateExpression="SET turn = :c",
        ExpressionAttributeValues={":c": {"S": "commissioner"}},
    )
    send(sqs, permissions.UNCOMMISSIONED, "position in the stream")
    assert redrive()[0]
    assert events(ledger) == [Event.WAKE]
    assert (aws.item(ONE) or {})["turn"] == {"S": f"commissioner#{A}#1"}


@pytest.mark.parametrize("served", ["commissioned", "empty queue"])
def test_a_device_without_open_work_is_not_changed(sqs: Any, redrive: Redrive, ledger: Ledger, served: str) -> None:
    claim_unprocessed(ledger)
    if served == "commissioned":
        device = ledger.get(ONE)
        assert device is not None
        ledger.commission(device, "a.example", "service:commissioner")
        send(sqs, permissions.UNCOMMISSIONED, "position in the stream")
    assert redrive()[0]
    assert events(ledger) == []
