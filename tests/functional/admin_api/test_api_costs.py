"""The cost of an attack: no AWS calls, and no more work than a few ordinary requests.

Work is the number of Python function calls, which is the same on every machine, as a multiple of the work for one
device with its history.
"""

import cProfile
import json
import pstats

import pytest

from admin_api.graphql.limits import MAX_ALIASES, MAX_BODY, MAX_ENTRIES, MAX_INTROSPECTIONS, MAX_LISTED
from admin_api.web import graphql_http
from lobby.domain.states import State
from tests.functional.admin_api.api_on_moto import Lobby, Response, counted
from tests.functional.admin_api.costly_documents import ATTACKS, aliased

ORDINARY = """query($id: ID!) { device(certid: $id) {
  certid devicename devstate reason message targetaccount targetregion endpoint historyIntact history { at event actor }
} }"""
MAX_REJECTED_WORK = 30
"""For a rejected request, as a multiple of the ordinary request's work."""
MAX_ACCEPTED_WORK = 100
"""For the largest accepted request."""


def work(lobby: Lobby, document: str, **variables: str) -> tuple[int, list[str], Response]:
    """Return the number of function calls of a request, its AWS calls, and its response. The request runs twice, and
    the second run is measured, because the first one also imports modules."""
    lobby.ask(document, variables)
    profile = cProfile.Profile()
    with counted() as calls:
        profile.enable()
        response = lobby.ask(document, variables)
        profile.disable()
    return int(pstats.Stats(profile).total_calls), calls, response  # type: ignore[attr-defined]  # typeshed leaves it out


@pytest.fixture
def ordinary(lobby: Lobby) -> int:
    cost, calls, response = work(lobby, ORDINARY, id=lobby.waiting(1))
    assert (response.codes, calls) == ([], ["GetItem", "Query"])
    return cost


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_rejected_without_aws_calls_and_cheaply(lobby: Lobby, ordinary: int, attack: str) -> None:
    document = ATTACKS[attack].replace("<id>", lobby.waiting(2))
    assert len(document) < MAX_BODY
    cost, calls, response = work(lobby, document)
    assert set(response.codes) <= {"INVALID_QUERY", "INVALID_COUNT", "INVALID_CURSOR"}
    assert response.codes
    assert calls == (["GetItem"] if "<id>" in ATTACKS[attack] else [])
    assert cost < MAX_REJECTED_WORK * ordinary, f"{cost / ordinary:.0f} times an ordinary request"
    assert len(json.dumps(response.body)) < 32 * 1024


ALL_FIELDS = """device(certid: "<id>") {
  certid devicename devstate targetaccount targetregion enteredAt reason profile generation claimedBy claimedAt
  firstSeen lobbyRegion previousTargets { account region } allowedActions shortForm labelCode message config endpoint
  lastSeen clientVersion certificate { subject issuer serialNumber notBefore notAfter key signature } historyIntact
}"""
TYPES = "__schema { types { fields { type { fields { name } } } } }"
LARGEST = {
    "introspection in the allowed aliases": aliased(TYPES, MAX_INTROSPECTIONS),
    "all fields of a device in every alias": aliased(ALL_FIELDS, MAX_ALIASES),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_valid_request_has_bounded_cost(lobby: Lobby, ordinary: int, name: str) -> None:
    cost, calls, response = work(lobby, LARGEST[name].replace("<id>", lobby.waiting(2)))
    assert response.codes == []
    assert len(calls) <= 3 * MAX_ALIASES, "row, certificate and history of each"
    assert cost < MAX_ACCEPTED_WORK * ordinary, f"{cost / ordinary:.0f} times an ordinary request"


def test_all_lists_of_a_request_share_a_quota_of_devices(lobby: Lobby) -> None:
    lobby.waiting(1)
    pages = MAX_LISTED // 100
    with counted() as calls:
        response = lobby.ask(aliased("devices(first: 100) { nodes { certid } }", pages + 5))
    assert response.code == "INVALID_COUNT"
    assert "want 1 to 1000 in one request" in response.body["errors"][0]["message"]
    assert calls == ["Query"] * pages * len(State)


def test_all_histories_of_a_request_share_a_quota_of_entries(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    complete = MAX_ENTRIES // 1000
    with counted() as calls:
        response = lobby.ask(aliased(f'device(certid: "{certid}") {{ history(last: 1000) {{ at }} }}', MAX_ALIASES))
    assert response.codes == ["INVALID_COUNT"] * (MAX_ALIASES - complete)
    assert calls.count("Query") == complete


def test_a_request_can_read_100_history_entries_of_25_devices(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    response = lobby.ask(aliased(f'device(certid: "{certid}") {{ history {{ at }} }}', MAX_ALIASES))
    assert response.codes == []


def test_a_response_over_the_lambda_limit_is_replaced_by_an_error(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    lobby.waiting(1)
    document = "{ devices { nodes { certid devicename labelCode } } }"
    size = len(json.dumps(json.dumps(lobby.ask(document).body, separators=(",", ":")))) - 2
    monkeypatch.setattr(graphql_http, "MAX_RESPONSE", size)
    assert lobby.ask(document).codes == []
    monkeypatch.setattr(graphql_http, "MAX_RESPONSE", size - 1)
    response = lobby.ask(document)
    assert (response.status, response.code, response.body["data"]) == (200, "ANSWER_TOO_LARGE", None)
    assert f"{size} bytes" in response.body["errors"][0]["message"]
