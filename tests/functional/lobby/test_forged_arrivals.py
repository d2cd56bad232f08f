"""Messages in the arrivals queue that SNS did not sign for the device's target: dropped, logged and counted.

With raw message delivery, the owner of any topic whose subscription is confirmed can put any text into the queue.
"""

import json
from typing import Any

import boto3
import pytest

from lobby import arrivals
from lobby.arrivals import Arrivals
from lobby.aws.signing_certificates import SigningCertificates
from lobby.domain.identity import Identity
from lobby.domain.transitions import ClaimRequest
from lobby.errors import CertificateUnavailable
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import Fingerprint, ThingName, parse_target
from tests import aws, sns_messages
from tests.aws import Calls, Clock
from tests.certificates import DAY, NOW
from tests.clone_watches import clone_watch
from tests.sns_messages import EVENTS, SNS, certificate, certificate_url, signed, sns_key

CERTID = Fingerprint("1a" * 32)
VICTIM = parse_target("1" * 12, "eu-west-1")
ATTACKER = parse_target("2" * 12, "us-east-1")
UNREGISTERED = "arn:aws:sns:xx-evil-1:333333333333:device-lobby-arrivals"
TOPIC = "arn:aws:sns:eu-west-1:111111111111:device-lobby-arrivals"
ATTACKERS_TOPIC = "arn:aws:sns:us-east-1:222222222222:device-lobby-arrivals"


class Attacked:
    """A device that is commissioned in one target, and the owner of another target who can write into the queue."""

    def __init__(self, calls: Calls, ledger: Ledger, clock: Clock) -> None:
        self.clock, self.fetched, self.content = clock, list[str](), certificate(SNS)
        self.fails = False
        with calls.uncounted():
            targets = Targets(lambda: "external-id", clock)
            for target in (VICTIM, ATTACKER):
                targets.register(target, f"Plant {target.account[0]}", (), "user:ann")
            ledger.admit(Identity(CERTID, ThingName("sensor-1"), "PEM"), "service:bouncer")
            claimed = ledger.claim(CERTID, ClaimRequest(VICTIM), "user:ann")
            ledger.commission(claimed, "a.example", "service:commissioner")
        self.confirmed: list[str] = []
        self.kept: list[str] = []
        self.arrivals = Arrivals(
            ledger,
            targets,
            self._sns,
            SigningCertificates(self._fetch, clock),
            self.kept.append,
            lambda _: None,
            clone_watch(ledger, targets),
        )

    def _fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if self.fails:
            raise CertificateUnavailable("CERTIFICATE_UNAVAILABLE", "down")
        return self.content

    def _sns(self, region: str) -> Any:
        self.confirmed.append(region)
        return boto3.client("sns", region)

    def deliver(self, *bodies: str) -> list[str]:
        """Process messages; return the ids of those that return to the queue."""
        records = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]
        result = arrivals.handler({"Records": records}, None, self.arrivals)
        return [failed["itemIdentifier"] for failed in result["batchItemFailures"]]


@pytest.fixture
def attacked(calls: Calls, ledger: Ledger, clock: Clock) -> Attacked:
    return Attacked(calls, ledger, clock)


def report(topic: str = TOPIC) -> dict[str, Any]:
    return sns_messages.report(CERTID, 1795348801000, topic)


def confirmation(topic: str = TOPIC) -> dict[str, Any]:
    envelope = json.loads((EVENTS / "subscription_confirmation.json").read_text())
    return signed(envelope | {"TopicArn": topic})


def with_own_key(envelope: dict[str, Any]) -> dict[str, Any]:
    return signed(envelope, signer=sns_key(1))


FORGED = {
    "no signature": {name: value for name, value in report().items() if not name.startswith("Sign")},
    "false signature": report() | {"Signature": "RVhBTVBMRQ=="},
    "signature of another key": with_own_key(report()),
    "genuine, other topic": report(ATTACKERS_TOPIC) | {"TopicArn": TOPIC},
    "genuine, other topic and Region of the URL": report(ATTACKERS_TOPIC)
    | {"TopicArn": TOPIC, "SigningCertURL": certificate_url("eu-west-1")},
    "certificate of another host": with_own_key(report())
    | {"SigningCertURL": certificate_url("eu-west-1").replace(".com", ".com.evil.example")},
    "certificate of another Region": report() | {"SigningCertURL": certificate_url("us-east-1")},
    "certificate over http": report() | {"SigningCertURL": certificate_url("eu-west-1").replace("https", "http")},
    "URL that is no text": report() | {"SigningCertURL": [certificate_url("eu-west-1")]},
    "other message": report() | {"Message": report()["Message"].replace("sensor-1", "sensor-2")},
    "other time": report() | {"Timestamp": "2026-11-23T12:00:00.000Z"},
    "unknown version": report() | {"SignatureVersion": "3"},
    "another topic of the same account": signed(report() | {"TopicArn": TOPIC.replace("device-lobby-", "")}),
    "longer topic name": signed(report() | {"TopicArn": f"{TOPIC}-2"}),
    "topic in China": report() | {"TopicArn": TOPIC.replace("arn:aws:", "arn:aws-cn:")},
    "a queue": report() | {"TopicArn": TOPIC.replace("sns", "sqs")},
    "no topic": report() | {"TopicArn": None},
    "topic with a line break": report() | {"TopicArn": f"{TOPIC}\n"},
    "a Region that cannot exist": report() | {"TopicArn": TOPIC.replace("eu-west-1", "nowhere")},
    "confirmation, other token": confirmation() | {"Token": "2" * 10},
    "confirmation, other topic": confirmation(ATTACKERS_TOPIC) | {"TopicArn": TOPIC},
    "confirmation, own key": with_own_key(confirmation()),
    "report as confirmation": report() | {"Type": "SubscriptionConfirmation", "Token": "1"},
    "end of a subscription": report() | {"Type": "UnsubscribeConfirmation"},
    "empty": {},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_message_changes_nothing_and_is_dropped(
    attacked: Attacked,
    forged: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = aws.tables()
    assert attacked.deliver(json.dumps(forged)) == []
    assert (aws.tables(), attacked.confirmed) == (before, [])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [line["ArrivalsRejected"] for line in lines] == [[1.0]]
    assert [(line.message, line.__dict__["message_id"]) for line in caplog.records] == [("report rejected", "m0")]


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", "nonsense", "[" * 100_000, '{"TopicArn": 7}'])
def test_a_body_without_an_envelope_is_dropped(attacked: Attacked, body: str) -> None:
    before = aws.tables()
    assert attacked.deliver(body) == []
    assert (aws.tables(), attacked.fetched) == (before, [])


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_report_that_sns_signed_is_accepted_among_forged_ones(attacked: Attacked, version: str) -> None:
    bodies = [json.dumps(each) for each in (*FORGED.values(), signed(report(), version), *FORGED.values())]
    assert attacked.deliver(*bodies) == []
    assert (aws.item(CERTID) or {})["devstate"] == {"S": "arrived"}
    assert set(attacked.fetched) <= {certificate_url("eu-west-1"), certificate_url("us-east-1")}
    assert len(attacked.fetched) <= 2


def test_an_owner_reports_only_devices_of_the_own_target(attacked: Attacked) -> None:
    before = aws.tables()
    assert attacked.deliver(json.dumps(report(ATTACKERS_TOPIC))) == []
    assert aws.tables() == before


def test_no_certificate_is_fetched_for_a_topic_of_an_unregistered_account(attacked: Attacked) -> None:
    unregistered = (UNREGISTERED, TOPIC.replace("1" * 12, "3" * 12))
    messages = [json.dumps(make(topic)) for topic in unregistered for make in (report, confirmation)]
    before = aws.tables()
    assert attacked.deliver(*messages) == []
    assert (aws.tables(), attacked.fetched, attacked.confirmed) == (before, [], [])


def test_a_report_is_retried_if_its_certificate_cannot_be_fetched(attacked: Attacked) -> None:
    attacked.fails = True
    assert attacked.deliver(json.dumps(report()), json.dumps(report())) == ["m0", "m1"]
    assert attacked.fetched == [certificate_url("eu-west-1")]
    attacked.fails = False
    attacked.clock.advance(seconds=180)
    assert attacked.deliver(json.dumps(report())) == []
    assert (aws.item(CERTID) or {})["devstate"] == {"S": "arrived"}


@pytest.mark.parametrize(
    "content",
    [
        certificate(SNS, end=NOW - DAY),
        certificate("evil.example"),
        certificate(SNS, signer=sns_key(1)),
        b"",
    ],
    ids=["expired", "other name", "other key", "empty"],
)
def test_only_a_valid_certificate_of_sns_is_accepted(attacked: Attacked, content: bytes) -> None:
    attacked.content = content
    before = aws.tables()
    assert attacked.deliver(json.dumps(report())) == []
    assert aws.tables() == before


def test_a_genuine_report_that_is_sent_again_changes_nothing(attacked: Attacked, ledger: Ledger) -> None:
    old = json.dumps(report())
    attacked.deliver(old)
    attacked.clock.advance(hours=1)
    for change in (_nothing, _commissioned_again):
        change(ledger)
        before = aws.tables()
        assert attacked.deliver(old) == []
        assert aws.tables() == before


def _nothing(_ledger: Ledger) -> None:
    """The device stays arrived."""


def _commissioned_again(ledger: Ledger) -> None:
    """The device moves away and back."""
    for target in (ATTACKER, VICTIM):
        ledger.move(CERTID, ClaimRequest(target), "user:ann")
    device = ledger.get(CERTID)
    assert device is not None
    ledger.commission(device, "a.example", "service:commissioner")
