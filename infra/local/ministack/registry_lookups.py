"""Adds functions to the SQL of AWS IoT topic rules: `get_registry_data`, `concat` and `endswith`.

Difference from AWS: `get_registry_data('DescribeThing', name, role)` returns the registry's description of a thing,
read with the permissions of a role (AWS IoT developer guide, "Functions"). MiniStack accepts a rule with an unknown
function, and the call has no value. With the patch, the call also has no value if the thing does not exist or the role
may not read it, so a condition on it is false. AWS also counts a failed lookup in its metrics and logs.

Unnecessary when: MiniStack has these functions.
"""

import contextvars
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_IOT: Final = "ministack.services.iot"
_IAM: Final = "ministack.core.iam_evaluator"
_EVALUATED: Final = ("topic", "payload", "message", "client_id")
RUN: Final = PatchPoint(_IOT, "_run_rule_actions", ("account_id", "region", "rule", "payload", "topic", "client_id"))
FUNCTION: Final = PatchPoint(_IOT, "_eval_select_function", ("name", "args", *_EVALUATED))
EXPRESSION: Final = PatchPoint(_IOT, "_eval_select_expr", ("expr", *_EVALUATED))
OPERAND: Final = PatchPoint(_IOT, "_valid_where_operand", ("expr",))
KNOWN: Final = PatchPoint(_IOT, "_IMPLEMENTED_SQL_FUNCS")
MISSING: Final = PatchPoint(_IOT, "_MISSING")
ATTRIBUTE: Final = PatchPoint(_IOT, "_resolve_attribute", ("message", "path"))
THINGS: Final = PatchPoint(_IOT, "_things")
CONTEXT: Final = PatchPoint(_IAM, "EvalContext")
POLICIES: Final = PatchPoint(_IAM, "_gather_role_policies", ("role_name", "account_id"))
EVALUATE: Final = PatchPoint(_IAM, "evaluate", ("ctx", "policies", "limits"))
PATCH_POINTS: Final = (
    *(RUN, FUNCTION, EXPRESSION, OPERAND, KNOWN, MISSING, ATTRIBUTE, THINGS, CONTEXT, POLICIES, EVALUATE),
)
_FUNCTIONS: Final = frozenset({"get_registry_data", "concat", "endswith"})
_FIELD_OF_CALL: Final = re.compile(
    r"(?P<call>get_registry_data\s*\(.*\))\.(?P<path>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)", re.DOTALL
)
_ROLE: Final = re.compile(r"arn:aws:iam::(?P<account>[0-9]{12}):role/(?P<name>[\w+=,.@-]{1,64})")
_OPERATION: Final = "DescribeThing"

_scope: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("scope", default=("", ""))
"""Account and Region of the rule that is being evaluated."""


def apply() -> None:
    """Add the functions."""
    KNOWN.wrap(lambda known: known | _FUNCTIONS)
    RUN.wrap(_with_scope)
    FUNCTION.wrap(_with_functions)
    EXPRESSION.wrap(_with_fields_of_calls)
    OPERAND.wrap(lambda original: lambda expr: original(expr) or bool(_FIELD_OF_CALL.fullmatch(expr.strip())))


def _with_scope(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def run(account_id: str, region: str, *arguments: Any, **more: Any) -> None:
        token = _scope.set((account_id, region))
        try:
            await original(account_id, region, *arguments, **more)
        finally:
            _scope.reset(token)

    return run


def _with_functions(original: Callable[..., Any]) -> Callable[..., Any]:
    def evaluate(name: str, args: list[str], *event: Any) -> Any:
        if name not in _FUNCTIONS:
            return original(name, args, *event)
        values = [EXPRESSION.resolve()(each, *event) for each in args]
        if not values or not all(isinstance(each, str) for each in values):
            return MISSING.resolve()
        return _value(name, values)

    return evaluate


def _value(name: str, values: list[str]) -> Any:
    if name == "concat":
        return "".join(values)
    if name == "endswith" and len(values) == 2:
        return values[0].endswith(values[1])
    if name == "get_registry_data" and len(values) == 3 and values[0] == _OPERATION:
        return registry_data(*_scope.get(), values[1], values[2])
    return MISSING.resolve()


def registry_data(account: str, region: str, thing: str, role: str) -> Any:
    """Return the response of DescribeThing, or MiniStack's marker of a missing value."""
    found = THINGS.resolve().get_scoped(account, region, thing)
    if found is None or not _may_describe(account, region, thing, role):
        return MISSING.resolve()
    return {"attributes": {}, **found}


def _may_describe(account: str, region: str, thing: str, role: str) -> bool:
    match = _ROLE.fullmatch(role)
    if match is None or match["account"] != account:
        return False
    context = CONTEXT.resolve()(
        principal_arn=role,
        principal_type="AssumedRole",
        principal_account=account,
        action=f"iot:{_OPERATION}",
        resource_arn=f"arn:aws:iot:{region}:{account}:thing/{thing}",
        region=region,
    )
    return bool(EVALUATE.resolve()(context, POLICIES.resolve()(match["name"], account)).decision == "Allow")


def _with_fields_of_calls(original: Callable[..., Any]) -> Callable[..., Any]:
    """Evaluate `get_registry_data(…).attributes.name`."""

    def evaluate(expr: str, *event: Any) -> Any:
        match = _FIELD_OF_CALL.fullmatch(expr.strip())
        if match is None:
            return original(expr, *event)
        return ATTRIBUTE.resolve()(original(match["call"], *event), match["path"])

    return evaluate
