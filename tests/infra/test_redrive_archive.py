"""Redriving the archive's queue: each event is put into the stream of its table, as the rules would have passed it."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.firehose.models import firehose_backends

from infra.archive import delivery as archive
from infra.archive.tables import REGISTRY, TRANSITIONS
from infra.parts import permissions
from infra.redrive.archived import RULES, read_archived
from infra.redrive.envelopes import Unreadable
from infra.redrive.redriving import Redriving
from infra.redrive.start import put_into
from lobby.domain.states import Event, State
from lobby.ledger.redrive import holder_of
from lobby.ledger.store import Ledger
from tests import aws
from tests.aws import HOME, LOBBY, REGION, Calls
from tests.infra.archived_records import ONE, REGISTRY_EVENTS, transition
from tests.infra.failure_messages import unarchived_event, undelivered

TRANSITION = transition(ONE, 3, Event.ADMIT, "2026-11-30T08:00:00.000Z", State.KNOCKING)
REASON = {"ERROR_CODE": {"StringValue": "THROTTLING"}, "ERROR_MESSAGE": {"StringValue": "Slow down"}}
Redrive = Callable[..., tuple[bool, list[str]]]


def registry_event(event: Any = REGISTRY_EVENTS[0], rule: str = RULES[0]) -> str:
    return undelivered(rule, json.dumps(event).encode())


@pytest.fixture
def sqs(calls: Calls) -> Any:
    """The queues of a lobby with an archive, and its bucket and streams."""
    client = aws.client("sqs")
    for name in (permissions.UNDELIVERED, permissions.UNCOMMISSIONED, permissions.ARRIVALS_DEAD):
        client.create_queue(QueueName=name)
    client.create_queue(QueueName=permissions.ARRIVALS)
    client.create_queue(QueueName=archive.FAILED)
    aws.client("s3").create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": REGION})
    place = {"RoleARN": f"arn:aws:iam::{LOBBY}:role/firehose", "BucketARN": "arn:aws:s3:::archive"}
    for table in (TRANSITIONS, REGISTRY):
        destination = place | {"Prefix": f"{table.name}/"}
        aws.client("firehose").create_delivery_stream(
            DeliveryStreamName=table.stream, ExtendedS3DestinationConfiguration=destination
        )
    return client


@pytest.fixture
def redrive(sqs: Any, ledger: Ledger) -> Redrive:
    def run(*, dry: bool = False) -> tuple[bool, list[str]]:
        reported: list[str] = []
        at, put = datetime.now(UTC) + timedelta(seconds=1), put_into(aws.client("firehose"))
        functions: Any = None
        run = Redriving(sqs, functions, put, ledger, holder_of, HOME, at, reported.append, dry, 0)
        return run.run(), reported

    return run


def send(sqs: Any, body: str, attributes: dict[str, Any] | None = None) -> None:
    given = {name: value | {"DataType": "String"} for name, value in (attributes or {}).items()}
    sqs.send_message(QueueUrl=_url(sqs), MessageBody=body, MessageAttributes=given)


def left(sqs: Any) -> int:
    found = sqs.get_queue_attributes(QueueUrl=_url(sqs), AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def archived(table: str) -> list[Any]:
    """Return the records that moto has written to S3 for a table."""
    s3 = aws.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="archive", Prefix=f"{table}/").get("Contents", ())]
    return [json.loads(s3.get_object(Bucket="archive", Key=key)["Body"].read()) for key in keys]


def _url(sqs: Any) -> str:
    return str(sqs.get_queue_url(QueueName=archive.FAILED)["QueueUrl"])


def test_events_are_archived_again_as_the_rules_pass_them(sqs: Any, redrive: Redrive) -> None:
    send(sqs, unarchived_event(TRANSITION), REASON)
    send(sqs, registry_event())
    complete, reported = redrive()
    assert (complete, left(sqs)) == (True, 0)
    assert (archived("transitions"), archived("registry")) == ([TRANSITION], [REGISTRY_EVENTS[0]])
    assert "device-lobby-archive-failed: 2 redriven" in reported
    assert any("Slow down" in line for line in reported)


def test_a_dry_run_archives_nothing(sqs: Any, redrive: Redrive) -> None:
    send(sqs, unarchived_event(TRANSITION))
    complete, reported = redrive(dry=True)
    assert (complete, left(sqs), archived("transitions")) == (True, 1, [])
    assert "device-lobby-archive-failed: 1 would be redriven" in reported


def test_a_message_that_is_no_event_stays(sqs: Any, redrive: Redrive) -> None:
    send(sqs, "poison")
    send(sqs, unarchived_event(TRANSITION))
    complete, reported = redrive()
    assert (complete, left(sqs), archived("transitions")) == (False, 1, [TRANSITION])
    assert "device-lobby-archive-failed: 1 redriven, 1 left (see above)" in reported


def test_an_event_stays_if_firehose_refuses_it_again(sqs: Any, redrive: Redrive) -> None:
    send(sqs, unarchived_event(TRANSITION))
    firehose_backends[LOBBY][REGION].delivery_streams.clear()
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        redrive()
    assert left(sqs) == 1


def test_a_lobby_without_an_archive_has_no_queue_for_it(sqs: Any, redrive: Redrive) -> None:
    sqs.delete_queue(QueueUrl=_url(sqs))
    complete, reported = redrive()
    assert complete
    assert not any("archive" in line for line in reported)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        unarchived_event("text"),
        unarchived_event(TRANSITION).replace("device-lobby", "aws.ec2"),
        unarchived_event(TRANSITION).replace("device.admit", "device.unknown"),
        registry_event(rule="device_lobby_hello"),
        registry_event([1]),
        json.dumps({"ruleName": RULES[0], "base64OriginalPayload": base64.b64encode(b"{").decode()}),
        json.dumps({"ruleName": RULES[0]}),
        json.dumps({"ruleName": RULES[0], "base64OriginalPayload": "*"}),
        "[" * 10_000,
    ],
    ids=lambda body: body[:20],
)
def test_hostile_messages_are_unreadable(body: str) -> None:
    with pytest.raises(Unreadable):
        read_archived(body, {})


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_of_registry_events_is_read(rule: str) -> None:
    record = read_archived(registry_event(rule=rule), {})
    assert (record.table, record.event) == (REGISTRY, REGISTRY_EVENTS[0])
