"""Every role with every operation, and every invalid token."""

import pytest

from admin_api import roles
from admin_api.roles import Role
from admin_api.schema import schema
from tests import operations
from tests.authorization_bypasses import BYPASSES, bypass_document, error_codes
from tests.forged_tokens import FORGED
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, counted, fingerprint
from tests.functional.admin_api.user_pool import USER_POOL, token
from tests.operations import document, variables

CLAIMS = ("addDevice", "claimDevice", "claimDevices")


def test_every_operation_is_in_the_role_table_and_in_the_tests() -> None:
    core = schema._schema
    assert core.query_type is not None
    assert core.mutation_type is not None
    names = {*core.query_type.fields, *core.mutation_type.fields}
    assert names == set(roles.OPERATIONS) == set(operations.OPERATIONS)


@pytest.mark.usefixtures("topic")
@pytest.mark.parametrize("operation", operations.OPERATIONS)
@pytest.mark.parametrize("role", Role)
def test_a_role_permits_its_operations_and_no_others(lobby: Lobby, role: Role, operation: str) -> None:
    certid = lobby.waiting(1)
    if operation in operations.NEEDS_CLAIMED:
        assert lobby.ask(document("claimDevice", HERE), {"id": certid}, ("admin",)).codes == []
    if operation in operations.NEEDS_PROVING:
        certid = lobby.proving(2)
    before = lobby.ledger.get(certid), lobby.targets.all()
    response = lobby.ask(document(operation, HERE), variables(operation, certid), (role.value, f"target:{HERE}"))
    if operations.allowed(role, operation):
        assert response.codes == [code for each, code in operations.REFUSED.items() if each == operation]
    else:
        assert response.code == "FORBIDDEN"
        assert (lobby.ledger.get(certid), lobby.targets.all()) == before


@pytest.mark.parametrize("operation", CLAIMS)
@pytest.mark.parametrize("groups", [(), (f"target:{THERE}",), ("target:*",), (f"target:{HERE.account}",), (str(HERE),)])
def test_a_technician_can_claim_only_for_named_targets(lobby: Lobby, operation: str, groups: tuple[str, ...]) -> None:
    certid = lobby.waiting(1)
    assert lobby.ask(document(operation, HERE), {"id": certid}, ("technician", *groups)).code == "FORBIDDEN"
    device = lobby.ledger.get(certid)
    assert device is not None
    assert device.target is None


@pytest.mark.parametrize("way", BYPASSES)
def test_no_document_lets_a_technician_claim_for_another_target(lobby: Lobby, way: str) -> None:
    certid = lobby.waiting(1)
    response = lobby.ask(bypass_document(way, HERE, THERE), {"id": certid}, ("technician", f"target:{HERE}"))
    assert error_codes(response.body) & {"FORBIDDEN", "INVALID_ACCOUNT", "INVALID_REGION"}
    device = lobby.ledger.get(certid)
    assert device is not None
    assert device.target in (None, HERE)
    assert THERE not in device.targets_to_clear


@pytest.mark.parametrize("operation", CLAIMS)
def test_a_technician_cannot_take_over_a_device_of_another_target(lobby: Lobby, operation: str) -> None:
    certid = lobby.waiting(1)
    assert lobby.ask(document("claimDevice", THERE), {"id": certid}).codes == []
    before = lobby.ledger.get(certid)
    response = lobby.ask(document(operation, HERE), {"id": certid}, ("technician", f"target:{HERE}"))
    assert "ALREADY_CLAIMED" in str(response.body)
    assert lobby.ledger.get(certid) == before


def test_the_highest_role_counts(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    response = lobby.ask(
        document("claimDevice", HERE), {"id": certid}, ("viewer", "technician", "operator", f"target:{THERE}")
    )
    assert response.codes == []


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        ("viewer", []),
        ("technician", ["claimDevice"]),
        ("operator", ["claimDevice", "quarantineDevice", "revokeDevice"]),
        ("admin", ["claimDevice", "quarantineDevice", "revokeDevice"]),
    ],
)
def test_allowed_actions_depend_on_the_caller(lobby: Lobby, role: str, actions: list[str]) -> None:
    certid = lobby.waiting(1)
    response = lobby.ask("query($id: ID!) { device(certid: $id) { allowedActions } }", {"id": certid}, (role,))
    assert response.data["device"]["allowedActions"] == actions


@pytest.mark.parametrize("document", ["{ targets { name } }", "{ __schema { types { name } } }", "{ __typename }"])
@pytest.mark.parametrize("groups", [(), ("engineers",), (f"target:{HERE}",), ("Admin",), ("admin ",)])
def test_a_user_without_a_role_is_forbidden_everything(lobby: Lobby, groups: tuple[str, ...], document: str) -> None:
    response = lobby.ask(document, groups=groups)
    assert (response.status, response.code) == (403, "FORBIDDEN")


@pytest.mark.parametrize("fault", FORGED)
def test_an_invalid_token_is_rejected_without_effect(lobby: Lobby, fault: str) -> None:
    certid, forged = fingerprint(1), FORGED[fault]
    body = {"query": document("claimDevice", HERE), "variables": {"id": certid}}
    with counted() as calls:
        response = lobby.send(body, forged.header(USER_POOL))
    code = "UNAUTHENTICATED" if forged.status == 401 else "FORBIDDEN"
    assert (response.status, response.code, response.body.get("data")) == (forged.status, code, None)
    assert response.headers.get("www-authenticate") == ("Bearer" if forged.status == 401 else None)
    assert calls == []
    assert lobby.ledger.get(certid) is None


def test_the_unmodified_token_is_valid(lobby: Lobby) -> None:
    assert lobby.send({"query": "{ me { name } }"}, USER_POOL.admin()).data == {"me": {"name": "alice"}}


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", ""])
def test_a_valid_token_is_accepted_with_or_without_its_scheme(lobby: Lobby, scheme: str) -> None:
    assert lobby.send({"query": "{ targets { name } }"}, scheme + token("viewer")).codes == []


def test_an_access_token_may_have_an_audience(lobby: Lobby) -> None:
    authorization = f"Bearer {token('viewer', aud='https://api.example')}"
    assert lobby.send({"query": "{ targets { name } }"}, authorization).codes == []


def test_a_user_without_a_username_is_identified_by_the_subject(lobby: Lobby) -> None:
    body = {"query": document("claimDevice", HERE), "variables": {"id": fingerprint(1)}}
    lobby.send(body, f"Bearer {token('operator', username=None, sub='sub-7')}")
    device = lobby.ledger.get(fingerprint(1))
    assert device is not None
    assert device.claimedby == "user:sub-7"
