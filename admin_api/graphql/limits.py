"""How much one request may ask for: bytes, tokens, fields, depth, aliases, devices, history, time; how much it gets.

GraphQL's own checks, and the library's limiters, cost far more than the document that they look at: they compare each
field with every other of its name, and walk a fragment once for every path to it. `DocumentLimiter` looks before they
do, at no more than `MAX_FIELDS` fields.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
)
from strawberry.extensions import MaxAliasesLimiter, MaxTokensLimiter, QueryDepthLimiter, SchemaExtension

from lobby.errors import InvalidInput

MAX_BODY: Final = 128 * 1024
"""A thousand fingerprints written with colons, as JSON, are 99,000 bytes; the rest is for the document and a
config, which the ledger holds to 8 KiB."""
MAX_TOKENS: Final = 2000
MAX_DEPTH: Final = 6
MAX_ALIASES: Final = 25
MAX_DEFINITIONS: Final = 25
"""Operations and fragments of one document."""
MAX_FIELDS: Final = 1000
"""Of all definitions together, each fragment counted where it is defined and as often as it is spread. 25 devices with
all that there is to a device are 900."""
MAX_REPEATS: Final = 10
"""How often one field may be said in one place, by itself or through fragments. Each pair is compared."""
MAX_NAME: Final = 64
"""Characters of an alias: every line of a list repeats it."""
MAX_BULK: Final = 1000
MAX_LISTED: Final = 1000
MAX_ENTRIES: Final = 2500
MAX_SECONDS: Final = 20.0
"""How long a bulk may go on beginning with further devices. The Lambda has 29 s, and API Gateway 30: a call that
hangs must still fit in, or nobody would learn what was done."""
MAX_ANSWER: Final = 6_000_000
"""Bytes. A Lambda may answer 6 MiB (Lambda quotas, "Invocation payload"), with what is around the body."""


class Share(StrEnum):
    """What a request has a limited number of, however many fields ask for it."""

    FINGERPRINTS = "fingerprints"
    LISTED = "devices in lists"
    ENTRIES = "entries of history"
    COMPARISONS = "comparisons of a target"


_SHARES: Final = {
    Share.FINGERPRINTS: MAX_BULK,
    Share.LISTED: MAX_LISTED,
    Share.ENTRIES: MAX_ENTRIES,
    Share.COMPARISONS: 1,
}


class Allowance:
    """What one request has left of each `Share` and of `MAX_SECONDS`, which begin now. Aliases share it.
    `clock` gives seconds that only ever grow."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._end = clock() + MAX_SECONDS
        self._taken: Counter[Share] = Counter()

    def take(self, what: Share, count: int) -> None:
        """Raises `InvalidInput` INVALID_COUNT."""
        before, limit = self._taken[what], _SHARES[what]
        if count < 1 or before + count > limit:
            after = f" after {before}" if before else ""
            raise InvalidInput("INVALID_COUNT", f"got {count} {what}{after}, want 1 to {limit} in one request")
        self._taken[what] += count

    def time_is_up(self) -> bool:
        return self._clock() >= self._end


def excess(document: DocumentNode) -> str | None:
    """What a document has too much of, or None. Looks at `MAX_FIELDS` fields at most, however they are nested."""
    definitions = [
        each for each in document.definitions if isinstance(each, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    if len(definitions) > MAX_DEFINITIONS:
        return f"got {len(definitions)} operations and fragments, want at most {MAX_DEFINITIONS}"
    times: Counter[int] = Counter()
    for number, (name, place) in enumerate(_selected(definitions), 1):
        times[place] += name != ""
        if number > MAX_FIELDS:
            return f"got more than {MAX_FIELDS} fields, each fragment counted where it is spread"
        if len(name) > MAX_NAME:
            return f"got a name of {len(name)} characters, want at most {MAX_NAME}"
        if times[place] > MAX_REPEATS:
            return f"got {name} more than {MAX_REPEATS} times in one place"
    return None


def _selected(definitions: Sequence[OperationDefinitionNode | FragmentDefinitionNode]) -> Iterator[tuple[str, int]]:
    """Each field's name and the number of its place, and a blank for each spread. Fragments that spread each other make
    it endless."""
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
    places: dict[tuple[int, str], int] = {}
    todo = [(each.selection_set, -number) for number, each in enumerate(definitions, 1)]
    while todo:
        selections, parent = todo.pop()
        for node in selections.selections:
            name, place = "", parent
            if isinstance(node, FieldNode):
                name = (node.alias or node.name).value
                place = places.setdefault((parent, name), len(places))
            yield name, place
            inner = fragments.get(node.name.value) if isinstance(node, FragmentSpreadNode) else node
            if isinstance(inner, FieldNode | InlineFragmentNode | FragmentDefinitionNode) and inner.selection_set:
                todo.append((inner.selection_set, place))


class DocumentLimiter(SchemaExtension):
    """Refuses a document with an `excess`."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if context.graphql_document is not None and context.pre_execution_errors is None:
            found = excess(context.graphql_document)
            if found is not None:
                context.pre_execution_errors = [GraphQLError(found)]
        yield


LIMITERS: Final = (
    DocumentLimiter,
    lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
    lambda: QueryDepthLimiter(max_depth=MAX_DEPTH),
    lambda: MaxAliasesLimiter(max_alias_count=MAX_ALIASES),
)
"""Made anew for each request, as each holds on to the request it serves."""
