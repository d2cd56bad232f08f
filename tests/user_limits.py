"""The limits and blocks of users for tests of the API. The cache already states that nobody is blocked."""

from typing import Any

from admin_api.operations.user_limits import UserLimits
from lobby.domain.claims.claim_limits import DEFAULT_LIMITS, parse_limits
from lobby.ledger.users.user_blocks import UserBlocks
from lobby.ledger.users.user_claims import UserClaims


def user_limits(limits: str = DEFAULT_LIMITS) -> dict[str, Any]:
    """Return the services of this name."""
    blocks = UserBlocks(lambda: 0.0)
    blocks._read = 0.0, frozenset()
    return {"blocks": blocks, "limits": UserLimits(UserClaims(parse_limits(limits)), lambda: None)}
