"""The ledger compared with a target: each difference is created, found, and repaired or left unchanged."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ClientError
from moto.iot.models import IoTBackend, iot_backends

from commissioner.errors import TargetRefusal
from commissioner.reconciliation import by_device as module
from commissioner.reconciliation.by_device import Page, Reconciliation
from commissioner.reconciliation.comparison import REPAIRS, DifferenceCode, Repair
from commissioner.reconciliation.examination import Examination
from commissioner.reconciliation.inspector_client import InspectorClient
from commissioner.target_gateway.registry import certificate_arn
from lobby.contracts.invocation import Request, decode_response
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import InvalidInput
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
    statuses,
)
from tests.functional.commissioner.target_changes import CHANGES, inactive, orphaned

R = TypeVar("R")


class Comparison:
    """A reconciliation, and two devices placed in A."""

    def __init__(self, lobby: LobbyWithTargets) -> None:
        self.lobby = lobby
        self.inspector = new_inspector()
        self.meanwhile: Callable[[dict[str, Any]], object] = lambda _event: None
        client = InspectorClient(self._send)
        self.reconciliation = Reconciliation(client, Examination(lobby.ledger, client, PROFILES, KEY))

    def _send(self, request: Request[R]) -> R:
        answer = self.inspector.answer(request.encode())
        self.meanwhile(request.encode())
        return decode_response(request, answer)

    @property
    def registry(self) -> IoTBackend:
        return iot_backends[A.account][A.region]

    def pages(self, repair_as: str | None = None) -> Iterator[Page]:
        page = self.reconciliation.page(A, None, repair_as)
        yield page
        while page.cursor:
            page = self.reconciliation.page(A, page.cursor, repair_as)
            yield page

    def codes(self, repair_as: str | None = None) -> list[tuple[str, DifferenceCode, bool]]:
        findings = [finding for page in self.pages(repair_as) for finding in page.findings]
        return [(each.difference.certid, each.difference.code, each.repaired) for each in findings]


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> LobbyWithTargets:
    placed = LobbyWithTargets(calls, clock, "sensor-1", "sensor-2", "sensor-3")
    placed.start_placed(ONE, TWO)
    return placed


@pytest.fixture
def comparison(lobby: LobbyWithTargets) -> Comparison:
    return Comparison(lobby)


def test_a_target_that_matches_the_ledger_has_no_differences_and_is_only_read(comparison: Comparison) -> None:
    before = aws.registry(A), aws.tables()
    assert comparison.codes() == []
    assert comparison.codes(ANN) == []
    assert (aws.registry(A), aws.tables()) == before
    assert sum(page.compared for page in comparison.pages()) == 2


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_each_difference_is_reported_and_nothing_is_changed(
    comparison: Comparison, change: Callable[[LobbyWithTargets, IoTBackend], None]
) -> None:
    with comparison.lobby.calls.uncounted():
        change(comparison.lobby, comparison.registry)
    before = aws.registry(A), aws.tables()
    assert comparison.codes() == [(ONE, CHANGES[change], False)]
    assert (aws.registry(A), aws.tables()) == before


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_permitted_repairs_are_made_and_everything_else_is_left_unchanged(
    comparison: Comparison, change: Callable[[LobbyWithTargets, IoTBackend], None]
) -> None:
    lobby, code = comparison.lobby, CHANGES[change]
    with lobby.calls.uncounted():
        change(lobby, comparison.registry)
    before = aws.registry(A), aws.tables()
    assert comparison.codes(ANN) == [(ONE, code, REPAIRS[code] is not None)]
    if REPAIRS[code] is None:
        assert (aws.registry(A), aws.tables()) == before
        return
    last = lobby.ledger.history(ONE)[-1]
    assert (last.event.value, last.actor) == (str(REPAIRS[code]), ANN)
    if REPAIRS[code] is Repair.RETRY:
        assert lobby.device().devstate is State.CLAIMED
        assert lobby.deliver(lobby.record()) == []
        assert lobby.device().devstate is State.COMMISSIONED
    assert comparison.codes() == []


def test_the_deactivation_of_an_orphan_is_recorded_first(comparison: Comparison) -> None:
    lobby = comparison.lobby
    with lobby.calls.uncounted():
        orphaned(lobby, comparison.registry)
    lobby.calls.forget()
    comparison.codes(ANN)
    writes = [
        call.operation for call in lobby.calls.made if call.operation in ("TransactWriteItems", "UpdateCertificate")
    ]
    assert writes == ["TransactWriteItems", "UpdateCertificate"]
    last = lobby.ledger.history(ONE)[-1]
    assert (last.event, last.target, last.actor) == ("deactivate", str(A), ANN)
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")
    assert lobby.device().devstate is State.COMMISSIONED


def test_a_certificate_that_the_lobby_did_not_register_is_reported_and_never_changed(comparison: Comparison) -> None:
    pem = next(iter(comparison.registry.certificates.values())).certificate_pem
    arn = certificate_arn(A, THREE)
    comparison.registry.certificates[THREE] = other = type(comparison.registry.certificates[ONE])(
        pem, "ACTIVE", A.account, A.region, None
    )
    other.certificate_id, other.arn = THREE, arn
    make_thing(comparison.registry, "sensor-3", certid=THREE)
    make_thing(comparison.registry, "theirs", certid="their-own-numbers")
    comparison.registry.attach_thing_principal("sensor-3", arn)
    before = aws.registry(A), aws.tables()
    assert comparison.codes(ANN) == [(THREE, DifferenceCode.ORPHANED_NOT_OURS, False)]
    assert (aws.registry(A), aws.tables()) == before


def test_a_change_in_progress_is_no_difference(comparison: Comparison) -> None:
    lobby = comparison.lobby
    comparison.registry.certificates[ONE].status = "INACTIVE"
    comparison.meanwhile = lambda event: event["ask"] == "devices" and lobby.release()
    assert comparison.codes(ANN) == []
    assert lobby.device().devstate is State.INLOBBY


def test_a_claim_made_while_an_orphan_is_deactivated_is_retried(comparison: Comparison) -> None:
    lobby = comparison.lobby
    with lobby.calls.uncounted():
        orphaned(lobby, comparison.registry)

    def claimed_back(event: dict[str, Any]) -> None:
        if event["ask"] == "deactivate":
            lobby.deliver(lobby.move(target=A))
            comparison.registry.certificates[ONE].status = "INACTIVE"

    comparison.meanwhile = claimed_back
    assert comparison.codes(ANN) == [(ONE, DifferenceCode.ORPHANED, True)]
    assert lobby.device().devstate is State.CLAIMED
    lobby.deliver(lobby.record())
    assert aws.status(ONE, A) == "ACTIVE"


def test_a_claim_made_before_the_deactivation_keeps_the_certificate_active(comparison: Comparison) -> None:
    lobby = comparison.lobby
    with lobby.calls.uncounted():
        orphaned(lobby, comparison.registry)
    lobby.calls.meanwhile["TransactWriteItems"] = lambda: lobby.ledger.move(ONE, ClaimRequest(A), ANN)
    assert comparison.codes(ANN) == [(ONE, DifferenceCode.ORPHANED, False)]
    assert aws.status(ONE, A) == "ACTIVE"


def test_devices_that_are_not_placed_here_are_not_looked_up(comparison: Comparison) -> None:
    with comparison.lobby.calls.uncounted():
        comparison.lobby.ledger.retry(ONE, ANN)
        comparison.lobby.deliver(comparison.lobby.move(TWO, B))
        comparison.lobby.ledger.claim(THREE, ClaimRequest(A), ANN)
    assert next(comparison.pages()).compared == 0


def test_pages_cover_all_devices_and_continue_where_time_was_short(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_SIZE", 1)
    with comparison.lobby.calls.uncounted():
        inactive(comparison.lobby, comparison.registry)
        comparison.registry.certificates[TWO].status = "INACTIVE"
    assert {certid for certid, _, _ in comparison.codes()} == {ONE, TWO}
    monkeypatch.setattr(module, "PAGE_SIZE", 20)
    seconds = iter(range(0, 10_000, 11))
    comparison.inspector = new_inspector(lambda: next(seconds))
    assert [page.compared for page in comparison.pages()] == [1, 1, 0]
    assert {certid for certid, _, _ in comparison.codes()} == {ONE, TWO}


def test_strays_beyond_the_time_limit_are_looked_up_next(comparison: Comparison) -> None:
    lobby = comparison.lobby
    with lobby.calls.uncounted():
        for certid in (ONE, TWO):
            lobby.deliver(lobby.move(certid))
            comparison.registry.certificates[certid].status = "ACTIVE"
    seconds = iter(range(0, 10_000, 11))
    comparison.inspector = new_inspector(lambda: next(seconds))
    assert comparison.codes(ANN) == [(ONE, DifferenceCode.ORPHANED, True), (TWO, DifferenceCode.ORPHANED, True)]


@pytest.mark.parametrize(
    "cursor", ["x", "e30=", "W10=", "eyJ3YWxrIjoiYWxsIn0=", "eyJkb25lIjotMX0=", "eyJwYWdlIjoxfQ=="]
)
def test_an_invalid_cursor_is_rejected(comparison: Comparison, cursor: str) -> None:
    if cursor == "e30=":  # an empty position is where every walk starts
        assert comparison.reconciliation.page(A, cursor).compared == 2
        return
    with pytest.raises(InvalidInput, match="INVALID_CURSOR"):
        comparison.reconciliation.page(A, cursor)


def test_a_target_that_cannot_be_read_is_refused_with_its_reason(comparison: Comparison) -> None:
    comparison.lobby.calls.fails["AssumeRole"] = ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")
    with pytest.raises(TargetRefusal, match="TARGET_ROLE_DENIED"):
        comparison.codes()


def test_a_reported_difference_names_the_device(comparison: Comparison) -> None:
    inactive(comparison.lobby, comparison.registry)
    [finding] = [finding for page in comparison.pages() for finding in page.findings]
    assert [asdict(each) for each in module.reported([replace(finding, repaired=True)])] == [
        {
            "code": "CERTIFICATE_INACTIVE",
            "certid": ONE,
            "name": "sensor-1",
            "message": finding.difference.message,
            "repair": "retry",
            "repaired": True,
        }
    ]
