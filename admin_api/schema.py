"""The GraphQL schema. `python -m admin_api.schema > admin_api/schema.graphql` updates the committed copy."""

import sys
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from admin_api.graphql.limits import LIMITERS
from admin_api.graphql.mutations import Mutation
from admin_api.graphql.queries import Query


class Schema(strawberry.Schema):
    """A schema that does not log errors. `admin_api.failures` logs them, because it distinguishes expected errors from
    faults."""

    def process_errors(self, *_: Any, **__: Any) -> None:
        pass


schema = Schema(
    query=Query, mutation=Mutation, extensions=list(LIMITERS), config=StrawberryConfig(relay_max_results=100)
)


if __name__ == "__main__":
    sys.stdout.write(schema.as_str() + "\n")
