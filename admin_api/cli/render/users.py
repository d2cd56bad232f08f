"""What a blocked user has created and that still works, and the command that ends each of it.

Pure functions from the API's responses to text. Kinds of a later version are shown without a command.
"""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.table import Table

from admin_api.cli.render import cells, tables

_COMMANDS: Final = {
    "enrolment": "enrolments revoke",
    "token": "enrolments tokens revoke",
    "claim certificate": "enrolments certificates revoke",
    "offer": "transfers withdraw --offer",
    "serial number": "serials withdraw",
    "webhook": "webhooks remove",
    "target": "targets archive",
}
_MOST_OF_A_KIND: Final = 100
"""The API returns at most so many of each kind."""
_ENDING: Final = ("stopping", "cancelled", "done")


def end_of(creation: Mapping[str, Any]) -> str | None:
    """Return the command that ends it, or None for an unknown kind."""
    command = _COMMANDS.get(creation["kind"])
    return f"lobbyctl {command} {shlex.quote(creation['name'])}" if command else None


def campaign_line(campaign: Mapping[str, Any]) -> str:
    """Return the state of a campaign, and the command that ends it."""
    name = cells.clean(campaign["name"])
    why = f" ({cells.clean(campaign['stoppedBecause'])})" if campaign.get("stoppedBecause") else ""
    end = "" if campaign["state"] in _ENDING else f"; end it with: lobbyctl campaigns cancel {name}"
    return f"Campaign {name}: {cells.clean(campaign['state'])}{why}{end}"


def created(found: Sequence[Mapping[str, Any]]) -> Table:
    table = tables.plain("KIND", "CREATED", "DETAIL", "END IT WITH")
    for each in found:
        table.add_row(*(cells.clean(text) for text in (each["kind"], each["at"], each["detail"], end_of(each) or "")))
    return table


def created_note(found: Sequence[Mapping[str, Any]]) -> str:
    kinds = Counter(each["kind"] for each in found)
    text = f"{len(found)} still {'works' if len(found) == 1 else 'work'}"
    more = any(count >= _MOST_OF_A_KIND for count in kinds.values())
    return f"{text}; more may follow: end these, then run the same command again" if more else text
