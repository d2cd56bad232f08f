"""Enforces the limits of MQTT topics and messages, and of SQS's parameters.

Differences from AWS: MiniStack checks neither of these rules.
- A message that the data plane publishes has at most 128 kB, and its topic at most seven slashes, without the three of
  `$aws/rules/<rule>/` (AWS IoT endpoints and quotas, "Message broker").
- SQS hides messages for at most 12 hours, and delays them for at most 15 minutes. The ids of message groups and for
  deduplication have at most 128 letters, digits and punctuation marks (SQS API reference, SendMessage,
  ChangeMessageVisibility).

Unnecessary when: MiniStack enforces these rules.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_DATA: Final = "ministack.services.iot_data"
_SQS: Final = "ministack.services.sqs"
PUBLISH: Final = PatchPoint(_DATA, "_publish", ("topic", "body", "qp", "headers", "access_key"))
TOPIC: Final = PatchPoint("ministack.services.iot", "_validate_publish_topic", ("topic",))
ERROR: Final = PatchPoint("ministack.core.responses", "error_response_json")
SEND: Final = PatchPoint(_SQS, "_act_send_message", ("data", "qurl"))
HIDE: Final = PatchPoint(_SQS, "_act_change_visibility", ("data", "qurl"))
HANDLERS: Final = PatchPoint(_SQS, "_HANDLERS")
REFUSAL: Final = PatchPoint(_SQS, "_Err", ("code", "message", "status"))
PATCH_POINTS: Final = (PUBLISH, TOPIC, ERROR, SEND, HIDE, HANDLERS, REFUSAL)
MAX_PAYLOAD: Final = 128 * 1024
MAX_SLASHES: Final = 7
MAX_HIDDEN: Final = 43_200
MAX_DELAY: Final = 900
_BASIC_INGEST: Final = re.compile(r"\$aws/rules/[^/]+/?")
_ID: Final = re.compile(r"[a-zA-Z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


def topic_problem(topic: str) -> str | None:
    """Return why AWS IoT publishes nothing to a topic."""
    slashes = _BASIC_INGEST.sub("", topic, count=1).count("/")
    return f"got a topic with {slashes} slashes, want at most {MAX_SLASHES}" if slashes > MAX_SLASHES else None


def message_problem(data: Mapping[str, Any]) -> str | None:
    """Return why SQS does not accept the parameters of a message."""
    delay = int(data.get("DelaySeconds") or 0)
    if not 0 <= delay <= MAX_DELAY:
        return f"Value {delay} for parameter DelaySeconds is invalid. Reason: it must be >= 0 and <= {MAX_DELAY}."
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        value = data.get(name)
        if value is not None and not _ID.fullmatch(value):
            reason = "it can only include 1 to 128 alphanumeric and punctuation characters."
            return f"Value {value} for parameter {name} is invalid. Reason: {reason}"
    return None


def hiding_problem(data: Mapping[str, Any]) -> str | None:
    """Return why SQS does not hide a message for this time."""
    seconds = int(data.get("VisibilityTimeout") or 0)
    if 0 <= seconds <= MAX_HIDDEN:
        return None
    return f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: it must be >= 0 and <= {MAX_HIDDEN}."


def apply() -> None:
    """Check messages before MiniStack processes them."""
    PUBLISH.wrap(_publishing)
    TOPIC.wrap(lambda original: lambda topic: topic_problem(topic) is None and original(topic))
    handlers = HANDLERS.resolve()
    for name, patch_point, check in (
        ("SendMessage", SEND, message_problem),
        ("ChangeMessageVisibility", HIDE, hiding_problem),
    ):
        patch_point.wrap(_checked(check))
        handlers[name] = patch_point.resolve()


def _publishing(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def publish(topic: str, body: bytes, qp: Any, headers: Any, access_key: str) -> Any:
        problem = topic_problem(topic)
        if len(body or b"") > MAX_PAYLOAD:
            problem = f"got a message of {len(body)} bytes, want at most {MAX_PAYLOAD}"
        if problem is not None:
            return ERROR.resolve()("InvalidRequestException", problem, 400)
        return await original(topic, body, qp, headers, access_key)

    return publish


def _checked(check: Callable[[Mapping[str, Any]], str | None]) -> Callable[[Any], Callable[..., Any]]:
    def wrap(original: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
        def act(data: Any, qurl: str) -> Any:
            problem = check(data)
            if problem is not None:
                raise REFUSAL.resolve()("InvalidParameterValue", problem)
            return original(data, qurl)

        return act

    return wrap
