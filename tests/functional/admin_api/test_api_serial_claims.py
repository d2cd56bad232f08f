"""Claims by serial number through the API: for devices without a certificate, for known devices, and by each role."""

import re
from typing import Any

import pytest

from lobby.domain.identity import Identity
from lobby.ledger.enrolments.serial_claims import find_claim
from lobby.names import Fingerprint, ThingName
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, Response, fingerprint

CLAIM = """
mutation($serials: [String!]!, $target: TargetInput!, $profile: String, $config: JSON) {
  claimSerialNumbers(serialNumbers: $serials, target: $target, profile: $profile, config: $config) {
    results {
      serialNumber ok code message claim { serialNumber account region profile config claimedBy }
      device { certid devstate targetaccount claimedBy }
    }
  }
}"""
LIST = """
query($first: Int! = 20, $after: String) {
  serialNumberClaims(first: $first, after: $after) { nodes { serialNumber } pageInfo { hasNextPage endCursor } }
}"""
WITHDRAW = "mutation($serial: String!) { withdrawSerialNumberClaim(serialNumber: $serial) { serialNumber } }"
PUMP, SENSOR = ThingName("pump-1"), ThingName("sensor-1")
ONE = Fingerprint(fingerprint(1))


def claim(lobby: Lobby, *serials: str, groups: tuple[str, ...] = ("operator",), **more: Any) -> Response:
    target = more.pop("target", HERE)
    variables = {"serials": list(serials), "target": {"account": target.account, "region": target.region}, **more}
    return lobby.ask(CLAIM, variables, groups)


def results(response: Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = response.data["claimSerialNumbers"]["results"]
    return found


def test_a_serial_number_without_a_device_is_claimed_until_one_joins(lobby: Lobby) -> None:
    [result] = results(claim(lobby, PUMP, config={"period": 5}))
    assert (result["ok"], result["code"], result["device"]) == (True, None, None)
    assert result["claim"] == {
        "serialNumber": PUMP,
        "account": HERE.account,
        "region": HERE.region,
        "profile": "default",
        "config": {"period": 5},
        "claimedBy": "user:alice",
    }
    assert lobby.ask(LIST).data["serialNumberClaims"]["nodes"] == [{"serialNumber": PUMP}]


def test_a_known_device_is_claimed_immediately(lobby: Lobby) -> None:
    lobby.ledger.admit(Identity(ONE, SENSOR, "-----PEM-----"), "bouncer")
    [result] = results(claim(lobby, SENSOR))
    assert result["claim"] is None
    assert (result["device"]["certid"], result["device"]["devstate"]) == (ONE, "claimed")
    assert result["device"]["claimedBy"] == "user:alice"
    assert find_claim(SENSOR) is None


def test_each_serial_number_has_its_own_result(lobby: Lobby) -> None:
    claim(lobby, PUMP)
    found = results(claim(lobby, PUMP, "pump 2", "pump-3", target=THERE))
    assert [(each["ok"], each["code"]) for each in found] == [
        (False, "ALREADY_CLAIMED"),
        (False, "INVALID_THING_NAME"),
        (True, None),
    ]
    assert PUMP in found[0]["message"]
    assert not re.search(r"alice|\d{12}", found[0]["message"]), "a technician may not read other targets' claims"
    assert find_claim(ThingName("pump-3")) is not None


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"profile": "submarine"}, "UNKNOWN_PROFILE"),
        ({"config": "x" * 9000}, "INVALID_CONFIG"),
    ],
)
def test_a_request_that_is_wrong_for_all_claims_nothing(lobby: Lobby, more: dict[str, Any], code: str) -> None:
    assert claim(lobby, PUMP, **more).code == code
    assert find_claim(PUMP) is None


@pytest.mark.parametrize("serials", [[], ["s"] * 201], ids=["none", "201"])
def test_the_number_of_serial_numbers_is_limited(lobby: Lobby, serials: list[str]) -> None:
    response = claim(lobby, *serials)
    assert response.code == "INVALID_COUNT"
    assert f"got {len(serials)} serial numbers, want 1 to 200" in response.body["errors"][0]["message"]


def test_a_technician_claims_only_for_named_targets(lobby: Lobby) -> None:
    technician = ("technician", f"target:{HERE}")
    assert results(claim(lobby, PUMP, groups=technician))[0]["ok"]
    assert claim(lobby, "pump-2", groups=technician, target=THERE).code == "FORBIDDEN"
    assert claim(lobby, "pump-2", groups=("viewer",)).code == "FORBIDDEN"
    assert find_claim(ThingName("pump-2")) is None


def test_a_claim_is_withdrawn_by_an_operator(lobby: Lobby) -> None:
    claim(lobby, PUMP)
    assert lobby.ask(WITHDRAW, {"serial": PUMP}, ("technician",)).code == "FORBIDDEN"
    assert lobby.ask(WITHDRAW, {"serial": PUMP}, ("operator",)).data["withdrawSerialNumberClaim"] == {
        "serialNumber": PUMP
    }
    assert lobby.ask(WITHDRAW, {"serial": PUMP}, ("operator",)).code == "UNKNOWN_SERIAL_CLAIM"
    assert lobby.ledger.name_holder(PUMP) is None


def test_claims_are_listed_page_by_page(lobby: Lobby) -> None:
    claim(lobby, "c", "a", "b")
    first = lobby.ask(LIST, {"first": 2}).data["serialNumberClaims"]
    assert [each["serialNumber"] for each in first["nodes"]] == ["a", "b"]
    assert first["pageInfo"] == {"hasNextPage": True, "endCursor": "b"}
    last = lobby.ask(LIST, {"first": 2, "after": "b"}).data["serialNumberClaims"]
    assert ([each["serialNumber"] for each in last["nodes"]], last["pageInfo"]["hasNextPage"]) == (["c"], False)
    assert lobby.ask(LIST, {"first": 101}).code == "INVALID_COUNT"
