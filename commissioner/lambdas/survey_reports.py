"""The part of a survey about a target's reports: its two topic rules, its topic, and the lobby's subscription.

If one of them is missing, devices are commissioned, but the lobby gets no report of their arrival. A rule must have
exactly the text of this version, because the rules of earlier versions also report devices of other owners. AWS gives
the same answer whether a rule is missing or the role may not read it, so this answer does not show the cause.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from commissioner.lambdas.survey_checks import unknown
from commissioner.target_gateway.error_translation import DENIED, NOT_FOUND, code_of
from commissioner.target_gateway.sessions import TargetSession
from lobby.contracts.targets import SurveyFinding
from lobby.domain.targets import target_rules
from lobby.lobby_names import LobbyNames

_ABSENT: Final = {NOT_FOUND, "NotFound", "NotFoundException"}
_PENDING: Final = "PendingConfirmation"
"""SNS returns this instead of an ARN while a subscription is not confirmed (SNS API reference, Subscribe)."""
_REDEPLOY: Final = "deploy the target's stack again"


@dataclass(frozen=True)
class Reports:
    """The requirements of reports. `lobby` is the lobby's key, `queue` the ARN of its arrivals queue."""

    lobby: str
    queue: str
    names: LobbyNames

    def topic(self, session: TargetSession) -> str:
        target = session.target
        return f"arn:aws:sns:{target.region}:{target.account}:{self.names.name(target_rules.ARRIVALS)}"

    def rules(self, session: TargetSession) -> dict[str, str]:
        """Return the SQL of each rule, by the rule's name."""
        target = session.target
        role = target_rules.rule_role_arn(target.account, self.names.rule_role(target.region))
        return {
            self.names.rule(target_rules.CONNECTED): target_rules.connected_sql(self.lobby, role),
            self.names.rule(target_rules.DUPLICATES): target_rules.duplicates_sql(self.lobby, role),
        }


def survey_reports(session: TargetSession, reports: Reports) -> Iterator[SurveyFinding]:
    """Yield a finding for each rule, for the topic and for the subscription."""
    topic = reports.topic(session)
    for name, sql in reports.rules(session).items():
        yield _found(f"rule {name}", lambda name=name, sql=sql: _rule_problem(session, name, sql, topic))  # type: ignore[misc]
    step = f"subscription of {topic.rpartition(':')[2]}"
    yield _found(step, lambda: _subscription_problem(session, topic, reports.queue))


def _found(step: str, problem: Callable[[], str | None]) -> SurveyFinding:
    """Return the finding. `problem` returns a description of the problem, or None."""
    try:
        wrong = problem()
    except ClientError as error:
        code = code_of(error)
        if code in _ABSENT:
            return SurveyFinding(step, False, f"missing: the target has none; {_REDEPLOY}")
        if code in DENIED:
            message = (
                f"could not be checked: AWS answered {code}, because there is none, or because the role may not read"
                " it; deploy the stacks of the role and of the target again, then check again"
            )
            return SurveyFinding(step, False, message)
        return SurveyFinding(step, False, unknown(code))
    except BotoCoreError as error:
        return SurveyFinding(step, False, unknown(error))
    return SurveyFinding(step, wrong is None, wrong or "found")


def _rule_problem(session: TargetSession, name: str, sql: str, topic: str) -> str | None:
    rule: Any = session.iot.get_topic_rule(ruleName=name)["rule"]
    if rule.get("ruleDisabled"):
        return "disabled, so it reports nothing; enable it"
    if rule.get("sql") != sql:
        return f"differs from this version's: it selects other events; {_REDEPLOY}"
    if topic not in [action.get("sns", {}).get("targetArn") for action in rule.get("actions", [])]:
        return f"differs: it does not publish to {topic}; {_REDEPLOY}"
    return None


def _subscription_problem(session: TargetSession, topic: str, queue: str) -> str | None:
    pages = session.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    arns = [each["SubscriptionArn"] for page in pages for each in page["Subscriptions"] if each["Endpoint"] == queue]
    subscribe = f"aws sns subscribe --topic-arn {topic} --protocol sqs --notification-endpoint {queue}"
    if not arns:
        return f"missing: {queue} is not subscribed; {_REDEPLOY}, or if it is up to date: {subscribe}"
    if all(arn == _PENDING for arn in arns):
        return f"not confirmed: the lobby confirms it within 10 minutes; after 3 days, subscribe again: {subscribe}"
    return None
