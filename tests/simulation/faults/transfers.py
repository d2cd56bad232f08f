"""Transfers to the lobby of another operator: the states that scenarios start from, and the users' requests.

The offer has a fixed id, and was made by another user than the one who completes it. The acceptance is signed by the
other operator's key.
"""

from typing import Final

from lobby.deployment import NAMES
from lobby.domain.transfers.transfer import Transfer, TransferStep
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint
from tests.aws import HOME, REGION
from tests.functional.admin_api.other_lobby import BOBS_KEY, ID, acceptance
from tests.simulation.faults import initial_states
from tests.simulation.faults.devices import A, Fleet
from tests.simulation.faults.initial_states import ONE
from tests.simulation.faults.other_lobby import names_of_actors, other_lobby, transferred_from

_AT: Final = "2026-11-22T12:00:00.000Z"
_END: Final = "2099-01-01T00:00:00.000Z"
_EARLIER: Final = Fingerprint("e" * 64)
OFFERED: Final = Transfer(TransferStep.OFFERED, ID, "Bob", _AT, "user:ann", _END)
_OFFER: Final = """mutation($id: ID!, $offer: String!) {
  offerDevices(certids: [$id], to: "Bob", offer: $offer) { results { code } } }"""
_COMPLETE: Final = """mutation($text: String!, $key: String!) {
  completeTransfer(document: $text, key: $key) { results { code } } }"""
_WITHDRAW: Final = "mutation($id: ID!) { withdrawTransfers(certids: [$id]) { results { code } } }"


def offered(fleet: Fleet) -> None:
    """Arrived in A, and offered."""
    initial_states.arrived(fleet)
    fleet.cloud.settle()
    Ledger(REGION, fleet.clock, pause=lambda _attempt: None).offer(fleet.devices[ONE].certid, OFFERED)


def offered_while_waiting(fleet: Fleet) -> None:
    initial_states.waiting(fleet)
    fleet.cloud.settle()
    Ledger(REGION, fleet.clock, pause=lambda _attempt: None).offer(fleet.devices[ONE].certid, OFFERED)


def transferred(fleet: Fleet) -> None:
    offered(fleet)
    complete(fleet)


def registered_by_its_new_lobby(fleet: Fleet) -> None:
    """Offered. The new lobby, which has the target A too, has registered the device there already."""
    offered(fleet)
    with names_of_actors():
        other_lobby(ONE, fleet.devices[ONE].certid, A).register()


def left_by_its_former_lobby(fleet: Fleet) -> None:
    """Waiting. The former lobby, in which it has renewed its certificate, has the target A too, and has cleared it."""
    initial_states.waiting(fleet)
    fleet.cloud.settle()
    former = other_lobby(ONE, fleet.devices[ONE].certid, A, first=_EARLIER)
    with names_of_actors():
        former.register()
        transferred_from(former).clear()


def offer(fleet: Fleet) -> None:
    fleet.cloud.request(_OFFER, {"id": fleet.devices[ONE].certid, "offer": ID})


def complete(fleet: Fleet) -> None:
    text = acceptance(fleet.devices[ONE].certid, by=NAMES.key(HOME))
    fleet.cloud.request(_COMPLETE, {"text": text, "key": BOBS_KEY}, "admin")


def withdraw(fleet: Fleet) -> None:
    fleet.cloud.request(_WITHDRAW, {"id": fleet.devices[ONE].certid}, "admin")
