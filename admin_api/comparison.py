"""Asking the reconciler: the Lambda that compares a target with the ledger, a page at a time.

The API may not enter a target itself. What comes back is checked before it is shown; that the target cannot be looked
at, or that the cursor is none, is told to the caller.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from admin_api.errors import ComparisonFailed
from lobby.errors import Conflict, InvalidInput
from lobby.names import Target

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


@dataclass(frozen=True)
class Differing:
    """One difference. `mend` is what may be done about it (None: nothing by the lobby); `mended`: that was begun."""

    certid: str
    name: str | None
    code: str
    message: str
    mend: str | None
    mended: bool


@dataclass(frozen=True)
class Comparison:
    """A page. `looked` counts what was looked up in the target; `cursor` is where to go on (None: that was all)."""

    looked: int
    differences: tuple[Differing, ...]
    cursor: str | None


def compare(
    client: "LambdaClient", function: str, target: Target, cursor: str | None, mender: str | None
) -> Comparison:
    """`mender` is in whose name to mend, None to tell only. Raises `InvalidInput` INVALID_CURSOR, `Conflict` with a
    code of a device's reason where the target cannot be looked at, `ComparisonFailed`."""
    request = {"account": target.account, "region": target.region, "cursor": cursor, "mender": mender}
    answer = client.invoke(FunctionName=function, Payload=json.dumps(request).encode())
    payload = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise ComparisonFailed(f"the reconciler failed for {target}: {payload[:500]!r}")
    return read(payload, target)


def read(payload: bytes, target: Target) -> Comparison:
    """The reconciler's answer, checked. Raises as `compare`."""
    try:
        body: dict[str, Any] = json.loads(payload)
        refused = body.get("refused")
        if refused is None:
            return _comparison(body)
        code, message = _text(refused["code"]), _text(refused["message"])
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise ComparisonFailed(f"the reconciler's answer for {target} is malformed ({fault!r})") from fault
    raise InvalidInput(code, message) if code == "INVALID_CURSOR" else Conflict(code, message)


def _comparison(body: dict[str, Any]) -> Comparison:
    looked, cursor = body["looked"], body["cursor"]
    if type(looked) is not int:
        raise TypeError("looked is no number")
    return Comparison(looked, tuple(map(_differing, body["differences"])), None if cursor is None else _text(cursor))


def _differing(each: dict[str, Any]) -> Differing:
    if not isinstance(each["mended"], bool):
        raise TypeError("mended is neither true nor false")
    name, mend = (None if each[key] is None else _text(each[key]) for key in ("name", "mend"))
    return Differing(_text(each["certid"]), name, _text(each["code"]), _text(each["message"]), mend, each["mended"])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
