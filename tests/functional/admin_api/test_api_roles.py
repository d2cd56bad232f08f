"""Every role against every operation, and every kind of token that is not good enough."""

import pytest

from admin_api import roles
from admin_api.roles import Role
from admin_api.schema import schema
from tests import operations
from tests.forged_tokens import FORGED
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, counted, fingerprint
from tests.functional.admin_api.tokens_for_tests import USER_POOL, token
from tests.operations import document, variables
from tests.technician_tricks import TRICKS, filled, refusals

CLAIMS = ("addDevice", "claimDevice", "claimDevices")


def test_every_operation_of_the_schema_is_in_the_code_s_table_and_in_the_tests() -> None:
    core = schema._schema
    assert core.query_type is not None
    assert core.mutation_type is not None
    asked = {*core.query_type.fields, *core.mutation_type.fields}
    assert asked == set(roles.OPERATIONS) == set(operations.OPERATIONS)


@pytest.mark.parametrize("operation", operations.OPERATIONS)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_it_may_and_nothing_else(lobby: Lobby, role: Role, operation: str) -> None:
    certid = lobby.waiting(1)
    if operation in operations.NEEDS_CLAIMED:
        assert lobby.ask(document("claimDevice", HERE), {"id": certid}, ("admin",)).codes == []
    if operation in operations.NEEDS_PROVING:
        certid = lobby.proving(2)
    before = lobby.ledger.get(certid), lobby.targets.all()
    answer = lobby.ask(document(operation, HERE), variables(operation, certid), (role.value, f"target:{HERE}"))
    if operations.allowed(role, operation):
        assert answer.codes == []
    else:
        assert answer.code == "FORBIDDEN"
        assert (lobby.ledger.get(certid), lobby.targets.all()) == before


@pytest.mark.parametrize("operation", CLAIMS)
@pytest.mark.parametrize("groups", [(), (f"target:{THERE}",), ("target:*",), (f"target:{HERE.account}",), (str(HERE),)])
def test_a_technician_claims_for_named_targets_only(lobby: Lobby, operation: str, groups: tuple[str, ...]) -> None:
    certid = lobby.waiting(1)
    assert lobby.ask(document(operation, HERE), {"id": certid}, ("technician", *groups)).code == "FORBIDDEN"
    device = lobby.ledger.get(certid)
    assert device is not None
    assert device.target is None


@pytest.mark.parametrize("trick", TRICKS)
def test_a_technician_reaches_no_other_target_however_it_is_said(lobby: Lobby, trick: str) -> None:
    certid = lobby.waiting(1)
    answer = lobby.ask(filled(trick, HERE, THERE), {"id": certid}, ("technician", f"target:{HERE}"))
    assert refusals(answer.body) & {"FORBIDDEN", "INVALID_ACCOUNT", "INVALID_REGION"}
    device = lobby.ledger.get(certid)
    assert device is not None
    assert device.target in (None, HERE)
    assert THERE not in device.targets_to_clear


@pytest.mark.parametrize("operation", CLAIMS)
def test_a_technician_cannot_take_a_device_over_from_another_target(lobby: Lobby, operation: str) -> None:
    certid = lobby.waiting(1)
    assert lobby.ask(document("claimDevice", THERE), {"id": certid}).codes == []
    before = lobby.ledger.get(certid)
    answer = lobby.ask(document(operation, HERE), {"id": certid}, ("technician", f"target:{HERE}"))
    assert "ALREADY_CLAIMED" in str(answer.body)
    assert lobby.ledger.get(certid) == before


def test_the_highest_role_wins(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    answer = lobby.ask(
        document("claimDevice", HERE), {"id": certid}, ("viewer", "technician", "operator", f"target:{THERE}")
    )
    assert answer.codes == []


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        ("viewer", []),
        ("technician", ["claimDevice"]),
        ("operator", ["claimDevice", "revokeDevice"]),
        ("admin", ["claimDevice", "revokeDevice"]),
    ],
)
def test_a_device_says_what_this_caller_may_do_with_it_now(lobby: Lobby, role: str, actions: list[str]) -> None:
    certid = lobby.waiting(1)
    answer = lobby.ask("query($id: ID!) { device(certid: $id) { allowedActions } }", {"id": certid}, (role,))
    assert answer.data["device"]["allowedActions"] == actions


@pytest.mark.parametrize("document", ["{ targets { name } }", "{ __schema { types { name } } }", "{ __typename }"])
@pytest.mark.parametrize("groups", [(), ("engineers",), (f"target:{HERE}",), ("Admin",), ("admin ",)])
def test_whoever_is_in_no_role_group_may_do_nothing_at_all(
    lobby: Lobby, groups: tuple[str, ...], document: str
) -> None:
    answer = lobby.ask(document, groups=groups)
    assert (answer.status, answer.code) == (403, "FORBIDDEN")


@pytest.mark.parametrize("way", FORGED)
def test_a_token_that_does_not_hold_is_refused_and_nothing_happens(lobby: Lobby, way: str) -> None:
    certid, forged = fingerprint(1), FORGED[way]
    body = {"query": document("claimDevice", HERE), "variables": {"id": certid}}
    with counted() as calls:
        answer = lobby.send(body, forged.header(USER_POOL))
    code = "UNAUTHENTICATED" if forged.status == 401 else "FORBIDDEN"
    assert (answer.status, answer.code, answer.body.get("data")) == (forged.status, code, None)
    assert answer.headers.get("www-authenticate") == ("Bearer" if forged.status == 401 else None)
    assert calls == []
    assert lobby.ledger.get(certid) is None


def test_the_token_that_they_are_all_made_from_is_good(lobby: Lobby) -> None:
    assert lobby.send({"query": "{ me { name } }"}, USER_POOL.admin()).data == {"me": {"name": "alice"}}


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", ""])
def test_a_good_token_is_taken_with_or_without_its_scheme(lobby: Lobby, scheme: str) -> None:
    assert lobby.send({"query": "{ targets { name } }"}, scheme + token("viewer")).codes == []


def test_a_token_bound_to_a_resource_is_an_access_token_too(lobby: Lobby) -> None:
    authorization = f"Bearer {token('viewer', aud='https://api.example')}"
    assert lobby.send({"query": "{ targets { name } }"}, authorization).codes == []


def test_somebody_without_a_username_is_named_by_their_subject(lobby: Lobby) -> None:
    body = {"query": document("claimDevice", HERE), "variables": {"id": fingerprint(1)}}
    lobby.send(body, f"Bearer {token('operator', username=None, sub='sub-7')}")
    device = lobby.ledger.get(fingerprint(1))
    assert device is not None
    assert device.claimedby == "user:sub-7"
