"""The messages that start a lane's worker."""

import pytest

from lobby.contracts.lane_tokens import (
    BUCKET_SECONDS,
    INDEX_LAG_SECONDS,
    MAX_ANNOUNCED,
    Token,
    announcement_messages,
    fresh_token_message,
    row_of,
    token_message,
)
from lobby.domain.lanes.lane import LOBBY, lane_to
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, parse_target

A = lane_to(parse_target("1" * 12, "eu-west-1"))
ROWS = [Fingerprint(f"{number:064x}") for number in range(60)]


def identity(message: dict[str, str]) -> str:
    return message["MessageDeduplicationId"]


def test_tokens_of_one_bucket_are_duplicates_and_outlive_the_bucket() -> None:
    first, second = token_message(A, 100.1), token_message(A, 100.0 + BUCKET_SECONDS - 0.1)
    assert identity(first) == identity(second)
    assert identity(token_message(A, 100.0 + BUCKET_SECONDS)) != identity(first)
    assert identity(token_message(LOBBY, 100.1)) != identity(first)
    assert Token.decode(first["MessageBody"]) == Token(A, 100.0 + BUCKET_SECONDS + INDEX_LAG_SECONDS)
    assert first["MessageGroupId"] == A


def test_a_fresh_token_is_never_a_duplicate() -> None:
    assert identity(fresh_token_message(A, "1")) != identity(fresh_token_message(A, "2"))
    assert Token.decode(fresh_token_message(A, "1")["MessageBody"]) == Token(A)


def test_announcements_name_each_row_once_and_are_the_same_for_the_same_records() -> None:
    messages = announcement_messages(A, [*ROWS, *ROWS], "42")
    tokens = [Token.decode(message["MessageBody"]) for message in messages]
    assert [row for token in tokens for row in token.announced] == ROWS
    assert all(token.is_express and len(token.announced) <= MAX_ANNOUNCED for token in tokens)
    assert len({identity(message) for message in messages}) == len(messages)
    assert messages == announcement_messages(A, ROWS, "42")
    assert identity(messages[0]) != identity(announcement_messages(A, ROWS, "43")[0])


def test_the_same_row_in_another_announcement_is_another_entry() -> None:
    first, again = (
        Token.decode(announcement_messages(A, ROWS[:2], unique)[0]["MessageBody"]).entries for unique in ("42", "43")
    )
    assert not set(first) & set(again)
    assert [row_of(entry) for entry in first] == ROWS[:2]


def test_the_announcement_of_an_earlier_version_has_no_tag() -> None:
    token = Token.decode(f'{{"lane": "lobby", "announced": ["{ROWS[0]}"]}}')
    assert [row_of(entry) for entry in token.entries] == ROWS[:1]
    assert row_of(ROWS[0]) == ROWS[0]


@pytest.mark.parametrize(
    "body",
    [
        *("", "[]", "{}", "null", '{"lane": 1}', '{"lane": "x"}'),
        *('{"lane": "lobby", "announced": ["x"]}', '{"lane": "lobby", "announced": 1}'),
        '{"lane": "lobby", "settledAt": "soon"}',
        *('{"lane": "lobby", "tag": 1}', '{"lane": "lobby", "tag": "x#y"}', '{"lane": "lobby", "tag": null}'),
    ],
)
def test_other_bodies_are_rejected(body: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_TOKEN"):
        Token.decode(body)
