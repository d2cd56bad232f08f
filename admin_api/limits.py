"""How much one request may ask for: bytes, tokens, depth, aliases, fragment spreads, devices to claim, time.

The library's limiters walk a fragment once for every path to it, so a small document whose fragments each
spread the next one twice would keep them busy for ever; `SpreadLimiter` refuses it before they look.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from graphql import FragmentSpreadNode, GraphQLError, Visitor, visit
from strawberry.extensions import MaxAliasesLimiter, MaxTokensLimiter, QueryDepthLimiter, SchemaExtension

from lobby.errors import InvalidInput

MAX_BODY: Final = 128 * 1024
"""A thousand fingerprints written with colons, as JSON, are 99,000 bytes; the rest is for the document and a
config, which the ledger holds to 8 KiB."""
MAX_TOKENS: Final = 2000
MAX_DEPTH: Final = 6
MAX_ALIASES: Final = 25
MAX_SPREADS: Final = 20
MAX_BULK: Final = 1000
MAX_SECONDS: Final = 20.0
"""How long a bulk may go on beginning with further devices. The Lambda has 29 s, and API Gateway 30: a call that
hangs must still fit in, or nobody would learn what was done."""


class Allowance:
    """What one request has left of `MAX_BULK` devices and of `MAX_SECONDS`, which begin now. Aliases share it.
    `clock` gives seconds that only ever grow."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._end = clock() + MAX_SECONDS
        self._bulk = 0

    def take(self, devices: int) -> None:
        """Raises `InvalidInput` INVALID_COUNT."""
        if devices < 1 or self._bulk + devices > MAX_BULK:
            before = f" after {self._bulk}" if self._bulk else ""
            raise InvalidInput(
                "INVALID_COUNT", f"got {devices} fingerprints{before}, want 1 to {MAX_BULK} in one request"
            )
        self._bulk += devices

    def time_is_up(self) -> bool:
        return self._clock() >= self._end


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
