"""Lambda, every minute in each Region of a lobby with several: keeps the home's lease (`ledger.regions.home_lease`).

The run in the home extends the lease. In a new lobby, the run in the first Region begins it. Runs in other Regions do
nothing. If a run in the home cannot extend the lease, it logs a warning: the lease ends after five minutes, and no
Region may write until enough Regions answer again, or the operator decides. The other Regions also report that the
home's lease has ended.
"""

import os
from typing import Any, Final

from aws_lambda_powertools import Logger

from lobby.aws.clients import at_init
from lobby.aws.metric_report import report
from lobby.aws.metrics import HOME_ENDING, LEASE_NOT_EXTENDED
from lobby.domain.regions.home import Terms
from lobby.ledger.regions.home_lease import ALONE, ENDED, ENDING, LOST, HomeLease
from lobby.ledger.regions.home_votes import Votes
from lobby.settings import LobbySettings, lease_seconds, lobby_regions, read_settings

SERVICE: Final = "home-lease"
logger = Logger(service=SERVICE)


@at_init
def _lease() -> HomeLease:
    settings = read_settings(LobbySettings, os.environ)
    regions, terms = lobby_regions(os.environ) or (settings.region,), Terms(1000 * lease_seconds(os.environ))
    return HomeLease(settings.region, regions, Votes(), terms=terms)


def handler(_event: dict[str, Any], _context: object, lease: HomeLease | None = None) -> dict[str, str]:
    """Handle the timer's event."""
    outcome = (lease or _lease()).keep()
    at_risk = outcome in (ALONE, LOST, ENDED)
    log = logger.warning if at_risk else logger.debug
    log("lease", extra={"outcome": outcome})
    report(SERVICE, {LEASE_NOT_EXTENDED: int(at_risk), HOME_ENDING: int(outcome == ENDING)})
    return {"outcome": outcome}
