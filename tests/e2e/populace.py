"""The former names of `sample_fleet`."""

from tests.e2e.sample_fleet import SampleFleet as Populace
from tests.e2e.sample_fleet import ledger_of
from tests.e2e.sample_fleet import paused_commissioner as sleeping_commissioner

__all__ = ["Populace", "ledger_of", "sleeping_commissioner"]
