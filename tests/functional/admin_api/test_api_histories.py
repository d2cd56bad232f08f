"""Histories as the API verifies them: each tampering in the tables is told, with its entry; and who was ever here."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from admin_api.graphql.limits import MAX_ALIASES
from lobby.domain.device import Entry
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.items import row_of
from lobby.ledger.models import HistoryRow, LedgerRow
from lobby.names import Fingerprint
from lobby.wire import encode_label
from tests.functional.admin_api.api_on_moto import HERE, Lobby, counted, fingerprint

VERIFY = """
query($id: ID!) { verifyHistory(certid: $id) { certid ok entries anchored pending seq code message } }"""
ANCHORED = """
query($first: Int!, $after: ID) {
  anchoredDevices(first: $first, after: $after) { certids pageInfo { hasNextPage endCursor } }
}"""
WHOLE = {"ok": True, "seq": None, "code": None, "message": None}


def anchored(lobby: Lobby, number: int = 1) -> Fingerprint:
    """A device with three entries, all anchored."""
    certid = lobby.waiting(number)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    for entry in lobby.ledger.history(certid):
        lobby.anchors.put(certid, entry.seq, entry.hash)
    return certid


def verified(lobby: Lobby, certid: str, role: str = "operator") -> dict[str, Any]:
    found: dict[str, Any] = lobby.ask(VERIFY, {"id": certid}, (role,)).data["verifyHistory"]
    return found


@pytest.mark.parametrize("role", ["viewer", "technician", "operator", "admin"])
def test_a_whole_history_is_said_to_be_whole_to_anybody_with_a_role(lobby: Lobby, role: str) -> None:
    certid = anchored(lobby)
    counts = {"certid": certid, "entries": 3, "anchored": 3, "pending": 0}
    assert verified(lobby, encode_label(certid), role) == WHOLE | counts


def test_what_is_not_anchored_yet_is_said_and_is_no_fault(lobby: Lobby) -> None:
    found = verified(lobby, lobby.waiting(1))
    assert found == WHOLE | {"certid": fingerprint(1), "entries": 2, "anchored": 0, "pending": 2}


def _altered(certid: Fingerprint, _entries: Sequence[Entry]) -> None:
    HistoryRow(certid, 2).update(actions=[HistoryRow.actor.set("user:mallory")])


def _removed(certid: Fingerprint, _entries: Sequence[Entry]) -> None:
    HistoryRow(certid, 2).delete()


def _truncated(certid: Fingerprint, entries: Sequence[Entry]) -> None:
    HistoryRow(certid, 3).delete()
    last = entries[1]
    LedgerRow(certid).update(
        actions=[LedgerRow.version.set(2), LedgerRow.head.set(last.hash), LedgerRow.devstate.set("inlobby")]
    )


def _rewritten(certid: Fingerprint, entries: Sequence[Entry]) -> None:
    prior = entries[0].hash
    for entry in entries[1:]:
        forged = Entry(**{**vars(entry), "actor": "user:bob", "prior": prior}).sealed()
        row_of(forged).save()
        prior = forged.hash
    LedgerRow(certid).update(actions=[LedgerRow.head.set(prior)])


def _no_entry(certid: Fingerprint, _entries: Sequence[Entry]) -> None:
    HistoryRow(certid, 2).update(actions=[HistoryRow.event.set("nonsense")])


def _gone(certid: Fingerprint, entries: Sequence[Entry]) -> None:
    for entry in entries:
        HistoryRow(certid, entry.seq).delete()
    LedgerRow(certid).delete()


def _row_gone(certid: Fingerprint, _entries: Sequence[Entry]) -> None:
    LedgerRow(certid).delete()


def _row_claimed_by_hand(certid: Fingerprint, _entries: Sequence[Entry]) -> None:
    LedgerRow(certid).update(actions=[LedgerRow.target.set("222222222222/us-east-1")])


TAMPERED: dict[Callable[[Fingerprint, Sequence[Entry]], None], tuple[int, str]] = {
    _altered: (2, "ALTERED"),
    _removed: (2, "MISSING"),
    _truncated: (3, "MISSING"),
    _rewritten: (2, "REPLACED"),
    _no_entry: (2, "ALTERED"),
    _gone: (1, "MISSING"),
    _row_gone: (3, "ROW_MISSING"),
    _row_claimed_by_hand: (3, "ROW_DIFFERS"),
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda each: each.__name__.strip("_"))
def test_tampering_is_told_with_its_entry(lobby: Lobby, tamper: Callable[[Fingerprint, Sequence[Entry]], None]) -> None:
    certid = anchored(lobby)
    tamper(certid, lobby.ledger.history(certid))
    found = verified(lobby, certid)
    assert (found["ok"], (found["seq"], found["code"])) == (False, TAMPERED[tamper])
    assert found["message"]


def test_an_entry_that_is_none_any_more_breaks_the_device_s_own_page_no_more(lobby: Lobby) -> None:
    certid = anchored(lobby)
    _no_entry(certid, ())
    asked = "query($id: ID!) { device(certid: $id) { historyIntact history { seq } } }"
    assert lobby.ask(asked, {"id": certid}).data["device"] == {
        "historyIntact": False,
        "history": [{"seq": 1}, {"seq": 3}],
    }


def test_a_device_that_was_never_here_has_no_history_to_verify(lobby: Lobby) -> None:
    assert lobby.ask(VERIFY, {"id": fingerprint(9)}).data == {"verifyHistory": None}
    assert lobby.ask(VERIFY, {"id": "not a fingerprint"}).code == "INVALID_FINGERPRINT"


def test_a_forgotten_device_s_history_can_be_verified_still(lobby: Lobby) -> None:
    certid = fingerprint(4)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    assert lobby.ledger.release(certid, "user:alice") is None
    found = verified(lobby, certid)
    assert (found["ok"], found["entries"]) == (True, 2)


def test_all_devices_that_ever_were_come_page_by_page(lobby: Lobby) -> None:
    certids = [anchored(lobby, number) for number in range(1, 6)]
    _gone(certids[2], lobby.ledger.history(certids[2]))
    told, after = [], None
    for _ in range(3):
        page = lobby.ask(ANCHORED, {"first": 2, "after": after}).data["anchoredDevices"]
        told += page["certids"]
        after = page["pageInfo"]["endCursor"]
    assert (told, after, page["pageInfo"]["hasNextPage"]) == (certids, None, False)


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"first": 0}, "INVALID_COUNT"),
        ({"first": 1001}, "INVALID_COUNT"),
        ({"first": -5}, "INVALID_COUNT"),
        ({"first": 5, "after": "../.."}, "INVALID_FINGERPRINT"),
        ({"first": 5, "after": "~"}, "INVALID_FINGERPRINT"),
    ],
)
def test_a_page_that_cannot_be_is_refused(lobby: Lobby, variables: dict[str, Any], code: str) -> None:
    with counted() as calls:
        assert lobby.ask(ANCHORED, variables).code == code
    assert calls == []


def test_a_request_verifies_no_more_devices_than_it_may_have_aliases(lobby: Lobby) -> None:
    certid = anchored(lobby)
    aliases = " ".join(f'a{n}: verifyHistory(certid: "{certid}") {{ ok }}' for n in range(MAX_ALIASES))
    with counted() as calls:
        assert lobby.ask(f"{{ {aliases} }}").codes == []
    assert len(calls) == 3 * MAX_ALIASES
