"""Claims that want proof, through the API: what a target says, who may confirm, what is answered to each code."""

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
REGISTER = """mutation($account: String!, $region: String!, $presence: Boolean) {
  registerTarget(account: $account, region: $region, name: "Here", presence: $presence) { presence profiles }
}"""
EVERYTHING = """query($id: ID!) { device(certid: $id) {
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


def test_a_target_asks_for_proof_when_it_is_told_to_and_keeps_it_when_nothing_is_said(lobby: Lobby) -> None:
    asked: list[bool | None] = [None, True, None, False]
    said = [lobby.ask(REGISTER, at(HERE) | {"presence": each}, ("admin",)).data["registerTarget"] for each in asked]
    assert [each["presence"] for each in said] == [False, True, True, False]
    assert said[-1]["profiles"] == ["default", "camera"]
    new = lobby.ask(REGISTER, at("333333333333/eu-north-1") | {"presence": True}, ("admin",)).data["registerTarget"]
    assert new["presence"]
    shown = lobby.ask("{ targets { account presence } }", groups=("viewer",)).data["targets"]
    assert {each["account"]: each["presence"] for each in shown} == {
        HERE.account: False,
        THERE.account: False,
        "333333333333": True,
    }


def test_a_claim_for_a_target_that_asks_waits_for_the_code_and_says_how_many_tries_there_are(lobby: Lobby) -> None:
    lobby.ask_for_proof(HERE)
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


def test_v01_s_way_to_claim_waits_for_the_code_too(lobby: Lobby) -> None:
    lobby.ask_for_proof(HERE)
    certid = lobby.waiting(1)
    for _ in range(2):
        assert lobby.ask(ADD, {"id": certid} | at(HERE)).data["addDevice"] == {"devstate": "proving"}
    lobby.ask_for_proof(THERE)
    assert lobby.ask(ADD, {"id": certid} | at(THERE)).code == "PRESENCE_REQUIRED"


def test_a_bulk_for_a_target_that_asks_proves_or_expects_each(lobby: Lobby) -> None:
    lobby.ask_for_proof(HERE)
    ids = [lobby.waiting(1), lobby.admit(2), fingerprint(3)]
    for _ in range(2):
        results = lobby.ask(MANY, {"ids": ids} | at(HERE)).data["claimDevices"]["results"]
        assert [(each["ok"], each["device"]["devstate"]) for each in results] == [
            (True, "proving"),
            (True, "proving"),
            (True, "expected"),
        ]


def test_a_claim_for_a_target_that_does_not_ask_is_as_it_was(lobby: Lobby) -> None:
    lobby.ask_for_proof(HERE)
    certid = lobby.waiting(1)
    assert lobby.ask(CLAIM, {"id": certid} | at(THERE)).data["claimDevice"]["devstate"] == "claimed"


def test_what_a_target_asks_counts_for_the_claims_that_come_after(lobby: Lobby) -> None:
    one, two = lobby.waiting(1), lobby.waiting(2)
    lobby.ask(CLAIM, {"id": one} | at(HERE))
    assert lobby.ask(REGISTER, at(HERE) | {"presence": True}, ("admin",)).codes == []
    assert state(lobby, one) is State.CLAIMED
    assert lobby.ask(CLAIM, {"id": two} | at(HERE)).data["claimDevice"]["devstate"] == "proving"
    assert lobby.ask(REGISTER, at(HERE) | {"presence": False}, ("admin",)).codes == []
    assert state(lobby, two) is State.PROVING
    assert lobby.ask(MOVE, {"id": two} | at(HERE)).data["moveDevice"]["devstate"] == "claimed"


def test_wrong_codes_are_refused_and_told_and_the_fifth_ends_the_claim(lobby: Lobby) -> None:
    certid = lobby.proving(1)
    answers = [confirm(lobby, certid, WRONG) for _ in range(5)]
    assert [answer.code for answer in answers] == ["WRONG_CODE"] * 4 + ["PRESENCE_FAILED"]
    assert [
        f"{left} left" in answer.body["errors"][0]["message"]
        for left, answer in zip((4, 3, 2, 1), answers, strict=False)
    ] == [True] * 4
    shown = lobby.ask(EVERYTHING, {"id": certid}).data["device"]
    assert (shown["devstate"], shown["reason"], shown["triesLeft"]) == ("inlobby", "PRESENCE_FAILED", None)
    assert "10 minutes" in shown["message"]
    assert [entry["reason"] for entry in shown["history"]][-5:] == ["WRONG_CODE"] * 5
    assert confirm(lobby, certid).code == "NOT_ALLOWED"


def test_after_the_fifth_a_claim_that_wants_proof_waits_a_while_and_no_longer(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    lobby.ask_for_proof(HERE)
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
def test_what_cannot_be_a_code_is_no_try_and_is_not_quoted(lobby: Lobby, code: str) -> None:
    certid = lobby.proving(1)
    answer = confirm(lobby, certid, code)
    assert answer.code == "INVALID_CODE"
    message = answer.body["errors"][0]["message"]
    assert len(message) < 120
    assert not code.strip() or code not in message or code == "1"
    assert mismatches(lobby, certid) == 0


@pytest.mark.parametrize("code", [None, 1, 1.5, True, ["48291375"], {"code": "48291375"}])
def test_what_is_no_text_is_no_question(lobby: Lobby, code: object) -> None:
    certid = lobby.proving(1)
    assert confirm(lobby, certid, code).code == "INVALID_QUERY"
    assert mismatches(lobby, certid) == 0


@pytest.mark.parametrize("code", ["4829 1375", "4829-1375", " 48291375 "])
def test_a_code_is_taken_as_people_type_it(lobby: Lobby, code: str) -> None:
    assert confirm(lobby, lobby.proving(1), code).data["confirmPresence"]["devstate"] == "claimed"


def test_a_technician_confirms_for_their_targets_only_and_a_stranger_s_code_is_no_try(lobby: Lobby) -> None:
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
def test_confirming_is_offered_to_those_who_may(lobby: Lobby, groups: tuple[str, ...], offered: bool) -> None:
    certid = lobby.proving(1)
    shown = lobby.ask(EVERYTHING, {"id": certid}, groups).data
    lines = [shown["device"], *shown["devices"]["nodes"]]
    assert ["confirmPresence" in line["allowedActions"] for line in lines] == [offered, offered]


def test_nobody_learns_the_code_from_the_api_or_its_log(lobby: Lobby, capsys: pytest.CaptureFixture[str]) -> None:
    certid = lobby.proving(1)
    for groups in (("viewer",), TECHNICIAN, ("operator",), ("admin",)):
        answer = lobby.ask(EVERYTHING, {"id": certid}, groups)
        assert answer.codes == []
        assert CODE not in json.dumps(answer.body)
    confirm(lobby, certid, WRONG)
    confirm(lobby, certid, CODE)
    told = capsys.readouterr()
    assert CODE not in told.out + told.err
    assert WRONG not in told.out + told.err


def test_an_unknown_device_is_unknown_and_one_that_waits_for_no_code_says_so(lobby: Lobby) -> None:
    assert confirm(lobby, fingerprint(9)).code == "UNKNOWN_DEVICE"
    certid = lobby.waiting(1)
    assert confirm(lobby, certid).code == "NOT_ALLOWED"
    assert confirm(lobby, certid, "short").code == "INVALID_CODE"


def test_a_move_to_where_proof_is_wanted_needs_a_claim_that_was_confirmed(lobby: Lobby) -> None:
    lobby.ask_for_proof(THERE)
    proven, unproven = lobby.proving(1), lobby.waiting(2)
    confirm(lobby, proven)
    lobby.ask(CLAIM, {"id": unproven} | at(HERE))
    assert lobby.ask(MOVE, {"id": proven} | at(THERE)).data["moveDevice"] == {
        "devstate": "claimed",
        "targetaccount": THERE.account,
    }
    assert lobby.ask(MOVE, {"id": unproven} | at(THERE)).code == "PRESENCE_REQUIRED"
