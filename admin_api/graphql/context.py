"""The context of one request, and the authorisation of every operation.

Every field of Query and Mutation is declared with `operation`, which adds the authorisation. If the name of a field is
not in `roles.OPERATIONS`, building the schema raises an error.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

import strawberry
from graphql import OperationType
from strawberry.extensions import FieldExtension

from admin_api.graphql.limits import RequestQuota
from admin_api.operations.user_creations import Creation, read_creations
from admin_api.roles import OPERATIONS, Caller
from admin_api.services import Services
from lobby.ledger.lanes.forecasts import Forecasts
from lobby.ledger.lists.counts import Tally, read_counts

if TYPE_CHECKING:
    from strawberry.types.field import StrawberryField


@dataclass(frozen=True)
class Context:
    """What resolvers get: the caller, the services, and the quota of this request. `operations` collects the called
    operations for the log; `correlation_id` identifies the request there."""

    caller: Caller
    services: Services
    correlation_id: str
    quota: RequestQuota
    operations: list[str] = field(default_factory=list)

    @cached_property
    def forecasts(self) -> Forecasts:
        """The estimates when waiting devices will be commissioned. Each part is read at most once in a request."""
        return Forecasts(self.services.targets.all)

    @cached_property
    def tallies(self) -> tuple[Tally, ...]:
        """The counts of devices, read at most once in a request."""
        return read_counts()

    @cached_property
    def creations(self) -> Mapping[str, Sequence[Creation]]:
        """What each actor has created and that still works, read at most once in a request."""
        return read_creations(self.services)


T = TypeVar("T")
Method = TypeVar("Method", bound=Callable[..., Any])
Info = strawberry.Info[Context, None]


class Authorization(FieldExtension):
    """Runs a resolver only if the caller's role permits the operation. Runs an operation that changes something only in
    the home Region. Otherwise raises `Forbidden` or `NotHome`."""

    def apply(self, field: "StrawberryField") -> None:
        if _name_of(field) not in OPERATIONS:
            raise LookupError(f"got operation {_name_of(field)}, want one that roles.OPERATIONS lists")

    def resolve(self, next_: Callable[..., Any], source: Any, info: Info, **kwargs: Any) -> Any:
        info.context.operations.append(info.field_name)
        info.context.caller.require(info.field_name)
        is_mutation = info.operation.operation is OperationType.MUTATION
        info.context.services.regions.require_home(info.field_name, is_mutation=is_mutation)
        return next_(source, info, **kwargs)


def _name_of(field: "StrawberryField") -> str:
    head, *tail = (field.graphql_name or field.python_name).split("_")
    return head + "".join(word.title() for word in tail)


def operation(description: str, *, deprecated: str | None = None) -> Callable[[Method], Method]:
    """Declare a field of Query or Mutation, with authorisation. `deprecated` names the operation to use instead."""
    field = strawberry.field(description=description, deprecation_reason=deprecated, extensions=[Authorization()])
    return cast("Callable[[Method], Method]", field)


def computed(description: str) -> Callable[[Method], Method]:
    """Declare a field of another type that is computed only if the query asks for it."""
    return cast("Callable[[Method], Method]", strawberry.field(description=description))


ABSENT: Any = strawberry.UNSET
"""The default of an optional argument. With it the schema shows no default, as in v0.1."""


def given(value: T | None) -> T | None:
    """Return the value of an argument, or None if it was omitted."""
    return None if value is strawberry.UNSET else value
