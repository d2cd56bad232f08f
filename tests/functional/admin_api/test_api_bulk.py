"""Bulk claims: a result for each, whatever befell the others; and what is refused for all of them together."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from admin_api.graphql.limits import MAX_BODY, MAX_SECONDS
from lobby.domain.states import Event
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, IdentityRefused
from lobby.names import Fingerprint
from lobby.wire import encode_label
from tests.functional.admin_api.api_on_moto import HERE, THERE, Answer, Lobby, at, event_of, fingerprint
from tests.functional.admin_api.tokens_for_tests import token

CLAIM = """
mutation($ids: [ID!]!, $target: TargetInput!, $profile: String, $config: JSON) {
  claimDevices(certids: $ids, target: $target, profile: $profile, config: $config) {
    results { certid ok code message device { certid devstate targetaccount profile generation } }
  }
}"""
LAMBDAS_ANSWER = 6 * 1024 * 1024
"""AWS Lambda developer guide, "Lambda quotas": invocation payload, synchronous."""


def claim(lobby: Lobby, certids: Sequence[str], groups: tuple[str, ...] = ("operator",), **more: Any) -> Answer:
    return lobby.ask(CLAIM, {"ids": list(certids), "target": at(HERE)} | more, groups)


def results(answer: Answer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.data["claimDevices"]["results"]
    return found


def codes(answer: Answer) -> list[str | None]:
    return [result["code"] for result in results(answer)]


def state_of(lobby: Lobby, certid: str) -> str | None:
    device = lobby.ledger.get(Fingerprint(certid))
    return device.devstate.value if device else None


def test_a_thousand_devices_are_claimed_in_one_request_each_with_its_history(lobby: Lobby) -> None:
    certids = [fingerprint(number) for number in range(1000)]
    waiting = [lobby.waiting(number) for number in range(3)]
    found = results(claim(lobby, certids, profile="camera", config={"interval": 5}))
    assert [result["certid"] for result in found] == certids
    assert {(result["ok"], result["code"], result["message"]) for result in found} == {(True, None, None)}
    states = [result["device"]["devstate"] for result in found]
    assert states == ["claimed"] * len(waiting) + ["expected"] * (1000 - len(waiting))
    for number in (0, 3, 999):
        device = lobby.ledger.get(certids[number])
        assert device is not None
        assert (device.target, device.profile, device.config) == (HERE, "camera", {"interval": 5})
        assert [(entry.event, entry.actor) for entry in lobby.ledger.history(certids[number])][-1] == (
            "claim",
            "user:alice",
        )


def test_what_one_fingerprint_cannot_have_holds_up_no_other(lobby: Lobby) -> None:
    label = encode_label(fingerprint(9))
    elsewhere, revoked, gone = lobby.waiting(1), lobby.waiting(2), fingerprint(3)
    lobby.ledger.claim(elsewhere, ClaimRequest(THERE), "user:bob")
    lobby.ledger.revoke(revoked, "stolen", "user:bob")
    lobby.ledger.refuse(gone, None, "EXPIRED", "got a certificate", "bouncer")
    given = [
        (lobby.waiting(4), None),
        ("zz", "INVALID_FINGERPRINT"),
        ("", "INVALID_FINGERPRINT"),
        ("\ud800", "INVALID_FINGERPRINT"),
        ("9" * 50_000, "INVALID_FINGERPRINT"),
        (label[:-1] + ("A" if label[-1] != "A" else "B"), "INVALID_LABEL"),
        ("DL1:", "INVALID_LABEL"),
        (elsewhere, "ALREADY_CLAIMED"),
        (revoked, "REVOKED"),
        (gone, "NOT_ALLOWED"),
        (fingerprint(5), None),
    ]
    answer = claim(lobby, [certid for certid, _ in given])
    assert [(result["certid"], result["code"]) for result in results(answer)] == given
    for result in results(answer):
        assert (result["ok"], bool(result["message"])) == (result["code"] is None, result["code"] is not None)
        assert (result["device"] is None) is (result["code"] is not None)
    assert results(answer)[1]["message"] == "got 'zz', want the certificate's SHA-256 fingerprint: 64 hex digits"
    assert (state_of(lobby, given[0][0]), state_of(lobby, given[-1][0])) == ("claimed", "expected")
    held = lobby.ledger.get(elsewhere)
    assert held is not None
    assert held.target == THERE


def test_a_device_that_is_named_twice_or_in_several_forms_is_claimed_once(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    forms = [certid, encode_label(certid), certid.upper(), certid, ":".join(certid[i : i + 2] for i in range(0, 64, 2))]
    found = results(claim(lobby, forms))
    assert [result["certid"] for result in found] == forms
    assert {(result["ok"], result["device"]["certid"], result["device"]["generation"]) for result in found} == {
        (True, certid, 1)
    }
    assert [entry.event for entry in lobby.ledger.history(certid)].count(Event.CLAIM) == 1


def test_the_same_bulk_again_changes_nothing_and_says_so_by_saying_ok(lobby: Lobby) -> None:
    certids = [lobby.waiting(number) for number in range(3)]
    first = claim(lobby, certids).data
    before = [lobby.ledger.get(certid) for certid in certids]
    assert claim(lobby, certids).data == first
    assert [lobby.ledger.get(certid) for certid in certids] == before


@pytest.mark.parametrize(
    ("changed", "groups", "code"),
    [
        ({"ids": []}, ("operator",), "INVALID_COUNT"),
        ({"ids": ["a"] * 1001}, ("operator",), "INVALID_COUNT"),
        ({"target": at("333333333333/eu-west-1")}, ("operator",), "UNKNOWN_TARGET"),
        ({"target": {"account": "1", "region": "eu-west-1"}}, ("operator",), "INVALID_ACCOUNT"),
        ({"target": {"account": HERE.account, "region": "Mars"}}, ("operator",), "INVALID_REGION"),
        ({"profile": "submarine"}, ("operator",), "UNKNOWN_PROFILE"),
        ({"profile": "../x"}, ("operator",), "INVALID_PROFILE"),
        ({"config": [1]}, ("operator",), "INVALID_CONFIG"),
        ({"config": "factory reset"}, ("operator",), "INVALID_CONFIG"),
        ({"config": "x" * 9000}, ("operator",), "INVALID_CONFIG"),
        ({}, ("viewer",), "FORBIDDEN"),
        ({}, ("technician",), "FORBIDDEN"),
        ({}, ("technician", f"target:{THERE}"), "FORBIDDEN"),
        ({"ids": None}, ("operator",), "INVALID_QUERY"),
        ({"ids": [None]}, ("operator",), "INVALID_QUERY"),
        ({"ids": [{}]}, ("operator",), "INVALID_QUERY"),
    ],
)
def test_what_is_wrong_with_all_of_them_is_told_once_and_nothing_is_claimed(
    lobby: Lobby, changed: dict[str, Any], groups: tuple[str, ...], code: str
) -> None:
    certid = lobby.waiting(1)
    answer = claim(lobby, [certid], groups, **changed)
    assert answer.code == code
    assert answer.body["data"] is None
    assert state_of(lobby, certid) == "inlobby"


def test_a_technician_claims_many_for_a_target_of_theirs(lobby: Lobby) -> None:
    certids = [lobby.waiting(number) for number in range(2)]
    assert codes(claim(lobby, certids, ("technician", f"target:{HERE}"))) == [None, None]


def test_all_bulks_of_one_request_share_the_thousand(lobby: Lobby) -> None:
    document = (
        "mutation($a: [ID!]!, $b: [ID!]!, $target: TargetInput!) {"
        " a: claimDevices(certids: $a, target: $target) { results { code } }"
        " b: claimDevices(certids: $b, target: $target) { results { code } } }"
    )
    many = [fingerprint(7)] * 999
    answer = lobby.ask(document, {"a": [fingerprint(1), "zz"], "b": many, "target": at(HERE)})
    assert (answer.code, answer.body["errors"][0]["path"]) == ("INVALID_COUNT", ["b"])
    assert (state_of(lobby, fingerprint(1)), state_of(lobby, fingerprint(7))) == ("expected", None)


def test_when_the_time_is_up_the_rest_is_not_tried_and_can_be_sent_again(lobby: Lobby) -> None:
    certids = [fingerprint(number) for number in range(60)]
    lobby.seconds = iter([0.0, 1.0, 1.0, MAX_SECONDS])
    first = codes(claim(lobby, certids))
    done = first.count(None)
    assert 0 < done < len(certids)
    assert first == [None] * done + ["NOT_TRIED"] * (len(certids) - done)
    assert [state_of(lobby, certid) for certid in certids] == ["expected"] * done + [None] * (len(certids) - done)
    lobby.seconds = None
    assert codes(claim(lobby, certids)) == [None] * len(certids)


def test_a_request_that_came_too_late_claims_nothing(lobby: Lobby) -> None:
    lobby.seconds = iter([0.0, MAX_SECONDS])
    assert codes(claim(lobby, [fingerprint(1), "zz"])) == ["NOT_TRIED", "INVALID_FINGERPRINT"]
    assert state_of(lobby, fingerprint(1)) is None


def faulty(lobby: Lobby, monkeypatch: pytest.MonkeyPatch, poison: str) -> None:
    """Claims break off where `poison` is among them, those before it done."""
    original = lobby.ledger.claim_many

    def claim_many(certids: Sequence[Fingerprint], *rest: Any) -> Any:
        if poison in certids:
            original(certids[: certids.index(Fingerprint(poison))], *rest)
            raise RuntimeError("table device-lobby-ledger: secret")
        return original(certids, *rest)

    monkeypatch.setattr(lobby.ledger, "claim_many", claim_many)


def test_a_fault_of_ours_befalls_one_device_and_the_others_stand(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    certids = [lobby.waiting(number) for number in range(9)]
    faulty(lobby, monkeypatch, certids[4])
    answer = claim(lobby, [*certids, "zz"])
    assert codes(answer) == [None] * 4 + ["INTERNAL"] + [None] * 4 + ["INVALID_FINGERPRINT"]
    assert [entry.event for entry in lobby.ledger.history(certids[0])] == ["admit", "hello", "claim"]
    masked = results(answer)[4]["message"]
    assert "request-1" in masked
    assert "secret" not in json.dumps(answer.body)
    assert "secret" in caplog.text


def test_a_fault_that_lasts_is_not_tried_for_ever(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Mock(side_effect=RuntimeError("secret"))
    monkeypatch.setattr(lobby.ledger, "claim_many", failing)
    lobby.seconds = iter([0.0, MAX_SECONDS])
    assert codes(claim(lobby, [fingerprint(number) for number in range(1000)])) == ["INTERNAL"] * 1000
    assert failing.call_count == 1


def test_what_may_have_been_claimed_before_a_fault_is_not_said_to_be_untried(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    certids = [fingerprint(number) for number in range(4)]
    original = lobby.ledger.claim_many

    def claim_many(some: Sequence[Fingerprint], *rest: Any) -> Any:
        if len(some) < len(certids):
            return [Conflict("NOT_TRIED", "the time is up")] * len(some)
        original(some[:3], *rest)
        raise RuntimeError("secret")

    monkeypatch.setattr(lobby.ledger, "claim_many", claim_many)
    assert codes(claim(lobby, certids)) == ["INTERNAL"] * 4
    assert state_of(lobby, certids[0]) == "expected"


def test_what_the_ledger_does_not_say_to_people_is_masked_in_a_result_too(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lobby.ledger, "claim_many", Mock(return_value=[IdentityRefused("WEAK_KEY", "secret")]))
    (result,) = results(claim(lobby, [fingerprint(1)]))
    assert (result["code"], "secret" in result["message"]) == ("INTERNAL", False)


@pytest.mark.parametrize("field", ["config", "message", "certificate { key }", "history { at }"])
def test_a_bulk_is_a_list_so_it_reads_no_device_anew(lobby: Lobby, field: str) -> None:
    certids = [lobby.waiting(number) for number in range(3)]
    document = CLAIM.replace("certid devstate", f"certid {field} devstate")
    answer = lobby.ask(document, {"ids": certids, "target": at(HERE)})
    assert answer.code == "NOT_IN_LISTS"
    assert [state_of(lobby, certid) for certid in certids] == ["claimed"] * 3


def test_the_longest_request_and_its_answer_go_through_the_gateway(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand fingerprints with colons and the largest config; every field that a list gives, as long as it gets."""
    fields = (
        "certid devicename devstate enteredAt generation reason targetaccount targetregion profile claimedBy claimedAt"
        " firstSeen lobbyRegion shortForm labelCode allowedActions previousTargets { account region }"
    )
    document = CLAIM.replace("certid devstate targetaccount profile generation", fields)
    whole = [f"{number:064x}" for number in range(1000)]
    spelt = [":".join(certid[i : i + 2] for i in range(0, 64, 2)) for certid in whole]
    body = json.dumps({"query": document, "variables": {"ids": spelt, "target": at(HERE), "config": "x" * 8000}})
    assert len(body) < MAX_BODY
    lobby.waiting(1, "n" * 128)
    device = lobby.ledger.get(fingerprint(1))
    assert device is not None
    fat = replace(
        device, targets_to_clear=(HERE, THERE) * 5, target=HERE, claimedby="user:" + "a" * 128, reason="R" * 64
    )
    many = Mock(side_effect=lambda certids, *_: [replace(fat, certid=certid) for certid in certids])
    monkeypatch.setattr(lobby.ledger, "claim_many", many)
    answer = lobby.lambda_handler(event_of(body, authorization=f"Bearer {token('admin')}"), None)  # type: ignore[arg-type]  # no Lambda context is looked at
    assert answer["statusCode"] == 200
    found = json.loads(answer["body"])["data"]["claimDevices"]["results"]
    assert [result["certid"] for result in found] == spelt
    assert len(json.dumps(answer)) < LAMBDAS_ANSWER / 2
