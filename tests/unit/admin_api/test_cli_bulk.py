"""Sending many claims: every row has one outcome, whatever the lobby answers."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from admin_api.cli.bulk import NOT_TRIED, VAIN_TRIES, Api, Bulk, Outcome
from admin_api.cli.claim_requests import Row, Wish, in_chunks
from admin_api.cli.errors import ApiRefused, NotSignedIn, Unreachable
from lobby.errors import LobbyError
from lobby.names import Fingerprint, parse_target

HERE, THERE = parse_target("111111111111", "eu-west-1"), parse_target("222222222222", "us-east-1")
Answer = Callable[[int, int], tuple[str, str] | None]


def rows(count: int, wish: Wish = Wish(HERE)) -> list[Row]:  # noqa: B008  # frozen
    return [Row(number, Fingerprint(f"{number:064x}"), wish) for number in range(1, count + 1)]


class Lobby:
    """Answers each device by `answer(number of the request, number of the device)`: None for done."""

    def __init__(self, answer: Answer = lambda _request, _device: None, held: dict[int, Any] | None = None) -> None:
        self.answer, self.held = answer, held or {}
        self.sent: list[int] = []
        self.looked: list[int] = []

    def claim(self, certids: Sequence[Fingerprint], _wish: Wish) -> list[dict[str, Any]]:
        self.sent.append(len(certids))
        return [self.result(certid, self.answer(len(self.sent), int(certid, 16))) for certid in certids]

    def look(self, certids: Sequence[Fingerprint]) -> dict[Fingerprint, Any]:
        self.looked.append(len(certids))
        return {certid: self.held[int(certid, 16)] for certid in certids if int(certid, 16) in self.held}

    @staticmethod
    def result(certid: str, refusal: tuple[str, str] | None) -> dict[str, Any]:
        code, message = refusal or (None, None)
        return {
            "certid": certid,
            "ok": refusal is None,
            "code": code,
            "message": message,
            "device": None if refusal else {},
        }

    def send(self, wanted: Sequence[Row], size: int = 10) -> list[Outcome]:
        self.bulk = Bulk(Api(self.claim, self.look), size)
        return [outcome for outcomes in self.bulk.send(wanted) for outcome in outcomes]


def test_what_belongs_together_is_sent_together_in_chunks() -> None:
    mixed = [*rows(3), *[Row(9, Fingerprint("f" * 64), Wish(THERE))], *rows(25)[3:]]
    assert [[row.line for row in chunk] for chunk in in_chunks(mixed, 10)] == [
        list(range(1, 11)),
        list(range(11, 21)),
        list(range(21, 26)),
        [9],
    ]
    assert list(in_chunks([], 10)) == []


def test_wishes_that_say_the_same_are_the_same() -> None:
    assert Wish(HERE, None, {"a": 1, "b": 2}).key == Wish(HERE, None, {"b": 2, "a": 1}).key
    assert (
        len(
            {
                wish.key
                for wish in (Wish(HERE), Wish(THERE), Wish(HERE, "x"), Wish(HERE, None, "x"), Wish(HERE, None, ""))
            }
        )
        == 5
    )


def test_every_row_has_one_outcome_in_its_place() -> None:
    lobby = Lobby(lambda _request, device: ("REVOKED", "no") if device % 7 == 0 else None)
    told = lobby.send(rows(25))
    assert [outcome.row.line for outcome in told] == list(range(1, 26))
    assert [outcome.row.line for outcome in told if not outcome.ok] == [7, 14, 21]
    assert lobby.sent == [10, 10, 5]


def test_what_was_not_tried_is_sent_again_as_long_as_that_helps() -> None:
    lobby = Lobby(lambda request, device: None if device <= 3 * request else (NOT_TRIED, "later"))
    assert all(outcome.ok for outcome in lobby.send(rows(10)))
    assert lobby.sent == [10, 7, 4, 1]


def test_and_no_longer() -> None:
    lobby = Lobby(lambda _request, device: None if device == 1 else (NOT_TRIED, "later"))
    told = lobby.send(rows(5))
    assert [outcome.code for outcome in told] == [None] + [NOT_TRIED] * 4
    assert lobby.sent == [5] + [4] * VAIN_TRIES


def test_a_bulk_that_is_refused_whole_holds_no_other_up() -> None:
    def refuse_the_first(request: int, _device: int) -> None:
        if request == 1:
            raise ApiRefused("UNKNOWN_PROFILE", "got no luck")

    told = Lobby(refuse_the_first).send(rows(15))
    assert [outcome.code for outcome in told] == ["UNKNOWN_PROFILE"] * 10 + [None] * 5


@pytest.mark.parametrize("fault", [Unreachable("TIMED_OUT", "got nothing"), NotSignedIn("NOT_SIGNED_IN", "ended")])
def test_where_the_lobby_goes_away_the_rest_is_left_and_says_so(fault: Exception) -> None:
    def away(request: int, _device: int) -> None:
        if request == 2:
            raise fault

    lobby = Lobby(away)
    told = lobby.send(rows(40))
    assert [outcome.code for outcome in told] == [None] * 10 + [fault.code] * 10 + [NOT_TRIED] * 20  # type: ignore[attr-defined]
    assert "run the same again" in str(told[10].message)
    assert lobby.sent == [10, 10]
    assert lobby.bulk.cut is fault


def held(target: Any = HERE, profile: str = "default", config: Any = "default") -> dict[str, Any]:
    return {
        "targetaccount": target.account,
        "targetregion": target.region,
        "profile": profile,
        "config": config,
        "devstate": "arrived",
    }


@pytest.mark.parametrize(
    ("wish", "there", "done"),
    [
        (Wish(HERE), held(), True),
        (Wish(HERE), held(profile="camera", config={"a": 1}), True),
        (Wish(HERE, "camera"), held(profile="camera", config="x"), True),
        (Wish(HERE, "camera"), held(), False),
        (Wish(HERE, None, {"a": 1}), held(config={"a": 1}), True),
        (Wish(HERE, None, {"a": 1}), held(), False),
        (Wish(HERE), held(THERE), False),
        (Wish(HERE), None, False),
    ],
)
def test_a_claim_that_is_held_already_is_done_if_it_is_what_the_row_asks_for(
    wish: Wish, there: Any, done: bool
) -> None:
    lobby = Lobby(lambda _request, _device: ("ALREADY_CLAIMED", "got it"), {1: there} if there else {})
    (outcome,) = lobby.send(rows(1, wish))
    assert outcome.ok is done
    assert done or outcome.code == "ALREADY_CLAIMED"


def test_only_claims_that_are_held_already_are_looked_at() -> None:
    answers = {3: ("ALREADY_CLAIMED", ""), 4: ("REVOKED", "")}
    lobby = Lobby(lambda _request, device: answers.get(device), {3: held()})
    assert [outcome.code for outcome in lobby.send(rows(5))] == [None, None, None, "REVOKED", None]
    assert lobby.looked == [1]


@pytest.mark.parametrize(
    ("fault", "goes_on"),
    [
        (ApiRefused("INTERNAL", "got a fault"), True),
        (Unreachable("TIMED_OUT", "got nothing"), False),
        (NotSignedIn("NOT_SIGNED_IN", "ended"), False),
    ],
)
def test_where_none_can_be_looked_at_what_was_claimed_before_still_counts(fault: LobbyError, goes_on: bool) -> None:
    class Blind(Lobby):
        def look(self, _certids: Sequence[Fingerprint]) -> dict[Fingerprint, Any]:
            raise fault

    lobby = Blind(lambda _request, device: ("ALREADY_CLAIMED", "got it") if device == 2 else None)
    told = [outcome.code for outcome in lobby.send(rows(6), 3)]
    assert told == [None, "ALREADY_CLAIMED", None] + [None if goes_on else NOT_TRIED] * 3
    assert lobby.bulk.cut is (None if goes_on else fault)
