"""The GraphQL documents of `lobbyctl regions`."""

from typing import Final

from admin_api.cli.documents import Document

LOBBY: Final = Document(
    "query { lobby { region home acceptsChanges code message homeSince leaseUntil"
    " regions { name isHome answers why isNeeded replicatedAt } } }"
)
PROMOTE: Final = Document("mutation($region: String!) { promoteRegion(region: $region) { promoted waitSeconds } }")
WITHOUT: Final = Document("mutation($region: String!) { continueWithout(region: $region) { home leaseUntil } }")
CHECK: Final = Document(
    "query($first: Int!, $after: String, $anchorsOf: String) {"
    " regionCheck(first: $first, after: $after, anchorsOf: $anchorsOf) {"
    " checked findings { certid code seq message } pageInfo { hasNextPage endCursor } } }"
)
CHECK_SETTINGS: Final = Document("query { regionCheck(first: 1) { settings { kind name code message } } }")
ALL: Final = (LOBBY, PROMOTE, WITHOUT, CHECK, CHECK_SETTINGS)
