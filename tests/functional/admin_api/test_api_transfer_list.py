"""The list of transfers in the API: open offers of all devices, by offer, in pages; and the withdrawal of one offer."""

from typing import Any

import pytest

from lobby.domain.states import State
from tests.functional.admin_api.api_on_moto import Lobby
from tests.functional.admin_api.device_steps import state
from tests.functional.admin_api.other_lobby import BOBS_KEY, ID, OTHER, acceptance
from tests.functional.admin_api.user_pool import token

OFFER = """mutation($ids: [ID!]!, $id: String!) {
  offerDevices(certids: $ids, to: "Bob", offer: $id) { document } }"""
COMPLETE = """mutation($text: String!, $key: String!) {
  completeTransfer(document: $text, key: $key) { results { code } } }"""
WITHDRAW = """mutation($ids: [ID!]!, $offer: String) {
  withdrawTransfers(certids: $ids, offer: $offer) { results { code } } }"""
LIST = """query($step: TransferStep! = OFFERED, $offer: String, $first: Int, $after: String) {
  transfers(step: $step, offer: $offer, first: $first, after: $after) {
    nodes { certid devicename devstate transfer { step offer partner } } pageInfo { hasNextPage endCursor } } }"""


def listed(lobby: Lobby, **variables: Any) -> list[str]:
    return [each["certid"] for each in lobby.ask(LIST, variables).data["transfers"]["nodes"]]


def complete(lobby: Lobby, text: str) -> None:
    body = {"query": COMPLETE, "variables": {"text": text, "key": BOBS_KEY}}
    assert lobby.send(body, f"Bearer {token('admin', **{'cognito:username': 'eve', 'username': 'eve'})}").data


def test_open_offers_of_all_devices_are_listed_and_those_of_one_offer(lobby: Lobby) -> None:
    one, two, three = (lobby.waiting(number) for number in (1, 2, 3))
    lobby.waiting(4)
    lobby.ask(OFFER, {"ids": [one, three], "id": OTHER})
    lobby.ask(OFFER, {"ids": [two], "id": ID})
    assert listed(lobby)[0] == two
    assert set(listed(lobby)) == {one, two, three}
    assert set(listed(lobby, offer=OTHER)) == {one, three}
    [found] = lobby.ask(LIST, {"offer": ID}).data["transfers"]["nodes"]
    assert (found["devicename"], found["devstate"]) == ("thing-002", "inlobby")
    assert found["transfer"] == {"step": "offered", "offer": ID, "partner": "Bob"}


def test_a_device_is_listed_in_the_step_of_its_transfer_only(lobby: Lobby) -> None:
    gone, back = lobby.waiting(1), lobby.waiting(2)
    lobby.ask(OFFER, {"ids": [gone, back], "id": ID})
    complete(lobby, acceptance(gone))
    assert (listed(lobby), listed(lobby, step="COMPLETED"), listed(lobby, step="ACCEPTED")) == ([back], [gone], [])
    lobby.ask(WITHDRAW, {"ids": [back]})
    assert listed(lobby) == []


def test_a_page_is_followed_by_the_next_and_its_cursor_belongs_to_the_list(lobby: Lobby) -> None:
    certids = [lobby.waiting(number) for number in range(1, 6)]
    lobby.ask(OFFER, {"ids": certids, "id": ID})
    found, after = list[str](), None
    while True:
        page = lobby.ask(LIST, {"first": 2, "after": after}).data["transfers"]
        found += [each["certid"] for each in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert sorted(found) == sorted(certids)
    assert lobby.ask(LIST, {"first": 2, "after": after, "step": "COMPLETED"}).code == "INVALID_CURSOR"
    assert lobby.ask(LIST, {"first": 2, "after": after, "offer": ID}).code == "INVALID_CURSOR"


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"first": 0}, "INVALID_COUNT"),
        ({"first": 101}, "INVALID_COUNT"),
        ({"offer": "x"}, "INVALID_OFFER"),
        ({"after": "x"}, "INVALID_CURSOR"),
    ],
)
def test_an_argument_that_is_not_valid_is_refused(lobby: Lobby, variables: dict[str, Any], code: str) -> None:
    assert lobby.ask(LIST, variables).code == code


def test_technicians_do_not_see_the_list(lobby: Lobby) -> None:
    assert lobby.ask(LIST, groups=("technician",)).code == "FORBIDDEN"


def test_only_the_named_offer_is_withdrawn_and_no_completed_transfer(lobby: Lobby) -> None:
    open_, gone = lobby.waiting(1), lobby.waiting(2)
    lobby.ask(OFFER, {"ids": [open_, gone], "id": ID})
    complete(lobby, acceptance(gone))

    def withdraw(offer: str) -> list[str | None]:
        answer = lobby.ask(WITHDRAW, {"ids": [open_, gone], "offer": offer}, ("admin",))
        return [each["code"] for each in answer.data["withdrawTransfers"]["results"]]

    assert withdraw(OTHER) == ["NOT_OFFERED", "NOT_OFFERED"]
    assert withdraw(ID) == [None, "NOT_OFFERED"]
    assert state(lobby, gone) is State.TRANSFERRED
    assert lobby.ask(WITHDRAW, {"ids": [open_], "offer": "x"}).code == "INVALID_OFFER"
