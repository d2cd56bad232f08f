"""Every role against every operation, and every kind of token that is not good enough."""

import base64
import json
from typing import Any

import jwt
import pytest

from admin_api.roles import OPERATIONS, Role
from admin_api.schema import schema
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.tokens_for_tests import CLIENT, claims, public_jwk, token

TARGET = f'{{account: "{HERE.account}", region: "{HERE.region}"}}'
PLACE = f'account: "{HERE.account}", region: "{HERE.region}"'
DOCUMENTS = {
    "me": "{ me { name } }",
    "overview": "{ overview { total } }",
    "getDevice": "query($id: ID!) { getDevice(certid: $id) { certid } }",
    "listDevices": "{ listDevices { nextToken } }",
    "listLobbyDevices": "{ listLobbyDevices { nextToken } }",
    "device": "query($id: ID!) { device(certid: $id) { certid historyIntact } }",
    "devices": "{ devices { nodes { certid } } }",
    "targets": "{ targets { name } }",
    "checkTarget": f"{{ checkTarget({PLACE}) {{ ok }} }}",
    "addDevice": (
        f'mutation($id: ID!) {{ addDevice(certid: $id, targetaccount: "{HERE.account}",'
        f' targetregion: "{HERE.region}") {{ certid }} }}'
    ),
    "claimDevice": f"mutation($id: ID!) {{ claimDevice(certid: $id, target: {TARGET}) {{ certid }} }}",
    "claimDevices": (
        f"mutation($id: ID!) {{ claimDevices(certids: [$id], target: {TARGET}) {{ results {{ certid code }} }} }}"
    ),
    "moveDevice": f'mutation($id: ID!) {{ moveDevice(certid: $id, target: {TARGET}, config: "new") {{ certid }} }}',
    "releaseDevice": "mutation($id: ID!) { releaseDevice(certid: $id) { certid } }",
    "revokeDevice": 'mutation($id: ID!) { revokeDevice(certid: $id, why: "lost") { certid } }',
    "retryDevice": "mutation($id: ID!) { retryDevice(certid: $id) { certid } }",
    "registerTarget": f'mutation {{ registerTarget({PLACE}, name: "New") {{ name }} }}',
}
READS = {"me", "overview", "getDevice", "listDevices", "listLobbyDevices", "device", "devices", "targets"}
CLAIMS = {"addDevice", "claimDevice", "claimDevices"}
ALLOWED = {
    "viewer": READS,
    "technician": READS | CLAIMS,
    "operator": READS | CLAIMS | {"moveDevice", "releaseDevice", "revokeDevice", "retryDevice", "checkTarget"},
    "admin": set(DOCUMENTS),
}
NEEDS_CLAIMED = {"moveDevice", "releaseDevice", "retryDevice"}


def variables_of(operation: str, certid: str) -> dict[str, str] | None:
    return {"id": certid} if "$id" in DOCUMENTS[operation] else None


def test_every_operation_of_the_schema_is_in_the_table_and_in_this_test() -> None:
    core = schema._schema
    assert core.query_type is not None
    assert core.mutation_type is not None
    asked = {*core.query_type.fields, *core.mutation_type.fields}
    assert asked == set(OPERATIONS) == set(DOCUMENTS)


@pytest.mark.parametrize("operation", DOCUMENTS)
@pytest.mark.parametrize("role", [role.value for role in Role])
def test_a_role_may_do_what_it_may_and_nothing_else(lobby: Lobby, role: str, operation: str) -> None:
    certid = lobby.waiting(1)
    if operation in NEEDS_CLAIMED:
        lobby.ask(DOCUMENTS["claimDevice"], {"id": certid}, ("admin",)).data  # noqa: B018  # asserts that it went well
    before = lobby.ledger.get(certid), lobby.targets.all()
    answer = lobby.ask(DOCUMENTS[operation], variables_of(operation, certid), (role, f"target:{HERE}"))
    if operation in ALLOWED[role]:
        assert answer.codes == []
    else:
        assert answer.code == "FORBIDDEN"
        assert (lobby.ledger.get(certid), lobby.targets.all()) == before


@pytest.mark.parametrize("operation", sorted(CLAIMS))
@pytest.mark.parametrize("groups", [(), (f"target:{THERE}",), ("target:*",), (f"target:{HERE.account}",), (str(HERE),)])
def test_a_technician_claims_for_named_targets_only(lobby: Lobby, operation: str, groups: tuple[str, ...]) -> None:
    certid = lobby.waiting(1)
    assert lobby.ask(DOCUMENTS[operation], {"id": certid}, ("technician", *groups)).code == "FORBIDDEN"
    device = lobby.ledger.get(certid)
    assert device is not None
    assert device.target is None


def test_the_highest_role_wins(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    answer = lobby.ask(
        DOCUMENTS["claimDevice"], {"id": certid}, ("viewer", "technician", "operator", f"target:{THERE}")
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


def unsigned(header: dict[str, str]) -> str:
    parts = [json.dumps(part).encode() for part in (header, claims("admin"))]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def tampered() -> str:
    head, _, tail = token("viewer").split(".")
    body = base64.urlsafe_b64encode(json.dumps(claims("admin")).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{tail}"


BAD_TOKENS: dict[str, Any] = {
    "none given": lambda: None,
    "empty": lambda: "",
    "no token": lambda: "Bearer",
    "another scheme": lambda: "Basic dXNlcjpwYXNz",
    "two tokens": lambda: f"Bearer {token('admin')} {token('admin')}",
    "not a token": lambda: "Bearer a.b.c",
    "huge": lambda: "Bearer " + "a" * 20_000,
    "expired": lambda: f"Bearer {token('admin', exp=1_700_000_000)}",
    "issued tomorrow": lambda: f"Bearer {token('admin', iat=4_000_000_000, exp=4_000_003_600)}",
    "without expiry": lambda: f"Bearer {token('admin', exp=None)}",
    "another pool": lambda: f"Bearer {token('admin', iss='https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other')}",
    "another issuer": lambda: f"Bearer {token('admin', iss='https://evil.example')}",
    "issuer as a list": lambda: "Bearer " + resigned(iss=["https://evil.example"]),
    "without issuer": lambda: f"Bearer {token('admin', iss=None)}",
    "another client": lambda: f"Bearer {token('admin', client_id='other')}",
    "without client": lambda: f"Bearer {token('admin', client_id=None)}",
    "client as audience": lambda: f"Bearer {token('admin', client_id=None, aud=CLIENT)}",
    "an id token": lambda: f"Bearer {token('admin', token_use='id', aud=CLIENT)}",
    "a refresh token": lambda: f"Bearer {token('admin', token_use='refresh')}",
    "no use": lambda: f"Bearer {token('admin', token_use=None)}",
    "no subject": lambda: f"Bearer {token('admin', sub=None)}",
    "an unknown key": lambda: f"Bearer {token('admin', signed_by='evil', kid='evil')}",
    "no key id": lambda: f"Bearer {token('admin', kid=None)}",
    "another key under the pool's id": lambda: f"Bearer {token('admin', signed_by='evil')}",
    "alg none": lambda: "Bearer " + unsigned({"alg": "none", "typ": "JWT", "kid": "pool-key"}),
    "alg missing": lambda: "Bearer " + unsigned({"typ": "JWT", "kid": "pool-key"}),
    "signed with the public key as a secret": lambda: "Bearer " + confused(),
    "other claims under a good signature": lambda: f"Bearer {tampered()}",
    "groups that are no list": lambda: f"Bearer {token(**{'cognito:groups': 'admin'})}",
    "a username that is no text": lambda: f"Bearer {token('admin', username=['root'])}",
}  # fmt: skip


def resigned(**changed: Any) -> str:
    """A token whose claims PyJWT would not put together."""
    from tests.functional.admin_api.tokens_for_tests import signing_key  # noqa: PLC0415

    made = json.dumps(claims("admin", **changed)).encode()
    return jwt.api_jws.encode(made, signing_key(), algorithm="RS256", headers={"kid": "pool-key"})


def confused() -> str:
    """RFC 8725, section 2.1: HMAC keyed with what everybody may know."""
    secret = base64.urlsafe_b64decode(public_jwk()["n"] + "==")
    return jwt.encode(claims("admin"), secret, algorithm="HS256", headers={"kid": "pool-key"})


@pytest.mark.parametrize("case", BAD_TOKENS)
def test_a_token_that_does_not_hold_is_refused_and_nothing_happens(lobby: Lobby, case: str) -> None:
    certid = fingerprint(1)
    body = {"query": DOCUMENTS["claimDevice"], "variables": {"id": certid}}
    answer = lobby.send(body, BAD_TOKENS[case]())
    assert (answer.status, answer.code, answer.body.get("data")) == (401, "UNAUTHENTICATED", None)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert lobby.ledger.get(certid) is None


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", ""])
def test_a_good_token_is_taken_with_or_without_its_scheme(lobby: Lobby, scheme: str) -> None:
    assert lobby.send({"query": "{ targets { name } }"}, scheme + token("viewer")).codes == []


def test_a_token_bound_to_a_resource_is_an_access_token_too(lobby: Lobby) -> None:
    authorization = f"Bearer {token('viewer', aud='https://api.example')}"
    assert lobby.send({"query": "{ targets { name } }"}, authorization).codes == []


def test_somebody_without_a_username_is_named_by_their_subject(lobby: Lobby) -> None:
    body = {"query": DOCUMENTS["claimDevice"], "variables": {"id": fingerprint(1)}}
    lobby.send(body, f"Bearer {token('operator', username=None, sub='sub-7')}")
    device = lobby.ledger.get(fingerprint(1))
    assert device is not None
    assert device.claimedby == "user:sub-7"
