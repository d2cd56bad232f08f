"""Notices by e-mail: a topic, and rules of the event bus that send selected events to it. A rule turns an event into a
sentence, and adds the kind of notice for the filter policies of subscriptions. The API subscribes addresses.
"""

from typing import Any, Final

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.parts.permissions import allow
from infra.settings import Settings
from lobby.aws.notices import FIELD
from lobby.deployment import NAMES
from lobby.domain.events.device_events import SOURCE, type_of
from lobby.domain.events.notice import Notice
from lobby.domain.states import Event, State

TOPIC: Final = NAMES.name("notices")
_DEVICE: Final = "Device <name> (fingerprint <fingerprint>)"
_SENTENCES: Final = {
    Notice.WAITING: (Event.HELLO, f"{_DEVICE} waits in the lobby <lobby> for a claim, since <at>."),
    Notice.FAILED: (Event.FAIL, f"{_DEVICE} could not be commissioned in <target>, at <at>: <reason>."),
    Notice.REFUSED: (Event.REFUSE, f"{_DEVICE} was not admitted to the lobby <lobby>, at <at>: <reason>."),
    Notice.SUSPECTED: (Event.SUSPECT, f"{_DEVICE} seems to share its certificate with a copy, at <at>: <reason>."),
    Notice.QUARANTINED: (Event.QUARANTINE, f"{_DEVICE} was put in quarantine, at <at>: <reason>."),
}
_PATHS: Final = {
    "name": "$.detail.device.name",
    "fingerprint": "$.detail.device.fingerprint",
    "lobby": "$.detail.lobby",
    "at": "$.detail.at",
    "target": "$.detail.target",
    "reason": "$.detail.reason",
}


def make_notices(scope: Construct, bus: events.CfnEventBus) -> sns.Topic:
    """Create the topic and its rules. The policy names no rule, because EventBridge supports no conditions in a topic's
    policy, and would deliver nothing (EventBridge user guide, "Troubleshooting"). A rule of another account needs a
    role there to reach the topic, so it does not publish as EventBridge."""
    topic = sns.Topic(scope, "NoticesTopic", topic_name=TOPIC, enforce_ssl=True)
    for notice in Notice:
        _rule(scope, bus, topic, notice)
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="RulesMayPublish",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
        )
    )
    return topic


def admin_api(settings: Settings) -> list[iam.PolicyStatement]:
    """Return the permissions of the API, which can subscribe only e-mail addresses. The emulator does not support the
    condition's key."""
    lobby = settings.lobby
    arn = f"arn:aws:sns:{lobby.region}:{lobby.account}:{TOPIC}"
    subscribe = iam.PolicyStatement(
        sid="SubscribeAddresses",
        actions=["sns:Subscribe"],
        resources=[arn],
        conditions=None if settings.local else {"StringEquals": {"sns:Protocol": "email"}},
    )
    return [subscribe, allow("ListSubscriptions", ["sns:ListSubscriptionsByTopic"], arn)]


def pattern_of(notice: Notice) -> dict[str, Any]:
    """Return the pattern of the events that a notice is about."""
    event, _ = _SENTENCES[notice]
    detail = {"detail": {"after": [State.INLOBBY.value]}} if notice is Notice.WAITING else {}
    return {"source": [SOURCE], "detail-type": [type_of(event)], **detail}


def _rule(scope: Construct, bus: events.CfnEventBus, topic: sns.Topic, notice: Notice) -> events.CfnRule:
    _, sentence = _SENTENCES[notice]
    used = {name: path for name, path in _PATHS.items() if f"<{name}>" in sentence}
    rule = events.CfnRule(
        scope,
        f"Notice{notice.value.title()}",
        name=NAMES.name(f"notice-{notice.value}"),
        description=f"Sends the notice {notice.value} to its subscribers",
        event_bus_name=bus.name,
        event_pattern=pattern_of(notice),
        state="ENABLED",
        targets=[
            events.CfnRule.TargetProperty(
                id="notices",
                arn=topic.topic_arn,
                input_transformer=events.CfnRule.InputTransformerProperty(
                    input_paths_map=used,
                    input_template=f'{{"{FIELD}": "{notice.value}", "text": "{sentence}"}}',
                ),
            )
        ],
    )
    rule.add_dependency(bus)
    return rule
