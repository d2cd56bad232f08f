"""Makes moto fast enough for thousands of tests, without a change of behaviour. `install` takes effect once per
process.

Measured: half of the CPU time of the functional tests and of the simulation was spent in the functions replaced here.
moto looks up each member of a response under up to twelve names, copies whole tables for each item of a transaction,
registers 1,300 URL patterns with `responses` for each test, and parses the same expressions again and again
(`fast_expressions.py`). `test_fast_moto.py` compares the results with those of the original functions.
"""

import copy
import inspect
from contextvars import ContextVar
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.client import BaseClient, ClientCreator
from botocore.hooks import EventAliaser
from botocore.loaders import JSONFileLoader, Loader
from botocore.useragent import UserAgentString
from moto.core import models as core_models
from moto.core import responses as core_responses
from moto.core.serialize import AttributePicker, AttributePickerContext, ResponseSerializer
from moto.core.utils import get_value as value_of
from moto.dynamodb import models as dynamodb_models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from tests import fast_expressions

ORIGINALS: dict[str, Any] = {
    "get_value": ResponseSerializer.get_value,
    "transact": DynamoDBBackend.transact_write_items,
    "copy of an item": Item.__deepcopy__,
    "copy of a value": DynamoType.__deepcopy__,
    "available services": Loader.list_available_services,
}


@cache
def install() -> None:
    """Replace the functions for the rest of the process."""
    replace = pytest.MonkeyPatch().setattr
    replace(JSONFileLoader, "load_file", _load_file)
    replace(Loader, "list_available_services", _available_services)
    replace(ClientCreator, "_create_client_class", _create_class)
    replace(UserAgentString, "to_string", lambda _agent: "tests")
    replace(EventAliaser, "_alias_event_name", _alias)
    replace(core_responses, "method_names_from_class", _Methods)
    # Patterns for the library `requests`, which this project does not use. For botocore, moto has a separate hook.
    replace(core_models, "RESPONSES_METHODS", [])
    replace(ResponseSerializer, "get_value", _get_value)
    replace(dynamodb_models, "copy", SimpleNamespace(deepcopy=_deepcopy))
    replace(DynamoDBBackend, "transact_write_items", _transact)
    replace(Item, "__deepcopy__", _copy_item)
    replace(DynamoType, "__deepcopy__", _copy_value)
    fast_expressions.install(replace)


_original_alias = EventAliaser._alias_event_name  # type: ignore[attr-defined]
_aliases: dict[str, str] = {}


def _alias(aliaser: EventAliaser, event: str) -> str:
    """Compute the name of an event once for all clients, not once for each."""
    if event not in _aliases:
        _aliases[event] = _original_alias(aliaser, event)
    return _aliases[event]


_loader = JSONFileLoader()
_read_file = cache(JSONFileLoader.load_file)
_new_class = ClientCreator._create_client_class  # type: ignore[attr-defined]
_classes: dict[str, type[BaseClient]] = {}


def _load_file(_self: JSONFileLoader, path: str) -> Any:
    """Cache botocore's service models. It reads them for every session, which takes longer than a test."""
    return _read_file(_loader, path)


_services: dict[tuple[str, ...], list[str]] = {}


def _available_services(loader: Loader, type_name: str) -> list[str]:
    """Cache botocore's list of services. Every session searches hundreds of folders for it."""
    key = (type_name, *loader.search_paths)
    if key not in _services:
        _services[key] = ORIGINALS["available services"](loader, type_name)
    return _services[key]


def _create_class(creator: ClientCreator, service: str, model: Any) -> type[BaseClient]:
    """Cache botocore's client classes, which have hundreds of methods each, for the same reason."""
    return _classes.get(service) or _classes.setdefault(service, _new_class(creator, service, model))


class _Methods:
    """The names of a class's methods. Only one of them is looked up."""

    def __init__(self, of: type) -> None:
        self._class = of

    def __contains__(self, name: str) -> bool:
        return inspect.isfunction(getattr(self._class, name, None))


_ABSENT = object()


def _get_value(self: ResponseSerializer, value: Any, key: str, shape: Any) -> Any:
    """Return a member of a response. The names of a dictionary's member depend only on the shape, so they are computed
    once."""
    picker = self._value_picker
    if type(value) is not dict or not isinstance(picker, AttributePicker) or picker.response_transformers:
        return ORIGINALS["get_value"](self, value, key, shape)
    names = vars(shape).get("_names_in_dict")
    if names is None or names[0] is not type(picker):
        context = AttributePickerContext(
            value, key, shape, self.operation_model, self.operation_model.service_model, ""
        )
        names = (type(picker), tuple(dict.fromkeys(picker.get_possible_keys(context))))
        vars(shape)["_names_in_dict"] = names
    for name in names[1]:
        found = value_of(value, name, _ABSENT) if "." in name else value.get(name, _ABSENT)
        if found is not _ABSENT:
            return found
    return None


_transaction: ContextVar[tuple[list[dict[str, Any]], dict[str, Table]] | None] = ContextVar("transaction", default=None)
"""The operations of the transaction that is running in this thread, and its copies of tables."""


def _transact(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Run a transaction. It copies only the items that it can change, and each table once instead of once per item."""
    running = _transaction.set(([operation for item in transact_items for operation in item.values()], {}))
    try:
        ORIGINALS["transact"](backend, transact_items)
    finally:
        _transaction.reset(running)


def _deepcopy(value: Any) -> Any:
    """Replace `copy.deepcopy` in moto's backend, which copies items, and tables at the start of a transaction."""
    running = _transaction.get()
    if running is None or not isinstance(value, Table):
        return copy.deepcopy(value)
    operations, backups = running
    if value.name not in backups:
        backups[value.name] = _backup(value, [each for each in operations if each.get("TableName") == value.name])
    return backups[value.name]


def _backup(table: Table, operations: list[dict[str, Any]]) -> Table:
    """Return a table that shares with this one all items except those that the operations write."""
    backup = copy.copy(table)
    backup.items = copy.copy(table.items)
    for operation in operations:
        key = operation.get("Key") or operation.get("Item") or {}
        if table.hash_key_attr in key:
            at = DynamoType(key[table.hash_key_attr])
            if at in table.items:
                backup.items[at] = copy.deepcopy(table.items[at])
    if table.stream_shard is not None:
        backup.stream_shard = copy.copy(table.stream_shard)
        backup.stream_shard.items = list(table.stream_shard.items)
    return backup


def _copy_item(item: Item, _memo: dict[int, Any]) -> Item:
    result = object.__new__(Item)
    result.hash_key, result.range_key = item.hash_key, item.range_key  # never changed
    result.attrs = dict.__new__(LimitedSizeDict)
    dict.update(result.attrs, {name: _copy_value(value) for name, value in item.attrs.items()})
    return result


def _copy_value(value: DynamoType, _memo: dict[int, Any] | None = None) -> DynamoType:
    result = object.__new__(DynamoType)
    result.type = value.type
    held = value.value
    if value.type == "L":
        result.value = [_copy_value(each) for each in held]
    elif value.type == "M":
        result.value = {key: _copy_value(each) for key, each in held.items()}
    else:
        result.value = list(held) if isinstance(held, list) else held
    return result
