"""The job that needs the grants of the door `token` and of its authorizer.

A device gets a certificate for its key, then the same one again, then another one for another key; a second device also
gets a key. A wrong token is refused and counted.
"""

import secrets
from itertools import count
from typing import Any, Final

from tests.bench.iam.allocation_function import allocation
from tests.bench.iam.api_jobs import claim_serial_numbers
from tests.bench.iam.device_jobs import named
from tests.bench.iam.fixture import JobFailed, JobFixture
from tests.e2e.vending_requests import TOKEN, VendingDoor

_CREATE: Final = """
mutation($name: String!, $allocation: AllocationInput!) {
  createEnrolment(name: $name, door: "token", match: {listed: true}, limit: 5, allocation: $allocation) { name }
}"""
_LIST: Final = """
mutation($name: String!, $serials: [String!]!) {
  addSerialNumbers(enrolment: $name, serialNumbers: $serials) { added }
}"""
_STATE: Final = "query($id: ID!) { device(certid: $id) { devstate claimedBy } }"
_REVOKE: Final = "mutation($token: String!) { revokeEnrolmentToken(identifier: $token) { state } }"
_numbers = count(1)


def vend_certificates(fixture: JobFixture) -> None:
    name = f"token-{next(_numbers)}-{secrets.token_hex(3)}"
    fixture.request("creates", _CREATE, "admin", name=name, allocation=allocation(fixture))
    fixture.request("lists", _LIST, name=name, serials=[f"{name}-1", f"{name}-2"])
    door = VendingDoor(fixture.deployed, name)
    made = fixture.request("token", TOKEN, enrolment=name, uses=5)["createEnrolmentToken"]
    token = str(made["authorization"])
    first = _vended(door, token, f"{name}-1", 1)
    _wait(fixture, first, "commissioned")
    if _vended(door, token, f"{name}-1", 1) != first:
        raise JobFailed("another certificate for the same key")
    second = _vended(door, token, f"{name}-1", 2)
    _wait(fixture, first, "revoked")
    _wait(fixture, second, "commissioned")
    claim_serial_numbers(fixture, f"{name}-2")
    _wait(fixture, _vended(door, token, f"{name}-2", None), "commissioned")
    _refuse(fixture, door, token, name)


def _vended(door: VendingDoor, token: str, name: str, key: int | None) -> str:
    """Return the fingerprint of the certificate."""
    answer = door.post(token, name, key)
    if answer.status_code != 200:
        raise JobFailed(f"{name} gets status {answer.status_code}")
    return str(answer.json()["certificateId"])


def _refuse(fixture: JobFixture, door: VendingDoor, token: str, name: str) -> None:
    identifier = token.split(maxsplit=1)[0]
    wrong = door.post(f"{identifier} {'A' * 43}", f"{name}-1", 1)
    fixture.request("revokes", _REVOKE, token=identifier)
    revoked = door.post(token, f"{name}-1", 1)
    if (wrong.status_code, revoked.status_code) != (403, 403):
        raise JobFailed("wrong and revoked tokens are refused")
    fixture.wait_for("counts refusals", lambda: _refusals(fixture, name) == {"TOKEN_WRONG": 1, "TOKEN_REVOKED": 1})


def _refusals(fixture: JobFixture, name: str) -> dict[str, int]:
    found = fixture.request("lists", "{ enrolments { name refusals { reason count } } }")["enrolments"]
    [own] = [each["refusals"] for each in found if each["name"] == name]
    return {each["reason"]: each["count"] for each in own}


def _wait(fixture: JobFixture, certid: str, state: str) -> None:
    def look() -> dict[str, Any] | None:
        row: dict[str, Any] | None = fixture.request("reads", _STATE, id=certid)["device"]
        return row if row and row["devstate"] == state else None

    fixture.wait_for(state, look)


VENDING_JOBS: Final = named(vend_certificates)
