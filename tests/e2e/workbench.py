"""The former names of `fleet`."""

from tests.e2e.fleet import Fleet as Workbench
from tests.e2e.fleet import certid_of, name_of
from tests.e2e.fleet import wait_for_event as says
from tests.e2e.fleet import wait_for_v01 as does

__all__ = ["Workbench", "certid_of", "does", "name_of", "says"]
