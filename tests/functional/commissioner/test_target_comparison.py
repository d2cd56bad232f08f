"""A target compared by lists: each difference is found, the calls are few, and a run can end anywhere."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ClientError
from moto.iot.models import IoTBackend, iot_backends

from commissioner.reconciliation import stored_records, target_comparison
from commissioner.reconciliation.examination import Examination
from commissioner.reconciliation.inspector_client import InspectorClient
from commissioner.reconciliation.target_comparison import COMPLETE, Advance, TargetComparison, days_for
from lobby.contracts.invocation import Request, decode_response
from lobby.domain.targets.comparison_state import Work
from lobby.ledger.progress import read_progress, save_progress
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.commissioner.lobby_with_targets import (
    ANN,
    KEY,
    ONE,
    PROFILES,
    THREE,
    TWO,
    A,
    B,
    LobbyWithTargets,
    make_thing,
    new_inspector,
)
from tests.functional.commissioner.target_changes import ARN, CHANGES, inactive, no_thing, orphaned, unbound

R = TypeVar("R")
BEGAN = "2026-11-22T12:00:00.000Z"
PER_DEVICE = ("DescribeCertificate", "ListPrincipalThings", "ListAttachedPolicies", "DescribeThing")


class Comparison:
    """The comparison of A, in which two devices are placed."""

    def __init__(self, lobby: LobbyWithTargets) -> None:
        self.lobby = lobby
        self.inspector = new_inspector()
        self.meanwhile: Callable[[dict[str, Any]], object] = lambda _event: None
        client = InspectorClient(self._send)
        self.comparison = TargetComparison(client, Examination(lobby.ledger, client, PROFILES, KEY), PROFILES)

    def _send(self, request: Request[R]) -> R:
        answer = self.inspector.answer(request.encode())
        self.meanwhile(request.encode())
        return decode_response(request, answer)

    @property
    def registry(self) -> IoTBackend:
        return iot_backends[A.account][A.region]

    def run(self, work: Work | None = None, steps: int = 1_000) -> Advance:
        left = iter(range(steps))
        return self.comparison.resume(A, work or Work(BEGAN), lambda: next(left, None) is None)

    def complete(self, work: Work | None = None) -> Work:
        advance = self.run(work)
        assert (advance.refusal, advance.work.step) == (None, COMPLETE)
        return advance.work


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> LobbyWithTargets:
    placed = LobbyWithTargets(calls, clock, "sensor-1", "sensor-2", "sensor-3")
    placed.start_placed(ONE, TWO)
    return placed


@pytest.fixture
def comparison(lobby: LobbyWithTargets) -> Comparison:
    return Comparison(lobby)


def _differences(caplog: pytest.LogCaptureFixture) -> Iterator[tuple[str, str]]:
    for record in caplog.records:
        if record.message == "differs":
            yield vars(record)["certid"], vars(record)["code"]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_each_difference_is_found_and_nothing_is_changed(
    comparison: Comparison,
    change: Callable[[LobbyWithTargets, IoTBackend], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with comparison.lobby.calls.uncounted():
        change(comparison.lobby, comparison.registry)
    before = aws.registry(A), aws.tables() | {"device-lobby-rounds": []}
    assert comparison.complete().differences == 1
    assert list(_differences(caplog)) == [(ONE, CHANGES[change].value)]
    assert (aws.registry(A), aws.tables() | {"device-lobby-rounds": []}) == before


@pytest.mark.parametrize("change", [each for each in CHANGES if each.__name__ not in ("unbound", "elsewhere")])
def test_differences_in_lists_are_found_every_day(
    comparison: Comparison, change: Callable[[LobbyWithTargets, IoTBackend], None], caplog: pytest.LogCaptureFixture
) -> None:
    with comparison.lobby.calls.uncounted():
        change(comparison.lobby, comparison.registry)
    work = comparison.complete(Work(BEGAN, days=1_000_000))
    assert (work.examined, work.differences) == (1, 1)
    assert list(_differences(caplog)) == [(ONE, CHANGES[change].value)]


def test_other_differences_are_found_within_the_days(comparison: Comparison) -> None:
    with comparison.lobby.calls.uncounted():
        unbound(comparison.lobby, comparison.registry)
    days = [f"2026-11-{day}T12:00:00.000Z" for day in (22, 23, 24)]
    works = [comparison.complete(Work(day, days=3)) for day in days]
    assert sum(work.differences for work in works) == 1
    assert sum(work.examined for work in works) == 2
    assert {work.compared for work in works} == {2}


def test_a_target_that_matches_is_read_in_pages_only(comparison: Comparison) -> None:
    comparison.lobby.calls.forget()
    work = comparison.complete(Work(BEGAN, days=1_000_000))
    assert (work.compared, work.examined, work.differences, work.suspects) == (2, 0, 0, 0)
    counts = comparison.lobby.calls.count()
    assert not set(counts) & set(PER_DEVICE)
    assert (counts["ListThings"], counts["ListCertificates"], counts["ListTargetsForPolicy"]) == (1, 1, 3)
    assert (counts["GetItem"], counts["PutItem"]) == (5, 0)  # the target, once for each list


def test_a_change_in_progress_is_no_difference(comparison: Comparison) -> None:
    lobby = comparison.lobby
    released = iter([True])

    def release(event: dict[str, Any]) -> None:
        if event["ask"] == "things" and next(released, False):
            lobby.deliver(lobby.release())

    comparison.meanwhile = release
    assert comparison.complete().differences == 0
    comparison.meanwhile = lambda event: event["ask"] == "devices" and lobby.ledger.retry(TWO, ANN)
    assert comparison.complete().differences == 0


def test_a_certificate_that_is_claimed_meanwhile_is_no_orphan(comparison: Comparison) -> None:
    lobby = comparison.lobby
    claimed = iter([True])

    def claim(event: dict[str, Any]) -> None:
        if event["ask"] == "certificates" and next(claimed, False):
            lobby.place(THREE)

    comparison.meanwhile = claim
    work = comparison.complete()
    assert (work.compared, work.differences) == (2, 0)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_runs_that_end_anywhere_find_the_same(
    comparison: Comparison, steps: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(target_comparison, "_span", lambda _listed: 64)
    with comparison.lobby.calls.uncounted():
        orphaned(comparison.lobby, comparison.registry)
        comparison.registry.certificates[TWO].status = "INACTIVE"
    work, runs = Work(BEGAN), 0
    while work.step != COMPLETE:
        work, runs = comparison.run(work, steps).work, runs + 1
    assert (work.compared, work.differences, runs >= 9 // steps) == (1, 2, True)
    assert sorted(_differences(caplog)) == sorted([(ONE, "ORPHANED"), (TWO, "CERTIFICATE_INACTIVE")])


def test_many_records_are_stored_between_lists(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_records, "MOST", 2)
    with comparison.lobby.calls.uncounted():
        inactive(comparison.lobby, comparison.registry)
    work = comparison.complete()
    assert (len(work.flushes), work.compared, work.differences) == (3, 2, 1)


def test_records_that_another_run_has_overwritten_restart_the_comparison(comparison: Comparison) -> None:
    work = comparison.run(steps=3).work
    assert work.flushes
    name = f"reconciler/{A}/{ONE[:2]}/0"
    save_progress(name, read_progress(name) | {"flush": "of another run"})
    again = comparison.complete(work)
    assert (again.compared, again.listed) == (2, 2)
    assert work.flushes[0] not in again.flushes


@pytest.mark.parametrize("step", ["policy:removed", "of another version"])
def test_a_step_that_no_longer_exists_restarts_the_comparison(comparison: Comparison, step: str) -> None:
    assert comparison.complete(Work(BEGAN, step, listed=7, compared=3)).compared == 2
    assert comparison.complete(Work(BEGAN, "ledger", token="of another version")).compared == 2


def test_suspects_beyond_the_limit_are_counted_and_left(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_comparison, "MOST_SUSPECTS", 1)
    monkeypatch.setattr(target_comparison, "_BATCH", 1)
    for certificate in comparison.registry.certificates.values():
        certificate.status = "INACTIVE"
    work = comparison.complete()
    assert (work.differences, work.unexamined, work.compared) == (1, 1, 2)


def test_the_next_comparison_begins_with_the_suspects_that_were_left_out(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(target_comparison, "MOST_SUSPECTS", 1)
    monkeypatch.setattr(target_comparison, "_BATCH", 1)
    for certificate in comparison.registry.certificates.values():
        certificate.status = "INACTIVE"
    lower, upper = sorted((ONE, TWO))
    first = comparison.complete().result(BEGAN)
    second = comparison.complete(Work(BEGAN, first=first.resumes)).result(BEGAN)
    assert (first.unexamined, first.resumes) == (1, int(upper[:2], 16))
    assert (second.unexamined, second.resumes) == (1, int(lower[:2], 16))
    assert [certid for certid, _ in _differences(caplog)] == [lower, upper]


def test_orphans_that_were_left_out_come_first_in_the_next_comparison(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(target_comparison, "MOST_SUSPECTS", 1)
    monkeypatch.setattr(target_comparison, "_BATCH", 1)
    with comparison.lobby.calls.uncounted():
        comparison.lobby.deliver(*(comparison.lobby.move(certid) for certid in (ONE, TWO)))
        for certificate in comparison.registry.certificates.values():
            certificate.status = "ACTIVE"
    lower, upper = sorted((ONE, TWO))
    for following in (upper, lower):
        work = comparison.complete(Work(BEGAN, first=int(following[:2], 16)))
        assert (work.unexamined, work.differences) == (1, 1)
    assert [certid for certid, _ in _differences(caplog)] == [upper, lower]


def test_things_of_the_owner_that_name_a_placed_certificate_are_suspect_and_no_difference(
    comparison: Comparison,
) -> None:
    for number in range(5):
        make_thing(comparison.registry, f"copy-{number}", certid=ONE)
    make_thing(comparison.registry, "theirs", certid="their-own-numbers")
    work = comparison.complete(Work(BEGAN, days=1_000_000))
    assert (work.suspects, work.differences) == (1, 0)


def test_a_role_that_allows_no_lists_is_compared_device_by_device(comparison: Comparison) -> None:
    comparison.lobby.calls.fails["ListCertificates"] = ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "ListCertificates"
    )
    with comparison.lobby.calls.uncounted():
        unbound(comparison.lobby, comparison.registry)
    work = comparison.complete(Work(BEGAN, days=9))
    assert (work.by_device, work.compared, work.examined, work.differences) == (True, 2, 2, 1)
    assert work.result("now").days == 1


@pytest.mark.parametrize("operation", ["ListCertificates", "ListThings", "DescribeCertificate"])
def test_a_refusal_ends_the_run_and_the_next_one_continues(comparison: Comparison, operation: str) -> None:
    fails = comparison.lobby.calls.fails
    fails[operation] = ClientError({"Error": {"Code": "ThrottlingException"}}, operation)
    advance = comparison.run()
    assert advance.refusal is not None
    assert advance.refusal.code == "TARGET_UNREACHABLE"
    del fails[operation]
    assert comparison.complete(advance.work).compared == 2


def test_devices_of_other_targets_and_states_are_not_compared(comparison: Comparison) -> None:
    lobby = comparison.lobby
    with lobby.calls.uncounted():
        lobby.deliver(lobby.move(TWO, B))
        lobby.claim(THREE, A)
    assert comparison.complete().compared == 1


@pytest.mark.parametrize(("devices", "days"), [(0, 1), (1, 1), (100_000, 1), (100_001, 2), (1_000_000, 10)])
def test_a_million_devices_are_examined_within_ten_days(devices: int, days: int) -> None:
    assert days_for(devices) == days


def test_a_rebuilt_target_is_empty(comparison: Comparison) -> None:
    registry = comparison.registry
    assert not comparison.complete().result(BEGAN).is_empty
    registry.certificates.clear()
    registry.principal_policies.clear()
    registry.principal_things.clear()
    registry.things.clear()
    work = comparison.complete()
    assert (work.compared, work.missing, work.result(BEGAN).is_empty) == (2, 2, True)


def test_a_target_that_lacks_only_some_devices_is_not_empty(comparison: Comparison) -> None:
    no_thing(comparison.lobby, comparison.registry)
    comparison.registry.detach_policy("device-lobby-default", ARN)
    del comparison.registry.certificates[ONE]
    work = comparison.complete()
    assert (work.missing, work.result(BEGAN).is_empty) == (1, False)
