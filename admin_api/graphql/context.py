"""What every resolver is given: who asks, what to work with, and the id under which the log knows the request.

Also the guard that stands before every operation. A field of Query or Mutation is made with `operation` from
here and so cannot be without it; one whose name the table of roles does not list stops the schema being built.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

import strawberry
from strawberry.extensions import FieldExtension

from admin_api.graphql.limits import Allowance
from admin_api.roles import OPERATIONS, Caller
from admin_api.services import Services

if TYPE_CHECKING:
    from strawberry.types.field import StrawberryField


@dataclass(frozen=True)
class Context:
    """One request's. `asked` collects the operations for the log."""

    caller: Caller
    services: Services
    correlation: str
    allowance: Allowance
    asked: list[str] = field(default_factory=list)


T = TypeVar("T")
Method = TypeVar("Method", bound=Callable[..., Any])
Info = strawberry.Info[Context, None]


class Guard(FieldExtension):
    """Lets an operation's resolver run only for the roles that the table gives it to."""

    def apply(self, field: "StrawberryField") -> None:
        if _name_of(field) not in OPERATIONS:
            raise LookupError(f"got operation {_name_of(field)}, want one that roles.OPERATIONS lists")

    def resolve(self, next_: Callable[..., Any], source: Any, info: Info, **kwargs: Any) -> Any:
        info.context.asked.append(info.field_name)
        info.context.caller.require(info.field_name)
        return next_(source, info, **kwargs)


def _name_of(field: "StrawberryField") -> str:
    head, *tail = (field.graphql_name or field.python_name).split("_")
    return head + "".join(word.title() for word in tail)


def operation(description: str) -> Callable[[Method], Method]:
    """Declares a field of Query or Mutation, guarded."""
    return cast("Callable[[Method], Method]", strawberry.field(description=description, extensions=[Guard()]))


def computed(description: str) -> Callable[[Method], Method]:
    """Declares a field of another type, which is worked out when it is asked for."""
    return cast("Callable[[Method], Method]", strawberry.field(description=description))


ABSENT: Any = strawberry.UNSET
"""The default of an argument that may be left out; the schema then shows none, as v0.1's did."""


def given(value: T | None) -> T | None:
    """An argument's value; None where it was left out."""
    return None if value is strawberry.UNSET else value
