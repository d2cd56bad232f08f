"""Refuses the deletion of an event bus that has rules, and of a rule that has targets, as EventBridge does.

Differences from AWS: MiniStack deletes a bus with its rules, and a rule with its targets. EventBridge answers
ValidationException (API reference, DeleteEventBus, DeleteRule), so CloudFormation cannot delete a bus to which others
have added rules. EventBridge also refuses single entries of PutEvents that have no source, type or detail, or whose
detail is not a JSON object, and requests of more than 1 MiB (API reference, PutEvents). MiniStack accepts them.

Unnecessary when: MiniStack does the same.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_EVENTS: Final = "ministack.services.eventbridge"
DELETE_BUS: Final = PatchPoint(_EVENTS, "_delete_event_bus", ("data",))
DELETE_RULE: Final = PatchPoint(_EVENTS, "_delete_rule", ("data",))
PUT: Final = PatchPoint(_EVENTS, "_put_events", ("data", "allow_aws_source"))
RULES: Final = PatchPoint(_EVENTS, "_rules")
TARGETS: Final = PatchPoint(_EVENTS, "_targets")
RULE_KEY: Final = PatchPoint(_EVENTS, "_rule_key", ("rule_name", "bus_name"))
HANDLERS: Final = PatchPoint("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
RESPOND: Final = PatchPoint("ministack.core.responses", "json_response")
ERROR: Final = PatchPoint("ministack.core.responses", "error_response_json")
PATCH_POINTS: Final = (DELETE_BUS, DELETE_RULE, PUT, RULES, TARGETS, RULE_KEY, HANDLERS, RESPOND, ERROR)
BUS: Final = "AWS::Events::EventBus"
BUS_HAS_RULES: Final = "EventBus can't be deleted since it has rules."
RULE_HAS_TARGETS: Final = "Rule can't be deleted since it has targets."
MAX_BYTES: Final = 1024 * 1024
_REQUIRED: Final = ("Source", "DetailType", "Detail")
_TIME_BYTES: Final = 14


def entry_problem(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return error code and message for an entry that EventBridge refuses."""
    for name in _REQUIRED:
        if not entry.get(name):
            return "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    return None if isinstance(detail, dict) else ("MalformedDetail", "Detail is malformed.")


def size_of(entry: Mapping[str, Any]) -> int:
    """Return the size of an entry in bytes (user guide, "Calculating PutEvents event entry size")."""
    texts = [*(entry.get(name) or "" for name in _REQUIRED), *(entry.get("Resources") or ())]
    return sum(len(text.encode()) for text in texts) + (_TIME_BYTES if entry.get("Time") is not None else 0)


def apply() -> None:
    """Check deletions and entries before MiniStack processes them."""
    DELETE_BUS.wrap(_deleting_bus)
    DELETE_RULE.wrap(_deleting_rule)
    PUT.wrap(_putting)
    handler = HANDLERS.resolve()[BUS]
    handler["delete"] = _deleting_in_stack(handler["delete"])


def _has_rules(bus: str) -> bool:
    return any(rule.get("EventBusName") == bus for rule in RULES.resolve().values())


def _refuse(message: str) -> Any:
    return ERROR.resolve()("ValidationException", message, 400)


def _deleting_bus(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda data: _refuse(BUS_HAS_RULES) if _has_rules(data.get("Name")) else original(data)


def _deleting_rule(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def delete(data: Mapping[str, Any]) -> Any:
        key = RULE_KEY.resolve()(data.get("Name"), data.get("EventBusName") or "default")
        return _refuse(RULE_HAS_TARGETS) if TARGETS.resolve().get(key) else original(data)

    return delete


def _deleting_in_stack(delete: Callable[..., Any]) -> Callable[..., Any]:
    def deleting(physical_id: str, *rest: Any, **more: Any) -> Any:
        if _has_rules(physical_id):
            raise ValueError(BUS_HAS_RULES)
        return delete(physical_id, *rest, **more)

    return deleting


def _putting(original: Callable[..., Any]) -> Callable[..., Any]:
    def put(data: dict[str, Any], allow_aws_source: bool = False) -> Any:
        entries: Sequence[Any] = data.get("Entries") or []
        if sum(map(size_of, entries)) > MAX_BYTES:
            return _refuse("Total size of the entries in the request is over the limit.")
        problems = [entry_problem(entry) for entry in entries]
        if not any(problems):
            return original(data, allow_aws_source)
        accepted = [entry for entry, problem in zip(entries, problems, strict=True) if problem is None]
        status, headers, body = original(data | {"Entries": accepted}, allow_aws_source)
        if status != 200:
            return status, headers, body
        answer = json.loads(body)
        results = iter(answer["Entries"])
        merged = [
            next(results) if problem is None else {"ErrorCode": problem[0], "ErrorMessage": problem[1]}
            for problem in problems
        ]
        failed = answer["FailedEntryCount"] + len(entries) - len(accepted)
        return RESPOND.resolve()({"FailedEntryCount": failed, "Entries": merged})

    return put
