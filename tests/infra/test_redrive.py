"""The on-failure queues redriven: what a message is about, what is handed over again, and what is left where it is."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra import permissions
from infra.redrive.envelopes import Unreadable, read
from infra.redrive.redriving import Redriving
from lobby.domain.history_audit import first_broken_entry
from lobby.domain.identity import Identity
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.redrive import ACTOR, holder_of
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName, parse_target
from tests import aws
from tests.aws import HOME, Calls

A = parse_target("1" * 12, "eu-west-1")
ONE = Fingerprint("1a" * 32)
WHO = Identity(ONE, ThingName("sensor-1"), "PEM 1")
OURS = f"arn:aws:lambda:{HOME.region}:{HOME.account}:function:device-lobby-bouncer:$LATEST"
KNOCK = {"certificateId": ONE}
ALL = (permissions.UNDELIVERED, permissions.UNCOMMISSIONED, permissions.ARRIVALS_DEAD, permissions.ARRIVALS)


def limits(payload: Any = KNOCK, arn: str = OURS) -> str:
    return json.dumps(
        {
            "version": "1.0",
            "requestContext": {"functionArn": arn, "condition": "RetriesExhausted"},
            "requestPayload": payload,
            "responsePayload": {"errorMessage": "no table"},
        }
    )


def not_handed_over(rule: str, payload: bytes, client: str = "sensor-1") -> str:
    return json.dumps(
        {
            "ruleName": rule,
            "clientId": client,
            "base64OriginalPayload": base64.b64encode(payload).decode(),
            "failures": [{"failedAction": "LambdaAction", "errorMessage": "throttled"}],
        }
    )


def known(name: str) -> Fingerprint | None:
    return ONE if name == "sensor-1" else None


@pytest.mark.parametrize(
    ("body", "function", "payload"),
    [
        (limits(), "device-lobby-bouncer", KNOCK),
        (limits([1], OURS.replace("bouncer:$LATEST", "receptionist")), "device-lobby-receptionist", [1]),
        (not_handed_over("device_lobby_registered", json.dumps(KNOCK).encode()), "device-lobby-bouncer", KNOCK),
        (
            not_handed_over("lobby", b'{"version": "1.4", "presence": true, "certid": "another", "devicename": "b"}'),
            "device-lobby-receptionist",
            {"certid": ONE, "devicename": "sensor-1", "clientversion": "1.4", "presence": True},
        ),
        (
            not_handed_over("lobby", b"\\xff no JSON"),
            "device-lobby-receptionist",
            {"certid": ONE, "devicename": "sensor-1", "clientversion": None, "presence": None},
        ),
        (not_handed_over("lobby", b"[]", "a stranger"), None, None),
    ],
    ids=["given up", "by another", "registered", "hello", "hello of no JSON", "hello of a stranger"],
)
def test_a_message_is_parsed_to_an_event(body: str, function: str | None, payload: Any) -> None:
    event = read(body, HOME, known)
    assert (event.function, event.payload) == (function, payload)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[]",
        "null",
        "{}",
        '{"requestPayload": {}}',
        "[" * 5000,
        limits(arn="arn:aws:lambda:eu-west-1:999999999999:function:device-lobby-bouncer"),
        limits(arn=f"arn:aws:lambda:{HOME.region}:{HOME.account}:function:payroll"),
        limits(arn=""),
        '{"requestPayload": {}, "requestContext": 7}',
        not_handed_over("another_rule", b"{}"),
        not_handed_over("device_lobby_registered", b"no JSON"),
        '{"ruleName": "device_lobby_registered", "base64OriginalPayload": "%"}',
        '{"ruleName": "lobby", "failures": 7}',
    ],
)
def test_an_unreadable_message_is_reported(body: str) -> None:
    with pytest.raises(Unreadable):
        read(body, HOME, known)


class Functions:
    """Lambda, as far as it is asked to invoke."""

    def __init__(self, refuses: Exception | None = None) -> None:
        self.invoked: list[tuple[str, Any]] = []
        self.refuses = refuses

    def invoke(self, **asked: Any) -> None:
        assert asked["InvocationType"] == "Event"
        if self.refuses:
            raise self.refuses
        self.invoked.append((asked["FunctionName"], json.loads(asked["Payload"])))


@pytest.fixture
def sqs(calls: Calls) -> Any:
    found = aws.client("sqs")
    for name in ALL:
        found.create_queue(QueueName=name)
    return found


def bodies(sqs: Any, name: str) -> list[str]:
    """What anybody would receive now."""
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60).get("Messages"):
        found += [message["Body"] for message in messages]
    return sorted(found)


def send(sqs: Any, name: str, *texts: str) -> None:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    for text in texts:
        sqs.send_message(QueueUrl=url, MessageBody=text)


Redrive = Callable[..., tuple[bool, Functions, list[str]]]


@pytest.fixture
def redrive(sqs: Any, ledger: Ledger) -> Redrive:
    def run(*, dry: bool = False, functions: Functions | None = None, before: float = 0) -> Any:
        reported: list[str] = []
        asked, at = functions or Functions(), datetime.now(UTC) + timedelta(seconds=1 - before)
        done = Redriving(sqs, asked, ledger, holder_of, HOME, at, reported.append, dry, 0).run()  # type: ignore[arg-type]
        return done, asked, reported

    return run


def test_a_failed_invocation_is_repeated_and_its_message_deleted(sqs: Any, redrive: Redrive) -> None:
    send(sqs, permissions.UNDELIVERED, *[limits({"certificateId": f"{number}"}) for number in range(25)])
    done, functions, reported = redrive()
    assert done
    assert sorted(int(payload["certificateId"]) for _, payload in functions.invoked) == list(range(25))
    assert bodies(sqs, permissions.UNDELIVERED) == []
    assert "device-lobby-undelivered: 25 redriven" in reported


def test_a_dry_run_reports_everything_and_returns_the_messages(sqs: Any, redrive: Redrive, ledger: Ledger) -> None:
    waiting(ledger)
    for name in ALL[:3]:
        send(sqs, name, limits())
    done, functions, reported = redrive(dry=True)
    assert (done, functions.invoked) == (True, [])
    assert "device-lobby-uncommissioned: 1 would be redriven" in reported
    assert any(ONE in line and "would be triggered again" in line for line in reported)
    assert [bodies(sqs, name) for name in ALL[:3]] == [[limits()]] * 3
    assert [entry.actor for entry in ledger.history(ONE)].count(ACTOR) == 0


def test_an_unreadable_message_stays_and_does_not_block_the_others(sqs: Any, redrive: Redrive) -> None:
    send(sqs, permissions.UNDELIVERED, "poison", limits(), "poison, too")
    done, functions, reported = redrive()
    assert not done
    assert len(functions.invoked) == 1
    assert bodies(sqs, permissions.UNDELIVERED) == ["poison", "poison, too"]
    assert "device-lobby-undelivered: 1 redriven, 2 left (see above)" in reported


def test_an_interrupted_redrive_leaves_the_remaining_messages(sqs: Any, redrive: Redrive) -> None:
    send(sqs, permissions.UNDELIVERED, limits())
    with pytest.raises(KeyboardInterrupt):
        redrive(functions=Functions(KeyboardInterrupt()))  # type: ignore[arg-type]
    assert bodies(sqs, permissions.UNDELIVERED) == [limits()]


def test_messages_sent_during_a_redrive_stay_for_the_next_one(sqs: Any, redrive: Redrive) -> None:
    """So what fails once more is not redriven for ever."""
    send(sqs, permissions.UNDELIVERED, limits())
    done, functions, _ = redrive(before=3600)
    assert (done, functions.invoked) == (True, [])
    assert bodies(sqs, permissions.UNDELIVERED) == [limits()]


def test_an_arrival_in_the_dead_letter_queue_is_sent_again(sqs: Any, redrive: Redrive) -> None:
    send(sqs, permissions.ARRIVALS_DEAD, "an envelope")
    assert redrive()[0]
    assert bodies(sqs, permissions.ARRIVALS_DEAD) == []
    assert bodies(sqs, permissions.ARRIVALS) == ["an envelope"]


def waiting(ledger: Ledger) -> None:
    """Claimed, and the record of it lost."""
    ledger.hello(ledger.admit(WHO, "service:bouncer"), None, "service:receptionist")
    ledger.claim(ONE, ClaimRequest(A), "user:ann")


def events(ledger: Ledger) -> list[Event]:
    entries, device = ledger.history(ONE), ledger.get(ONE)
    assert device is not None
    assert first_broken_entry(entries, version=device.version, head=device.head) is None
    return [entry.event for entry in entries if entry.actor == ACTOR]


def test_a_device_that_the_commissioner_failed_is_triggered_again(sqs: Any, redrive: Redrive, ledger: Ledger) -> None:
    waiting(ledger)
    send(sqs, permissions.UNCOMMISSIONED, "where in the stream")
    assert redrive()[0]
    device = ledger.get(ONE)
    assert device is not None
    assert (device.devstate, device.needs_commissioner, device.generation) == (State.CLAIMED, True, 1)
    assert events(ledger) == [Event.WAKE]
    assert bodies(sqs, permissions.UNCOMMISSIONED) == []


def test_unfinished_work_is_triggered_again_without_targets_to_clear(
    sqs: Any, redrive: Redrive, ledger: Ledger
) -> None:
    waiting(ledger)
    released = ledger.release(ONE, "user:ann")
    assert released is not None
    cleared = ledger.retire(released, A, "service:commissioner")
    aws.client("dynamodb").update_item(
        TableName="device-lobby-ledger",
        Key={"certid": {"S": ONE}},
        UpdateExpression="SET turn = :c",
        ExpressionAttributeValues={":c": {"S": "commissioner"}},
    )
    assert cleared.targets_to_clear == ()
    send(sqs, permissions.UNCOMMISSIONED, "where in the stream")
    assert redrive()[0]
    assert events(ledger) == [Event.WAKE]


@pytest.mark.parametrize("served", ["commissioned", "nothing given up"])
def test_a_device_without_open_work_is_not_changed(sqs: Any, redrive: Redrive, ledger: Ledger, served: str) -> None:
    waiting(ledger)
    if served == "commissioned":
        device = ledger.get(ONE)
        assert device is not None
        ledger.commission(device, "a.example", "service:commissioner")
        send(sqs, permissions.UNCOMMISSIONED, "where in the stream")
    assert redrive()[0]
    assert events(ledger) == []
