"""The GraphQL documents of `lobbyctl users`."""

from typing import Final

from admin_api.cli.documents import Document

BLOCKED_USERS: Final = Document("query { blockedUsers { name by at } }")
BLOCK_USER: Final = Document(
    "mutation($name: String!) { blockUser(name: $name) {"
    " name by at campaigns { name state stoppedBecause } created { kind name at detail } } }"
)
UNBLOCK_USER: Final = Document("mutation($name: String!) { unblockUser(name: $name) { name } }")
ALL: Final = (BLOCKED_USERS, BLOCK_USER, UNBLOCK_USER)
