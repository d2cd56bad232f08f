"""Claims that require proof of presence: the target's setting, who may confirm, and the response to each code."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lobby.domain.states import Event, State
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, at, fingerprint
from tests.operations import CODE

CONFIRM = "mutation($id: ID!, $code: String!) { confirmPresence(certid: $id, code: $code) { devstate allowedActions } }"
CLAIM = """mutation($id: ID!, $account: String!, $region: String!) {
  claimDevice(certid: $id, target: {account: $account, region: $region}) { devstate allowedActions triesLeft showsCode }
}"""
MANY = """mutation($ids: [ID!]!, $account: String!, $region: String!) {
  claimDevices(certids: $ids, target: {account: $account, region: $region}) { results { ok code device { devstate } } }
}"""
ADD = """mutation($id: ID!, $account: String!, $region: String!) {
  addDevice(certid: $id, targetaccount: $account, targetregion: $region) { devstate }
}"""
MOVE = """mutation($id: ID!, $account: String!, $region: String!) {
  moveDevice(certid: $id, target: {account: $account, region: $region}) { devstate targetaccount }
}"""
REGISTER = """mutation($account: String!, $region: String!, $presence: Boolean, $name: String! = "Here") {
  registerTarget(account: $account, region: $region, name: $name, presence: $presence) { presence profiles }
}"""
ALL_FIELDS = """query($id: ID!) { device(certid: $id) {
  certid devstate reason message config endpoint clientVersion lastSeen showsCode triesLeft allowedActions labelCode
  targetaccount profile generation history { event reason actor target hash prior } historyIntact
}
devices(filter: {state: "proving"}) { nodes { certid devstate reason allowedActions } }
overview { states { state count } } }"""
WRONG = "99999999"
TECHNICIAN = ("technician", f"target:{HERE}")


def confirm(lobby: Lobby, certid: str, code: Any = CODE, groups: tuple[str, ...] = ("operator",)) -> Any:
    return lobby.ask(CONFIRM, {"id": certid, "code": code}, groups)


def state(lobby: Lobby, certid: Fingerprint) -> State | None:
    device = lobby.ledger.get(certid)
    return device.devstate if device else None


def mismatches(lobby: Lobby, certid: Fingerprint) -> int:
    return [entry.event for entry in lobby.ledger.history(certid)].count(Event.MISMATCH)


def test_a_target_keeps_presence_unless_it_is_set(lobby: Lobby) -> None:
    values: list[bool | None] = [None, True, None, False]
    registered = [
        lobby.ask(REGISTER, at(HERE) | {"presence": each}, ("admin",)).data["registerTarget"] for each in values
    ]
    assert [each["presence"] for each in registered] == [False, True, True, False]
    assert registered[-1]["profiles"] == ["default", "camera"]
    new = lobby.ask(REGISTER, at("333333333333/eu-north-1") | {"presence": True, "name": "North"}, ("admin",)).data[
        "registerTarget"
    ]
    assert new["presence"]
    targets = lobby.ask("{ targets { account presence } }", groups=("viewer",)).data["targets"]
    assert {each["account"]: each["presence"] for each in targets} == {
        HERE.account: False,
        THERE.account: False,
        "333333333333": True,
    }


def test_a_claim_for_a_target_with_presence_waits_for_the_code(lobby: Lobby) -> None:
    lobby.require_presence(HERE)
    certid = lobby.waiting(1)
    claimed = lobby.ask(CLAIM, {"id": certid} | at(HERE), TECHNICIAN).data["claimDevice"]
    assert claimed == {
        "devstate": "proving",
        "allowedActions": ["confirmPresence"],
        "triesLeft": 5,
        "showsCode": True,
    }
    assert confirm(lobby, certid, groups=TECHNICIAN).data["confirmPresence"]["devstate"] == "claimed"
    last = lobby.ledger.history(certid)[-1]
    assert (last.event, last.actor.startswith("user:")) == (Event.CONFIRM, True)


def test_add_device_of_v01_waits_for_the_code(lobby: Lobby) -> None:
    lobby.require_presence(HERE)
    certid = lobby.waiting(1)
    for _ in range(2):
        assert lobby.ask(ADD, {"id": certid} | at(HERE)).data["addDevice"] == {"devstate": "proving"}
    lobby.require_presence(THERE)
    assert lobby.ask(ADD, {"id": certid} | at(THERE)).code == "PRESENCE_REQUIRED"


def test_a_bulk_claim_for_a_target_with_presence_proves_or_expects_each(lobby: Lobby) -> None:
    lobby.require_presence(HERE)
    ids = [lobby.waiting(1), lobby.admit(2), fingerprint(3)]
    for _ in range(2):
        results = lobby.ask(MANY, {"ids": ids} | at(HERE)).data["claimDevices"]["results"]
        assert [(each["ok"], each["device"]["devstate"]) for each in results] == [
            (True, "proving"),
            (True, "proving"),
            (True, "expected"),
        ]


def test_a_claim_for_a_target_without_presence_needs_no_code(lobby: Lobby) -> None:
    lobby.require_presence(HERE)
    certid = lobby.waiting(1)
    assert lobby.ask(CLAIM, {"id": certid} | at(THERE)).data["claimDevice"]["devstate"] == "claimed"


def test_presence_applies_to_later_claims_only(lobby: Lobby) -> None:
    one, two = lobby.waiting(1), lobby.waiting(2)
    lobby.ask(CLAIM, {"id": one} | at(HERE))
    assert lobby.ask(REGISTER, at(HERE) | {"presence": True}, ("admin",)).codes == []
    assert state(lobby, one) is State.CLAIMED
    assert lobby.ask(CLAIM, {"id": two} | at(HERE)).data["claimDevice"]["devstate"] == "proving"
    assert lobby.ask(REGISTER, at(HERE) | {"presence": False}, ("admin",)).codes == []
    assert state(lobby, two) is State.PROVING
    assert lobby.ask(MOVE, {"id": two} | at(HERE)).data["moveDevice"]["devstate"] == "claimed"


def test_the_fifth_wrong_code_ends_the_claim(lobby: Lobby) -> None:
    certid = lobby.proving(1)
    responses = [confirm(lobby, certid, WRONG) for _ in range(5)]
    assert [response.code for response in responses] == ["WRONG_CODE"] * 4 + ["PRESENCE_FAILED"]
    assert [
        f"attempts left: {left}" in response.body["errors"][0]["message"]
        for left, response in zip((4, 3, 2, 1), responses, strict=False)
    ] == [True] * 4
    device = lobby.ask(ALL_FIELDS, {"id": certid}).data["device"]
    assert (device["devstate"], device["reason"], device["triesLeft"]) == ("inlobby", "PRESENCE_FAILED", None)
    assert "10 minutes" in device["message"]
    assert [entry["reason"] for entry in device["history"]][-5:] == ["WRONG_CODE"] * 5
    assert confirm(lobby, certid).code == "NOT_ALLOWED"


def test_after_five_wrong_codes_a_claim_with_presence_is_blocked_for_ten_minutes(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    lobby.require_presence(HERE)
    certid = lobby.proving(1)
    for _ in range(5):
        confirm(lobby, certid, WRONG)
    assert lobby.ask(CLAIM, {"id": certid} | at(HERE)).code == "PRESENCE_FAILED"
    results = lobby.ask(MANY, {"ids": [certid]} | at(HERE)).data["claimDevices"]["results"]
    assert [each["code"] for each in results] == ["PRESENCE_FAILED"]
    monkeypatch.setattr(lobby.ledger, "_clock", lambda: datetime.now(UTC) + timedelta(minutes=11))
    assert lobby.ask(CLAIM, {"id": certid} | at(HERE)).data["claimDevice"]["triesLeft"] == 5


@pytest.mark.parametrize(
    "code",
    [
        "",
        " ",
        "1",
        "0000000",
        "482913750",
        "4829 1375 0",
        "４８２９１３７５",
        "٤٨٢٩١٣٧٥",
        "0000000l",
        "1e7",
        "-4829137",
        "48291375\x00",
        "' OR 1=1",
        "${code}",
        "0" * 100_000,
    ],
    ids=lambda code: repr(code)[:20],
)
def test_a_malformed_code_is_not_an_attempt_and_is_not_quoted(lobby: Lobby, code: str) -> None:
    certid = lobby.proving(1)
    response = confirm(lobby, certid, code)
    assert response.code == "INVALID_CODE"
    message = response.body["errors"][0]["message"]
    assert len(message) < 120
    assert not code.strip() or code not in message or code == "1"
    assert mismatches(lobby, certid) == 0


@pytest.mark.parametrize("code", [None, 1, 1.5, True, ["48291375"], {"code": "48291375"}])
def test_a_code_that_is_not_text_is_an_invalid_query(lobby: Lobby, code: object) -> None:
    certid = lobby.proving(1)
    assert confirm(lobby, certid, code).code == "INVALID_QUERY"
    assert mismatches(lobby, certid) == 0


@pytest.mark.parametrize("code", ["4829 1375", "4829-1375", " 48291375 "])
def test_a_code_may_have_spaces_and_hyphens(lobby: Lobby, code: str) -> None:
    assert confirm(lobby, lobby.proving(1), code).data["confirmPresence"]["devstate"] == "claimed"


def test_a_technician_confirms_only_for_their_targets(lobby: Lobby) -> None:
    certid = lobby.proving(1, THERE)
    for code in (CODE, WRONG):
        assert confirm(lobby, certid, code, TECHNICIAN).code == "FORBIDDEN"
    assert confirm(lobby, certid, CODE, ("viewer",)).code == "FORBIDDEN"
    assert (state(lobby, certid), mismatches(lobby, certid)) == (State.PROVING, 0)
    assert confirm(lobby, certid, CODE, ("technician", f"target:{THERE}")).codes == []


@pytest.mark.parametrize(
    ("groups", "offered"),
    [
        (("viewer",), False),
        (("technician",), False),
        (("technician", f"target:{THERE}"), False),
        (TECHNICIAN, True),
        (("operator",), True),
    ],
)
def test_confirm_presence_is_offered_only_to_permitted_callers(
    lobby: Lobby, groups: tuple[str, ...], offered: bool
) -> None:
    certid = lobby.proving(1)
    data = lobby.ask(ALL_FIELDS, {"id": certid}, groups).data
    devices = [data["device"], *data["devices"]["nodes"]]
    assert ["confirmPresence" in device["allowedActions"] for device in devices] == [offered, offered]


def test_the_code_is_in_no_response_and_no_log(lobby: Lobby, capsys: pytest.CaptureFixture[str]) -> None:
    certid = lobby.proving(1)
    for groups in (("viewer",), TECHNICIAN, ("operator",), ("admin",)):
        response = lobby.ask(ALL_FIELDS, {"id": certid}, groups)
        assert response.codes == []
        assert CODE not in json.dumps(response.body)
    confirm(lobby, certid, WRONG)
    confirm(lobby, certid, CODE)
    output = capsys.readouterr()
    assert CODE not in output.out + output.err
    assert WRONG not in output.out + output.err


def test_only_a_proving_device_can_be_confirmed(lobby: Lobby) -> None:
    assert confirm(lobby, fingerprint(9)).code == "UNKNOWN_DEVICE"
    certid = lobby.waiting(1)
    assert confirm(lobby, certid).code == "NOT_ALLOWED"
    assert confirm(lobby, certid, "short").code == "INVALID_CODE"


def test_a_move_to_a_target_with_presence_requires_a_confirmed_claim(lobby: Lobby) -> None:
    lobby.require_presence(THERE)
    proven, unproven = lobby.proving(1), lobby.waiting(2)
    confirm(lobby, proven)
    lobby.ask(CLAIM, {"id": unproven} | at(HERE))
    assert lobby.ask(MOVE, {"id": proven} | at(THERE)).data["moveDevice"] == {
        "devstate": "claimed",
        "targetaccount": THERE.account,
    }
    assert lobby.ask(MOVE, {"id": unproven} | at(THERE)).code == "PRESENCE_REQUIRED"
