"""Generates the API's reference from the schema. `python -m admin_api.reference > docs/api-reference.md` updates it.

It contains the schema's content, and the roles that may call each operation. A test compares it with the committed
page, and rejects a part of the schema without a description.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLType,
    Undefined,
    ast_from_value,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
    print_ast,
)

from admin_api.roles import OPERATIONS, Role
from admin_api.schema import schema

_INTRODUCTION: Final = """# API reference

Generated from [admin_api/schema.graphql](../admin_api/schema.graphql) by `python -m admin_api.reference`.
[api.md](api.md) explains authentication, errors, pages, limits and caching. Times are ISO 8601, UTC. A type with `!` is
never null.
"""
_KINDS: Final = {
    GraphQLObjectType: "type",
    GraphQLInputObjectType: "input",
    GraphQLEnumType: "enum",
    GraphQLScalarType: "scalar",
}


def reference(sdl: str) -> str:
    """Return the reference of a schema in Markdown."""
    built = build_schema(sdl)
    types = [each for name, each in sorted(built.type_map.items()) if _is_listed(each, built)]
    parts = [_INTRODUCTION]
    for title, root in (("Query", built.query_type), ("Mutation", built.mutation_type)):
        if root is not None:
            parts += [f"## {title}\n", f"{_text(root.description)}\n"]
            parts += [_operation(name, field, title.lower()) for name, field in sorted(root.fields.items())]
    parts += ["## Types\n", *map(_type, types)]
    return "\n".join(parts)


def _is_listed(named: GraphQLNamedType, built: GraphQLSchema) -> bool:
    roots = (built.query_type, built.mutation_type)
    return not (named.name.startswith("__") or named in roots or is_specified_scalar_type(named))


def _operation(name: str, field: GraphQLField, kind: str) -> str:
    lines = [f"### {name} ({kind})", "", _text(field.description), ""]
    if field.deprecation_reason:
        lines += [f"**Deprecated.** {_text(field.deprecation_reason)}", ""]
    permitted = ", ".join(role for role in Role if role in OPERATIONS[name])
    lines += [f"Returns {_type_link(field.type)}. Roles: {permitted}.", ""]
    if field.args:
        lines += [*_arguments("argument", field.args), ""]
    return "\n".join(lines)


def _type(named: GraphQLNamedType) -> str:
    lines = [f"### {named.name} ({_KINDS[type(named)]})", "", _text(named.description), ""]
    if isinstance(named, GraphQLObjectType):
        lines += [*_fields(named.fields), ""]
    elif isinstance(named, GraphQLInputObjectType):
        lines += [*_arguments("field", named.fields), ""]
    elif isinstance(named, GraphQLEnumType):
        rows = ((f"`{name}`", _text(value.description)) for name, value in named.values.items())
        lines += [*_table(("value", "meaning"), rows), ""]
    return "\n".join(lines)


def _fields(fields: Mapping[str, GraphQLField]) -> Iterator[str]:
    rows = []
    for name, field in fields.items():
        described = [_text(field.description)]
        described += [
            f"Argument `{argument}` ({_type_link(each.type)}{_default(each)}): {_text(each.description)}"
            for argument, each in field.args.items()
        ]
        rows.append((f"`{name}`", _type_link(field.type), " ".join(described)))
    return _table(("field", "type", "meaning"), rows)


def _arguments(title: str, arguments: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField]) -> Iterator[str]:
    rows = (
        (f"`{name}`", f"{_type_link(each.type)}{_default(each)}", _text(each.description))
        for name, each in arguments.items()
    )
    return _table((title, "type", "meaning"), rows)


def _default(argument: GraphQLArgument | GraphQLInputField) -> str:
    if argument.default_value is Undefined:
        return ""
    node = ast_from_value(argument.default_value, argument.type)
    return f" = `{print_ast(node)}`" if node else ""


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(titles)
    yield _row(head)
    yield f"|{'---|' * len(head)}"
    yield from map(_row, rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _type_link(of: GraphQLType) -> str:
    """Return a type in GraphQL's notation, as a link if this page describes it."""
    named = get_named_type(of)
    kind = _KINDS.get(type(named))
    if kind is None or is_specified_scalar_type(named):
        return f"`{of}`"
    return f"[`{of}`](#{named.name.lower()}-{kind})"


def _text(description: str | None) -> str:
    """Return a description on one line, without characters that a table or an emphasis would use."""
    if not description:
        raise ValueError("got a part of the schema without a description")
    return " ".join(description.split()).replace("|", "\\|").replace("*", "\\*")


if __name__ == "__main__":
    sys.stdout.write(reference(schema.as_str()))
