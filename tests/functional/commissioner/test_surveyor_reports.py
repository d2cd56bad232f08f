"""The dry run checks the rules, the topic and the subscription that report arrivals to the lobby."""

from typing import Any

import pytest
from moto.iot.models import iot_backends
from moto.sns.models import Subscription, sns_backends

from tests.functional.commissioner.lobby_with_targets import A, LobbyWithTargets
from tests.functional.commissioner.survey_runs import QUEUE, STEPS, TOPIC, error, missing, surveyed


def test_an_absent_rule_topic_or_subscription_is_missing(target: LobbyWithTargets) -> None:
    iot_backends[A.account][A.region].rules.pop("device_lobby_connected")
    target.calls.fails["GetTopicRule"] = error("ResourceNotFoundException", "GetTopicRule")
    target.calls.fails["ListSubscriptionsByTopic"] = error("NotFound", "ListSubscriptionsByTopic")
    findings, _ = surveyed()
    assert missing(findings) == STEPS[-3:]
    for step in STEPS[-3:]:
        assert findings[step][1] == "missing: the target has none; deploy the target's stack again"


@pytest.mark.parametrize("code", ["UnauthorizedException", "AuthorizationError", "AccessDeniedException"])
def test_reports_that_the_role_may_not_read_are_unknown(target: LobbyWithTargets, code: str) -> None:
    """AWS answers UnauthorizedException for a rule that does not exist, too."""
    for operation in ("GetTopicRule", "ListSubscriptionsByTopic"):
        target.calls.fails[operation] = error(code, operation)
    findings, _ = surveyed()
    assert missing(findings) == STEPS[-3:]
    for step in STEPS[-3:]:
        assert findings[step][1].startswith(f"could not be checked: AWS answered {code}")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rule_disabled": True}, "disabled"),
        ({"sql": "SELECT * FROM '$aws/events/presence/connected/+'"}, "differs from this version's"),
        ({"actions": [{"sns": {"targetArn": f"{TOPIC}-2"}}]}, "differs: it does not publish"),
        ({"actions": []}, "differs: it does not publish"),
    ],
)
def test_a_rule_that_differs_is_reported(target: LobbyWithTargets, change: dict[str, Any], problem: str) -> None:
    rule = iot_backends[A.account][A.region].rules["device_lobby_connected"]
    for name, value in change.items():
        setattr(rule, name, value)
    findings, _ = surveyed()
    assert missing(findings) == ["rule device_lobby_connected"]
    assert findings["rule device_lobby_connected"][1].startswith(problem)


@pytest.mark.parametrize(
    ("subscriptions", "problem"),
    [([], "missing"), ([(QUEUE + "x", "arn")], "missing"), ([(QUEUE, "PendingConfirmation")], "not confirmed")],
)
def test_a_subscription_that_delivers_nothing_to_the_lobby_is_reported(
    target: LobbyWithTargets, subscriptions: list[tuple[str, str]], problem: str
) -> None:
    found = sns_backends[A.account][A.region].subscriptions
    found.clear()
    for endpoint, arn in subscriptions:
        subscription = Subscription(A.account, sns_backends[A.account][A.region].topics[TOPIC], endpoint, "sqs")
        subscription.arn = arn
        found[arn] = subscription
    findings, _ = surveyed()
    assert missing(findings) == [STEPS[-1]]
    assert findings[STEPS[-1]][1].startswith(problem)
