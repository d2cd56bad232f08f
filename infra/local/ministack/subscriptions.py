"""Topic subscriptions across accounts, as Amazon SNS has them.

A queue that is subscribed by its own account is so at once. Subscribed by anyone else, the topic's owner say, it is
sent a SubscriptionConfirmation and gets nothing more until its token comes back (SNS developer guide, "Sending messages
to an Amazon SQS queue in a different account"). MiniStack takes every queue at once, and its CloudFormation makes no
subscription, without a word, when the topic is elsewhere.
"""

import json
import logging
import re
from collections.abc import Callable
from typing import Any, Final

from infra.local.ministack.patch_points import Seam

_SNS: Final = "ministack.services.sns"
_QUEUE: Final = re.compile(r"arn:aws[a-z-]*:sqs:[^:]+:(?P<account>\d{12}):[^:]+")
log = logging.getLogger("local.subscriptions")

SUBSCRIBE: Final = Seam(_SNS, "_subscribe", ("params",))
TOPICS: Final = Seam(_SNS, "_topic_by_arn_any_scope")
DELIVER: Final = Seam(
    _SNS,
    "_deliver_to_sqs",
    (
        *("endpoint", "envelope", "raw", "raw_message", "message_group_id", "message_dedup_id"),
        *("message_attributes", "topic_arn"),
    ),
)
HANDLERS: Final = Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
CREATE: Final = Seam(
    "ministack.services.cloudformation.provisioners", "_sns_sub_create", ("logical_id", "props", "stack_name")
)
CONFIRM: Final = Seam(_SNS, "_confirm_subscription", ("params",))
SCOPE: Final = Seam("ministack.core.responses", "request_scope", ("account_id", "region"))
CALLER: Final = Seam("ministack.core.responses", "get_account_id", ())
UUID: Final = Seam("ministack.core.responses", "new_uuid", ())
SEAMS: Final = (SUBSCRIBE, TOPICS, DELIVER, HANDLERS, CREATE, CONFIRM, SCOPE, CALLER, UUID)


def apply() -> None:
    """Hold subscriptions of another account's queue until they are confirmed."""
    SUBSCRIBE.wrap(_pending)
    CONFIRM.wrap(_in_topics_scope)
    create = CREATE.found()
    HANDLERS.found()["AWS::SNS::Subscription"]["create"] = lambda logical_id, props, stack_name: _created(
        create, logical_id, props, stack_name
    )


def _pending(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def subscribe(params: Any) -> Any:
        topic = TOPICS.found()(_first(params, "TopicArn"))
        before = {each["arn"] for each in topic["subscriptions"]} if topic else set()
        status, headers, body = original(params)
        added = [each for each in topic["subscriptions"] if each["arn"] not in before] if topic else []
        for subscription in added:
            if hold(subscription):
                answer = body.decode() if isinstance(body, bytes) else body
                body = answer.replace(f">{subscription['arn']}<", ">pending confirmation<").encode()
        return status, headers, body

    return subscribe


def _in_topics_scope(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Who has the token may confirm, signed or not, from wherever: the topic is looked for where its ARN says."""

    def confirm(params: Any) -> Any:
        parts = _first(params, "TopicArn").split(":")
        if len(parts) != 6:
            return original(params)
        with SCOPE.found()(parts[4], parts[3]):
            return original(params)

    return confirm


def _created(original: Callable[..., Any], logical_id: str, props: Any, stack_name: str) -> Any:
    topic = TOPICS.found()(props.get("TopicArn", ""))
    if topic is None:
        raise ValueError(f"got TopicArn {props.get('TopicArn')!r}, want a topic that exists")
    known = {each["arn"] for each in topic["subscriptions"]}
    made = original(logical_id, props, stack_name)
    if made[0] not in {each["arn"] for each in topic["subscriptions"]}:
        # The topic is in another account or Region: MiniStack answered and did nothing.
        _subscribe_elsewhere(props)
        added = [each for each in topic["subscriptions"] if each["arn"] not in known]
        return (added[0]["arn"], {"Arn": added[0]["arn"]}) if added else made
    hold(next(each for each in topic["subscriptions"] if each["arn"] == made[0]))
    return made


def _subscribe_elsewhere(props: Any) -> None:
    params = {name: [props[name]] for name in ("TopicArn", "Protocol", "Endpoint")}
    if "RawMessageDelivery" in props:
        params |= {
            "Attributes.entry.1.key": ["RawMessageDelivery"],
            "Attributes.entry.1.value": [str(props["RawMessageDelivery"]).lower()],
        }
    status, _headers, body = SUBSCRIBE.found()(params)
    if status >= 400:
        raise ValueError(f"AWS::SNS::Subscription: {body!r}")


def hold(subscription: dict[str, Any]) -> bool:
    """Make a new subscription wait for its confirmation, and ask for it, where AWS would."""
    queue = _QUEUE.fullmatch(subscription["endpoint"])
    if subscription["protocol"] != "sqs" or not queue or queue["account"] == CALLER.found()():
        return False
    subscription["confirmed"], subscription["token"] = False, UUID.found()()
    subscription["attributes"]["PendingConfirmation"] = "true"
    topic_arn = subscription["topic_arn"]
    message = json.dumps(
        {
            "Type": "SubscriptionConfirmation",
            "MessageId": UUID.found()(),
            "Token": subscription["token"],
            "TopicArn": topic_arn,
            "Message": f"You have chosen to subscribe to the topic {topic_arn}.",
        }
    )
    DELIVER.found()(subscription["endpoint"], message, False, message, topic_arn=topic_arn)
    log.info("%s waits for %s to confirm", topic_arn, subscription["endpoint"])
    return True


def _first(params: Any, name: str) -> str:
    value = params.get(name, "")
    return str(value[0] if isinstance(value, list) else value)
