"""Claim certificates through the API: added, listed, revoked, and approvals of serial numbers."""

from typing import Any

import pytest

from lobby.domain.enrolments.claim_certificate import CertificateActivity
from lobby.ledger.enrolments.claim_certificates import ClaimCertificates
from lobby.names import Fingerprint
from tests import certificates as make
from tests.functional.admin_api.api_on_moto import Lobby, Response

CREATE = """
mutation($door: String!, $match: EnrolmentMatchInput, $limit: Int, $repeat: String) {
  createEnrolment(name: "pumps", door: $door, match: $match, limit: $limit, repeat: $repeat) {
    door repeat provisioningTemplate endpoint claimCertificates { certificateId }
  }
}"""
ADD = """
mutation($csr: String, $pem: String, $keys: Boolean! = false) {
  addClaimCertificate(enrolment: "pumps", csr: $csr, certificatePem: $pem, createsKeys: $keys) {
    id certificateId enrolment state expires source createsKeys createdBy certificatePem
  }
}"""
LIST = "{ enrolments { claimCertificates { certificateId state certificatePem } } }"
REVOKE = "mutation($id: String!) { revokeClaimCertificate(certificateId: $id) { state } }"
APPROVE = 'mutation { approveSerialNumber(enrolment: "pumps", serialNumber: "pump-1") { serialNumber until } }'
PEM = make.pem_of(make.device(make.authority(), "claim", end=make.NOW + 3650 * make.DAY))
CERTID = make.fingerprint_of(PEM)


def create(lobby: Lobby, **more: Any) -> Response:
    return lobby.ask(CREATE, {"door": "claim", "limit": 5, **more}, ("admin",))


def add(lobby: Lobby, **more: Any) -> Response:
    return lobby.ask(ADD, {"pem": PEM, **more}, ("admin",))


def test_an_enrolment_by_claim_names_its_template(lobby: Lobby) -> None:
    assert create(lobby, repeat="ask").data["createEnrolment"] == {
        "door": "claim",
        "repeat": "ask",
        "provisioningTemplate": "device-lobby",
        "endpoint": None,
        "claimCertificates": [],
    }


def test_other_doors_have_no_template(lobby: Lobby) -> None:
    created = create(lobby, door="registration", match={"namePattern": "pump-*"}).data["createEnrolment"]
    assert (created["provisioningTemplate"], created["repeat"]) == (None, None)


REJECTED: dict[str, tuple[dict[str, Any], str]] = {
    "no bound": ({"limit": None}, "INVALID_LIMIT"),
    "a CA": ({"match": {"ca": "a" * 64}}, "INVALID_MATCH"),
    "another door": ({"door": "window"}, "INVALID_DOOR"),
    "repeat": ({"repeat": "never"}, "INVALID_REPEAT"),
    "repeat of another door": (
        {"door": "registration", "match": {"namePattern": "*"}, "repeat": "refuse"},
        "INVALID_REPEAT",
    ),
    "no condition of the door registration": ({"door": "registration"}, "INVALID_MATCH"),
}


@pytest.mark.parametrize("case", REJECTED)
def test_wrong_input_is_rejected(lobby: Lobby, case: str) -> None:
    wrong, code = REJECTED[case]
    assert create(lobby, **wrong).code == code
    assert lobby.enrolments.all() == []


def test_a_limit_of_an_enrolment_by_claim_cannot_be_removed(lobby: Lobby) -> None:
    create(lobby)
    changed = lobby.ask('mutation { changeEnrolment(name: "pumps", limit: null) { limit } }', None, ("admin",))
    assert changed.code == "INVALID_LIMIT"


def test_repeat_can_be_changed(lobby: Lobby) -> None:
    create(lobby)
    changed = 'mutation { changeEnrolment(name: "pumps", repeat: "replace") { repeat limit } }'
    assert lobby.ask(changed, None, ("admin",)).data["changeEnrolment"] == {"repeat": "replace", "limit": 5}


def test_a_supplied_claim_certificate_is_added_and_listed_without_its_text(lobby: Lobby) -> None:
    create(lobby)
    added = add(lobby).data["addClaimCertificate"]
    assert added.pop("createdBy").startswith("user:")
    assert added == {
        "id": CERTID,
        "certificateId": CERTID,
        "enrolment": "pumps",
        "state": "active",
        "expires": "2036-11-19T12:00:00.000Z",
        "source": "supplied",
        "createsKeys": False,
        "certificatePem": PEM,
    }
    [listed] = lobby.ask(LIST).data["enrolments"]
    assert listed["claimCertificates"] == [{"certificateId": CERTID, "state": "active", "certificatePem": None}]


def test_wrong_certificates_have_stable_codes(lobby: Lobby) -> None:
    assert add(lobby).code == "UNKNOWN_ENROLMENT"
    create(lobby)
    assert add(lobby, csr="x").code == "INVALID_CERTIFICATE"
    assert add(lobby, pem="x").code == "INVALID_CERTIFICATE"
    assert add(lobby, pem=None, csr="x").code == "INVALID_CSR"
    assert lobby.ask(REVOKE, {"id": CERTID}).code == "UNKNOWN_CLAIM_CERTIFICATE"
    assert lobby.ask(REVOKE, {"id": "x"}).code == "INVALID_FINGERPRINT"


def activity() -> CertificateActivity:
    found = ClaimCertificates.find(Fingerprint(CERTID))
    assert found is not None
    return found.activity


def test_the_states_of_the_enrolment_apply_to_its_claim_certificates(lobby: Lobby) -> None:
    create(lobby)
    add(lobby)
    for operation, expected in (
        ("pause", CertificateActivity.INACTIVE),
        ("resume", CertificateActivity.ACTIVE),
        ("revoke", CertificateActivity.INACTIVE),
    ):
        lobby.ask(f'mutation {{ {operation}Enrolment(name: "pumps") {{ state }} }}').data  # noqa: B018  # raises
        assert activity() is expected


def test_an_end_in_the_past_deactivates_the_claim_certificates(lobby: Lobby) -> None:
    create(lobby)
    add(lobby)
    changed = lobby.ask('mutation { changeEnrolment(name: "pumps", ends: "2026-01-01") { ends } }', None, ("admin",))
    assert changed.codes == []
    assert activity() is CertificateActivity.INACTIVE


def test_a_claim_certificate_is_revoked_permanently(lobby: Lobby) -> None:
    create(lobby)
    add(lobby)
    assert lobby.ask(REVOKE, {"id": CERTID}).data["revokeClaimCertificate"] == {"state": "revoked"}
    assert lobby.ask(REVOKE, {"id": CERTID.upper()}).data["revokeClaimCertificate"] == {"state": "revoked"}
    assert add(lobby).code == "CERTIFICATE_IN_USE"


def test_a_serial_number_is_approved_only_where_a_second_key_is_possible(lobby: Lobby) -> None:
    create(lobby)
    assert lobby.ask(APPROVE).code == "REPEAT_REFUSED"
    lobby.ask('mutation { changeEnrolment(name: "pumps", repeat: "ask") { repeat } }', None, ("admin",))
    assert lobby.ask(APPROVE).data["approveSerialNumber"]["serialNumber"] == "pump-1"
