"""The GraphQL documents of `lobbyctl users`."""

from typing import Final

from admin_api.cli.documents import Document

BLOCKED_USERS: Final = Document("query { blockedUsers { name by at } }")
BLOCK_USER: Final = Document(
    "mutation($name: String!) { blockUser(name: $name) { name by at campaigns { name state } } }"
)
LEFT_BY_USERS: Final = Document(
    "query { blockedUsers { name campaigns { name state stoppedBecause } created { kind name at detail } } }"
)
"""Not part of `BLOCK_USER`: a failure to read a list must not look like a failed block."""
UNBLOCK_USER: Final = Document("mutation($name: String!) { unblockUser(name: $name) { name } }")
ALL: Final = (BLOCKED_USERS, BLOCK_USER, LEFT_BY_USERS, UNBLOCK_USER)
