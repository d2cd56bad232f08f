"""Calls moto's DynamoDB directly, without HTTP: a call takes a fifth of the time, and tests make a million of them.

Applies to operations on items by PynamoDB's clients, which leave the validation of parameters to DynamoDB. A call that
fails is repeated over HTTP, where botocore raises the error. This is safe, because a failed operation changes nothing.
All other calls use HTTP, and so do the calls that fail in the simulation, because its faults are below botocore.
`test_direct_dynamodb.py` compares.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest
from botocore.client import BaseClient
from botocore.validate import ParamValidationDecorator
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.responses import DynamoHandler
from moto.iam.models import get_account_id_from

_OPERATIONS: Final = {
    operation: getattr(DynamoHandler, camelcase_to_underscores(operation))
    for operation in (
        *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "TransactWriteItems"),
        *("TransactGetItems", "UpdateItem"),
    )
}


def install(patched: pytest.MonkeyPatch) -> None:
    """Make DynamoDB's calls directly while `patched` lasts."""
    original = BaseClient._make_api_call  # type: ignore[attr-defined]  # PynamoDB and boto3 both use it

    def make_api_call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        return call(client, operation, params, lambda: original(client, operation, params))

    patched.setattr(BaseClient, "_make_api_call", make_api_call)


def call(client: BaseClient, operation: str, params: dict[str, Any], over_http: Callable[[], Any]) -> Any:
    """Make a call directly if possible, otherwise with `over_http`. Return botocore's response."""
    perform = _OPERATIONS.get(operation)
    if perform is None or isinstance(client._serializer, ParamValidationDecorator):  # type: ignore[attr-defined]
        return over_http()
    handler = DynamoHandler()
    handler.body = handler.params = _copied(params)
    handler.region = client.meta.region_name
    handler.current_account = get_account_id_from(client._request_signer._credentials.access_key)  # type: ignore[attr-defined]
    try:
        result = perform(handler).result
    except Exception:  # noqa: BLE001  # moto has several kinds; botocore then raises its own
        return over_http()
    output: Any = client.meta.service_model.operation_model(operation).output_shape
    response = {name: _copied(value) for name, value in result.items() if name in output.members and value is not None}
    return response | {"ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": 0}}


def _copied(value: Any) -> Any:
    """Return a copy, so that requests and responses share nothing with moto's tables."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list | tuple) else value
