"""Lambda: marks things in targets as arrived, so that the targets' rules no longer report their connections, or as
awaited again, so that the rules report them.

Runs with the commissioner's role, and with sessions that can only read and update things. Messages are collected for
2 seconds, so several messages about one device cause one call. A mark that cannot be written is retried, and
dropped after an hour. If it was `arrived`, the device's next connection is reported and causes another mark; the
sweeper repeats `awaited`.
"""

import os
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from commissioner.errors import TargetRefusal
from commissioner.target_gateway.error_translation import failures_as_refusals
from commissioner.target_gateway.session_policies import marking_policy
from commissioner.target_gateway.sessions import Sessions, TargetSession
from commissioner.target_gateway.things import mark as mark_thing
from lobby import strict_json
from lobby.aws.clients import at_init, client
from lobby.contracts.invocation import object_of
from lobby.contracts.targets import ArrivalMark
from lobby.domain.targets.thing_claim import Progress, ThingClaim
from lobby.errors import InvalidInput, NotFound
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import Target
from lobby.settings import MarkerSettings, read_settings

logger = Logger(service="marker")


class Marker:
    """`lobby` is the lobby's key."""

    def __init__(self, targets: RecentTargets, sessions: Sessions, lobby: str) -> None:
        self._targets, self._sessions, self._lobby = targets, sessions, lobby

    def process(self, records: list[dict[str, Any]]) -> list[str]:
        """Return the ids of the messages to be delivered again, because their target refuses the mark."""
        failed: list[str] = []
        for target, messages in _by_target(records).items():
            try:
                session = self._session(target)
            except TargetRefusal as refusal:
                logger.warning("not marked", extra={"target": str(target), "code": refusal.code})
                failed += [message for copies in messages.values() for message in copies]
            except NotFound:
                logger.info("unknown target", extra={"target": str(target)})
            else:
                failed += self._mark_all(session, messages)
        return failed

    def _session(self, target: Target) -> TargetSession:
        with failures_as_refusals(target):
            return self._sessions.of(self._targets.get(target))

    def _mark_all(self, session: TargetSession, messages: Mapping[ArrivalMark, list[str]]) -> list[str]:
        """Return the ids of the messages that must be delivered again. After a call without an answer, the target is
        not called again for this batch: the attempts would use up the run's time, which other targets need."""
        failed: list[str] = []
        has_not_answered = False
        for mark, copies in messages.items():
            if has_not_answered:
                failed += copies
                continue
            awaited = ThingClaim(mark.generation, mark.profile, self._lobby, mark.certificate or mark.certid)
            progress = Progress.AWAITED if mark.awaited else Progress.ARRIVED
            try:
                mark_thing(session.iot, mark.certid, awaited, mark.name, progress)
            except (ClientError, BotoCoreError) as error:
                logger.warning("not marked", extra={"certid": mark.certid, "error": f"{error}"[:400]})
                failed += copies
                has_not_answered = isinstance(error, BotoCoreError)
                self._sessions.discard(session.registered)  # of a role that was deleted and created again
        return failed


def _by_target(records: list[dict[str, Any]]) -> dict[Target, dict[ArrivalMark, list[str]]]:
    """Return the ids of the messages by their mark, so that copies are merged. Other messages are dropped."""
    found: dict[Target, dict[ArrivalMark, list[str]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        try:
            mark = ArrivalMark.decode(object_of(strict_json.loads(record["body"])))
        except (ValueError, InvalidInput) as error:
            logger.warning("mark cannot be read", extra={"message_id": record["messageId"], "error": f"{error}"[:400]})
        else:
            found[mark.target][mark].append(record["messageId"])
    return found


@at_init
def _marker() -> Marker:
    settings = read_settings(MarkerSettings, os.environ)
    targets = RecentTargets(Targets.read_only())
    return Marker(targets, Sessions(client("sts"), policy=marking_policy), settings.lobby)


def handler(event: dict[str, Any], _context: object, marker: Marker | None = None) -> dict[str, Any]:
    """Process a batch of the marks' queue."""
    failed = (marker or _marker()).process(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
