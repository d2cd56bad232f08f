"""Bulk claims: every row has one outcome, for any response of the lobby."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from admin_api.cli.bulk.claim_requests import ClaimRequest, ClaimRow, in_chunks
from admin_api.cli.bulk.claims import BulkClaim, ClaimApi, Outcome
from admin_api.cli.bulk.sender import MAX_IDLE_ATTEMPTS, NOT_TRIED
from admin_api.cli.errors import ApiRefused, NotSignedIn, Unreachable
from lobby.errors import LobbyError
from lobby.names import Fingerprint, parse_target

HERE, THERE = parse_target("111111111111", "eu-west-1"), parse_target("222222222222", "us-east-1")
Answer = Callable[[int, int], tuple[str, str] | None]


def rows(count: int, request: ClaimRequest = ClaimRequest(HERE)) -> list[ClaimRow]:  # noqa: B008  # frozen
    return [ClaimRow(number, Fingerprint(f"{number:064x}"), request) for number in range(1, count + 1)]


class Lobby:
    """Answers each device with `answer(number of the request, number of the device)`: an error, or None if claimed."""

    def __init__(self, answer: Answer = lambda _request, _device: None, claims: dict[int, Any] | None = None) -> None:
        self.answer, self.claims = answer, claims or {}
        self.claimed: list[int] = []
        self.looked_up: list[int] = []

    def claim(self, sent: Sequence[ClaimRow]) -> list[dict[str, Any]]:
        certids = [row.certid for row in sent]
        self.claimed.append(len(certids))
        return [self.result(certid, self.answer(len(self.claimed), int(certid, 16))) for certid in certids]

    def lookup(self, certids: Sequence[Fingerprint]) -> dict[Fingerprint, Any]:
        self.looked_up.append(len(certids))
        return {certid: self.claims[int(certid, 16)] for certid in certids if int(certid, 16) in self.claims}

    @staticmethod
    def result(certid: str, error: tuple[str, str] | None) -> dict[str, Any]:
        code, message = error or (None, None)
        return {
            "certid": certid,
            "ok": error is None,
            "code": code,
            "message": message,
            "device": None if error else {},
        }

    def send(self, claim_rows: Sequence[ClaimRow], size: int = 10) -> list[Outcome]:
        self.bulk = BulkClaim(ClaimApi(self.claim, self.lookup), size)
        return [outcome for outcomes in self.bulk.send(claim_rows) for outcome in outcomes]


def test_rows_with_the_same_request_are_sent_in_chunks() -> None:
    mixed = [*rows(3), *[ClaimRow(9, Fingerprint("f" * 64), ClaimRequest(THERE))], *rows(25)[3:]]
    assert [[row.line for row in chunk] for chunk in in_chunks(mixed, 10)] == [
        list(range(1, 11)),
        list(range(11, 21)),
        list(range(21, 26)),
        [9],
    ]
    assert list(in_chunks([], 10)) == []


def test_equal_requests_have_equal_keys() -> None:
    one, other = ClaimRequest(HERE, None, {"a": 1, "b": 2}), ClaimRequest(HERE, None, {"b": 2, "a": 1})
    assert one.key == other.key
    different = [
        ClaimRequest(HERE),
        ClaimRequest(THERE),
        ClaimRequest(HERE, "x"),
        ClaimRequest(HERE, None, "x"),
        ClaimRequest(HERE, None, ""),
    ]
    assert len({request.key for request in different}) == 5


def test_every_row_has_one_outcome_in_order() -> None:
    lobby = Lobby(lambda _request, device: ("REVOKED", "no") if device % 7 == 0 else None)
    outcomes = lobby.send(rows(25))
    assert [outcome.row.line for outcome in outcomes] == list(range(1, 26))
    assert [outcome.row.line for outcome in outcomes if not outcome.ok] == [7, 14, 21]
    assert lobby.claimed == [10, 10, 5]


def test_rows_that_were_not_tried_are_sent_again_while_that_makes_progress() -> None:
    lobby = Lobby(lambda request, device: None if device <= 3 * request else (NOT_TRIED, "later"))
    assert all(outcome.ok for outcome in lobby.send(rows(10)))
    assert lobby.claimed == [10, 7, 4, 1]


def test_rows_that_were_not_tried_fail_without_progress() -> None:
    lobby = Lobby(lambda _request, device: None if device == 1 else (NOT_TRIED, "later"))
    outcomes = lobby.send(rows(5))
    assert [outcome.code for outcome in outcomes] == [None] + [NOT_TRIED] * 4
    assert lobby.claimed == [5] + [4] * MAX_IDLE_ATTEMPTS


def test_a_refused_chunk_does_not_stop_the_next() -> None:
    def refuse_the_first(request: int, _device: int) -> None:
        if request == 1:
            raise ApiRefused("UNKNOWN_PROFILE", "refused")

    outcomes = Lobby(refuse_the_first).send(rows(15))
    assert [outcome.code for outcome in outcomes] == ["UNKNOWN_PROFILE"] * 10 + [None] * 5


@pytest.mark.parametrize("error", [Unreachable("TIMED_OUT", "got nothing"), NotSignedIn("NOT_SIGNED_IN", "ended")])
def test_after_a_lost_connection_the_remaining_rows_are_not_tried(error: Exception) -> None:
    def disconnect(request: int, _device: int) -> None:
        if request == 2:
            raise error

    lobby = Lobby(disconnect)
    outcomes = lobby.send(rows(40))
    assert [outcome.code for outcome in outcomes] == [None] * 10 + [error.code] * 10 + [NOT_TRIED] * 20  # type: ignore[attr-defined]
    assert "run the same command again" in str(outcomes[10].message)
    assert lobby.claimed == [10, 10]
    assert lobby.bulk.aborted_by is error


def existing_claim(target: Any = HERE, profile: str = "default", config: Any = "default") -> dict[str, Any]:
    return {
        "targetaccount": target.account,
        "targetregion": target.region,
        "profile": profile,
        "config": config,
        "devstate": "arrived",
    }


@pytest.mark.parametrize(
    ("claim_request", "existing", "accepted"),
    [
        (ClaimRequest(HERE), existing_claim(), True),
        (ClaimRequest(HERE), existing_claim(profile="camera", config={"a": 1}), True),
        (ClaimRequest(HERE, "camera"), existing_claim(profile="camera", config="x"), True),
        (ClaimRequest(HERE, "camera"), existing_claim(), False),
        (ClaimRequest(HERE, None, {"a": 1}), existing_claim(config={"a": 1}), True),
        (ClaimRequest(HERE, None, {"a": 1}), existing_claim(), False),
        (ClaimRequest(HERE), existing_claim(THERE), False),
        (ClaimRequest(HERE), None, False),
    ],
)
def test_an_existing_claim_is_accepted_if_it_is_what_the_row_asks_for(
    claim_request: ClaimRequest, existing: Any, accepted: bool
) -> None:
    lobby = Lobby(lambda _request, _device: ("ALREADY_CLAIMED", "got it"), {1: existing} if existing else {})
    (outcome,) = lobby.send(rows(1, claim_request))
    assert outcome.ok is accepted
    assert accepted or outcome.code == "ALREADY_CLAIMED"


def test_only_devices_with_an_existing_claim_are_looked_up() -> None:
    answers = {3: ("ALREADY_CLAIMED", ""), 4: ("REVOKED", "")}
    lobby = Lobby(lambda _request, device: answers.get(device), {3: existing_claim()})
    assert [outcome.code for outcome in lobby.send(rows(5))] == [None, None, None, "REVOKED", None]
    assert lobby.looked_up == [1]


@pytest.mark.parametrize(
    ("error", "continues"),
    [
        (ApiRefused("INTERNAL", "got a fault"), True),
        (Unreachable("TIMED_OUT", "got nothing"), False),
        (NotSignedIn("NOT_SIGNED_IN", "ended"), False),
    ],
)
def test_a_failed_lookup_keeps_the_outcomes(error: LobbyError, continues: bool) -> None:
    class FailingLookup(Lobby):
        def lookup(self, _certids: Sequence[Fingerprint]) -> dict[Fingerprint, Any]:
            raise error

    lobby = FailingLookup(lambda _request, device: ("ALREADY_CLAIMED", "got it") if device == 2 else None)
    codes = [outcome.code for outcome in lobby.send(rows(6), 3)]
    assert codes == [None, "ALREADY_CLAIMED", None] + [None if continues else NOT_TRIED] * 3
    assert lobby.bulk.aborted_by is (None if continues else error)
