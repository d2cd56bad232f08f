"""The registry of targets: one permanent ExternalId per account; and the cache."""

from collections.abc import Callable
from typing import Any

import pytest

from lobby.domain.targets.target import profile_policy
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.models import TargetRow
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import Fingerprint, parse_target
from tests.aws import Calls, Clock

A1, A2 = parse_target("1" * 12, "eu-west-1"), parse_target("1" * 12, "us-east-1")
B = parse_target("2" * 12, "eu-west-1")


@pytest.fixture
def targets(calls: Calls, clock: Clock) -> Targets:
    numbers = iter(range(100))
    return Targets(lambda: f"secret-{next(numbers)}", clock)


def test_a_registered_target_is_found_again(targets: Targets) -> None:
    registered = targets.register(A1, "Plant one", ("default", "camera"), "user:ann")
    assert targets.get(A1) == registered
    assert (registered.externalid, registered.profiles, registered.createdby, registered.createdat) == (
        "secret-0",
        ("default", "camera"),
        "user:ann",
        "2026-11-22T12:00:00.000Z",
    )
    assert registered.role_arn == "arn:aws:iam::111111111111:role/lobby_commissioner_role"
    assert targets.all() == [registered]


def test_every_account_has_its_own_external_id_shared_by_its_regions(targets: Targets) -> None:
    secrets = [targets.register(target, f"Plant {target}", (), "user:ann").externalid for target in (A1, B, A2)]
    assert secrets == ["secret-0", "secret-1", "secret-0"]


def test_registering_again_renames_and_keeps_the_external_id(targets: Targets) -> None:
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


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "a\x1b[2J", " a", "a\u200bb"])
def test_a_misleading_name_is_rejected(targets: Targets, name: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_NAME"):
        targets.register(A1, name, (), "user:ann")
    assert targets.all() == []


def test_a_name_that_looks_like_another_targets_is_rejected(targets: Targets) -> None:
    targets.register(A1, "Plant one", (), "user:ann")
    targets.register(B, "Plant two", (), "user:ann")
    for target in (A2, B):
        with pytest.raises(InvalidInput, match="NAME_IMITATES"):
            targets.register(target, "PLANT ONE", (), "user:ann")
    assert [each.name for each in targets.all()] == ["Plant one", "Plant two"]
    assert targets.register(A1, "PLANT ONE", (), "user:ann").name == "PLANT ONE"


def test_a_name_that_an_earlier_version_accepted_can_stay(targets: Targets) -> None:
    targets.register(A1, "name", (), "user:ann")
    TargetRow("target", str(A1)).update(actions=[TargetRow.name.set(" old ")])
    assert targets.register(A1, " old ", ("default", "camera"), "user:ann").profiles == ("default", "camera")


def test_an_invalid_profile_is_rejected(targets: Targets) -> None:
    with pytest.raises(InvalidInput, match="INVALID_PROFILE"):
        targets.register(A1, "name", ("default", "*"), "user:ann")
    assert targets.all() == []


def test_an_unknown_target_is_not_found(targets: Targets) -> None:
    with pytest.raises(NotFound, match="UNKNOWN_TARGET"):
        targets.get(A1)


def test_of_two_concurrent_registrations_one_wins(targets: Targets, calls: Calls) -> None:
    calls.meanwhile["TransactWriteItems"] = lambda: targets.register(A1, "first", (), "user:bob")
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        targets.register(A1, "second", (), "user:ann")
    assert targets.get(A1).name == "first"


def test_a_registration_whose_response_was_lost_is_made_once(targets: Targets, calls: Calls) -> None:
    def twice(_params: object, call: Callable[[], Any]) -> Any:
        call()
        return call()

    calls.instead["PutItem"] = calls.instead["TransactWriteItems"] = twice
    registered = targets.register(A1, "Plant one", (), "user:ann")
    assert (targets.get(A1), targets.all()) == (registered, [registered])


def test_a_read_only_registry_cannot_create_an_external_id(calls: Calls) -> None:
    with pytest.raises(AssertionError):
        Targets.read_only().register(A1, "name", (), "user:ann")


def test_a_target_is_cached_for_a_minute(targets: Targets, calls: Calls, clock: Clock) -> None:
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


def test_a_profile_that_the_cached_target_lacks_is_read(targets: Targets, calls: Calls, clock: Clock) -> None:
    recent = RecentTargets(targets, clock)
    targets.register(A1, "name", (), "user:ann")
    recent.get(A1)
    targets.register(A1, "name", ("default", "camera"), "user:ann")
    assert "camera" in recent.get(A1, "camera").profiles


def test_an_unknown_target_is_not_cached(targets: Targets, calls: Calls, clock: Clock) -> None:
    recent = RecentTargets(targets, clock)
    with pytest.raises(NotFound):
        recent.get(A1)
    targets.register(A1, "name", (), "user:ann")
    assert recent.get(A1).name == "name"


def test_a_target_and_a_device_are_read_together_consistently(targets: Targets, ledger: Ledger, calls: Calls) -> None:
    certid = Fingerprint("1a" * 32)
    targets.register(A1, "name", (), "user:ann")
    calls.forget()
    assert targets.get_with_device(A1, certid) == (targets.get(A1), None)
    claimed = ledger.claim(certid, ClaimRequest(A1), "user:ann")
    targets.register(A1, "name", (), "user:ann", presence=True)
    registered, device = targets.get_with_device(A1, certid)
    assert (registered.presence, device) == (True, claimed)
    assert calls.names()[0] == "BatchGetItem"


def test_unprocessed_keys_are_read_separately(targets: Targets, ledger: Ledger, calls: Calls) -> None:
    certid = Fingerprint("1a" * 32)
    targets.register(A1, "name", (), "user:ann")
    claimed = ledger.claim(certid, ClaimRequest(A1), "user:ann")
    calls.instead["BatchGetItem"] = lambda params, _call: {"Responses": {}, "UnprocessedKeys": params["RequestItems"]}
    calls.meanwhile["GetItem"] = calls.instead.clear
    registered, device = targets.get_with_device(A1, certid)
    assert (registered.target, device) == (A1, claimed)


def test_an_unknown_target_with_a_device_is_not_found(targets: Targets) -> None:
    with pytest.raises(NotFound, match="UNKNOWN_TARGET"):
        targets.get_with_device(A1, Fingerprint("1a" * 32))


def test_whether_claims_require_proof_is_kept_until_it_is_changed(targets: Targets) -> None:
    asked = [targets.register(A1, "name", (), "user:ann", presence).presence for presence in (None, True, None, False)]
    assert asked == [False, True, True, False]
    assert not targets.get(A1).presence
