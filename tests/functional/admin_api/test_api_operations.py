"""The operations other than those of v0.1: requests, rows and histories."""

from typing import Any
from unittest.mock import Mock

import pytest

from lobby.domain.device import Entry
from lobby.domain.history.history_audit import Unreadable
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict
from lobby.ledger.models import HistoryRow
from lobby.names import Fingerprint
from lobby.text.label import encode_label
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, Response, at, fingerprint

CLAIM = """
mutation($id: ID!, $target: TargetInput!, $profile: String, $config: JSON) {
  claimDevice(certid: $id, target: $target, profile: $profile, config: $config) { devstate generation profile config }
}"""
MOVE = CLAIM.replace("claimDevice", "moveDevice")
RELEASE = "mutation($id: ID!) { releaseDevice(certid: $id) { certid forgotten device { devstate } } }"
REVOKE = "mutation($id: ID!, $why: String!) { revokeDevice(certid: $id, why: $why) { devstate reason message } }"
RETRY = "mutation($id: ID!) { retryDevice(certid: $id) { devstate generation } }"
HISTORY = """
query($id: ID!, $last: Int! = 100) {
  device(certid: $id) {
    historyIntact history(last: $last) { seq at actor event before after reason target prior hash }
  }
}"""


def claim(lobby: Lobby, certid: str, target: object = HERE, **more: Any) -> Response:
    return lobby.ask(CLAIM, {"id": certid, "target": at(target), **more})


@pytest.mark.parametrize(
    "form",
    [
        str,
        str.upper,
        lambda certid: ":".join(certid[i : i + 2] for i in range(0, 64, 2)),
        lambda certid: " ".join(certid[i : i + 4] for i in range(0, 64, 4)),
        encode_label,
        lambda certid: encode_label(certid).lower(),
    ],
    ids=["hex", "upper case", "colons", "spaces", "label", "label in lower case"],
)
def test_a_fingerprint_is_accepted_in_every_form_of_a_label(lobby: Lobby, form: Any) -> None:
    certid = lobby.waiting(1)
    assert lobby.ask("query($id: ID!) { device(certid: $id) { certid } }", {"id": form(certid)}).data == {
        "device": {"certid": certid}
    }
    assert claim(lobby, form(certid)).data["claimDevice"]["devstate"] == "claimed"


def test_a_mistyped_label_changes_nothing(lobby: Lobby) -> None:
    code = encode_label(fingerprint(1))
    assert claim(lobby, code[:-1] + ("A" if code[-1] != "A" else "B")).code == "INVALID_LABEL"


def test_a_claim_stores_profile_and_config(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    config = {"interval": 5, "nested": {"on": True, "none": None}, "text": "é"}
    assert claim(lobby, certid, profile="camera", config=config).data["claimDevice"] == {
        "devstate": "claimed",
        "generation": 1,
        "profile": "camera",
        "config": config,
    }
    device = lobby.ledger.get(certid)
    assert device is not None
    assert (device.target, device.claimedby, device.config) == (HERE, "user:alice", config)


def test_a_claim_without_options_uses_the_defaults(lobby: Lobby) -> None:
    assert claim(lobby, lobby.waiting(1)).data["claimDevice"] | {"generation": 0} == {
        "devstate": "claimed",
        "generation": 0,
        "profile": "default",
        "config": "default",
    }


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"profile": "submarine"}, "UNKNOWN_PROFILE"),
        ({"profile": "../x"}, "INVALID_PROFILE"),
        ({"profile": ""}, "INVALID_PROFILE"),
        ({"config": "factory reset"}, "INVALID_CONFIG"),
        ({"config": [1]}, "INVALID_CONFIG"),
        ({"config": 5}, "INVALID_CONFIG"),
        ({"config": {"n": float("nan")}}, "INVALID_REQUEST"),  # the body is not JSON
        ({"config": {"n": float("inf")}}, "INVALID_REQUEST"),
        ({"config": "x" * 9000}, "INVALID_CONFIG"),
        ({"target": at("333333333333/eu-west-1")}, "UNKNOWN_TARGET"),
        ({"target": at("1/eu-west-1")}, "INVALID_ACCOUNT"),
        ({"id": "zz"}, "INVALID_FINGERPRINT"),
    ],
)
def test_an_invalid_claim_changes_nothing(lobby: Lobby, more: dict[str, Any], code: str) -> None:
    certid = lobby.waiting(1)
    before = lobby.ledger.get(certid)
    assert lobby.ask(CLAIM, {"id": certid, "target": at(HERE)} | more).code == code
    assert lobby.ledger.get(certid) == before


def test_repeating_a_claim_is_idempotent_and_a_different_claim_is_rejected(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    assert claim(lobby, certid).data == claim(lobby, certid).data
    assert claim(lobby, certid, THERE).code == "ALREADY_CLAIMED"
    assert claim(lobby, certid, config="other").code == "ALREADY_CLAIMED"


def test_a_move_keeps_omitted_options(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    claim(lobby, certid, config={"a": 1})
    moved = lobby.ask(MOVE, {"id": certid, "target": at(THERE)}).data["moveDevice"]
    assert moved == {"devstate": "claimed", "generation": 2, "profile": "default", "config": {"a": 1}}
    again = lobby.ask(MOVE, {"id": certid, "target": at(THERE), "config": ""}).data["moveDevice"]
    assert (again["generation"], again["config"]) == (3, "")


def test_a_move_to_a_target_without_the_profile_is_rejected(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    claim(lobby, certid, profile="camera")
    assert lobby.ask(MOVE, {"id": certid, "target": at(THERE)}).code == "UNKNOWN_PROFILE"


@pytest.mark.parametrize("document", [MOVE, RELEASE, RETRY])
def test_an_unknown_device_cannot_be_moved_released_or_retried(lobby: Lobby, document: str) -> None:
    variables = {"id": fingerprint(9)} | ({"target": at(HERE)} if document is MOVE else {})
    assert lobby.ask(document, variables).code == "UNKNOWN_DEVICE"


def test_an_unclaimed_device_cannot_be_moved(lobby: Lobby) -> None:
    assert lobby.ask(MOVE, {"id": lobby.waiting(1), "target": at(HERE)}).code == "NOT_ALLOWED"


def test_a_released_device_returns_to_the_lobby(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    claim(lobby, certid)
    assert lobby.ask(RELEASE, {"id": certid}).data["releaseDevice"] == {
        "certid": certid,
        "forgotten": False,
        "device": {"devstate": "inlobby"},
    }


def test_a_released_expected_device_is_removed(lobby: Lobby) -> None:
    certid = fingerprint(1)
    claim(lobby, certid)
    response = lobby.ask(RELEASE, {"id": certid}).data["releaseDevice"]
    assert response == {"certid": certid, "forgotten": True, "device": None}
    assert lobby.ledger.get(certid) is None


def test_a_revoked_device_has_a_reason_and_stays_revoked(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    revoked = lobby.ask(REVOKE, {"id": certid, "why": " stolen "}).data["revokeDevice"]
    assert revoked == {"devstate": "revoked", "reason": "REVOKED", "message": "stolen"}
    assert claim(lobby, certid).code == "REVOKED"


@pytest.mark.parametrize("why", ["", "  ", "x" * 201, "a\nb", "\x00"])
def test_a_revocation_requires_a_printable_reason(lobby: Lobby, why: str) -> None:
    certid = lobby.waiting(1)
    assert lobby.ask(REVOKE, {"id": certid, "why": why}).code == "INVALID_REASON"
    device = lobby.ledger.get(certid)
    assert device is not None
    assert device.devstate == "inlobby"


def test_a_failed_device_has_a_reason_and_can_be_retried(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    claim(lobby, certid)
    device = lobby.ledger.get(certid)
    assert device is not None
    lobby.ledger.fail(device, "ACCESS_DENIED", "the role does not trust us", "commissioner")
    device = lobby.ask(f'{{ device(certid: "{certid}") {{ devstate reason message allowedActions }} }}').data["device"]
    assert device == {
        "devstate": "failed",
        "reason": "ACCESS_DENIED",
        "message": "the role does not trust us",
        "allowedActions": [
            "moveDevice",
            "configureDevice",
            "releaseDevice",
            "retryDevice",
            "quarantineDevice",
            "revokeDevice",
        ],
    }
    assert lobby.ask(RETRY, {"id": certid}).data["retryDevice"] == {"devstate": "claimed", "generation": 2}


def test_the_history_records_actors_and_is_intact(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    claim(lobby, certid)
    device = lobby.ask(HISTORY, {"id": certid}).data["device"]
    assert device["historyIntact"] is True
    assert [(e["seq"], e["event"], e["before"], e["after"], e["actor"]) for e in device["history"]] == [
        (1, "admit", None, "knocking", "bouncer"),
        (2, "hello", "knocking", "inlobby", "receptionist"),
        (3, "claim", "inlobby", "claimed", "user:alice"),
    ]
    assert [e["seq"] for e in lobby.ask(HISTORY, {"id": certid, "last": 1}).data["device"]["history"]] == [3]
    assert lobby.ask(HISTORY, {"id": certid, "last": 0}).codes == ["INVALID_COUNT"]


@pytest.mark.parametrize("fault", ["altered", "first removed", "last removed"])
def test_a_tampered_history_is_not_intact(lobby: Lobby, fault: str) -> None:
    certid = lobby.waiting(1)
    claim(lobby, certid)
    if fault == "altered":
        HistoryRow(certid, 2).update(actions=[HistoryRow.actor.set("user:mallory")])
    else:
        HistoryRow(certid, 1 if fault == "first removed" else 3).delete()
    assert lobby.ask(HISTORY, {"id": certid}).data["device"]["historyIntact"] is False


def test_a_change_between_the_two_reads_is_not_tampering(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    certid = lobby.waiting(1)
    original, reads = lobby.ledger.entries, iter(range(9))

    def interrupted(certid_: Fingerprint) -> list[Entry | Unreadable]:
        if next(reads) == 0:
            lobby.ledger.claim(certid, ClaimRequest(HERE), "user:bob")
        return original(certid_)

    monkeypatch.setattr(lobby.ledger, "entries", interrupted)
    device = lobby.ask(HISTORY, {"id": certid}).data["device"]
    assert (device["historyIntact"], len(device["history"])) == (True, 3)


def test_a_lost_race_is_a_conflict_with_a_code(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    certid = lobby.waiting(1)
    conflict = Conflict("CHANGED_MEANWHILE", "got claim, want it unchanged")
    monkeypatch.setattr(lobby.ledger, "claim", Mock(side_effect=conflict))
    assert claim(lobby, certid).code == "CHANGED_MEANWHILE"


def test_claims_in_one_request_are_independent(lobby: Lobby) -> None:
    certids = [lobby.waiting(1), "zz", lobby.waiting(2)]
    target = f'{{account: "{HERE.account}", region: "{HERE.region}"}}'
    each = "\n".join(
        f'd{i}: claimDevice(certid: "{c}", target: {target}) {{ devstate }}' for i, c in enumerate(certids)
    )
    response = lobby.ask(f"mutation {{ {each} }}")
    assert response.code == "INVALID_FINGERPRINT"
    assert response.body["errors"][0]["path"] == ["d1"]
    assert response.body["data"] == {"d0": {"devstate": "claimed"}, "d1": None, "d2": {"devstate": "claimed"}}
