"""The GraphQL schema. ``python -m admin_api.schema`` prints it; schema.graphql is what it printed last."""

import sys
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from admin_api.graphql.limits import LIMITERS
from admin_api.graphql.mutations import Mutation
from admin_api.graphql.queries import Query


class Schema(strawberry.Schema):
    """Leaves the logging of failures to `admin_api.failures`, which knows the expected ones from the others."""

    def process_errors(self, *_: Any, **__: Any) -> None:
        pass


schema = Schema(
    query=Query, mutation=Mutation, extensions=list(LIMITERS), config=StrawberryConfig(relay_max_results=100)
)


if __name__ == "__main__":
    sys.stdout.write(schema.as_str() + "\n")
