"""The progress of a scheduled Lambda, by name, for its next run.

Such a Lambda may do its work twice, so lost progress and concurrent runs only cost additional work.
"""

from typing import Any

from pynamodb.exceptions import DoesNotExist

from lobby.ledger.round_rows import RoundRow


def read_progress(name: str) -> dict[str, Any]:
    """Return the saved progress; empty before the first run."""
    try:
        progress: dict[str, Any] = RoundRow.get(name, consistent_read=True).progress
    except DoesNotExist:
        return {}
    return progress


def save_progress(name: str, progress: dict[str, Any]) -> None:
    """Save any JSON object."""
    RoundRow(name, progress=progress).save()
