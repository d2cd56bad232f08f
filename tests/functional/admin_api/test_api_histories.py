"""Verifying histories: tampering in the tables is reported with its entry. Listing anchored devices."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from admin_api.graphql.limits import MAX_ALIASES
from lobby.domain.device import Entry
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.histories.anchor_runs import Run
from lobby.ledger.items import row_of
from lobby.ledger.models import HistoryRow, LedgerRow
from lobby.names import Fingerprint
from lobby.text.label import encode_label
from tests.functional.admin_api.api_on_moto import HERE, Lobby, counted, fingerprint

VERIFY = """
query($id: ID!) { verifyHistory(certid: $id) { certid ok entries anchored pending seq code message } }"""
ANCHORED = """
query($first: Int!, $after: ID) {
  anchoredDevices(first: $first, after: $after) { certids pageInfo { hasNextPage endCursor } }
}"""
VALID = {"ok": True, "seq": None, "code": None, "message": None}


def anchored(lobby: Lobby, number: int = 1) -> Fingerprint:
    """Return a device with three entries, all anchored."""
    certid = lobby.waiting(number)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    for entry in lobby.ledger.history(certid):
        lobby.anchors.put(Run(certid, entry.seq, (entry.hash,)))
    return certid


def verified(lobby: Lobby, certid: str, role: str = "operator") -> dict[str, Any]:
    check: dict[str, Any] = lobby.ask(VERIFY, {"id": certid}, (role,)).data["verifyHistory"]
    return check


@pytest.mark.parametrize("role", ["viewer", "technician", "operator", "admin"])
def test_every_role_can_verify_a_valid_history(lobby: Lobby, role: str) -> None:
    certid = anchored(lobby)
    counts = {"certid": certid, "entries": 3, "anchored": 3, "pending": 0}
    assert verified(lobby, encode_label(certid), role) == VALID | counts


def test_recent_entries_without_an_anchor_are_pending(lobby: Lobby) -> None:
    check = verified(lobby, lobby.waiting(1))
    assert check == VALID | {"certid": fingerprint(1), "entries": 2, "anchored": 0, "pending": 2}


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
        forged = Entry(**{**vars(entry), "actor": "user:bob", "prior": prior}).with_hash()
        row_of(forged).save()
        prior = forged.hash
    LedgerRow(certid).update(actions=[LedgerRow.head.set(prior)])


def _unreadable(certid: Fingerprint, _entries: Sequence[Entry]) -> None:
    HistoryRow(certid, 2).update(actions=[HistoryRow.event.set("nonsense")])


def _all_deleted(certid: Fingerprint, entries: Sequence[Entry]) -> None:
    for entry in entries:
        HistoryRow(certid, entry.seq).delete()
    LedgerRow(certid).delete()


def _row_deleted(certid: Fingerprint, _entries: Sequence[Entry]) -> None:
    LedgerRow(certid).delete()


def _row_target_changed(certid: Fingerprint, _entries: Sequence[Entry]) -> None:
    LedgerRow(certid).update(actions=[LedgerRow.target.set("222222222222/us-east-1")])


Tampering = Callable[[Fingerprint, Sequence[Entry]], None]
TAMPERED: dict[Tampering, tuple[int, str]] = {
    _altered: (2, "ALTERED"),
    _removed: (2, "MISSING"),
    _truncated: (3, "MISSING"),
    _rewritten: (2, "REPLACED"),
    _unreadable: (2, "ALTERED"),
    _all_deleted: (1, "MISSING"),
    _row_deleted: (3, "ROW_MISSING"),
    _row_target_changed: (3, "ROW_DIFFERS"),
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda each: each.__name__.strip("_"))
def test_tampering_is_reported_with_the_entry(
    lobby: Lobby, tamper: Callable[[Fingerprint, Sequence[Entry]], None]
) -> None:
    certid = anchored(lobby)
    tamper(certid, lobby.ledger.history(certid))
    check = verified(lobby, certid)
    assert (check["ok"], (check["seq"], check["code"])) == (False, TAMPERED[tamper])
    assert check["message"]


def test_an_unreadable_entry_does_not_break_the_device_query(lobby: Lobby) -> None:
    certid = anchored(lobby)
    _unreadable(certid, ())
    document = "query($id: ID!) { device(certid: $id) { historyIntact history { seq } } }"
    assert lobby.ask(document, {"id": certid}).data["device"] == {
        "historyIntact": False,
        "history": [{"seq": 1}, {"seq": 3}],
    }


def test_an_unknown_device_has_no_history_to_verify(lobby: Lobby) -> None:
    assert lobby.ask(VERIFY, {"id": fingerprint(9)}).data == {"verifyHistory": None}
    assert lobby.ask(VERIFY, {"id": "not a fingerprint"}).code == "INVALID_FINGERPRINT"


def test_the_history_of_a_removed_device_can_be_verified(lobby: Lobby) -> None:
    certid = fingerprint(4)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    assert lobby.ledger.release(certid, "user:alice") is None
    check = verified(lobby, certid)
    assert (check["ok"], check["entries"]) == (True, 2)


def test_anchored_devices_are_paged_including_deleted_ones(lobby: Lobby) -> None:
    certids = [anchored(lobby, number) for number in range(1, 6)]
    _all_deleted(certids[2], lobby.ledger.history(certids[2]))
    listed: list[str] = []
    after = None
    for _ in range(3):
        page = lobby.ask(ANCHORED, {"first": 2, "after": after}).data["anchoredDevices"]
        listed += page["certids"]
        after = page["pageInfo"]["endCursor"]
    assert (listed, after, page["pageInfo"]["hasNextPage"]) == (certids, None, False)


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
def test_an_invalid_page_argument_is_rejected(lobby: Lobby, variables: dict[str, Any], code: str) -> None:
    with counted() as calls:
        assert lobby.ask(ANCHORED, variables).code == code
    assert calls == []


def test_a_request_verifies_at_most_one_device_per_alias(lobby: Lobby) -> None:
    certid = anchored(lobby)
    aliases = " ".join(f'a{n}: verifyHistory(certid: "{certid}") {{ ok }}' for n in range(MAX_ALIASES))
    with counted() as calls:
        assert lobby.ask(f"{{ {aliases} }}").codes == []
    assert len(calls) == 3 * MAX_ALIASES
