"""Limits of technicians and blocked users, in the API and in `lobbyctl`."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from pynamodb.exceptions import TransactWriteError

from admin_api.operations.user_limits import UserLimits
from lobby.domain.claims.claim_limits import parse_limits
from lobby.ledger.users.user_blocks import READ_EVERY, UserBlocks
from lobby.ledger.users.user_claims import UserClaims
from lobby.ledger.users.user_rows import UserHourRow
from tests.functional.admin_api import api_on_moto
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, Response, at, counted, fingerprint
from tests.functional.admin_api.lobby_over_http import Terminal, error_of
from tests.operations import CODE

CLAIM = "mutation($id: ID!, $target: TargetInput!) { claimDevice(certid: $id, target: $target) { devstate } }"
BULK = """
mutation($ids: [ID!]!, $target: TargetInput!) {
  claimDevices(certids: $ids, target: $target) { results { ok code } }
}"""
CONFIRM = "mutation($id: ID!, $code: String!) { confirmPresence(certid: $id, code: $code) { devstate } }"
ACTIVITY = "{ activity { nodes { at actor event certid seq target reason } } }"
TECHNICIAN = ("technician", f"target:{HERE}")


@dataclass
class Limited:
    """The lobby with a limit of 3 claims a minute, 5 an hour, and 2 wrong codes an hour."""

    lobby: Lobby
    now: datetime = datetime(2026, 11, 30, 12, 0, 20, tzinfo=UTC)
    refusals: list[str] = field(default_factory=list)

    def claim(self, number: int, groups: tuple[str, ...] = TECHNICIAN) -> Response:
        return self.lobby.ask(CLAIM, {"id": fingerprint(number), "target": at(HERE)}, groups)

    def claim_many(self, *numbers: int, groups: tuple[str, ...] = TECHNICIAN) -> Response:
        return self.lobby.ask(BULK, {"ids": [fingerprint(each) for each in numbers], "target": at(HERE)}, groups)

    def confirm(self, number: int, code: str) -> Response:
        return self.lobby.ask(CONFIRM, {"id": fingerprint(number), "code": code}, TECHNICIAN)


@pytest.fixture
def limited(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> Limited:
    made = Limited(lobby)
    claims = UserClaims(parse_limits("3/5/2"), lambda: made.now)
    limits = UserLimits(claims, lambda: made.refusals.append("metric"), lambda: made.now)
    blocks = UserBlocks(lambda: 0.0)
    monkeypatch.setattr(api_on_moto, "user_limits", lambda: {"blocks": blocks, "limits": limits})
    made.lobby = Lobby(lobby.ledger, lobby.targets, lobby.anchors)
    return made


def test_a_technician_claims_up_to_the_limit_of_a_minute(limited: Limited) -> None:
    assert [limited.claim(number).codes for number in (1, 2, 3)] == [[], [], []]
    refused = limited.claim(4)
    assert refused.code == "RATE_LIMITED"
    [error] = refused.body["errors"]
    assert error["extensions"]["retryAfter"] == 41
    assert error["message"] == "got 3 claims in this minute, want at most 3: try again in 41 s"
    assert limited.lobby.ledger.get(fingerprint(4)) is None
    limited.now += timedelta(seconds=41)
    assert limited.claim(4).codes == []


def test_the_limit_of_an_hour_is_separate(limited: Limited) -> None:
    for number in range(1, 6):
        assert limited.claim(number).codes == []
        limited.now += timedelta(minutes=1)
    refused = limited.claim(6)
    assert (refused.code, refused.body["errors"][0]["extensions"]["retryAfter"]) == ("RATE_LIMITED", 3281)


def test_operators_and_admins_are_not_limited_and_write_nothing_for_it(limited: Limited) -> None:
    for number, role in enumerate(("operator", "admin") * 4, start=1):
        assert limited.claim(number, (role,)).codes == []
    assert list(UserHourRow.scan(UserHourRow.deleteat.exists())) == []


def test_a_claim_of_a_technician_takes_one_more_write(limited: Limited) -> None:
    limited.claim(1, ("operator",))
    with counted() as operator:
        limited.claim(2, ("operator",))
    with counted() as technician:
        limited.claim(3)
    assert technician == ["UpdateItem", *operator]


def test_a_list_counts_each_device_and_the_rest_is_refused(limited: Limited) -> None:
    results = limited.claim_many(1, 2, 3, 4, 5).data["claimDevices"]["results"]
    assert [each["code"] for each in results] == [None, None, None, "RATE_LIMITED", "RATE_LIMITED"]
    assert limited.claim_many(6).code == "RATE_LIMITED"
    limited.now += timedelta(minutes=1)
    results = limited.claim_many(4, 5, 6).data["claimDevices"]["results"]
    assert [each["code"] for each in results] == [None, None, "RATE_LIMITED"]


def test_a_list_with_an_invalid_fingerprint_counts_only_the_valid_ones(limited: Limited) -> None:
    ids = ["x", fingerprint(1), "y", fingerprint(2), fingerprint(3), fingerprint(4)]
    answer = limited.lobby.ask(BULK, {"ids": ids, "target": at(HERE)}, TECHNICIAN)
    codes = [each["code"] for each in answer.data["claimDevices"]["results"]]
    assert codes == ["INVALID_FINGERPRINT", None, "INVALID_FINGERPRINT", None, None, "RATE_LIMITED"]


def test_claims_by_serial_number_count_too(limited: Limited) -> None:
    document = (
        "mutation($names: [String!]!, $target: TargetInput!) {"
        " claimSerialNumbers(serialNumbers: $names, target: $target) { results { code } } }"
    )
    names = [f"pump-{number}" for number in range(5)]
    answer = limited.lobby.ask(document, {"names": names, "target": at(HERE)}, TECHNICIAN)
    codes = [each["code"] for each in answer.data["claimSerialNumbers"]["results"]]
    assert codes == [None, None, None, "RATE_LIMITED", "RATE_LIMITED"]
    assert limited.claim(1).code == "RATE_LIMITED"
    assert limited.lobby.ask(document, {"names": names, "target": at(HERE)}).codes == [], "an operator is not limited"


def test_a_claim_that_fails_counts(limited: Limited) -> None:
    limited.lobby.ask(CLAIM, {"id": fingerprint(1), "target": at(THERE)}, ("operator",))
    assert [limited.claim(1).code for _ in range(3)] == ["ALREADY_CLAIMED"] * 3
    assert limited.claim(2).code == "RATE_LIMITED"


def test_wrong_codes_have_a_stricter_limit_across_devices(limited: Limited) -> None:
    lobby = limited.lobby
    for number in (1, 2, 3):
        lobby.proving(number)
    assert [limited.confirm(number, "00000000").code for number in (1, 2)] == ["WRONG_CODE"] * 2
    refused = limited.confirm(3, CODE)
    assert (refused.code, refused.body["errors"][0]["extensions"]["retryAfter"]) == ("RATE_LIMITED", 3581)
    assert limited.claim(9).codes == [], "codes and claims are counted separately"
    limited.now += timedelta(hours=1)
    assert limited.confirm(3, CODE).codes == []


def test_right_codes_do_not_count(limited: Limited) -> None:
    for number in (1, 2, 3, 4):
        limited.lobby.proving(number)
        assert limited.confirm(number, CODE).codes == []
    assert limited.confirm(5, CODE).code == "UNKNOWN_DEVICE"


def test_a_refusal_is_in_the_metric_and_once_a_minute_in_the_activity_log(limited: Limited) -> None:
    for number in range(1, 7):
        limited.claim(number)
    assert limited.refusals == ["metric"] * 3
    [entry] = limited.lobby.ask(ACTIVITY).data["activity"]["nodes"]
    assert entry == {
        "at": "2026-11-30T12:00:00.000Z",
        "actor": "user:alice",
        "event": "limited",
        "certid": fingerprint(6),
        "seq": 0,
        "target": str(HERE),
        "reason": "RATE_LIMITED",
    }


def test_a_block_is_stored_for_exactly_this_name(lobby: Lobby) -> None:
    UserBlocks(lambda: 0.0).set_blocked("alice", "user:eve", blocked=True)
    assert [UserBlocks(lambda: 0.0).is_blocked(name) for name in ("alice", "ALICE", "alice ")] == [True, False, False]


def test_a_block_applies_within_five_seconds_and_is_refused_with_its_code(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([0.0, READ_EVERY - 1])
    blocks = UserBlocks(lambda: next(seconds, READ_EVERY))
    limits = UserLimits(UserClaims(parse_limits("3/5/2")), lambda: None)
    monkeypatch.setattr(api_on_moto, "user_limits", lambda: {"blocks": blocks, "limits": limits})
    here = Lobby(lobby.ledger, lobby.targets, lobby.anchors)
    assert here.ask("{ me { name } }").codes == []
    UserBlocks(lambda: 0.0).set_blocked("alice", "user:eve", blocked=True)
    assert here.ask("{ me { name } }").codes == []
    refused = here.ask("{ me { name } }")
    assert (refused.status, refused.code) == (403, "USER_BLOCKED")
    assert here.ask(CLAIM, {"id": fingerprint(1), "target": at(HERE)}).code == "USER_BLOCKED"
    assert lobby.ledger.get(fingerprint(1)) is None


def test_lobbyctl_blocks_lists_and_unblocks_users(terminal: Terminal) -> None:
    assert "no blocked user" in terminal.run("users", "list", "--as", "admin").stderr
    for _ in range(2):
        assert terminal.run("users", "block", "ann", "--as", "admin").exit_code == 0
    [blocked] = terminal.records("users", "list", "--as", "admin")
    assert (blocked["name"], blocked["by"][:5]) == ("ann", "user:")
    assert terminal.run("users", "unblock", "ann", "--as", "admin").exit_code == 0
    assert terminal.records("users", "list", "--as", "admin") == []
    result = terminal.run("--json", "users", "block", "ann", "--as", "operator")
    assert (result.exit_code, error_of(result)["code"]) == (1, "FORBIDDEN")


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 129, "\x1b[31m"])
def test_a_name_that_no_user_can_have_is_refused(name: str, lobby: Lobby) -> None:
    answer = lobby.ask("mutation($n: String!) { blockUser(name: $n) { name } }", {"n": name}, ("admin",))
    assert answer.code == "INVALID_USER"


def test_a_name_as_histories_show_it_is_refused_and_blocks_no_user(terminal: Terminal, lobby: Lobby) -> None:
    for command in ("block", "unblock"):
        result = terminal.run("--json", "users", command, "user:ines", "--as", "admin")
        error = error_of(result)
        assert (result.exit_code, error["code"]) == (2, "INVALID_USER")
        assert error["message"] == "got 'user:ines', as histories show a user; want 'ines'"
    assert terminal.records("users", "list", "--as", "admin") == []


def test_an_admin_cannot_block_themselves(lobby: Lobby) -> None:
    assert lobby.ask('mutation { blockUser(name: "alice") { name } }', None, ("admin",)).code == "INVALID_USER"


def test_blocks_are_in_the_activity_log_with_their_user(terminal: Terminal) -> None:
    terminal.run("users", "block", "mallory", "--as", "admin")
    terminal.run("users", "unblock", "mallory", "--as", "admin")
    entries = terminal.records("activity", "--as", "admin")
    assert [(each["event"], each["user"], each["certid"]) for each in entries] == [
        ("unblock", "mallory", None),
        ("block", "mallory", None),
    ]
    by = entries[0]["actor"].removeprefix("user:")
    assert terminal.records("activity", "--user", by, "--as", "admin") == entries
    assert "user mallory" in terminal.run("activity", "--as", "admin").stdout


def test_a_block_and_its_entry_are_one_transaction(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = UserBlocks(lambda: 0.0)
    monkeypatch.setattr(
        "lobby.ledger.users.user_blocks.partitions_of", lambda _entry: iter(["all", "all"])
    )  # refused by AWS
    with pytest.raises(TransactWriteError):
        blocks.set_blocked("mallory", "user:eve", blocked=True)
    assert not blocks.all()
