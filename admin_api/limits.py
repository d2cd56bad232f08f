"""How much one request may ask for: bytes, tokens, depth, aliases, fragment spreads.

The library's limiters walk a fragment once for every path to it, so a small document whose fragments each
spread the next one twice would keep them busy for ever; `SpreadLimiter` refuses it before they look.
"""

from collections.abc import Iterator
from typing import Any, Final

from graphql import FragmentSpreadNode, GraphQLError, Visitor, visit
from strawberry.extensions import MaxAliasesLimiter, MaxTokensLimiter, QueryDepthLimiter, SchemaExtension

MAX_BODY: Final = 64 * 1024
MAX_TOKENS: Final = 2000
MAX_DEPTH: Final = 6
MAX_ALIASES: Final = 25
MAX_SPREADS: Final = 20


class _Spreads(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def enter_fragment_spread(self, _node: FragmentSpreadNode, *_: Any) -> None:
        self.count += 1


class SpreadLimiter(SchemaExtension):
    """Refuses a document with more than `MAX_SPREADS` fragment spreads."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if context.graphql_document is not None and context.pre_execution_errors is None:
            spreads = _Spreads()
            visit(context.graphql_document, spreads)
            if spreads.count > MAX_SPREADS:
                message = f"{spreads.count} fragment spreads found. Allowed: {MAX_SPREADS}"
                context.pre_execution_errors = [GraphQLError(message)]
        yield


LIMITERS: Final = (
    SpreadLimiter,
    lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
    lambda: QueryDepthLimiter(max_depth=MAX_DEPTH),
    lambda: MaxAliasesLimiter(max_alias_count=MAX_ALIASES),
)
"""Made anew for each request, as each holds on to the request it serves."""
