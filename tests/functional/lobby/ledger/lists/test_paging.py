"""Lists while devices change."""

from dataclasses import replace

from lobby.domain.states import State
from lobby.ledger.items import attributes_of
from lobby.ledger.lists.listing import Filter, devices
from lobby.ledger.models import LedgerRow
from tests.aws import Calls
from tests.functional.lobby.ledger.listed_devices import device, numbers


def test_a_device_that_changes_between_two_pages_is_not_listed_again(calls: Calls) -> None:
    """The changed device is newer, and the list has already passed that time."""
    for number in range(4):
        LedgerRow(**attributes_of(replace(device(number), devstate=State.INLOBBY))).save()
    first = devices(Filter(), 2)
    LedgerRow(first.devices[0].certid).update(
        actions=[LedgerRow.devstate.set("claimed"), LedgerRow.enteredat.set("2026-11-23T00:00:00.000Z")]
    )
    assert (numbers(first), numbers(devices(Filter(), 2, first.cursor))) == ([3, 2], [1, 0])


def test_a_removed_row_is_skipped_and_does_not_end_the_list(calls: Calls) -> None:
    for number in range(4):
        LedgerRow(**attributes_of(device(number))).save()
    calls.meanwhile["BatchGetItem"] = LedgerRow(device(0).certid).delete
    first = devices(Filter(name_prefix="sensor"), 2)
    assert (numbers(first), numbers(devices(Filter(name_prefix="sensor"), 3, first.cursor))) == ([1, 2], [3])
