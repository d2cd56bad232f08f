"""The commissioner and a claim that wants proof: it tells the device its code, and registers nothing before."""

import json

import pytest

from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.names import PresenceCode
from tests import aws
from tests.functional.commissioner.workshop import ANN, ONE, A, Record, Workshop, statuses


def says_that_it_shows_codes(shop: Workshop, *, shows: bool = True) -> None:
    with shop.calls.uncounted():
        shop.clock.advance(minutes=2)
        assert shop.ledger.record_heartbeat(shop.device(), None, shows)


def claim_with_proof(shop: Workshop) -> Record:
    with shop.calls.uncounted():
        assert shop.ledger.claim(ONE, ClaimRequest(A, presence=True), ANN).devstate is State.PROVING
    return shop.record()


def confirm(shop: Workshop) -> Device:
    with shop.calls.uncounted():
        device = shop.device()
        return shop.ledger.confirm(device, device.code or PresenceCode(""), ANN)


def test_a_waiting_device_is_told_its_code_at_once_and_nothing_is_registered(shop: Workshop) -> None:
    says_that_it_shows_codes(shop)
    record = claim_with_proof(shop)
    code = shop.device().code
    assert shop.deliver(record) == []
    assert shop.calls.names() == ["GetItem", "Publish", "TransactWriteItems"]
    assert [(topic, json.loads(payload)) for topic, payload in aws.published()] == [
        ("lobby/sensor-1", {"presence": code, "generation": 1})
    ]
    assert (shop.device().devstate, shop.device().needs_commissioner, statuses()) == (
        State.PROVING,
        False,
        ("ACTIVE", None, None),
    )


def test_the_right_code_has_it_registered_and_sent_there(shop: Workshop) -> None:
    says_that_it_shows_codes(shop)
    assert shop.deliver(claim_with_proof(shop)) == []
    confirm(shop)
    assert shop.deliver(shop.record()) == []
    assert (shop.device().devstate, statuses()) == (State.COMMISSIONED, ("ACTIVE", "ACTIVE", None))
    assert "iotep" in json.loads(aws.published()[-1][1])


def test_a_record_of_the_claim_that_comes_after_the_code_was_right_ends_no_turn(shop: Workshop) -> None:
    says_that_it_shows_codes(shop)
    asked = claim_with_proof(shop)
    confirm(shop)
    confirmed = shop.record()
    assert shop.deliver(asked, confirmed) == []
    assert (shop.device().devstate, shop.device().needs_commissioner) == (State.COMMISSIONED, False)
    assert ["presence" in json.loads(payload) for _, payload in aws.published()].count(True) == 0


def test_a_claim_that_was_dropped_meanwhile_is_asked_about_no_more(shop: Workshop) -> None:
    says_that_it_shows_codes(shop)
    record = claim_with_proof(shop)
    shop.release()
    assert shop.deliver(record) == []
    assert aws.published() == []


def test_an_older_device_is_told_nothing_and_nobody_is_woken_for_it(shop: Workshop) -> None:
    says_that_it_shows_codes(shop, shows=False)
    with shop.calls.uncounted():
        shop.ledger.claim(ONE, ClaimRequest(A, presence=True), ANN)
    assert "turn" not in (aws.item(ONE) or {})


@pytest.mark.parametrize("shows", [True, False])
def test_what_it_left_in_the_target_is_out_of_use_until_the_proof_and_in_use_again_after_it(
    shop: Workshop, *, shows: bool
) -> None:
    shop.settle()
    released = shop.release()
    with shop.calls.uncounted():
        shop.ledger.record_heartbeat(shop.ledger.retire(shop.device(), None, ANN), None, shows)
    asked = claim_with_proof(shop)
    assert shop.deliver(released, asked) == []
    assert (shop.device().targets_to_clear, statuses()) == ((), ("ACTIVE", "INACTIVE", None))
    confirm(shop)
    assert shop.deliver(shop.record()) == []
    assert (shop.device().devstate, statuses()) == (State.COMMISSIONED, ("ACTIVE", "ACTIVE", None))
