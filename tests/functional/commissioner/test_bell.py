"""The bell: which messages each record of the ledger's stream sends."""

from dataclasses import replace
from typing import Any, cast

import pytest

from commissioner.lambdas.bell import Bell, handler
from lobby.contracts.lane_tokens import Token
from lobby.domain.device import Priority
from lobby.domain.lanes.lane import LOBBY, lane_to
from lobby.domain.transitions import ClaimRequest
from tests.functional.commissioner.lane_environment import RecordingQueue
from tests.functional.commissioner.lobby_with_targets import ANN, ONE, A, B, LobbyWithTargets, Record

TOKENS, EXPRESS = "tokens", "express"


@pytest.fixture
def queue() -> RecordingQueue:
    return RecordingQueue()


@pytest.fixture
def bell(queue: RecordingQueue) -> Bell:
    return Bell(cast(Any, queue), TOKENS, EXPRESS, lambda: 100.0)


def ring(bell: Bell, *records: Record) -> None:
    assert handler({"Records": list(records)}, None, bell) == {"batchItemFailures": []}


def sent(queue: RecordingQueue) -> list[tuple[str, Token]]:
    """Return the messages, without the tags of announcements."""
    tokens = [(message["QueueUrl"], Token.decode(message["MessageBody"])) for message in queue.sent]
    assert all(bool(token.tag) is token.is_express for _, token in tokens)
    return [(queue, replace(token, tag="")) for queue, token in tokens]


def bulk_claim(lobby: LobbyWithTargets) -> Record:
    with lobby.calls.uncounted():
        lobby.ledger.claim_many([ONE], ClaimRequest(A, priority=Priority.BULK), ANN, lambda: False)
    return lobby.record()


def test_a_single_claim_is_announced_by_name(lobby: LobbyWithTargets, bell: Bell, queue: RecordingQueue) -> None:
    ring(bell, lobby.claim())
    assert sent(queue) == [(EXPRESS, Token(lane_to(A), None, (ONE,)))]


def test_a_bulk_claim_sends_a_token(lobby: LobbyWithTargets, bell: Bell, queue: RecordingQueue) -> None:
    record = bulk_claim(lobby)
    ring(bell, record, record)
    assert sent(queue) == [(TOKENS, Token(lane_to(A), 104.0))]


def test_a_lane_gets_one_token_in_a_bucket(lobby: LobbyWithTargets, queue: RecordingQueue) -> None:
    now, record = [100.0], bulk_claim(lobby)
    bell = Bell(cast(Any, queue), TOKENS, EXPRESS, lambda: now[0])
    for at in (100.0, 101.9, 102.0, 103.9):
        now[0] = at
        ring(bell, record)
    assert sent(queue) == [(TOKENS, Token(lane_to(A), settled_at)) for settled_at in (104.0, 106.0)]


def test_a_token_that_could_not_be_sent_is_sent_by_the_next_run(lobby: LobbyWithTargets, queue: RecordingQueue) -> None:
    record, send = bulk_claim(lobby), queue.send_message
    bell = Bell(cast(Any, queue), TOKENS, EXPRESS, lambda: 100.0)
    queue.send_message = cast(Any, None)  # type: ignore[method-assign]
    with pytest.raises(TypeError):
        ring(bell, record)
    queue.send_message = send  # type: ignore[method-assign]
    ring(bell, record)
    assert sent(queue) == [(TOKENS, Token(lane_to(A), 104.0))]


def test_each_lane_with_a_part_of_the_work_is_started(
    lobby: LobbyWithTargets, bell: Bell, queue: RecordingQueue
) -> None:
    lobby.place()
    lobby.move()
    record = lobby.revoke()
    ring(bell, record)
    lanes = {token.lane for _, token in sent(queue)}
    assert lanes == {lane_to(A), lane_to(B), LOBBY}


def test_a_row_of_an_earlier_version_is_announced_in_its_lane(
    lobby: LobbyWithTargets, bell: Bell, queue: RecordingQueue
) -> None:
    record = lobby.claim()
    record["dynamodb"]["NewImage"]["turn"] = {"S": "commissioner"}
    ring(bell, record)
    assert sent(queue) == [(EXPRESS, Token(lane_to(A), None, (ONE,)))]


@pytest.mark.parametrize("turn", ["commissioner", f"commissioner#{A}#1", "what?"])
def test_a_row_that_cannot_be_read_is_announced_for_a_worker_to_report(
    lobby: LobbyWithTargets, bell: Bell, queue: RecordingQueue, turn: str
) -> None:
    record = lobby.claim()
    record["dynamodb"]["NewImage"] |= {"devstate": {"S": "unheard of"}, "turn": {"S": turn}}
    ring(bell, record)
    assert sent(queue) == [(EXPRESS, Token(lane_to(A) if "#" in turn else LOBBY, None, (ONE,)))]


def test_a_token_whose_bucket_ended_while_it_was_sent_is_sent_again(
    lobby: LobbyWithTargets, queue: RecordingQueue
) -> None:
    times = iter([100.0, 105.0, 105.0, 105.1])
    ring(Bell(cast(Any, queue), TOKENS, EXPRESS, lambda: next(times)), bulk_claim(lobby))
    assert len({message["MessageDeduplicationId"] for message in queue.sent}) == 2


def test_a_message_that_cannot_be_sent_fails_the_batch(lobby: LobbyWithTargets, bell: Bell) -> None:
    bell._sqs = cast(Any, object())
    with pytest.raises(AttributeError):
        ring(bell, lobby.claim())
