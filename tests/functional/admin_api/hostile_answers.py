"""Responses of the shape that a document requests, with any text and number as values, for tests of `lobbyctl`."""

from typing import Any

from admin_api.cli.api import shapes


def value_of(type_text: str, selections: Any, text: str, number: int, nulls: bool) -> Any:
    """Return a value of a type of the schema that is as hostile as the type allows."""
    if nulls and not type_text.endswith("!"):
        return None
    inner = type_text.removesuffix("!")
    if inner.startswith("["):
        return [value_of(inner[1:-1], selections, text, number, nulls)] * (2 if not nulls else 1)
    if selections:
        types = shapes._types()[inner]
        return {each.key: value_of(types[each.name], each.fields, text, number, nulls) for each in selections}
    return {"Int": number, "Float": float(number), "Boolean": bool(number), "JSON": {text: [number]}}.get(inner, text)


def data_for(query: str, text: str, number: int, nulls: bool) -> dict[str, Any]:
    root, selections = shapes._parsed(query)
    data: dict[str, Any] = value_of(f"{root}!", selections, text, number, nulls)
    return data
