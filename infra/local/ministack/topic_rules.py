"""IoT topic rules as strict as AWS has them.

A rule's Lambda action is an asynchronous invocation: it needs the function's permission for that rule, waits in a
queue, is retried, and ends in the on-failure destination. What cannot be invoked goes to the rule's error action.
MiniStack's own action calls the function once, whatever comes of it, and at once: a device that knocks again while
the bouncer starts would have a second bouncer started, and a third, which only slow each other down.
"""

import contextvars
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, Final

from infra.local.ministack.patch_points import Seam

_IOT: Final = "ministack.services.iot"
_LAMBDA: Final = "ministack.services.lambda_svc"
_IAM: Final = "ministack.core.iam_evaluator"

TO_LAMBDA: Final = Seam(_IOT, "_dispatch_rule_to_lambda", ("account_id", "region", "function_arn", "event"))
ACTION: Final = Seam(_IOT, "_dispatch_rule_action", ("account_id", "region", "rule_name", "action", "event"))
FUNCTION: Final = Seam(_LAMBDA, "_get_func_record_for_ref_in_scope", ("function_ref", "account_id", "region"))
RECORD: Final = Seam(_LAMBDA, "_execution_record_for_config", ("func", "config"))
INVOKE: Final = Seam(_LAMBDA, "invoke_async_with_retry", ("func", "event"))
EXECUTE: Final = Seam(_LAMBDA, "_execute_function", ("func", "event"))
CONTEXT: Final = Seam(_IAM, "EvalContext")
EVALUATE: Final = Seam(_IAM, "evaluate_resource_policy", ("doc", "ctx", "service", "named_only", "direct_only"))
SEAMS: Final = (TO_LAMBDA, ACTION, FUNCTION, RECORD, INVOKE, EXECUTE, CONTEXT, EVALUATE)

AT_ONCE: Final = 4
"""Invocations of one function that rules have running, each a process here; the next waits for one of them to end."""

_queued: contextvars.ContextVar[bool] = contextvars.ContextVar("queued", default=False)
"""Whether what runs now was begun by a rule."""
_rule: contextvars.ContextVar[str] = contextvars.ContextVar("rule", default="")


def apply() -> None:
    """Put our Lambda action in the place of MiniStack's."""
    ACTION.wrap(_noting_the_rule)
    TO_LAMBDA.wrap(lambda _original: invoke)
    EXECUTE.wrap(one_after_the_other)


def _noting_the_rule(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def dispatch(account_id: str, region: str, rule_name: str, action: Any, event: Any) -> None:
        token = _rule.set(rule_name)
        try:
            await original(account_id, region, rule_name, action, event)
        finally:
            _rule.reset(token)

    return dispatch


def invoke(account_id: str, region: str, function_arn: str, event: Any) -> None:
    """The rules engine's Lambda action. What it raises is the failure that the error action is told of."""
    function, config, _name = FUNCTION.found()(function_arn, account_id=account_id, region=region)
    if not function or not config:
        raise RuntimeError(f"Function not found: {function_arn}")
    rule_arn = f"arn:aws:iot:{region}:{account_id}:rule/{_rule.get()}"
    if not _permitted(function, function_arn, account_id, region, rule_arn):
        raise RuntimeError(f"{rule_arn} has no permission to invoke {function_arn}")
    token = _queued.set(True)  # taken along by the thread that MiniStack starts
    try:
        INVOKE.found()(RECORD.found()(function, config), event)
    finally:
        _queued.reset(token)


def one_after_the_other(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Run what rules begin when it is its turn, and all else at once."""
    turns: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(AT_ONCE))

    def execute(func: Any, event: Any) -> Any:
        if not _queued.get():
            return original(func, event)
        config = func.get("config") or func
        token = _queued.set(False)  # the original may come back here, for the same turn
        try:
            with turns[config["FunctionArn"]]:
                return original(func, event)
        finally:
            _queued.reset(token)

    return execute


def _permitted(function: Any, function_arn: str, account: str, region: str, rule_arn: str) -> bool:
    context = CONTEXT.found()(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=function_arn,
        region=region,
        service_context={"aws:sourcearn": rule_arn, "aws:sourceaccount": account},
    )
    found = EVALUATE.found()(function.get("policy"), context, service="iot.amazonaws.com")
    return bool(found.decision == "Allow")
