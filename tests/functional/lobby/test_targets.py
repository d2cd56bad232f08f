"""The register of targets: one secret per account, kept for good; and the memory that spares reads."""

from collections.abc import Callable
from typing import Any

import pytest

from lobby.domain.target import profile_policy
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.store import Ledger
from lobby.ledger.targets import RecentTargets, Targets
from lobby.names import Fingerprint, parse_target
from tests.aws import Calls, Clock

A1, A2 = parse_target("1" * 12, "eu-west-1"), parse_target("1" * 12, "us-east-1")
B = parse_target("2" * 12, "eu-west-1")


@pytest.fixture
def targets(calls: Calls, clock: Clock) -> Targets:
    numbers = iter(range(100))
    return Targets(lambda: f"secret-{next(numbers)}", clock)


def test_a_registered_target_is_found_again(targets: Targets) -> None:
    made = targets.register(A1, "Plant one", ("default", "camera"), "user:ann")
    assert targets.get(A1) == made
    assert (made.externalid, made.profiles, made.createdby, made.createdat) == (
        "secret-0",
        ("default", "camera"),
        "user:ann",
        "2026-11-22T12:00:00.000Z",
    )
    assert made.role_arn == "arn:aws:iam::111111111111:role/lobby_commissioner_role"
    assert targets.all() == [made]


def test_every_account_has_a_secret_of_its_own_and_its_regions_share_it(targets: Targets) -> None:
    secrets = [targets.register(target, "name", (), "user:ann").externalid for target in (A1, B, A2)]
    assert secrets == ["secret-0", "secret-1", "secret-0"]


def test_registering_again_renames_and_keeps_the_secret(targets: Targets) -> None:
    first = targets.register(A1, "old", (), "user:ann")
    again = targets.register(A1, "new", ("default", "camera", "default"), "user:bob")
    assert (again.name, again.profiles, again.externalid, again.createdby) == (
        "new",
        ("default", "camera"),
        first.externalid,
        "user:ann",
    )
    assert targets.get(A1) == again


def test_a_target_without_profiles_has_the_default_one(targets: Targets) -> None:
    assert targets.register(A1, "name", (), "user:ann").profiles == ("default",)
    assert profile_policy("default") == "device-lobby-default"


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "a\x1b[2J"])
def test_a_name_that_no_list_could_show_is_refused(targets: Targets, name: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_NAME"):
        targets.register(A1, name, (), "user:ann")
    assert targets.all() == []


def test_a_profile_that_is_no_part_of_a_policys_name_is_refused(targets: Targets) -> None:
    with pytest.raises(InvalidInput, match="INVALID_PROFILE"):
        targets.register(A1, "name", ("default", "*"), "user:ann")
    assert targets.all() == []


def test_an_unknown_target_is_not_found(targets: Targets) -> None:
    with pytest.raises(NotFound, match="UNKNOWN_TARGET"):
        targets.get(A1)


def test_of_two_registrations_at_once_one_wins(targets: Targets, calls: Calls) -> None:
    calls.meanwhile["PutItem"] = lambda: targets.register(A1, "first", (), "user:bob")
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        targets.register(A1, "second", (), "user:ann")
    assert targets.get(A1).name == "first"


def test_a_registration_whose_answer_was_lost_and_that_the_client_sent_again_is_one(
    targets: Targets, calls: Calls
) -> None:
    def twice(_params: object, call: Callable[[], Any]) -> Any:
        call()
        return call()

    calls.instead["PutItem"] = twice
    made = targets.register(A1, "Plant one", (), "user:ann")
    assert (targets.get(A1), targets.all()) == (made, [made])


def test_who_only_reads_cannot_make_a_secret(calls: Calls) -> None:
    with pytest.raises(AssertionError):
        Targets.read_only().register(A1, "name", (), "user:ann")


def test_a_target_is_remembered_for_a_minute(targets: Targets, calls: Calls, clock: Clock) -> None:
    recent = RecentTargets(targets, clock)
    targets.register(A1, "old", (), "user:ann")
    calls.forget()
    for _ in range(3):
        assert recent.get(A1).name == "old"
    assert calls.names() == ["GetItem"]
    with calls.uncounted():
        targets.register(A1, "new", (), "user:ann")
    clock.advance(seconds=61)
    assert recent.get(A1).name == "new"


def test_a_profile_that_the_memory_lacks_is_looked_up(targets: Targets, calls: Calls, clock: Clock) -> None:
    recent = RecentTargets(targets, clock)
    targets.register(A1, "name", (), "user:ann")
    recent.get(A1)
    targets.register(A1, "name", ("default", "camera"), "user:ann")
    assert "camera" in recent.get(A1, "camera").profiles


def test_an_unknown_target_is_not_remembered_as_such(targets: Targets, calls: Calls, clock: Clock) -> None:
    recent = RecentTargets(targets, clock)
    with pytest.raises(NotFound):
        recent.get(A1)
    targets.register(A1, "name", (), "user:ann")
    assert recent.get(A1).name == "name"


def test_a_target_and_a_device_are_read_together_as_they_are_now(
    targets: Targets, ledger: Ledger, calls: Calls
) -> None:
    certid = Fingerprint("1a" * 32)
    targets.register(A1, "name", (), "user:ann")
    calls.forget()
    assert targets.get_with_device(A1, certid) == (targets.get(A1), None)
    claimed = ledger.claim(certid, ClaimRequest(A1), "user:ann")
    targets.register(A1, "name", (), "user:ann", presence=True)
    found, device = targets.get_with_device(A1, certid)
    assert (found.presence, device) == (True, claimed)
    assert calls.names()[0] == "BatchGetItem"


def test_what_dynamodb_was_too_busy_for_is_read_by_itself(targets: Targets, ledger: Ledger, calls: Calls) -> None:
    certid = Fingerprint("1a" * 32)
    targets.register(A1, "name", (), "user:ann")
    claimed = ledger.claim(certid, ClaimRequest(A1), "user:ann")
    calls.instead["BatchGetItem"] = lambda params, _call: {"Responses": {}, "UnprocessedKeys": params["RequestItems"]}
    calls.meanwhile["GetItem"] = calls.instead.clear
    found, device = targets.get_with_device(A1, certid)
    assert (found.target, device) == (A1, claimed)


def test_beside_a_device_too_an_unknown_target_is_not_found(targets: Targets) -> None:
    with pytest.raises(NotFound, match="UNKNOWN_TARGET"):
        targets.get_with_device(A1, Fingerprint("1a" * 32))


def test_whether_claims_want_proof_is_kept_until_it_is_said_anew(targets: Targets) -> None:
    asked = [targets.register(A1, "name", (), "user:ann", presence).presence for presence in (None, True, None, False)]
    assert asked == [False, True, True, False]
    assert not targets.get(A1).presence
