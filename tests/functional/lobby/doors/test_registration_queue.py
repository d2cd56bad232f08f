"""The registrations' queue: duplicates cost no call to AWS IoT, failures are retried, and no device is lost."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lobby.aws.pacer import Pacer
from lobby.domain.pacing import Pace
from lobby.doors import registration_queue
from lobby.doors.registration_messages import ATTEMPTS, LATE
from lobby.doors.registration_queue import handler
from tests import aws
from tests import certificates as make
from tests.aws import Calls, Clock
from tests.functional.lobby.registration_door import CA, GOOD, RegistrationDoor, ids, record_of

GOOD_ID = make.fingerprint_of(GOOD)
LEASED = ["PutItem", "UpdateItem"]
"""The calls in addition to those of the bouncer."""


@pytest.fixture
def door(calls: Calls, clock: Clock) -> RegistrationDoor:
    with calls.uncounted():
        for name in ("registrations", "undelivered"):
            aws.client("sqs").create_queue(QueueName=name)
    return RegistrationDoor(calls, clock)


@pytest.fixture
def hidden(door: RegistrationDoor, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:  # in its AWS
    """The messages whose visibility was changed, by receipt, with the seconds: moto knows none of the receipts."""
    changed: list[tuple[str, int]] = []

    def change(**params: Any) -> None:
        changed.append((params["ReceiptHandle"], params["VisibilityTimeout"]))

    monkeypatch.setattr(aws.client("sqs"), "change_message_visibility", change)
    return changed


def undelivered() -> list[dict[str, Any]]:
    url = aws.client("sqs").get_queue_url(QueueName="undelivered")["QueueUrl"]
    found = aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]


def iot_calls(calls: Calls) -> list[str]:
    return [call.operation for call in calls.made if call.service == "iot"]


def failing(operation: str = "DescribeCertificate") -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, operation)


def test_a_single_device_costs_a_lease_more_than_its_decision(door: RegistrationDoor) -> None:
    assert door.receive(door.message(door.first_connection())) == []
    assert door.calls.names()[0] == "PutItem"
    assert door.calls.names()[-1] == "UpdateItem"
    assert (aws.status(GOOD_ID), len(door.calls.made)) == ("ACTIVE", 9 + len(LEASED))


def test_ten_connection_attempts_in_one_batch_cost_one_run(door: RegistrationDoor) -> None:
    event = door.first_connection()
    assert door.receive(*(door.message(event, number) for number in range(10))) == []
    assert iot_calls(door.calls).count("DescribeCertificate") == 1
    assert aws.status(GOOD_ID) == "ACTIVE"


@pytest.mark.parametrize("size", [1, 9])
def test_later_deliveries_of_earlier_attempts_cost_no_call_to_aws_iot(door: RegistrationDoor, size: int) -> None:
    event = door.first_connection()
    waiting = [door.message(event, number) for number in range(10)]
    door.clock.advance(seconds=1)
    assert door.receive(waiting[0]) == []
    door.calls.forget()
    assert door.receive(*waiting[1 : 1 + size]) == []
    assert len(door.calls.made) <= 2
    assert iot_calls(door.calls) == []


@pytest.mark.parametrize("size", [1, 9])
def test_an_attempt_before_the_decision_costs_no_call_however_late_its_message_was_sent(
    door: RegistrationDoor, size: int
) -> None:
    """In a burst, the rule can be later than the bouncer."""
    event = door.first_connection()
    door.clock.advance(seconds=1)
    assert door.receive(door.message(event)) == []
    door.clock.advance(seconds=30)
    late = [door.message(event, number) for number in range(2, 2 + size)]
    door.calls.forget()
    assert door.receive(*late) == []
    assert iot_calls(door.calls) == []


@pytest.mark.parametrize("seconds", [1, LATE / 1000 + 1])
@pytest.mark.parametrize("timestamp", [0, -1, None, "1795348800000", True, 1.5e9, 2**63, [], {}])
def test_an_attempt_whose_time_cannot_be_right_is_examined_again(
    door: RegistrationDoor, timestamp: Any, seconds: float
) -> None:
    """Otherwise a device whose certificate was deleted would never be admitted again."""
    event = door.first_connection()
    door.receive(door.message(event))
    door.clock.advance(seconds=seconds)
    door.calls.forget()
    assert door.receive(door.message(event | {"timestamp": timestamp}, 2)) == []
    assert iot_calls(door.calls) == ["DescribeCertificate"]


def test_an_attempt_after_the_decision_is_examined_again(door: RegistrationDoor) -> None:
    """The certificate of a device that is to be admitted again was deleted."""
    event = door.first_connection()
    door.receive(door.message(event))
    door.clock.advance(minutes=1)
    with door.calls.uncounted():
        arn = door.iot.describe_certificate(certificateId=GOOD_ID)["certificateDescription"]["certificateArn"]
        door.iot.detach_thing_principal(thingName="sensor-1", principal=arn)
        door.iot.update_certificate(certificateId=GOOD_ID, newStatus="INACTIVE")
        door.iot.delete_certificate(certificateId=GOOD_ID, forceDelete=True)
    assert door.receive(door.message(door.first_connection(), 2)) == []
    assert aws.status(GOOD_ID) == "ACTIVE"


def test_each_device_of_a_batch_is_decided_on_its_own(door: RegistrationDoor, hidden: list[tuple[str, int]]) -> None:
    pems = [make.pem_of(make.device(CA, f"sensor-{number}", number=number)) for number in range(1, 6)]
    records = [door.message(door.first_connection(pem), number) for number, pem in enumerate(pems, 1)]
    broken = make.fingerprint_of(pems[2])
    door.calls.instead["DescribeCertificate"] = lambda params, call: (
        _raise(failing()) if params["certificateId"] == broken else call()
    )
    assert door.receive(*records) == ids([3])
    assert hidden == [("receipt-3", 5)]
    assert [aws.status(make.fingerprint_of(pem)) for pem in pems].count("ACTIVE") == 4
    del door.calls.instead["DescribeCertificate"]
    assert door.receive(records[2]) == []
    assert aws.status(broken) == "ACTIVE"


def _raise(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize(("receives", "seconds"), [(1, 5), (2, 10), (3, 20), (6, 160), (7, 300)])
def test_a_failed_message_becomes_visible_after_twice_the_wait(
    door: RegistrationDoor, hidden: list[tuple[str, int]], receives: int, seconds: int
) -> None:
    event = door.first_connection()
    door.calls.fails["AttachPolicy"] = failing("AttachPolicy")
    assert door.receive(door.message(event, receives=receives)) == ids([1])
    assert hidden == [("receipt-1", seconds)]
    assert undelivered() == []


def test_after_the_last_attempt_a_message_is_handed_over_with_the_reason(door: RegistrationDoor) -> None:
    event = door.first_connection()
    door.calls.fails["AttachPolicy"] = failing("AttachPolicy")
    assert door.receive(door.message(event, receives=ATTEMPTS)) == []
    [report] = undelivered()
    assert json.loads(report["registration"]) == event
    assert "ThrottlingException" in report["reason"]
    assert report["attempts"] == ATTEMPTS


def test_a_message_that_cannot_be_handed_over_stays(door: RegistrationDoor) -> None:
    event = door.first_connection()
    door.calls.fails |= {"AttachPolicy": failing("AttachPolicy"), "SendMessage": failing("SendMessage")}
    assert door.receive(door.message(event, receives=ATTEMPTS)) == ids([1])


def test_a_wait_that_cannot_be_set_keeps_the_message(door: RegistrationDoor) -> None:
    event = door.first_connection()
    door.calls.fails |= {"AttachPolicy": failing(), "ChangeMessageVisibility": failing("ChangeMessageVisibility")}
    assert door.receive(door.message(event)) == ids([1])


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "7", "{}", '{"certificateId": null}', '{"certificateId": "x"}', "[" * 5000, '"certificateId"'],
)
def test_an_unreadable_message_is_handed_over_immediately_and_blocks_no_other(
    door: RegistrationDoor, body: str
) -> None:
    good = door.message(door.first_connection(), 2)
    assert door.receive(record_of(body, 1, door.clock), good) == []
    [report] = undelivered()
    assert report["registration"] == body
    assert report["reason"].startswith("MessageRejected: MALFORMED_MESSAGE: got ")
    assert aws.status(GOOD_ID) == "ACTIVE"


def test_a_message_during_another_run_waits_and_needs_no_run_after_its_decision(
    door: RegistrationDoor, hidden: list[tuple[str, int]]
) -> None:
    event = door.first_connection()
    first, during = door.message(event, 1), []

    def another_attempt() -> None:
        door.clock.advance(seconds=1)
        during.append(door.message(event, 2))
        assert door.receive(*during) == ids([2])
        door.clock.advance(seconds=1)

    door.calls.meanwhile["CreateThing"] = another_attempt
    assert door.receive(first) == []
    assert hidden == [("receipt-2", 10)]
    door.calls.forget()
    assert door.receive(*during) == []
    assert iot_calls(door.calls) == []


def test_a_message_that_needs_no_run_uses_up_no_time_of_the_quota(door: RegistrationDoor) -> None:
    slept: list[float] = []
    pacer = Pacer(Pace(1, 1), monotonic=lambda: 50.0, sleep=slept.append)
    queue, pems = door.queue(pacer), [make.pem_of(make.device(CA, f"sensor-{each}", number=each)) for each in (1, 2)]
    events = [door.first_connection(pem) for pem in pems]
    door.calls.fails["BatchGetItem"] = failing("BatchGetItem")
    waiting = [door.message(event, number) for number, event in enumerate(events)]
    door.clock.advance(seconds=1)
    assert door.receive(*waiting, queue=queue) == []
    assert door.receive(*waiting, queue=queue) == []
    assert slept == [1.0, 2.0, 2.0]


def test_a_lease_that_cannot_be_ended_does_not_undo_the_decision(door: RegistrationDoor) -> None:
    message = door.message(door.first_connection())
    door.calls.fails["UpdateItem"] = failing("UpdateItem")
    assert door.receive(message) == []
    assert aws.status(GOOD_ID) == "ACTIVE"


def test_a_batch_whose_completed_messages_cannot_be_read_is_processed(door: RegistrationDoor) -> None:
    second = make.pem_of(make.device(CA, "sensor-2", number=2))
    records = [door.message(door.first_connection(pem), number) for number, pem in enumerate((GOOD, second))]
    door.calls.fails["BatchGetItem"] = failing("BatchGetItem")
    assert door.receive(*records) == []
    assert aws.status(GOOD_ID) == aws.status(make.fingerprint_of(second)) == "ACTIVE"


def test_the_handler_is_configured_by_the_environment(door: RegistrationDoor) -> None:
    registration_queue._queue.cache_clear()
    far = datetime(2900, 1, 1, tzinfo=UTC)
    pem = make.pem_of(make.device(CA, begin=far, end=far + timedelta(hours=1)))
    try:
        assert handler({"Records": [door.message(door.first_connection(pem))]}, None) == {"batchItemFailures": []}
    finally:
        registration_queue._queue.cache_clear()
    assert (aws.item(make.fingerprint_of(pem)) or {})["reason"] == {"S": "NOT_YET_VALID"}
