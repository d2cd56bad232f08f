"""Requires a confirmation for SNS subscriptions of another account's queue.

Difference from AWS: a subscription that the queue's own account creates is confirmed immediately. If another account
creates it, for example the topic's owner, SNS first sends a SubscriptionConfirmation to the queue, and delivers no
message until its token is returned (SNS developer guide, "Sending Amazon SNS messages to an Amazon SQS queue in a
different account"). MiniStack confirms every subscription immediately, and its CloudFormation silently creates none if
the topic is in another account or Region.

The patch leaves such subscriptions pending until they are confirmed, accepts the token from any caller, and creates
subscriptions to topics in other accounts and Regions.

Unnecessary when: MiniStack implements pending confirmations for SQS endpoints across accounts, and
`AWS::SNS::Subscription` with a topic in another account.
"""

import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from infra.local.ministack.patch_points import PatchPoint

_SNS: Final = "ministack.services.sns"
_QUEUE: Final = re.compile(r"arn:aws[a-z-]*:sqs:[^:]+:(?P<account>\d{12}):[^:]+")
log = logging.getLogger("local.subscriptions")

SUBSCRIBE: Final = PatchPoint(_SNS, "_subscribe", ("params",))
TOPICS: Final = PatchPoint(_SNS, "_topic_by_arn_any_scope")
DELIVER: Final = PatchPoint(
    _SNS,
    "_deliver_to_sqs",
    (
        *("endpoint", "envelope", "raw", "raw_message", "message_group_id", "message_dedup_id"),
        *("message_attributes", "topic_arn"),
    ),
)
HANDLERS: Final = PatchPoint("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
CREATE: Final = PatchPoint(
    "ministack.services.cloudformation.provisioners", "_sns_sub_create", ("logical_id", "props", "stack_name")
)
CONFIRM: Final = PatchPoint(_SNS, "_confirm_subscription", ("params",))
SCOPE: Final = PatchPoint("ministack.core.responses", "request_scope", ("account_id", "region"))
CALLER: Final = PatchPoint("ministack.core.responses", "get_account_id", ())
UUID: Final = PatchPoint("ministack.core.responses", "new_uuid", ())
PATCH_POINTS: Final = (SUBSCRIBE, TOPICS, DELIVER, HANDLERS, CREATE, CONFIRM, SCOPE, CALLER, UUID)


def apply() -> None:
    """Leave subscriptions of another account's queue pending until they are confirmed."""
    SUBSCRIBE.wrap(_subscribing)
    CONFIRM.wrap(_in_scope_of_topic)
    create = CREATE.resolve()
    HANDLERS.resolve()["AWS::SNS::Subscription"]["create"] = lambda logical_id, props, stack_name: _create(
        create, logical_id, props, stack_name
    )


def _subscribing(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def subscribe(params: Any) -> Any:
        topic = TOPICS.resolve()(_first(params, "TopicArn"))
        before = {each["arn"] for each in topic["subscriptions"]} if topic else set()
        status, headers, body = original(params)
        added = [each for each in topic["subscriptions"] if each["arn"] not in before] if topic else []
        for subscription in added:
            if make_pending(subscription):
                text = body.decode() if isinstance(body, bytes) else body
                body = text.replace(f">{subscription['arn']}<", ">pending confirmation<").encode()
        return status, headers, body

    return subscribe


def _in_scope_of_topic(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Confirm in the account and Region of the topic's ARN. Any caller with the token may confirm, even without a
    signature."""

    def confirm(params: Any) -> Any:
        parts = _first(params, "TopicArn").split(":")
        if len(parts) != 6:
            return original(params)
        with SCOPE.resolve()(parts[4], parts[3]):
            return original(params)

    return confirm


def _create(original: Callable[..., Any], logical_id: str, props: Any, stack_name: str) -> Any:
    topic = TOPICS.resolve()(props.get("TopicArn", ""))
    if topic is None:
        raise ValueError(f"got TopicArn {props.get('TopicArn')!r}, want a topic that exists")
    before = {each["arn"] for each in topic["subscriptions"]}
    created = original(logical_id, props, stack_name)
    if created[0] not in {each["arn"] for each in topic["subscriptions"]}:
        # The topic is in another account or Region: MiniStack has returned an ARN and created nothing.
        _subscribe(props)
        added = [each for each in topic["subscriptions"] if each["arn"] not in before]
        return (added[0]["arn"], {"Arn": added[0]["arn"]}) if added else created
    make_pending(next(each for each in topic["subscriptions"] if each["arn"] == created[0]))
    return created


def _subscribe(props: Any) -> None:
    params = {name: [props[name]] for name in ("TopicArn", "Protocol", "Endpoint")}
    if "RawMessageDelivery" in props:
        params |= {
            "Attributes.entry.1.key": ["RawMessageDelivery"],
            "Attributes.entry.1.value": [str(props["RawMessageDelivery"]).lower()],
        }
    status, _headers, body = SUBSCRIBE.resolve()(params)
    if status >= 400:
        raise ValueError(f"AWS::SNS::Subscription: {body!r}")


def make_pending(subscription: dict[str, Any]) -> bool:
    """Make a new subscription of another account's queue pending and send the confirmation request. Return False for
    the caller's own queue."""
    queue = _QUEUE.fullmatch(subscription["endpoint"])
    if subscription["protocol"] != "sqs" or not queue or queue["account"] == CALLER.resolve()():
        return False
    subscription["confirmed"], subscription["token"] = False, UUID.resolve()()
    subscription["attributes"]["PendingConfirmation"] = "true"
    topic_arn = subscription["topic_arn"]
    confirming = urlencode(
        {"Action": "ConfirmSubscription", "TopicArn": topic_arn, "Token": subscription["token"]}, safe=":"
    )
    message = json.dumps(
        {
            "Type": "SubscriptionConfirmation",
            "MessageId": UUID.resolve()(),
            "Token": subscription["token"],
            "TopicArn": topic_arn,
            "Message": f"You have chosen to subscribe to the topic {topic_arn}.",
            "SubscribeURL": f"https://sns.{topic_arn.split(':')[3]}.amazonaws.com/?{confirming}",
            "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        }
    )
    DELIVER.resolve()(subscription["endpoint"], message, False, message, topic_arn=topic_arn)
    log.info("subscription of %s to %s is pending confirmation", subscription["endpoint"], topic_arn)
    return True


def _first(params: Any, name: str) -> str:
    value = params.get(name, "")
    return str(value[0] if isinstance(value, list) else value)
