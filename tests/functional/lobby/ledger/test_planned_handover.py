"""A planned handover of the home waits for the changes of the old home, but not without end."""

from lobby.domain.regions.home import LEASE_MS, MARGIN_MS, POLL_MS
from tests.regions import DUBLIN, FRANKFURT, Regions


def test_a_planned_handover_waits_for_the_changes_of_the_old_home_to_be_replicated(two: Regions) -> None:
    two.here = FRANKFURT
    two.lease(FRANKFURT).promote()
    two.now += MARGIN_MS
    late = two.lease(FRANKFURT).promote()
    assert (late.done, late.wait_ms) == (False, POLL_MS)
    two.replicate(DUBLIN, FRANKFURT)
    assert two.lease(FRANKFURT).promote().done


def test_a_planned_handover_takes_no_longer_than_the_loss_of_the_home_if_replication_has_stopped(two: Regions) -> None:
    two.here = FRANKFURT
    two.lease(FRANKFURT).promote()
    two.now += LEASE_MS + MARGIN_MS - 1
    assert two.lease(FRANKFURT).promote().wait_ms == 1
    two.now += 1
    assert two.lease(FRANKFURT).promote().done


def test_a_home_whose_changes_were_lost_with_its_region_is_not_waited_for(two: Regions) -> None:
    two.here, two.down = FRANKFURT, {DUBLIN}
    two.now += LEASE_MS + MARGIN_MS
    assert two.lease(FRANKFURT).promote().done
