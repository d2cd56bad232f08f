"""The job that needs the grants of the door `claim`, which belong to the hook, the template and the registrar.

A device joins with a claim certificate that AWS IoT has issued, a second key of its serial number is refused, then
approved, and a supplied claim certificate is added and revoked. Devices of another lobby are accepted.
"""

import secrets
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

from cryptography.x509 import load_pem_x509_certificate

from admin_api.cli.bundle.claim_keys import self_signed
from pki.ca.certificates import fingerprint
from tests.bench.iam.allocation_function import allocation as by_function
from tests.bench.iam.api_jobs import claim_serial_numbers
from tests.bench.iam.device_jobs import named, target_input
from tests.bench.iam.fixture import JobFailed, JobFixture
from tests.bench.iam.timer_jobs import invoke
from tests.e2e.claiming_device import ClaimConnection, Pending, new_key, request_of, stored

_CREATE: Final = """
mutation($name: String!, $allocation: AllocationInput!) {
  createEnrolment(
    name: $name, door: "claim", match: {listed: true}, limit: 5, repeat: "ask", allocation: $allocation
  ) { name }
}"""
_LIST: Final = """
mutation($name: String!, $serials: [String!]!) {
  addSerialNumbers(enrolment: $name, serialNumbers: $serials) { added }
}"""
_ADD: Final = """
mutation($name: String!, $csr: String, $pem: String) {
  addClaimCertificate(enrolment: $name, csr: $csr, certificatePem: $pem) { certificateId certificatePem }
}"""
_APPROVE: Final = """
mutation($name: String!, $serial: String!) { approveSerialNumber(enrolment: $name, serialNumber: $serial) { until } }"""
_REVOKE: Final = "mutation($id: String!) { revokeClaimCertificate(certificateId: $id) { state } }"
_CLAIM: Final = "mutation($id: ID!, $target: TargetInput!) { claimDevice(certid: $id, target: $target) { certid } }"
_RELEASE: Final = "mutation($id: ID!) { releaseDevice(certid: $id) { certid } }"
_STATE: Final = "query($id: ID!) { device(certid: $id) { devstate reason } }"
_numbers = count(1)


def join_by_claim(fixture: JobFixture) -> None:
    name = f"claim-{next(_numbers)}-{secrets.token_hex(3)}"
    serial = f"{name}-serial"
    fixture.request("creates", _CREATE, "admin", name=name, allocation=by_function(fixture))
    fixture.request("lists", _LIST, name=name, serials=[serial, f"{serial}-claimed"])
    key = new_key()
    added = fixture.request("issues", _ADD, "admin", name=name, csr=request_of(key, name))["addClaimCertificate"]
    claim = stored(Path(fixture.directory), name, key, added["certificatePem"])
    try:
        connection = ClaimConnection(fixture.deployed.file, claim)
    except ConnectionError as error:
        raise JobFailed(f"claim connection: {error}") from None
    try:
        _join(fixture, connection, name, serial)
    finally:
        connection.close()
    pem = self_signed(new_key(), name, 30, datetime.now(UTC) - timedelta(minutes=1))
    supplied = fixture.request("registers", _ADD, "admin", name=name, pem=pem)["addClaimCertificate"]
    fixture.request("revokes", _REVOKE, id=supplied["certificateId"])
    _accept(fixture, name)
    _forget_last_cleaning(fixture)
    invoke(fixture, "registrar", {"operation": "run"})


def _accept(fixture: JobFixture, name: str) -> None:
    """Accept devices of another lobby: one that is claimed already, and one whose claim was released."""
    devices = []
    for place in ("claimed", "released"):
        pem = self_signed(new_key(), f"{name}-{place}", 30, datetime.now(UTC) - timedelta(minutes=1))
        certid = fingerprint(load_pem_x509_certificate(pem.encode()))
        fixture.request("claims", _CLAIM, id=certid, target=target_input(fixture.first))
        if place == "released":
            fixture.request("releases", _RELEASE, id=certid)
        devices.append({"certid": certid, "name": f"{name}-{place}", "pem": pem})
    event = {"operation": "accept", "offer": secrets.token_hex(16), "origin": "another lobby", "actor": "user:ann"}
    answer = invoke(fixture, "registrar", {**event, "expires": "2030-01-01T00:00:00.000Z", "devices": devices})
    if "results" not in answer:
        raise JobFailed(f"accepts: {answer}"[:120])
    refused = [each["message"] for each in answer["results"] if each["code"]]
    if refused:
        raise JobFailed(f"accepts: {refused[0]}")


def _forget_last_cleaning(fixture: JobFixture) -> None:
    """Otherwise, the registrar lists certificates once an hour."""
    tables = fixture.deployed.client(fixture.deployed.lobby, "dynamodb")
    tables.delete_item(TableName="device-lobby-rounds", Key={"name": {"S": "registrar"}})


def _join(fixture: JobFixture, connection: ClaimConnection, name: str, serial: str) -> None:
    first, second = connection.certificate(serial), connection.certificate(serial)
    _expect(connection, first, serial, "accepted")
    fixture.wait_for("commissioned", lambda: _state(fixture, first, "commissioned"))
    _expect(connection, second, serial, "rejected")
    fixture.wait_for("refused", lambda: _state(fixture, second, "refused"))
    fixture.request("approves", _APPROVE, name=name, serial=serial)
    _expect(connection, second, serial, "accepted")
    fixture.wait_for("replaced", lambda: _state(fixture, first, "revoked"))
    claim_serial_numbers(fixture, f"{serial}-claimed")
    third = connection.certificate(f"{serial}-claimed")
    _expect(connection, third, f"{serial}-claimed", "accepted")
    fixture.wait_for("claimed by serial number", lambda: _state(fixture, third, "commissioned"))


def _expect(connection: ClaimConnection, pending: Pending, serial: str, kind: str) -> None:
    got, answer = connection.provision(pending, serial)
    if got != kind:
        raise JobFailed(f"provisioning: got {got}, {answer}")


def _state(fixture: JobFixture, pending: Pending, state: str) -> bool | None:
    row = fixture.request("reads", _STATE, id=pending.certid)["device"]
    return (row is not None and row["devstate"] == state) or None


CLAIM_JOBS: Final = named(join_by_claim)
