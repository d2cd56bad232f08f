"""Bulk claims: a result for each device, and errors that reject the request."""

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
from lobby.text.label import encode_label
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, Response, at, event_of, fingerprint
from tests.functional.admin_api.user_pool import token

CLAIM = """
mutation($ids: [ID!]!, $target: TargetInput!, $profile: String, $config: JSON) {
  claimDevices(certids: $ids, target: $target, profile: $profile, config: $config) {
    results { certid ok code message device { certid devstate targetaccount profile generation } }
  }
}"""
LAMBDA_RESPONSE_LIMIT = 6 * 1024 * 1024
"""AWS Lambda developer guide, "Lambda quotas": invocation payload, synchronous."""


def claim(lobby: Lobby, certids: Sequence[str], groups: tuple[str, ...] = ("operator",), **more: Any) -> Response:
    return lobby.ask(CLAIM, {"ids": list(certids), "target": at(HERE)} | more, groups)


def results(response: Response) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = response.data["claimDevices"]["results"]
    return items


def codes(response: Response) -> list[str | None]:
    return [result["code"] for result in results(response)]


def state_of(lobby: Lobby, certid: str) -> str | None:
    device = lobby.ledger.get(Fingerprint(certid))
    return device.devstate.value if device else None


@pytest.mark.full
def test_one_request_claims_a_thousand_devices(lobby: Lobby) -> None:
    certids = [fingerprint(number) for number in range(1000)]
    waiting = [lobby.waiting(number) for number in range(3)]
    items = results(claim(lobby, certids, profile="camera", config={"interval": 5}))
    assert [result["certid"] for result in items] == certids
    assert {(result["ok"], result["code"], result["message"]) for result in items} == {(True, None, None)}
    states = [result["device"]["devstate"] for result in items]
    assert states == ["claimed"] * len(waiting) + ["expected"] * (1000 - len(waiting))
    for number in (0, 3, 999):
        device = lobby.ledger.get(certids[number])
        assert device is not None
        assert (device.target, device.profile, device.config) == (HERE, "camera", {"interval": 5})
        assert [(entry.event, entry.actor) for entry in lobby.ledger.history(certids[number])][-1] == (
            "claim",
            "user:alice",
        )


def test_an_error_affects_only_its_own_device(lobby: Lobby) -> None:
    label = encode_label(fingerprint(9))
    elsewhere, revoked, refused = lobby.waiting(1), lobby.waiting(2), fingerprint(3)
    lobby.ledger.claim(elsewhere, ClaimRequest(THERE), "user:bob")
    lobby.ledger.revoke(revoked, "stolen", "user:bob")
    lobby.ledger.refuse(refused, None, "EXPIRED", "got a certificate", "bouncer")
    given = [
        (lobby.waiting(4), None),
        ("zz", "INVALID_FINGERPRINT"),
        ("", "INVALID_FINGERPRINT"),
        ("9" * 50_000, "INVALID_FINGERPRINT"),
        (label[:-1] + ("A" if label[-1] != "A" else "B"), "INVALID_LABEL"),
        ("DL1:", "INVALID_LABEL"),
        (elsewhere, "ALREADY_CLAIMED"),
        (revoked, "REVOKED"),
        (refused, "NOT_ALLOWED"),
        (fingerprint(5), None),
    ]
    response = claim(lobby, [certid for certid, _ in given])
    assert [(result["certid"], result["code"]) for result in results(response)] == given
    for result in results(response):
        assert (result["ok"], bool(result["message"])) == (result["code"] is None, result["code"] is not None)
        assert (result["device"] is None) is (result["code"] is not None)
    assert results(response)[1]["message"] == "got 'zz', want the certificate's SHA-256 fingerprint: 64 hex digits"
    assert (state_of(lobby, given[0][0]), state_of(lobby, given[-1][0])) == ("claimed", "expected")
    device = lobby.ledger.get(elsewhere)
    assert device is not None
    assert device.target == THERE


def test_a_device_given_twice_or_in_several_forms_is_claimed_once(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    forms = [certid, encode_label(certid), certid.upper(), certid, ":".join(certid[i : i + 2] for i in range(0, 64, 2))]
    items = results(claim(lobby, forms))
    assert [result["certid"] for result in items] == forms
    assert {(result["ok"], result["device"]["certid"], result["device"]["generation"]) for result in items} == {
        (True, certid, 1)
    }
    assert [entry.event for entry in lobby.ledger.history(certid)].count(Event.CLAIM) == 1


def test_repeating_a_bulk_claim_changes_nothing_and_succeeds(lobby: Lobby) -> None:
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
def test_an_error_in_the_common_arguments_rejects_the_request(
    lobby: Lobby, changed: dict[str, Any], groups: tuple[str, ...], code: str
) -> None:
    certid = lobby.waiting(1)
    response = claim(lobby, [certid], groups, **changed)
    assert response.code == code
    assert response.body.get("data") is None
    assert state_of(lobby, certid) == "inlobby"


def test_a_technician_can_bulk_claim_for_their_target(lobby: Lobby) -> None:
    certids = [lobby.waiting(number) for number in range(2)]
    assert codes(claim(lobby, certids, ("technician", f"target:{HERE}"))) == [None, None]


def test_all_bulk_claims_of_one_request_share_the_quota(lobby: Lobby) -> None:
    document = (
        "mutation($a: [ID!]!, $b: [ID!]!, $target: TargetInput!) {"
        " a: claimDevices(certids: $a, target: $target) { results { code } }"
        " b: claimDevices(certids: $b, target: $target) { results { code } } }"
    )
    many = [fingerprint(7)] * 999
    response = lobby.ask(document, {"a": [fingerprint(1), "zz"], "b": many, "target": at(HERE)})
    assert (response.code, response.body["errors"][0]["path"]) == ("INVALID_COUNT", ["b"])
    assert (state_of(lobby, fingerprint(1)), state_of(lobby, fingerprint(7))) == ("expected", None)


def test_devices_left_after_the_time_limit_are_not_tried_and_can_be_sent_again(lobby: Lobby) -> None:
    certids = [fingerprint(number) for number in range(60)]
    lobby.seconds = iter([0.0, 1.0, 1.0, MAX_SECONDS])
    first = codes(claim(lobby, certids))
    done = first.count(None)
    assert 0 < done < len(certids)
    assert first == [None] * done + ["NOT_TRIED"] * (len(certids) - done)
    assert [state_of(lobby, certid) for certid in certids] == ["expected"] * done + [None] * (len(certids) - done)
    lobby.seconds = None
    assert codes(claim(lobby, certids)) == [None] * len(certids)


def test_a_request_past_its_time_limit_claims_nothing(lobby: Lobby) -> None:
    lobby.seconds = iter([0.0, MAX_SECONDS])
    assert codes(claim(lobby, [fingerprint(1), "zz"])) == ["NOT_TRIED", "INVALID_FINGERPRINT"]
    assert state_of(lobby, fingerprint(1)) is None


def fail_for(lobby: Lobby, monkeypatch: pytest.MonkeyPatch, poison: str) -> None:
    """Make `claim_many` raise if `poison` is among the devices, after claiming those before it."""
    original = lobby.ledger.claim_many

    def claim_many(certids: Sequence[Fingerprint], *rest: Any) -> Any:
        if poison in certids:
            original(certids[: certids.index(Fingerprint(poison))], *rest)
            raise RuntimeError("table device-lobby-ledger: secret")
        return original(certids, *rest)

    monkeypatch.setattr(lobby.ledger, "claim_many", claim_many)


def test_an_internal_fault_affects_only_the_device_that_causes_it(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    certids = [lobby.waiting(number) for number in range(9)]
    fail_for(lobby, monkeypatch, certids[4])
    response = claim(lobby, [*certids, "zz"])
    assert codes(response) == [None] * 4 + ["INTERNAL"] + [None] * 4 + ["INVALID_FINGERPRINT"]
    assert [entry.event for entry in lobby.ledger.history(certids[0])] == ["admit", "hello", "claim"]
    message = results(response)[4]["message"]
    assert "request-1" in message
    assert "secret" not in json.dumps(response.body)
    assert "secret" in caplog.text


def test_a_persistent_fault_is_not_retried_endlessly(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Mock(side_effect=RuntimeError("secret"))
    monkeypatch.setattr(lobby.ledger, "claim_many", failing)
    lobby.seconds = iter([0.0, MAX_SECONDS])
    assert codes(claim(lobby, [fingerprint(number) for number in range(1000)])) == ["INTERNAL"] * 1000
    assert failing.call_count == 1


def test_a_device_possibly_claimed_before_a_fault_is_not_reported_as_not_tried(
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


def test_an_error_of_an_unmapped_class_is_masked_in_a_result(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobby.ledger, "claim_many", Mock(return_value=[IdentityRefused("WEAK_KEY", "secret")]))
    (result,) = results(claim(lobby, [fingerprint(1)]))
    assert (result["code"], "secret" in result["message"]) == ("INTERNAL", False)


@pytest.mark.parametrize("field", ["config", "message", "certificate { key }", "history { at }"])
def test_a_bulk_claim_returns_only_list_fields(lobby: Lobby, field: str) -> None:
    certids = [lobby.waiting(number) for number in range(3)]
    document = CLAIM.replace("certid devstate", f"certid {field} devstate")
    response = lobby.ask(document, {"ids": certids, "target": at(HERE)})
    assert response.code == "NOT_IN_LISTS"
    assert [state_of(lobby, certid) for certid in certids] == ["claimed"] * 3


def test_the_longest_request_and_its_response_fit_the_gateway_limits(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,000 fingerprints with colons and the largest config; every list field at its maximum length."""
    fields = (
        "certid devicename devstate enteredAt generation reason targetaccount targetregion profile claimedBy claimedAt"
        " firstSeen lobbyRegion shortForm labelCode allowedActions previousTargets { account region }"
    )
    document = CLAIM.replace("certid devstate targetaccount profile generation", fields)
    certids = [f"{number:064x}" for number in range(1000)]
    with_colons = [":".join(certid[i : i + 2] for i in range(0, 64, 2)) for certid in certids]
    body = json.dumps({"query": document, "variables": {"ids": with_colons, "target": at(HERE), "config": "x" * 8000}})
    assert len(body) < MAX_BODY
    lobby.waiting(1, "n" * 128)
    device = lobby.ledger.get(fingerprint(1))
    assert device is not None
    largest = replace(
        device, targets_to_clear=(HERE, THERE) * 5, target=HERE, claimedby="user:" + "a" * 128, reason="R" * 64
    )
    claim_many = Mock(side_effect=lambda chunk, *_: [replace(largest, certid=certid) for certid in chunk])
    monkeypatch.setattr(lobby.ledger, "claim_many", claim_many)
    response = lobby.lambda_handler(event_of(body, authorization=f"Bearer {token('admin')}"), None)  # type: ignore[arg-type]  # the Lambda context is unused
    assert response["statusCode"] == 200
    items = json.loads(response["body"])["data"]["claimDevices"]["results"]
    assert [result["certid"] for result in items] == with_colons
    assert len(json.dumps(response)) < LAMBDA_RESPONSE_LIMIT / 2
