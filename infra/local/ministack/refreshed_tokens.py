"""Tokens that are refreshed at the sign-in page's `/oauth2/token` keep the groups, as Cognito's do.

MiniStack refreshes what the page has given out by itself, without the groups: a quarter of an hour after the sign-in
an admin would have no right any more. What InitiateAuth has given out it refreshes in full, at the same address; so
what the page has given out goes that way, too.
"""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs

from infra.local.ministack.patch_points import Seam

_COGNITO: Final = "ministack.services.cognito"
TOKEN: Final = Seam(_COGNITO, "_oauth2_token", ("data", "query_params", "raw_body", "headers"))
OF_THE_PAGE: Final = Seam(_COGNITO, "_refresh_tokens.pop")
SEAMS: Final = (TOKEN, OF_THE_PAGE, Seam(_COGNITO, "_oauth2_refresh_api_issued_token", ("refresh_val", "cid", "csec")))


def apply() -> None:
    """Have every refresh token answered in full."""
    TOKEN.wrap(_in_full)


def _in_full(original: Callable[..., Any]) -> Callable[..., Any]:
    def token(data: Any, query_params: Any, raw_body: bytes = b"", headers: Any = None) -> Any:
        form = parse_qs(raw_body.decode("utf-8", errors="replace"))
        if form.get("grant_type") == ["refresh_token"]:
            OF_THE_PAGE.found()(form.get("refresh_token", [""])[0], None)
        return original(data, query_params, raw_body, headers)

    return token
