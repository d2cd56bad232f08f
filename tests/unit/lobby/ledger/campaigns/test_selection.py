"""The stored filter of a campaign."""

import pytest

from lobby.domain.states import State
from lobby.ledger.campaigns.selection import Selection, selection_of
from lobby.ledger.lists.device_filter import Filter
from lobby.names import EnrolmentName, RenewalStatus, parse_target

FILTERS = (
    Filter(),
    Filter(State.ARRIVED, parse_target("1" * 12, "eu-west-1"), "sensor"),
    Filter(fingerprint_prefix="abcd", reason="TARGET_LIMIT", entered_before="2026-11-22T12:00:00.000Z"),
    Filter(renewal=RenewalStatus.OVERDUE),
)


@pytest.mark.parametrize("wanted", FILTERS, ids=repr)
def test_a_stored_filter_selects_the_same_devices(wanted: Filter) -> None:
    selection = Selection(wanted, EnrolmentName("meters"), "model", "camera", "2.0")
    assert selection_of(selection.fields()) == selection
    assert selection_of(Selection(wanted).fields()) == Selection(wanted)
