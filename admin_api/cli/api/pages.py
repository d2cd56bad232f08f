"""Checks the cursors of pages: a server that repeats the same page must not keep a command running."""

from admin_api.cli.errors import Unreachable


def advanced(before: str | None, after: str | None, *, more: bool = False) -> str | None:
    """Return the cursor of the next page, None after the last page. Raise `Unreachable` NOT_A_LOBBY if the cursor is
    the one of the current page, or if it is missing although the server reports `more` pages."""
    if (after is not None and after == before) or (more and after is None):
        raise Unreachable("NOT_A_LOBBY", "got the same page again, want the next one: is the address correct?")
    return after
