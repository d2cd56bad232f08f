"""What an attack costs the API: nothing of AWS, and no more work than some ordinary requests.

Work is counted in calls of Python functions, the same on every machine, as a multiple of what one device costs that is
asked for with its history.
"""

import cProfile
import json
import pstats

import pytest

from admin_api.graphql.limits import MAX_ALIASES, MAX_BODY, MAX_ENTRIES, MAX_LISTED
from admin_api.web import app
from tests.functional.admin_api.api_on_moto import Answer, Lobby, counted

ORDINARY = """query($id: ID!) { device(certid: $id) {
  certid devicename devstate reason message targetaccount targetregion endpoint historyIntact history { at event actor }
} }"""
REFUSED_WITHIN = 30
"""Times the ordinary request's work, for one that is refused."""
ANSWERED_WITHIN = 100
"""And for the largest that is answered."""


def _doubling(levels: int, last: str) -> str:
    """Each fragment spreads the next one twice: 2^levels paths."""
    each = (f"fragment f{n} on DevicePage {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels))
    return " ".join(["{ devices { ...f0 } }", *each, f"fragment f{levels} on DevicePage {{ {last} }}"])


def _aliased(field: str, times: int) -> str:
    return "{ " + " ".join(f"a{n}: {field}" for n in range(times)) + " }"


BULK = 'claimDevices(certids: ["a"], target: {account: "", region: ""}) { results { ok } }'
ATTACKS = {
    "one field 1,900 times": "{ overview { total " + "total " * 1900 + "} }",
    "one field 1,900 times, in lists": "{ " + ("devices { nodes { " + "certid " * 38 + "} } ") * 44 + "}",
    "one field 100 times with fields below": "{ " + "devices { nodes { previousTargets { account } } } " * 100 + "}",
    "one field with an argument 150 times": "{ " + "devices(first: 5) { nodes { certid } } " * 150 + "}",
    "fragments that double, with many fields": _doubling(9, "nodes { " + "certid " * 1700 + "}"),
    "fragments that double forty times": _doubling(40, "pageInfo { hasNextPage }"),
    "many fragments that overlap": "{ devices { "
    + " ".join(f"...g{n}" for n in range(20))
    + " } } "
    + " ".join(f"fragment g{n} on DevicePage {{ nodes {{ {'certid ' * 80} }} }}" for n in range(20)),
    "fragments that nobody spreads": "{ me { name } } " + " ".join(f"fragment q{n} on Me {{ id }}" for n in range(280)),
    "fragments that spread each other": "{ devices { ...a } } "
    "fragment a on DevicePage { ...b } fragment b on DevicePage { ...a ...a }",
    "a fragment that spreads itself": "{ devices { ...a } } fragment a on DevicePage { nodes { certid } ...a }",
    "many operations": " ".join(f"query q{n} {{ me {{ name }} }}" for n in range(240)),
    "many variables": "query(" + " ".join(f"$v{n}: String" for n in range(480)) + ") { me { name } }",
    "many directives": "{ me { name " + "@include(if: true) " * 300 + "} }",
    "many fields that there are not": "{ " + " ".join(f"devicez{n}" for n in range(900)) + " }",
    "many arguments that there are not": "{ devices("
    + " ".join(f"firsst{n}: 1" for n in range(600))
    + ") { nodes { certid } } }",
    "aliases": _aliased("me { name }", MAX_ALIASES + 1),
    "aliases of bulks": "mutation " + _aliased(BULK, MAX_ALIASES + 1),
    "an alias that every line repeats": "{ devices { nodes { " + "x" * 20_000 + ": certid } } }",
    "a name of 100,000 characters": "{ " + "x" * 100_000 + " }",
    "a number of 100,000 digits": "{ devices(first: " + "9" * 100_000 + ") { nodes { certid } } }",
    "depth": "{ devices { a { b { c { d { e { f } } } } } } }",
    "depth without an end": "{ " + "a { " * 900 + "}" * 900,
    "inline fragments in each other": "{ " + "... { " * 600 + "me { name } " + "} " * 600 + "}",
    "braces": "{" * 1900,
    "tokens": "{ targets { " + "name " * 2100 + "} }",
    "comments": "#\n" * 40_000 + "{ me }",
    "introspection in circles": "{ __schema "
    "{ types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
    "a page larger than one": "{ devices(first: 1000) { nodes { certid } } }",
    "a history longer than one": '{ device(certid: "<id>") { history(last: 1000000) { at } } }',
    "a cursor of our own making": '{ devices(after: "' + "A" * 90_000 + '") { nodes { certid } } }',
}


def work(lobby: Lobby, document: str, **variables: str) -> tuple[int, list[str], Answer]:
    """Calls of functions that a request took, the AWS calls it made, and its answer. The second time it is asked, when
    all is imported."""
    lobby.ask(document, variables)
    profile = cProfile.Profile()
    with counted() as calls:
        profile.enable()
        answer = lobby.ask(document, variables)
        profile.disable()
    return int(pstats.Stats(profile).total_calls), calls, answer  # type: ignore[attr-defined]  # typeshed leaves it out


@pytest.fixture
def ordinary(lobby: Lobby) -> int:
    taken, calls, answer = work(lobby, ORDINARY, id=lobby.waiting(1))
    assert (answer.codes, calls) == ([], ["GetItem", "Query"])
    return taken


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_without_a_call_and_for_little_work(lobby: Lobby, ordinary: int, attack: str) -> None:
    document = ATTACKS[attack].replace("<id>", lobby.waiting(2))
    assert len(document) < MAX_BODY
    taken, calls, answer = work(lobby, document)
    assert set(answer.codes) <= {"INVALID_QUERY", "INVALID_COUNT", "INVALID_CURSOR"}
    assert answer.codes
    assert calls == (["GetItem"] if "<id>" in ATTACKS[attack] else [])
    assert taken < REFUSED_WITHIN * ordinary, f"{taken / ordinary:.0f} times an ordinary request"
    assert len(json.dumps(answer.body)) < 32 * 1024


WHOLE = """device(certid: "<id>") {
  certid devicename devstate targetaccount targetregion enteredAt reason profile generation claimedBy claimedAt
  firstSeen lobbyRegion previousTargets { account region } allowedActions shortForm labelCode message config endpoint
  lastSeen clientVersion certificate { subject issuer serialNumber notBefore notAfter key signature } historyIntact
}"""
TYPES = "__schema { types { fields { type { fields { name } } } } }"
LARGEST = {
    "introspection by every alias": _aliased(TYPES, MAX_ALIASES),
    "all there is to a device by every alias": _aliased(WHOLE, MAX_ALIASES),
}


@pytest.mark.parametrize("most", LARGEST)
def test_the_largest_request_that_is_answered_costs_no_more_than_that(lobby: Lobby, ordinary: int, most: str) -> None:
    taken, calls, answer = work(lobby, LARGEST[most].replace("<id>", lobby.waiting(2)))
    assert answer.codes == []
    assert len(calls) <= 2 * MAX_ALIASES
    assert taken < ANSWERED_WITHIN * ordinary, f"{taken / ordinary:.0f} times an ordinary request"


def test_all_lists_of_a_request_share_a_number_of_lines(lobby: Lobby) -> None:
    lobby.waiting(1)
    pages = MAX_LISTED // 100
    with counted() as calls:
        answer = lobby.ask(_aliased("devices(first: 100) { nodes { certid } }", pages + 5))
    assert answer.code == "INVALID_COUNT"
    assert "want 1 to 1000 in one request" in answer.body["errors"][0]["message"]
    assert calls == ["Query"] * pages


def test_all_histories_of_a_request_share_a_number_of_entries(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    whole = MAX_ENTRIES // 1000
    with counted() as calls:
        answer = lobby.ask(_aliased(f'device(certid: "{certid}") {{ history(last: 1000) {{ at }} }}', MAX_ALIASES))
    assert answer.codes == ["INVALID_COUNT"] * (MAX_ALIASES - whole)
    assert calls.count("Query") == whole


def test_twenty_five_devices_may_be_asked_for_their_last_hundred_entries(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    answer = lobby.ask(_aliased(f'device(certid: "{certid}") {{ history {{ at }} }}', MAX_ALIASES))
    assert answer.codes == []


def test_an_answer_that_a_lambda_cannot_give_is_said_to_be_too_large(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    lobby.waiting(1)
    question = "{ devices { nodes { certid devicename labelCode } } }"
    size = len(json.dumps(json.dumps(lobby.ask(question).body, separators=(",", ":")))) - 2
    monkeypatch.setattr(app, "MAX_RESPONSE", size)
    assert lobby.ask(question).codes == []
    monkeypatch.setattr(app, "MAX_RESPONSE", size - 1)
    answer = lobby.ask(question)
    assert (answer.status, answer.code, answer.body["data"]) == (200, "ANSWER_TOO_LARGE", None)
    assert f"{size} bytes" in answer.body["errors"][0]["message"]
