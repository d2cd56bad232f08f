"""Where a timer's Lambda left off: a small note by name, read at the next run.

What such a Lambda does may be done twice, so that a note that was lost, or two runs at once, cost work and harm
nothing.
"""

from typing import Any

from pynamodb.exceptions import DoesNotExist

from lobby.ledger.models import RoundRow


def read_progress(name: str) -> dict[str, Any]:
    """The note; empty before the first."""
    try:
        place: dict[str, Any] = RoundRow.get(name, consistent_read=True).place
    except DoesNotExist:
        return {}
    return place


def save_progress(name: str, place: dict[str, Any]) -> None:
    """`place` is anything that JSON can hold."""
    RoundRow(name, place=place).save()
