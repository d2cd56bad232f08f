"""The cost of an attack: no AWS calls, and no more work than a few ordinary requests.

Work is the number of Python function calls, which is the same on every machine, as a multiple of the work for one
device with its history.
"""

import cProfile
import json
import pstats

import pytest

from admin_api.graphql.limits import MAX_ALIASES, MAX_BODY, MAX_ENTRIES, MAX_LISTED
from admin_api.web import graphql_http
from lobby.domain.states import State
from tests.functional.admin_api.api_on_moto import Lobby, Response, counted

ORDINARY = """query($id: ID!) { device(certid: $id) {
  certid devicename devstate reason message targetaccount targetregion endpoint historyIntact history { at event actor }
} }"""
MAX_REJECTED_WORK = 30
"""For a rejected request, as a multiple of the ordinary request's work."""
MAX_ACCEPTED_WORK = 100
"""For the largest accepted request."""


def _doubling(levels: int, last: str) -> str:
    """Return a document in which each fragment spreads the next one twice: 2^levels paths."""
    each = (f"fragment f{n} on DevicePage {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels))
    return " ".join(["{ devices { ...f0 } }", *each, f"fragment f{levels} on DevicePage {{ {last} }}"])


def _aliased(field: str, times: int) -> str:
    return "{ " + " ".join(f"a{n}: {field}" for n in range(times)) + " }"


BULK = 'claimDevices(certids: ["a"], target: {account: "", region: ""}) { results { ok } }'
ATTACKS = {
    "one field 1,900 times": "{ overview { total " + "total " * 1900 + "} }",
    "one field 1,900 times in lists": "{ " + ("devices { nodes { " + "certid " * 38 + "} } ") * 44 + "}",
    "one field 100 times with fields below": "{ " + "devices { nodes { previousTargets { account } } } " * 100 + "}",
    "one field with an argument 150 times": "{ " + "devices(first: 5) { nodes { certid } } " * 150 + "}",
    "fragments that double, with many fields": _doubling(9, "nodes { " + "certid " * 1700 + "}"),
    "fragments that double forty times": _doubling(40, "pageInfo { hasNextPage }"),
    "many overlapping fragments": "{ devices { "
    + " ".join(f"...g{n}" for n in range(20))
    + " } } "
    + " ".join(f"fragment g{n} on DevicePage {{ nodes {{ {'certid ' * 80} }} }}" for n in range(20)),
    "unused fragments": "{ me { name } } " + " ".join(f"fragment q{n} on Me {{ id }}" for n in range(280)),
    "fragments that spread each other": "{ devices { ...a } } "
    "fragment a on DevicePage { ...b } fragment b on DevicePage { ...a ...a }",
    "a fragment that spreads itself": "{ devices { ...a } } fragment a on DevicePage { nodes { certid } ...a }",
    "many operations": " ".join(f"query q{n} {{ me {{ name }} }}" for n in range(240)),
    "many variables": "query(" + " ".join(f"$v{n}: String" for n in range(480)) + ") { me { name } }",
    "many directives": "{ me { name " + "@include(if: true) " * 300 + "} }",
    "many unknown fields": "{ " + " ".join(f"devicez{n}" for n in range(900)) + " }",
    "many unknown arguments": "{ devices(" + " ".join(f"firsst{n}: 1" for n in range(600)) + ") { nodes { certid } } }",
    "aliases": _aliased("me { name }", MAX_ALIASES + 1),
    "aliases of bulks": "mutation " + _aliased(BULK, MAX_ALIASES + 1),
    "a long alias in a list": "{ devices { nodes { " + "x" * 20_000 + ": certid } } }",
    "a name of 100,000 characters": "{ " + "x" * 100_000 + " }",
    "a number of 100,000 digits": "{ devices(first: " + "9" * 100_000 + ") { nodes { certid } } }",
    "depth": "{ devices { a { b { c { d { e { f } } } } } } }",
    "unlimited depth": "{ " + "a { " * 900 + "}" * 900,
    "nested inline fragments": "{ " + "... { " * 600 + "me { name } " + "} " * 600 + "}",
    "braces": "{" * 1900,
    "tokens": "{ targets { " + "name " * 2100 + "} }",
    "comments": "#\n" * 40_000 + "{ me }",
    "circular introspection": "{ __schema "
    "{ types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
    "a too large page": "{ devices(first: 1000) { nodes { certid } } }",
    "a too long history": '{ device(certid: "<id>") { history(last: 1000000) { at } } }',
    "a long invalid cursor": '{ devices(after: "' + "A" * 90_000 + '") { nodes { certid } } }',
}


def work(lobby: Lobby, document: str, **variables: str) -> tuple[int, list[str], Response]:
    """Return the number of function calls of a request, its AWS calls, and its response. The request runs twice; the
    second run is measured, when everything is imported."""
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
    "introspection in every alias": _aliased(TYPES, MAX_ALIASES),
    "all fields of a device in every alias": _aliased(ALL_FIELDS, MAX_ALIASES),
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
        response = lobby.ask(_aliased("devices(first: 100) { nodes { certid } }", pages + 5))
    assert response.code == "INVALID_COUNT"
    assert "want 1 to 1000 in one request" in response.body["errors"][0]["message"]
    assert calls == ["Query"] * pages * len(State)


def test_all_histories_of_a_request_share_a_quota_of_entries(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    complete = MAX_ENTRIES // 1000
    with counted() as calls:
        response = lobby.ask(_aliased(f'device(certid: "{certid}") {{ history(last: 1000) {{ at }} }}', MAX_ALIASES))
    assert response.codes == ["INVALID_COUNT"] * (MAX_ALIASES - complete)
    assert calls.count("Query") == complete


def test_a_request_can_read_100_history_entries_of_25_devices(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    response = lobby.ask(_aliased(f'device(certid: "{certid}") {{ history {{ at }} }}', MAX_ALIASES))
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
