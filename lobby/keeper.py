"""Lambda, every minute in each Region of a lobby with several: keeps the lease of the home (`lobby.ledger.home_lease`).

The keeper of the home extends the lease, that of the first Region begins it in a new lobby, and those of the others do
nothing. A run that changes nothing although this Region is home is logged as a warning: the lease then ends after five
minutes, and no Region may write until enough Regions answer again, or the operator decides.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger

from lobby.aws.clients import at_init
from lobby.domain.home import Terms
from lobby.ledger.home_lease import ALONE, LOST, HomeLease
from lobby.ledger.home_votes import Votes
from lobby.settings import LobbySettings, lease_seconds, lobby_regions, read_settings

logger = Logger(service="keeper")


@at_init
def _lease() -> HomeLease:
    settings = read_settings(LobbySettings, os.environ)
    regions, terms = lobby_regions(os.environ) or (settings.region,), Terms(1000 * lease_seconds(os.environ))
    return HomeLease(settings.region, regions, Votes(), terms=terms)


def handler(_event: dict[str, Any], _context: object, lease: HomeLease | None = None) -> dict[str, str]:
    """Handle the timer's event."""
    outcome = (lease or _lease()).keep()
    log = logger.warning if outcome in (ALONE, LOST) else logger.debug
    log("lease", extra={"outcome": outcome})
    return {"outcome": outcome}
