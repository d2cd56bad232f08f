"""Renewals in the API: the overview's numbers, and the renewal of one device, found by each of its certificates."""

import pytest

from lobby.domain.expiry import Expiring
from lobby.ledger.renewal_summary import RenewalSummary, save_summary
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import Lobby
from tests.functional.admin_api.device_steps import arrived

OVERVIEW = """
{ overview { renewals {
    at due overdue unable expiringCertificates expiringAuthorities { kind ca name ends problem }
} } }"""
DEVICE = "query($id: ID!) { device(certid: $id) { certid renewal { stage by overdue unable } } }"
NEW = Fingerprint("cd" * 32)
BY = "2020-01-01T00:00:00.000Z"


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
            {"kind": "list", "ca": "ab" * 32, "name": "CN=Maker", "ends": None, "problem": "CRL_MISSING: got none"}
        ],
    }


def test_a_device_shows_how_far_its_renewal_is_by_label_and_by_new_certificate(lobby: Lobby) -> None:
    certid = arrived(lobby, 1)
    device = lobby.ledger.get(certid)
    assert device is not None
    assert lobby.ask(DEVICE, {"id": device.certid}).data["device"]["renewal"] is None
    due = lobby.ledger.due(device, BY, "service:reconciler")
    found = lobby.ask(DEVICE, {"id": device.certid}).data["device"]["renewal"]
    assert found == {"stage": "due", "by": BY, "overdue": True, "unable": True}
    lobby.ledger.renew(due, NEW, "PEM", None, "service:renewer")
    by_new = lobby.ask(DEVICE, {"id": NEW}).data["device"]
    assert (by_new["certid"], by_new["renewal"]["stage"]) == (device.certid, "signed")


@pytest.mark.parametrize("groups", [("operator",), ("technician",)])
def test_every_user_sees_the_overview(lobby: Lobby, groups: tuple[str, ...]) -> None:
    assert lobby.ask(OVERVIEW, groups=groups).data == {"overview": {"renewals": None}}
