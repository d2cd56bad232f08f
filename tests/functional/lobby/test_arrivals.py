"""Arrivals: a target reports only its own devices, and a bad message does not block the others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from lobby import arrivals
from lobby.arrivals import Arrivals
from lobby.aws import signing_certificates
from lobby.contracts.targets import ArrivalMark
from lobby.domain.identity import Identity
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.connections.device_connections import Connections
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import Fingerprint, ThingName, parse_target
from tests import aws, sns_messages
from tests.aws import Calls, Clock
from tests.certificates import NOW, YEAR
from tests.clone_watches import clone_watch

EVENTS = Path(__file__).parents[2] / "events"
CERTID = Fingerprint("1a" * 32)
TARGET = parse_target("1" * 12, "eu-west-1")
ELSEWHERE = parse_target("2" * 12, "us-east-1")
TOPIC = "arn:aws:sns:eu-west-1:111111111111:device-lobby-arrivals"


class Queue:
    """A commissioned device, a registered target, and the handler of the queue."""

    def __init__(self, calls: Calls, ledger: Ledger, clock: Clock) -> None:
        self.ledger, self.calls = ledger, calls
        with calls.uncounted():
            self.sns = boto3.client("sns")
            self.targets = targets = Targets(lambda: "external-id", clock)
            targets.register(TARGET, "Plant", (), "user:ann")
            ledger.admit(Identity(CERTID, ThingName("sensor-1"), "PEM"), "service:bouncer")
            claimed = ledger.claim(CERTID, ClaimRequest(TARGET), "user:ann")
            ledger.commission(claimed, "a.example", "service:commissioner")
        self.regions: list[str] = []
        self.kept: list[str] = []
        self.marks: list[ArrivalMark] = []
        certificates = sns_messages.certificates(clock)
        self.arrivals = Arrivals(
            ledger, targets, self._sns, certificates, self.kept.append, self.marks.append, clone_watch(ledger, targets)
        )

    def _sns(self, region: str) -> Any:
        self.regions.append(region)
        return self.sns

    def deliver(self, *bodies: str, queue: str = "device-lobby-arrivals") -> list[str]:
        """Process messages of a queue; return the ids of those that return to it."""
        arn = f"arn:aws:sqs:eu-west-1:123456789012:{queue}"
        records = [
            {"messageId": f"m{number}", "body": body, "eventSourceARN": arn} for number, body in enumerate(bodies)
        ]
        found = arrivals.handler({"Records": records}, None, self.arrivals)
        return [failed["itemIdentifier"] for failed in found["batchItemFailures"]]

    def state(self) -> str:
        return str((aws.item(CERTID) or {})["devstate"]["S"])


@pytest.fixture
def queue(calls: Calls, ledger: Ledger, clock: Clock) -> Queue:
    return Queue(calls, ledger, clock)


def report(certid: object = CERTID, at: object = 1795348801000, topic: str = TOPIC, received: object = None) -> str:
    return json.dumps(sns_messages.report(certid, at, topic, received))


def test_a_report_makes_the_device_arrived_with_one_read_and_one_write(queue: Queue) -> None:
    golden = json.loads((EVENTS / "device_connected.json").read_text().replace("CERTIFICATE_ID", CERTID))
    assert queue.deliver(json.dumps(sns_messages.signed(golden))) == []
    assert queue.state() == State.ARRIVED
    assert queue.calls.names() == ["GetItem", "TransactWriteItems"]


def test_later_connections_change_nothing(queue: Queue) -> None:
    queue.deliver(report())
    before = aws.tables()
    assert queue.deliver(report(at=1795348999000), report()) == []
    assert aws.tables() == before
    assert queue.marks == []


def selected(selected: str = "awaited", at: int = 1795348801000) -> str:
    """A report of the rule that looks up things. The body of a report of `sns_messages` has no such field."""
    envelope = sns_messages.report(CERTID, at, TOPIC)
    message = json.loads(envelope["Message"]) | {"selected": selected}
    return json.dumps(sns_messages.signed(envelope | {"Message": json.dumps(message)}))


def test_the_thing_of_a_device_that_is_reported_after_its_arrival_is_to_be_marked(queue: Queue) -> None:
    queue.deliver(selected())
    assert (queue.state(), queue.marks) == (State.ARRIVED, [])
    queue.deliver(selected(at=1795348999000))
    assert queue.marks == [ArrivalMark(TARGET, CERTID, ThingName("sensor-1"), 1, "default")]
    assert ArrivalMark.decode(queue.marks[0].encode()) == queue.marks[0]


def test_a_device_that_is_no_longer_there_is_not_marked(queue: Queue) -> None:
    queue.deliver(selected())
    queue.ledger.move(CERTID, ClaimRequest(ELSEWHERE), "user:ann")
    queue.deliver(selected(at=1795348999000))
    assert queue.marks == []


@pytest.mark.parametrize(
    "topic",
    [
        "arn:aws:sns:eu-west-1:222222222222:device-lobby-arrivals",
        "arn:aws:sns:us-east-1:111111111111:device-lobby-arrivals",
    ],
    ids=["another account", "another Region"],
)
def test_an_account_cannot_report_another_target_s_device(queue: Queue, topic: str) -> None:
    assert queue.deliver(report(topic=topic)) == []
    assert queue.state() == State.COMMISSIONED


@pytest.mark.parametrize(
    ("at", "received", "state"),
    [
        (-121_000, 1000, State.COMMISSIONED),
        (-119_000, 1000, State.ARRIVED),
        (119_000, 1000, State.ARRIVED),
        (1000, -3000, State.COMMISSIONED),
        (-1000, -1000, State.ARRIVED),
        (-119_000, None, State.ARRIVED),
        (-121_000, None, State.COMMISSIONED),
    ],
    ids=[
        "an old event, delayed",
        "an event stamped too early",
        "an event stamped too late",
        "an old event, stamped too late",
        "within the skew of the clocks",
        "stamped too early, from an earlier stack",
        "old, from an earlier stack",
    ],
)
def test_only_a_connection_since_the_commissioning_counts(
    queue: Queue, at: int, received: int | None, state: State
) -> None:
    """Times are relative to the commissioning."""
    commissioned = 1795348800000
    relative = None if received is None else commissioned + received
    assert queue.deliver(report(at=commissioned + at, received=relative)) == []
    assert queue.state() == state


def takeover(number: int, topic: str = TOPIC) -> str:
    """A report of a connection in the target that ended because its client id connected again."""
    fields = {"reason": "DUPLICATE_CLIENTID", "session": f"s{number}", "at": 1795348801000 + number}
    body = json.dumps({"certid": CERTID, "devicename": "sensor-1"} | fields)
    return json.dumps(sns_messages.signed(sns_messages.report(CERTID, 0, topic) | {"Message": body}))


def test_takeovers_in_the_target_are_recorded_and_make_no_device_arrived(queue: Queue) -> None:
    assert queue.deliver(*[takeover(number) for number in range(3)]) == []
    assert queue.state() == State.COMMISSIONED
    (problem,) = Connections().problems_of(CERTID)
    assert (problem.code, problem.place, problem.count) == ("DUPLICATE_CLIENTID", "111111111111/eu-west-1", 3)


def test_an_account_cannot_report_takeovers_of_another_target_s_device(queue: Queue) -> None:
    other = "arn:aws:sns:eu-west-1:222222222222:device-lobby-arrivals"
    assert queue.deliver(*[takeover(number, other) for number in range(3)]) == []
    assert Connections().problems_of(CERTID) == []


@pytest.mark.parametrize("certid", ["2b" * 32, "AROAEXAMPLE:user", None, 7])
def test_an_unknown_client_is_ignored(queue: Queue, certid: object) -> None:
    before = aws.tables()
    assert queue.deliver(report(certid)) == []
    assert aws.tables() == before


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda ledger: ledger.move(CERTID, ClaimRequest(ELSEWHERE), "user:ann"), State.CLAIMED),
        (lambda ledger: ledger.release(CERTID, "user:ann"), State.INLOBBY),
        (lambda ledger: ledger.revoke(CERTID, "stolen", "user:ann"), State.REVOKED),
    ],
    ids=["moved", "released", "revoked"],
)
def test_a_report_from_a_former_target_changes_nothing(
    queue: Queue, change: Callable[[Ledger], object], state: State
) -> None:
    with queue.calls.uncounted():
        change(queue.ledger)
    before = aws.tables()
    assert queue.deliver(report()) == []
    assert (aws.tables(), queue.state()) == (before, state)


def test_a_move_between_read_and_write_wins_and_the_report_is_retried(queue: Queue) -> None:
    queue.calls.meanwhile["TransactWriteItems"] = lambda: queue.ledger.move(CERTID, ClaimRequest(ELSEWHERE), "user:ann")
    assert queue.deliver(report()) == ["m0"]
    assert queue.state() == State.CLAIMED
    assert queue.deliver(report()) == []
    assert queue.state() == State.CLAIMED


@pytest.mark.parametrize(
    "body",
    [
        sns_messages.signed(json.loads(report()) | {"Message": "x"}),
        sns_messages.signed(json.loads(report()) | {"Message": "[]"}),
        json.loads(report(at=None)),
        json.loads(report(at="soon")),
        json.loads(report(at=1e300)),
        json.loads(report(at=float("nan"))),
    ],
    ids=lambda body: body["Message"][-60:],
)
def test_a_bad_message_returns_to_the_queue_and_the_others_are_processed(queue: Queue, body: dict[str, Any]) -> None:
    assert queue.deliver(json.dumps(body), report()) == ["m0"]
    assert queue.state() == State.ARRIVED


def confirmation(topic: str = TOPIC) -> str:
    envelope = json.loads((EVENTS / "subscription_confirmation.json").read_text())
    return json.dumps(sns_messages.signed({**envelope, "TopicArn": topic}))


def test_the_subscription_of_a_registered_target_is_confirmed_with_aws_only(queue: Queue) -> None:
    with Stubber(queue.sns) as sns, queue.calls.uncounted():
        sns.add_response(
            "confirm_subscription", {"SubscriptionArn": TOPIC + ":x"}, {"TopicArn": TOPIC, "Token": "2336412f37"}
        )
        assert queue.deliver(confirmation()) == []
        sns.assert_no_pending_responses()
    assert queue.regions == ["eu-west-1"]


@pytest.mark.parametrize("account", ["222222222222", "999999999999"])
def test_the_confirmation_of_an_unregistered_target_is_kept_once_and_tried_again(queue: Queue, account: str) -> None:
    body = confirmation(TOPIC.replace("1" * 12, account))
    assert queue.deliver(body) == []
    assert queue.kept == [body]
    assert queue.deliver(body, queue="device-lobby-unconfirmed") == ["m0"]
    assert (queue.kept, queue.regions) == ([body], [])


def test_a_kept_confirmation_takes_effect_once_its_target_is_registered(queue: Queue) -> None:
    topic = TOPIC.replace("1" * 12, "2" * 12)
    assert queue.deliver(confirmation(topic), queue="device-lobby-unconfirmed") == ["m0"]
    with queue.calls.uncounted(), Stubber(queue.sns) as sns:
        queue.targets.register(parse_target("2" * 12, "eu-west-1"), "Second", (), "user:ann")
        sns.add_response(
            "confirm_subscription", {"SubscriptionArn": topic + ":x"}, {"TopicArn": topic, "Token": "2336412f37"}
        )
        assert queue.deliver(confirmation(topic), queue="device-lobby-unconfirmed") == []
        sns.assert_no_pending_responses()


def test_a_kept_confirmation_that_is_not_authentic_is_dropped(queue: Queue) -> None:
    forged = json.loads(confirmation()) | {"Token": "1"}
    assert queue.deliver(json.dumps(forged), queue="device-lobby-unconfirmed") == []
    assert (queue.kept, queue.regions) == ([], [])


def test_a_confirmation_that_cannot_be_kept_returns_to_its_queue(queue: Queue) -> None:
    def fail(_body: str) -> None:
        raise ConnectionError

    queue.arrivals.keep = fail
    assert queue.deliver(confirmation(TOPIC.replace("1" * 12, "2" * 12))) == ["m0"]


def test_the_handler_is_configured_by_the_environment(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    published = sns_messages.certificate(sns_messages.SNS, end=NOW + 30 * YEAR)
    monkeypatch.setattr(signing_certificates, "fetch", lambda _url: published)
    arrivals._arrivals.cache_clear()
    try:
        records = [{"messageId": "m", "body": report("2b" * 32)}]
        assert arrivals.handler({"Records": records}, None) == {"batchItemFailures": []}
    finally:
        arrivals._arrivals.cache_clear()
