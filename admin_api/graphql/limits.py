"""Limits of one request and its response: bytes, tokens, fields, depth, aliases, devices, history entries, time.

GraphQL's validation and the limiters of the library can take far longer than the size of the document suggests: they
compare every pair of fields with the same name, and follow a fragment once for each path to it. `DocumentLimiter` runs
before them and visits at most `MAX_FIELDS` fields.
"""

import re
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
from lobby.names import shown

MAX_BODY: Final = 128 * 1024
"""Bytes. 1,000 fingerprints with colons are 99,000 bytes of JSON. The rest is for the document and a configuration. The
ledger limits a configuration to 8 KiB."""
MAX_TOKENS: Final = 2000
MAX_DEPTH: Final = 6
MAX_NESTING: Final = 64
"""Brackets around one place of a document, including those of values. They are limited because validation is
recursive."""
MAX_ALIASES: Final = 25
MAX_DEFINITIONS: Final = 25
"""Operations and fragments in one document."""
MAX_FIELDS: Final = 1300
"""Fields in all definitions. A fragment counts where it is defined and each time it is spread. All fields of 25 devices
are 1,175."""
MAX_REPEATS: Final = 10
"""Occurrences of one field in one selection, directly or through fragments. Validation compares each pair."""
MAX_INTROSPECTIONS: Final = 5
"""Fields `__schema` and `__type` in one document. Each can list the whole schema, which takes as long as several
ordinary requests. Tools request it once."""
_INTROSPECTION: Final = ("__schema", "__type")
_NOT_BRACKETS: Final = re.compile(r'"""(?:\\"""|[^"]|"(?!""))*"""|"(?:\\.|[^"\\\n])*"|#[^\n]*|[^()\[\]{}"#]+')
"""Strings, comments and other text that contains no brackets."""
MAX_NAME: Final = 64
"""Characters of an alias. The alias is repeated in every item of a list."""
MAX_BULK: Final = 1000
MAX_LISTED: Final = 1000
MAX_ENTRIES: Final = 2500
MAX_SECONDS: Final = 20.0
"""How long a bulk operation may start to process further devices. The Lambda times out after 29 s and API Gateway
after 30 s: an AWS call that hangs must end before that, or the caller gets no results."""
MAX_RESPONSE: Final = 6_000_000
"""Bytes. A Lambda response is limited to 6 MiB (Lambda quotas, "Invocation payload"), including its envelope."""


class Resource(StrEnum):
    """A resource with a quota for all fields of a request together."""

    FINGERPRINTS = "fingerprints"
    LISTED = "devices in lists"
    ENTRIES = "history entries"
    COMPARISONS = "comparisons of a target"
    CAMPAIGNS = "previews of a campaign"
    EXPORTS = "exports of a history"


_QUOTAS: Final = {
    Resource.FINGERPRINTS: MAX_BULK,
    Resource.LISTED: MAX_LISTED,
    Resource.ENTRIES: MAX_ENTRIES,
    Resource.COMPARISONS: 1,
    Resource.CAMPAIGNS: 1,
    Resource.EXPORTS: 1,
}


class RequestQuota:
    """The remaining quota of one request for each `Resource`, and the rest of `MAX_SECONDS` since construction. All
    aliases of the request share it. `clock` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._end = clock() + MAX_SECONDS
        self._used: Counter[Resource] = Counter()

    def consume(self, resource: Resource, count: int) -> None:
        """Raise `InvalidInput` INVALID_COUNT if `count` is below 1 or exceeds what is left."""
        used, limit = self._used[resource], _QUOTAS[resource]
        if count < 1 or used + count > limit:
            after = f" after {used}" if used else ""
            raise InvalidInput("INVALID_COUNT", f"got {count} {resource}{after}, want 1 to {limit} in one request")
        self._used[resource] += count

    def time_is_up(self) -> bool:
        return self._clock() >= self._end


def limit_violation(document: DocumentNode) -> str | None:
    """Return the limit that a document exceeds, or None. Visit at most `MAX_FIELDS` fields."""
    definitions = _definitions(document)
    if len(definitions) > MAX_DEFINITIONS:
        return f"got {len(definitions)} operations and fragments, want at most {MAX_DEFINITIONS}"
    occurrences: Counter[int] = Counter()
    introspections = 0
    for number, (name, position, introspects, _) in enumerate(_selected_fields(definitions), 1):
        occurrences[position] += name != ""
        introspections += introspects
        if number > MAX_FIELDS:
            return f"got more than {MAX_FIELDS} fields, counting each fragment where it is spread"
        if len(name) > MAX_NAME:
            return f"got a name of {len(name)} characters, want at most {MAX_NAME}"
        if occurrences[position] > MAX_REPEATS:
            return f"got {name} more than {MAX_REPEATS} times in one selection"
        if introspections > MAX_INTROSPECTIONS:
            return f"got more than {MAX_INTROSPECTIONS} of {' and '.join(_INTROSPECTION)}"
    return None


def _definitions(document: DocumentNode) -> list[OperationDefinitionNode | FragmentDefinitionNode]:
    return [each for each in document.definitions if isinstance(each, OperationDefinitionNode | FragmentDefinitionNode)]


def _selected_fields(
    definitions: Sequence[OperationDefinitionNode | FragmentDefinitionNode],
) -> Iterator[tuple[str, int, bool, str]]:
    """Yield the name of each field, the number of its position in the response, and whether it requests the schema.
    Yield an empty name for each spread, and last the name of its fragment if that is not defined. If fragments spread
    each other, the iterator is endless."""
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
    positions: dict[tuple[int, str], int] = {}
    pending = [(each.selection_set, -number) for number, each in enumerate(definitions, 1)]
    while pending:
        selections, parent = pending.pop()
        for node in selections.selections:
            name, position, introspects = "", parent, False
            if isinstance(node, FieldNode):
                name = (node.alias or node.name).value
                position = positions.setdefault((parent, name), len(positions))
                introspects = node.name.value in _INTROSPECTION
            spread = node.name.value if isinstance(node, FragmentSpreadNode) else ""
            inner = fragments.get(spread) if spread else node
            yield name, position, introspects, spread if inner is None else ""
            if isinstance(inner, FieldNode | InlineFragmentNode | FragmentDefinitionNode) and inner.selection_set:
                pending.append((inner.selection_set, position))


def nesting(text: str) -> int:
    """Return the largest number of brackets around one place of a document."""
    depth = most = 0
    for bracket in _NOT_BRACKETS.sub("", text):
        depth += 1 if bracket in "([{" else -1
        most = max(most, depth)
    return most


def ambiguity(document: DocumentNode, operation_name: str | None) -> str | None:
    """Return why the requested operation of a document is ambiguous, or None (GraphQL, section 6.1, GetOperation)."""
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if operation_name is None and len(operations) > 1:
        return f"got {len(operations)} operations without operationName, want the name of one"
    return None


def missing_fragment(document: DocumentNode) -> str | None:
    """Return why a spread cannot be resolved, or None. The limiters of Strawberry fail with such a document. The
    document must be without a `limit_violation`."""
    names = (missing for *_, missing in _selected_fields(_definitions(document)) if missing)
    return next((f"got a spread of {shown(name)}, want a fragment of the document" for name in names), None)


class DocumentLimiter(SchemaExtension):
    """Rejects a document with a `limit_violation`, an `ambiguity` or a `missing_fragment`, before GraphQL validates
    it."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if context.graphql_document is not None and context.pre_execution_errors is None:
            document, name = context.graphql_document, context._provided_operation_name  # no public access
            depth = nesting(context.query or "")
            too_deep = f"got {depth} nested brackets, want at most {MAX_NESTING}" if depth > MAX_NESTING else None
            violation = too_deep or limit_violation(document) or ambiguity(document, name)
            violation = violation or missing_fragment(document)
            if violation is not None:
                context.pre_execution_errors = [GraphQLError(violation)]
        yield


LIMITERS: Final = (
    DocumentLimiter,
    lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
    lambda: QueryDepthLimiter(max_depth=MAX_DEPTH),
    lambda: MaxAliasesLimiter(max_alias_count=MAX_ALIASES),
)
"""Created for each request, because each instance holds the state of one request."""
