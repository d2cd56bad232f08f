"""Enrolment tokens through the API: created and shown once, listed without the secret, revoked."""

import re
from typing import Any

import pytest

from lobby.domain.enrolments.enrolment_token import MAX_TOKENS, digest_of, parse_authorization
from lobby.ledger.enrolments import enrolment_tokens
from lobby.ledger.enrolments.enrolment_tokens import find_token
from lobby.names import TokenId
from tests import aws
from tests.functional.admin_api.api_on_moto import Lobby, Response

FIELDS = "identifier enrolment state expires maxUses uses issued lastUse thingName createdBy revokedBy revokedAt"
CREATE_ENROLMENT = """
mutation($door: String!) { createEnrolment(name: "pumps", door: $door, match: {namePattern: "pump-*"}) { door } }"""
CREATE = f"""
mutation($uses: Int! = 1, $expires: String, $thing: String) {{
  createEnrolmentToken(enrolment: "pumps", uses: $uses, expires: $expires, thingName: $thing) {{
    secret authorization token {{ {FIELDS} }}
  }}
}}"""
LIST = f'{{ enrolmentTokens(enrolment: "pumps") {{ {FIELDS} }} }}'
REVOKE = "mutation($token: String!) { revokeEnrolmentToken(identifier: $token) { state revokedBy } }"
HISTORY = '{ enrolmentHistory(name: "pumps") { event detail } }'


@pytest.fixture
def pumps(lobby: Lobby) -> Lobby:
    lobby.ask(CREATE_ENROLMENT, {"door": "token"}, ("admin",))
    return lobby


def create(lobby: Lobby, **more: Any) -> Response:
    return lobby.ask(CREATE, more, ("operator",))


def test_a_token_is_shown_once_and_only_its_hash_is_stored(pumps: Lobby, capsys: pytest.CaptureFixture[str]) -> None:
    created = create(pumps).data["createEnrolmentToken"]
    secret, identifier = created["secret"], created["token"]["identifier"]
    assert re.fullmatch(r"pumps\.[a-z2-7]{10}", identifier)
    credentials = parse_authorization(created["authorization"])
    assert credentials is not None
    assert (credentials.id, credentials.secret) == (identifier, secret)
    found = find_token(TokenId(identifier))
    assert found is not None
    assert found.digest == digest_of(secret)
    assert secret not in str(aws.tables())
    assert pumps.ask(LIST).data["enrolmentTokens"] == [created["token"]]
    output = capsys.readouterr()
    assert secret not in output.out + output.err


def test_by_default_a_token_admits_one_device_within_a_week(pumps: Lobby) -> None:
    token = create(pumps).data["createEnrolmentToken"]["token"]
    assert (token["maxUses"], token["uses"], token["issued"], token["state"]) == (1, 0, 0, "active")
    assert (token["thingName"], token["lastUse"], token["revokedBy"]) == (None, None, None)
    assert create(pumps, expires="2900-01-01").code == "INVALID_TIME"


def test_a_token_can_be_for_one_thing_and_several_certificates(pumps: Lobby) -> None:
    token = create(pumps, uses=3, thing="pump-1").data["createEnrolmentToken"]["token"]
    assert (token["maxUses"], token["thingName"]) == (3, "pump-1")


def test_a_revoked_token_stays_revoked_and_is_in_the_history(pumps: Lobby) -> None:
    identifier = create(pumps).data["createEnrolmentToken"]["token"]["identifier"]
    for _ in range(2):
        revoked = pumps.ask(REVOKE, {"token": identifier}).data["revokeEnrolmentToken"]
        assert revoked["state"] == "revoked"
    events = [(each["event"], each["detail"]) for each in pumps.ask(HISTORY).data["enrolmentHistory"]]
    assert events == [("created", ""), ("token created", identifier), ("token revoked", identifier)]


REJECTED: dict[str, tuple[dict[str, Any], str]] = {
    "no use": ({"uses": 0}, "INVALID_USES"),
    "too many uses": ({"uses": 1_000_001}, "INVALID_USES"),
    "the past": ({"expires": "2020-01-01"}, "INVALID_TIME"),
    "no time": ({"expires": "tomorrow"}, "INVALID_TIME"),
    "a wrong name": ({"thing": "pump 1"}, "INVALID_THING_NAME"),
}


@pytest.mark.parametrize("case", REJECTED)
def test_wrong_input_is_rejected_and_creates_nothing(pumps: Lobby, case: str) -> None:
    wrong, code = REJECTED[case]
    assert create(pumps, **wrong).code == code
    assert pumps.ask(LIST).data["enrolmentTokens"] == []


def test_an_enrolment_of_another_door_has_no_tokens(lobby: Lobby) -> None:
    lobby.ask(CREATE_ENROLMENT, {"door": "registration"}, ("admin",))
    assert create(lobby).code == "WRONG_DOOR"
    assert lobby.ask(LIST).code == "WRONG_DOOR"


def test_a_revoked_enrolment_gets_no_token(pumps: Lobby) -> None:
    pumps.ask('mutation { revokeEnrolment(name: "pumps") { state } }')
    assert create(pumps).code == "ENROLMENT_REVOKED"


def test_an_enrolment_has_a_limited_number_of_tokens(pumps: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolment_tokens, "MAX_TOKENS", 2)
    assert [create(pumps).codes for _ in range(3)] == [[], [], ["INVALID_COUNT"]]
    assert MAX_TOKENS == 1000


def test_an_unknown_token_is_named(pumps: Lobby) -> None:
    assert pumps.ask(REVOKE, {"token": "pumps.aaaaaaaaaa"}).code == "UNKNOWN_TOKEN"
    assert pumps.ask(REVOKE, {"token": "pumps"}).code == "INVALID_TOKEN_ID"
