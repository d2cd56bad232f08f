"""Renewals in the API: the overview's numbers, and the renewal of one device, which is found by each of its
certificates."""

import pytest

from lobby.domain.expiry import Expiring
from lobby.ledger.renewals.renewal_summary import RenewalSummary, save_summary
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import Lobby, counted
from tests.functional.admin_api.device_steps import arrived

OVERVIEW = """
{ overview { renewals {
    at due overdue unable expiringCertificates expiringAuthorities { kind ca name ends problem }
} } }"""
DEVICE = "query($id: ID!) { device(certid: $id) { certid renewal { stage by overdue unable } } }"
LIST = """query($filter: DeviceFilter, $first: Int! = 20, $after: String) {
  devices(filter: $filter, first: $first, after: $after) { nodes { certid } total pageInfo { endCursor } }
}"""
NEW = Fingerprint("cd" * 32)
BY, LATER = "2020-01-01T00:00:00.000Z", "9000-01-01T00:00:00.000Z"


def test_before_the_first_round_the_overview_has_no_renewals(lobby: Lobby) -> None:
    assert lobby.ask(OVERVIEW).data["overview"]["renewals"] is None


def test_the_overview_has_what_the_last_round_found(lobby: Lobby) -> None:
    ending = Expiring("list", "ab" * 32, "CN=Maker", None, "CRL_MISSING: got none")
    save_summary(RenewalSummary(BY, 5, 2, 1, 3, (ending,)))
    assert lobby.ask(OVERVIEW).data["overview"]["renewals"] == {
        "at": BY,
        "due": 5,
        "overdue": 2,
        "unable": 1,
        "expiringCertificates": 3,
        "expiringAuthorities": [
            {"kind": "LIST", "ca": "ab" * 32, "name": "CN=Maker", "ends": None, "problem": "CRL_MISSING: got none"}
        ],
    }


def test_a_device_shows_how_far_its_renewal_is_by_label_and_by_new_certificate(lobby: Lobby) -> None:
    certid = arrived(lobby, 1)
    device = lobby.ledger.get(certid)
    assert device is not None
    assert lobby.ask(DEVICE, {"id": device.certid}).data["device"]["renewal"] is None
    due = lobby.ledger.due(device, BY, "service:reconciler")
    found = lobby.ask(DEVICE, {"id": device.certid}).data["device"]["renewal"]
    assert found == {"stage": "DUE", "by": BY, "overdue": True, "unable": True}
    lobby.ledger.renew(due, NEW, "PEM", None, "service:renewer")
    by_new = lobby.ask(DEVICE, {"id": NEW}).data["device"]
    assert (by_new["certid"], by_new["renewal"]["stage"]) == (device.certid, "SIGNED")


@pytest.mark.parametrize("groups", [("operator",), ("technician",)])
def test_every_user_sees_the_overview(lobby: Lobby, groups: tuple[str, ...]) -> None:
    assert lobby.ask(OVERVIEW, groups=groups).data == {"overview": {"renewals": None}}


def due(lobby: Lobby, number: int, by: str) -> Fingerprint:
    certid = arrived(lobby, number)
    device = lobby.ledger.get(certid)
    assert device is not None
    lobby.ledger.due(device, by, "service:reconciler")
    return certid


def test_lists_have_the_due_or_the_overdue_devices_with_the_first_deadline_first(lobby: Lobby) -> None:
    later, overdue = due(lobby, 1, LATER), due(lobby, 2, BY)
    arrived(lobby, 3)

    def listed(**filter_: object) -> list[str]:
        page = lobby.ask(LIST, {"filter": filter_}).data["devices"]
        assert page["total"] is None
        return [each["certid"] for each in page["nodes"]]

    assert listed(renewal="DUE") == [overdue, later]
    assert listed(renewal="OVERDUE") == [overdue]
    assert listed(renewal="DUE", namePrefix="sensor-1") == [later]
    assert listed(renewal="DUE", state="claimed") == []


def test_a_page_of_due_devices_costs_a_query_of_keys_and_a_read_and_continues(lobby: Lobby) -> None:
    certids = [due(lobby, number, f"2020-01-0{number}T00:00:00.000Z") for number in (1, 2, 3)]
    found, after = list[str](), None
    for _ in certids:
        with counted() as calls:
            page = lobby.ask(LIST, {"filter": {"renewal": "OVERDUE"}, "first": 1, "after": after}).data["devices"]
        assert calls == ["Query", "BatchGetItem"]
        found += [each["certid"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert (found, after) == (certids, None)


def test_a_renewed_device_is_no_longer_listed(lobby: Lobby) -> None:
    certid = due(lobby, 1, BY)
    device = lobby.ledger.get(certid)
    assert device is not None
    device = lobby.ledger.renew(device, NEW, "PEM", None, "service:renewer")
    device = lobby.ledger.commission(device, "a.example", "service:commissioner")
    assert lobby.ask(LIST, {"filter": {"renewal": "DUE"}}).data["devices"]["nodes"]
    lobby.ledger.arrive(device, "service:arrivals", NEW)
    assert lobby.ask(LIST, {"filter": {"renewal": "DUE"}}).data["devices"]["nodes"] == []


@pytest.mark.parametrize("value", ["due", "SIGNED", "", 7])
def test_an_unknown_renewal_is_rejected(lobby: Lobby, value: object) -> None:
    assert lobby.ask(LIST, {"filter": {"renewal": value}}).code == "INVALID_QUERY"
