"""Certificate facts of a device: returned to every role, never as PEM, null if unreadable."""

import json

import pytest

from lobby.domain.identity import Identity
from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint, ThingName
from tests.certificates import authority, device, fingerprint_of, pem_of
from tests.functional.admin_api.api_on_moto import HERE, Lobby, fingerprint

FACTS = """
query($id: ID!) {
  device(certid: $id) {
    devicename certificate { subject issuer serialNumber notBefore notAfter key signature }
  }
}"""


def admitted(lobby: Lobby, pem: str) -> Fingerprint:
    certid = fingerprint_of(pem)
    lobby.ledger.admit(Identity(certid, ThingName("sensor-1"), pem), "bouncer")
    return certid


@pytest.mark.parametrize("role", ["viewer", "technician", "operator", "admin"])
def test_every_role_can_read_certificate_facts(lobby: Lobby, role: str) -> None:
    pem = pem_of(device(authority("Acme CA"), serial=0xBEEF))
    response = lobby.ask(FACTS, {"id": admitted(lobby, pem)}, (role,))
    assert response.data["device"]["certificate"] == {
        "subject": "CN=sensor-1",
        "issuer": "CN=Acme CA",
        "serialNumber": "beef",
        "notBefore": "2026-11-21T12:00:00.000Z",
        "notAfter": "2027-11-22T12:00:00.000Z",
        "key": "EC P-256",
        "signature": "ECDSA SHA-256",
    }
    assert "BEGIN" not in json.dumps(response.body)


def test_an_expected_device_has_no_certificate(lobby: Lobby) -> None:
    lobby.ledger.claim(fingerprint(1), ClaimRequest(HERE), "user:bob")
    assert lobby.ask(FACTS, {"id": fingerprint(1)}).data["device"]["certificate"] is None


def test_an_unreadable_certificate_is_null_and_logged(lobby: Lobby, caplog: pytest.LogCaptureFixture) -> None:
    device = lobby.ask(FACTS, {"id": lobby.waiting(1)}).data["device"]
    assert device == {"devicename": "thing-001", "certificate": None}
    assert "certificate cannot be parsed" in [record.message for record in caplog.records]
