"""Runs the Lambda action of AWS IoT topic rules as an asynchronous invocation with a permission check.

Difference from AWS: the Lambda action needs a permission of the function for that rule, is an asynchronous invocation
with retries and an on-failure destination, and a failure to invoke runs the rule's error action (AWS IoT developer
guide, "Lambda", "Error handling (error action)"; Lambda developer guide, "Invoking a Lambda function
asynchronously"). MiniStack calls the function once, immediately and without a permission check.

The patch replaces the action. It also limits how many invocations of one function rules run concurrently, because each
invocation is a process on this machine, and a device that connects repeatedly while the bouncer starts would cause
several.

Unnecessary when: MiniStack's rules check the function's resource policy, invoke asynchronously and run the error
action, and its Lambda has a concurrency limit per function.
"""

import contextvars
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_IOT: Final = "ministack.services.iot"
_LAMBDA: Final = "ministack.services.lambda_svc"
_IAM: Final = "ministack.core.iam_evaluator"

TO_LAMBDA: Final = PatchPoint(_IOT, "_dispatch_rule_to_lambda", ("account_id", "region", "function_arn", "event"))
ACTION: Final = PatchPoint(_IOT, "_dispatch_rule_action", ("account_id", "region", "rule_name", "action", "event"))
FUNCTION: Final = PatchPoint(_LAMBDA, "_get_func_record_for_ref_in_scope", ("function_ref", "account_id", "region"))
RECORD: Final = PatchPoint(_LAMBDA, "_execution_record_for_config", ("func", "config"))
INVOKE: Final = PatchPoint(_LAMBDA, "invoke_async_with_retry", ("func", "event"))
EXECUTE: Final = PatchPoint(_LAMBDA, "_execute_function", ("func", "event"))
CONTEXT: Final = PatchPoint(_IAM, "EvalContext")
EVALUATE: Final = PatchPoint(_IAM, "evaluate_resource_policy", ("doc", "ctx", "service", "named_only", "direct_only"))
PATCH_POINTS: Final = (TO_LAMBDA, ACTION, FUNCTION, RECORD, INVOKE, EXECUTE, CONTEXT, EVALUATE)

MAX_CONCURRENT: Final = 4
"""The maximum number of concurrent invocations of one function by rules. Further ones wait."""

_queued: contextvars.ContextVar[bool] = contextvars.ContextVar("queued", default=False)
"""Whether a rule started the current invocation."""
_rule: contextvars.ContextVar[str] = contextvars.ContextVar("rule", default="")


def apply() -> None:
    """Replace MiniStack's Lambda action."""
    ACTION.wrap(_recording_rule)
    TO_LAMBDA.wrap(lambda _original: invoke)
    EXECUTE.wrap(limit_concurrency)


def _recording_rule(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def dispatch(account_id: str, region: str, rule_name: str, action: Any, event: Any) -> None:
        token = _rule.set(rule_name)
        try:
            await original(account_id, region, rule_name, action, event)
        finally:
            _rule.reset(token)

    return dispatch


def invoke(account_id: str, region: str, function_arn: str, event: Any) -> None:
    """Run the Lambda action of a rule. The error action receives the message of the exception that it raises."""
    function, config, _name = FUNCTION.resolve()(function_arn, account_id=account_id, region=region)
    if not function or not config:
        raise RuntimeError(f"Function not found: {function_arn}")
    rule_arn = f"arn:aws:iot:{region}:{account_id}:rule/{_rule.get()}"
    if not _permitted(function, function_arn, account_id, region, rule_arn):
        raise RuntimeError(f"{rule_arn} has no permission to invoke {function_arn}")
    token = _queued.set(True)  # MiniStack copies the context to the thread that it starts
    try:
        INVOKE.resolve()(RECORD.resolve()(function, config), event)
    finally:
        _queued.reset(token)


def limit_concurrency(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Limit the concurrent invocations by rules, per function. All other invocations run immediately."""
    slots: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(MAX_CONCURRENT))

    def execute(func: Any, event: Any) -> Any:
        if not _queued.get():
            return original(func, event)
        config = func.get("config") or func
        token = _queued.set(False)  # the original may call this function again, for the same invocation
        try:
            with slots[config["FunctionArn"]]:
                return original(func, event)
        finally:
            _queued.reset(token)

    return execute


def _permitted(function: Any, function_arn: str, account: str, region: str, rule_arn: str) -> bool:
    context = CONTEXT.resolve()(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=function_arn,
        region=region,
        service_context={"aws:sourcearn": rule_arn, "aws:sourceaccount": account},
    )
    result = EVALUATE.resolve()(function.get("policy"), context, service="iot.amazonaws.com")
    return bool(result.decision == "Allow")
