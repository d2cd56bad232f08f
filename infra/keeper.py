"""The keeper of a lobby with several Regions: a timer in each Region that extends the lease of the home Region.

Only the Region with the lease writes the ledger. The lease is a vote of each Region, in its replica of the table of
targets (`lobby.ledger.home_votes`). A lobby with one Region has no lease and no keeper.
"""

from typing import TYPE_CHECKING

from infra import functions, timers
from infra.permissions import TARGETS, table

if TYPE_CHECKING:
    from infra.lobby_stack import LobbyStack


def make_keeper(stack: "LobbyStack") -> None:
    """Create the function and its timer, if the lobby has several Regions."""
    settings = stack.settings
    if not settings.regions:
        return
    keeper = stack.make_function(functions.KEEPER, [table(TARGETS, settings.lobby, "GetItem", "PutItem")])
    timers.make_timer(stack, functions.KEEPER, keeper, "rate(1 minute)", {})
