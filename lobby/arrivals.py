"""Lambda: arrivals, the handler for connection reports of the targets. It records a device as arrived.

A report is a lifecycle event of AWS IoT in the target; it goes through that account's SNS topic to the lobby's queue.
An account can report only its own devices: the topic in the envelope must belong to the device's current target, and
SNS must have signed the envelope, because the owner of a topic can deliver any text. Devices that are not in the
ledger, and connections from before the commissioning, are ignored. A target's rule only reports devices that the lobby
waits for. If it reports a device that has already arrived, its thing is marked, and the rule then no longer reports its
connections. Subscriptions are confirmed for registered targets only. A confirmation for any other topic stays in a
separate queue while its token is valid. A message that is not authentic is dropped, logged and counted, and raises an
alarm. Any other message that cannot be processed returns to the queue, and finally goes to the dead-letter queue, which
has an alarm.
"""

import os
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore import UNSIGNED
from botocore.config import Config

from lobby import strict_json
from lobby.arrival_marks import await_visitor, marks_to, request_mark
from lobby.aws.clients import CLIENT_CONFIG, LobbyClients, at_init, client
from lobby.aws.metrics import ARRIVALS_REJECTED, NAMESPACE
from lobby.aws.signing_certificates import SigningCertificates, fetcher
from lobby.aws.sns_signature import CONFIRMATION, parse_envelope, verify
from lobby.clone_watch import CloneWatch
from lobby.contracts.targets import ArrivalMark
from lobby.deployment import NAMES
from lobby.domain.connections.clones import ClonePolicy
from lobby.domain.connections.connection_problem import WATCHED_MS
from lobby.domain.connections.connectivity import DUPLICATE
from lobby.domain.connections.lifecycle_events import problem_of, sighting_of
from lobby.domain.device import Device
from lobby.domain.regions.home import Duty
from lobby.domain.states import State
from lobby.domain.targets.target import RegisteredTarget
from lobby.domain.targets.target_rules import SELECTED
from lobby.domain.targets.thing_claim import Progress
from lobby.errors import InvalidInput, MessageRejected, NotFound
from lobby.home_guard import duties
from lobby.ledger.connection import connect
from lobby.ledger.connections.device_connections import Connections
from lobby.ledger.connections.sightings import Sightings
from lobby.ledger.regions.routing import Access, in_own_replica
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import Fingerprint, Target, parse_fingerprint, parse_region, parse_target, shown
from lobby.report_times import CONNECTED, is_since
from lobby.settings import ArrivalsSettings, loopback, read_settings

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

ACTOR: Final = "service:arrivals"
_TOPIC: Final = re.compile(rf"arn:aws:sns:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{{12}}):{NAMES.name('arrivals')}")
"""Matches only the topic that the target's stack creates: other topics of the account may accept messages from
anyone."""
UNCONFIRMED: Final = "unconfirmed"
"""The outcome of a confirmation whose topic belongs to no registered target. Such a confirmation is not verified."""
_UNCONFIRMED_QUEUE: Final = f":{NAMES.name('unconfirmed')}"
_CHANGES: Final = ("arrived", "confirmed", "problem")
"""Outcomes that are logged. A report that changes nothing is not logged, because every connection of a device in a
target may cause one."""
logger = Logger(service="arrivals")
metrics = Metrics(namespace=NAMESPACE, service="arrivals")


class Arrivals:
    """Processes the messages of the queue. `sns` returns a client for a Region; `keep` sends the body of a confirmation
    from an unregistered target to a separate queue; `mark` requests a change of a thing's marker."""

    def __init__(
        self,
        ledger: Ledger,
        targets: Targets,
        sns: Callable[[str], "SNSClient"],
        certificates: SigningCertificates,
        keep: Callable[[str], object],
        mark: Callable[[ArrivalMark], object],
        watch: CloneWatch,
        connections: Connections | None = None,
    ) -> None:
        self._ledger, self._targets, self._sns, self._certificates = ledger, targets, sns, certificates
        self.keep, self._mark, self._watch = keep, mark, watch
        self._connections = connections or Connections()

    def process(self, envelope: dict[str, Any]) -> str:
        """Process a message. Return `arrived`, `confirmed`, `UNCONFIRMED`, or why nothing was done. Raise
        `MessageRejected`."""
        topic_arn, url = envelope.get("TopicArn"), envelope.get("SigningCertURL")
        source = source_of(topic_arn)
        # A sender cannot make the lobby fetch from Regions that no target is in.
        if not self._certificates.holds(url) and not self._is_registered(source):
            return UNCONFIRMED if envelope.get("Type") == CONFIRMATION else "not a registered target"
        verify(envelope, self._certificates.key(url, source.region))
        if envelope["Type"] == CONFIRMATION:
            return self._confirm(source, str(topic_arn), envelope["Token"])
        return self._arrive(source, strict_json.loads(envelope["Message"]))

    def _is_registered(self, source: Target) -> bool:
        try:
            self._targets.get(source)
        except NotFound:
            return False
        return True

    def _confirm(self, source: Target, topic_arn: str, token: str) -> str:
        if not self._is_registered(source):
            return UNCONFIRMED
        self._sns(source.region).confirm_subscription(TopicArn=topic_arn, Token=token)
        return "confirmed"

    def _arrive(self, source: Target, report: dict[str, Any]) -> str:
        try:
            certid = parse_fingerprint(report.get("certid"))
        except InvalidInput:
            return "not a certificate"
        device = self._ledger.find(certid)
        if device is None:
            return "unknown device"
        if device.target != source:
            device = self._followed(device, certid, source, report)
        if device is None:
            return "another target"
        if report.get("reason") == DUPLICATE:
            return self._taken_over(device, source, report)
        return self._connected(device, certid, source, report)

    def _followed(
        self, device: Device, certificate: Fingerprint, source: Target, report: dict[str, Any]
    ) -> Device | None:
        """Handle a report from a device's standby. If the device's target is evacuated, make the standby its target and
        return the new row. Otherwise return None."""
        standby = device.standby
        if standby is None or standby.target != source or not standby.is_usable or device.target is None:
            return None
        if certificate not in device.certificates:
            return None
        home = self._targets.get(device.target)
        if home.evacuated_at is not None:
            why = f"arrived in the standby of {home.target}, evacuated at {home.evacuated_at}"
            return self._ledger.follow(device, source, ACTOR, why)
        self._visited(device, certificate, source, home, report)
        return None

    def _visited(
        self, device: Device, certificate: Fingerprint, standby: Target, home: RegisteredTarget, report: dict[str, Any]
    ) -> None:
        """Handle a device in the standby of a target that is not evacuated. If an evacuation ended after the row last
        changed, the device may still use the evacuation's route, so it is called back, unless the standby's lane
        already has work for it: that work asks a returning device to leave. Otherwise the device went to the standby by
        itself and returns by itself; then the target's rule must report it again."""
        if home.returned_at is not None and home.returned_at >= device.enteredat:
            why = f"seen in the standby of {home.target}, which is not evacuated"
            self._ledger.call_back(device, standby, ACTOR, why)
        elif CONNECTED in report and certificate == device.awaited and is_since(report, device.enteredat):
            await_visitor(self._mark, device, standby, home.target)
            why = f"in the standby of {home.target}, because it reached neither that nor the lobby"
            self._ledger.visit(device, standby, ACTOR, why)

    def _since(self, device: Device) -> str:
        """Return the time from which connections count. A device of an evacuated target may have connected before its
        row was changed, so connections count from the evacuation until the device arrives or is commissioned again."""
        standby = device.standby
        if standby is None or not (standby.home and standby.leaving):
            return device.enteredat
        return self._targets.get_also_removed(standby.target).evacuated_at or device.enteredat

    def _connected(self, device: Device, certificate: Fingerprint, target: Target, report: dict[str, Any]) -> str:
        """Record the arrival; during a renewal, only an arrival with the new certificate. If an arrived device is
        reported again, request the mark that stops further reports. A rule of an earlier version does not read marks,
        so no mark is requested for it. The arrival itself requests no mark: a device that stays connected needs
        none."""
        if certificate != device.awaited:
            return "another certificate"
        if device.devstate is State.COMMISSIONED and is_since(report, self._since(device)):
            arrived = self._ledger.arrive(device, ACTOR, certificate)
            if device.fallbacks:
                self._look_at(arrived, target, report)
            return "arrived"
        reads_marks = report.get(SELECTED) == Progress.AWAITED
        if device.devstate is State.ARRIVED and reads_marks and not self._look_at(device, target, report):
            request_mark(self._mark, device, target)
        return "nothing new"

    def _taken_over(self, device: Device, source: Target, report: dict[str, Any]) -> str:
        """Count a takeover. After several takeovers, have the target's rule report the connections of an arrived device
        again. A rule of an earlier version reports neither versions nor addresses, so it is not asked."""
        problem = problem_of(DUPLICATE, device.certid, report, str(source))
        written, counted = self._connections.count_problem(problem)
        is_watched = counted.is_serious and not device.is_suspected and device.devstate is State.ARRIVED
        if written and is_watched and type(report.get("version")) is int:
            request_mark(self._mark, device, source, awaited=True)
        return "problem" if written else "nothing new"

    def _look_at(self, device: Device, target: Target, report: dict[str, Any]) -> bool:
        """Record a connection, and look for a copy of the certificate. Return whether the rule must keep reporting the
        device: for an hour after a takeover, unless the device is already suspected."""
        seen = sighting_of(report | {"at": report.get(CONNECTED)}, str(target)) if "session" in report else None
        if seen is None or device.is_suspected:
            return False
        problem = self._connections.takeovers_of(device.certid)
        self._watch.took_over(device, problem, seen)
        return problem is not None and problem.is_serious and seen.at - problem.last_at < WATCHED_MS


def source_of(topic_arn: object) -> Target:
    """Return the target of its arrivals topic. Raise `MessageRejected` WRONG_TOPIC."""
    match = _TOPIC.fullmatch(topic_arn) if isinstance(topic_arn, str) else None
    try:
        if match:
            return parse_target(match["account"], parse_region(match["region"]))
    except InvalidInput:
        pass
    raise MessageRejected("WRONG_TOPIC", f"got {shown(topic_arn)}, want {_TOPIC.pattern}")


def _unsigned_sns(region: str) -> "SNSClient":
    """Return a client without credentials. Confirming a subscription is the same as visiting its SubscribeURL: its
    token suffices, without a permission in the topic's account (SNS API reference, ConfirmSubscription). The client
    calls AWS's own endpoint, not the URL in the message."""
    sns: SNSClient = client("sns", CLIENT_CONFIG.merge(Config(signature_version=UNSIGNED)), region_name=region)
    return sns


@at_init
def _arrivals() -> Arrivals:
    settings, clients = read_settings(ArrivalsSettings, os.environ), LobbyClients()
    connect()
    certificates = SigningCertificates(fetcher(loopback(os.environ.get("AWS_ENDPOINT_URL"))))
    ledger, targets = Ledger(settings.region), Targets.read_only()
    watch = CloneWatch(ledger, Sightings(), RecentTargets(targets), ClonePolicy(settings.clone_policy))
    return Arrivals(
        ledger,
        targets,
        cache(_unsigned_sns),
        certificates,
        lambda body: clients.sqs.send_message(QueueUrl=settings.unconfirmed_queue, MessageBody=body),
        marks_to(clients.sqs, settings.marks_queue),
        watch,
    )


def _is_kept(record: dict[str, Any]) -> bool:
    """Return whether the message comes from the queue of confirmations, where it stays until it expires."""
    return str(record.get("eventSourceARN")).endswith(_UNCONFIRMED_QUEUE)


def _is_processed(
    record: dict[str, Any], duty_at: Callable[[int], Duty] | None, arrivals: Callable[[], Arrivals]
) -> bool:
    """Process a message. Return False if it must be delivered again."""
    envelope = parse_envelope(record["body"])
    if envelope.get("Type") == CONFIRMATION:
        with in_own_replica():
            outcome = arrivals().process(envelope)
    elif duty_at and (duty := duty_at(int(record["attributes"]["SentTimestamp"]))) is not Duty.PROCESS:
        return duty is Duty.DROP
    else:
        outcome = arrivals().process(envelope)
    log = logger.info if outcome in _CHANGES else logger.debug
    log("report", extra={"outcome": outcome})
    if outcome == UNCONFIRMED and not _is_kept(record):
        arrivals().keep(record["body"])
        return True
    return outcome != UNCONFIRMED


def handler(event: dict[str, Any], _context: object, arrivals: Arrivals | None = None) -> dict[str, Any]:
    """Process a batch of the arrivals queue, each message separately, so that one bad message does not block others. In
    a lobby with several Regions, each Region gets every message and confirms its own subscription, but only the home
    Region records arrivals. The other Regions keep a report until the home has had time to process it, and record the
    reports that an earlier home left unprocessed."""
    failed, rejected = [], 0
    duty_at = duties(Access.DOOR)
    for record in event["Records"]:
        try:
            if not _is_processed(record, duty_at, lambda: arrivals or _arrivals()):
                failed.append({"itemIdentifier": record["messageId"]})
        except MessageRejected as error:
            rejected += 1
            reason = {"message_id": record["messageId"], "code": error.code, "reason": error.message}
            logger.warning("report rejected", extra=reason)
        except Exception:  # the message returns to the queue; the cause is logged
            logger.exception("report not processed", extra={"message_id": record["messageId"]})
            failed.append({"itemIdentifier": record["messageId"]})
    if rejected:
        metrics.add_metric(name=ARRIVALS_REJECTED, unit=MetricUnit.Count, value=rejected)
        metrics.flush_metrics()
    return {"batchItemFailures": failed}
