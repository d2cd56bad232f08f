"""Rejects operations on an item while a DynamoDB transaction uses it, in strict mode.

Difference from AWS: a transaction takes several round trips. Meanwhile, an operation on one of its items fails with
TransactionConflictException, or, in a transaction, with TransactionCanceledException and the reason TransactionConflict
(DynamoDB developer guide, "Transaction conflict handling in DynamoDB"). MiniStack executes one request after the other,
so there are no conflicts.

The patch locks the items of a transaction for `TRANSACTION_SECONDS` after its execution, and then sends the response.
Plain reads never conflict, as on AWS.

Unnecessary when: MiniStack detects conflicts between requests that overlap in time.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from infra.local.ministack.access_log import ACCOUNT, DISPATCH, REGION
from infra.local.ministack.patch_points import PatchPoint
from infra.local.strictness import CurrentStrictness

TABLES: Final = PatchPoint("ministack.services.dynamodb", "_tables.get_scoped")
PATCH_POINTS: Final = (DISPATCH, ACCOUNT, REGION, TABLES)
TRANSACTION_SECONDS: Final = 0.01
_WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
_TRANSACTIONS: Final = frozenset({"TransactWriteItems", "TransactGetItems"})
_MESSAGE: Final = "Transaction is ongoing for the item"
_NAMESPACE: Final = "com.amazonaws.dynamodb.v20120810#"
Item = tuple[str, ...]
"""Account, Region, table and key of an item."""
Response = tuple[int, dict[str, str], bytes]


def apply(current: CurrentStrictness) -> None:
    """Detect conflicts while this is enabled in the settings."""
    occupied: set[Item] = set()
    DISPATCH.wrap(lambda original: _detecting(original, current, occupied))


def _detecting(
    original: Callable[..., Awaitable[Any]], current: CurrentStrictness, occupied: set[Item]
) -> Callable[..., Awaitable[Any]]:
    async def dispatch(method: str, path: str, headers: Any, body: bytes, query_params: Any, request_id: str) -> Any:
        operation = operation_of(headers)
        if operation is None or not current().transaction_conflicts:
            return await original(method, path, headers, body, query_params, request_id)
        account, region = ACCOUNT.resolve()(), REGION.resolve()(headers, query_params)
        items = [(account, region, *item) for item in named_items(operation, body, _key_names(account, region))]
        if not occupied.isdisjoint(items):
            return conflict(operation, [item in occupied for item in items])
        if operation in _WRITES:
            return await original(method, path, headers, body, query_params, request_id)
        occupied.update(items)
        try:
            response = await original(method, path, headers, body, query_params, request_id)
            await asyncio.sleep(TRANSACTION_SECONDS)
        finally:
            occupied.difference_update(items)
        return response

    return dispatch


def operation_of(headers: Any) -> str | None:
    """Return the DynamoDB operation if it can conflict."""
    service, _, operation = str(headers.get("x-amz-target", "")).partition(".")
    return operation if service == "DynamoDB_20120810" and operation in _WRITES | _TRANSACTIONS else None


def _key_names(account: str, region: str) -> Callable[[str], tuple[str, ...]]:
    """Return a function that returns the key attributes of a table."""

    def names(table: str) -> tuple[str, ...]:
        found = TABLES.resolve()(account, region, table.rpartition("/")[2]) or {}
        return tuple(found[name] for name in ("pk_name", "sk_name") if found.get(name))

    return names


def named_items(operation: str, body: bytes, key_names: Callable[[str], tuple[str, ...]]) -> list[Item]:
    """Return table and key of the items in a request, in its order. Malformed parts are left to MiniStack."""
    try:
        return [_item(each, key_names) for each in _actions(operation, json.loads(body))]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _actions(operation: str, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if operation in _WRITES:
        yield request
    for member in request.get("TransactItems", ()):
        yield from member.values()


def _item(action: dict[str, Any], key_names: Callable[[str], tuple[str, ...]]) -> Item:
    table, attributes = action["TableName"], action.get("Key") or action.get("Item") or {}
    key = [json.dumps(attributes[name], sort_keys=True) for name in key_names(table)]
    return (table.rpartition("/")[2], *key)


def conflict(operation: str, conflicts: list[bool]) -> Response:
    """Return the error response for an operation on these locked items."""
    body: dict[str, Any]
    if operation in _WRITES:
        body = {"__type": f"{_NAMESPACE}TransactionConflictException", "message": _MESSAGE}
    else:
        codes = ["TransactionConflict" if each else "None" for each in conflicts]
        body = {
            "__type": f"{_NAMESPACE}TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons "
            f"[{', '.join(codes)}]",
            "CancellationReasons": [
                {"Code": code, "Message": _MESSAGE} if code != "None" else {"Code": code} for code in codes
            ],
        }
    return 400, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode()
