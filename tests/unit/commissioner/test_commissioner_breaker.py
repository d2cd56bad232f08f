"""Which targets are left alone, for how long, and what ends it."""

from contextlib import suppress

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from commissioner.target_gateway.circuit_breaker import CircuitBreaker, CircuitOpen
from lobby.names import parse_target
from tests.aws import Clock

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
GONE = EndpointConnectionError(endpoint_url="https://there")


def said(status: int) -> ClientError:
    answer = {"Error": {"Code": "X", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "CreateThing")  # type: ignore[arg-type]


def ask(breaker: CircuitBreaker, answer: BotoCoreError | ClientError | None, target: object = A) -> None:
    with suppress(BotoCoreError, ClientError), breaker.asking(A if target is A else B):
        if answer:
            raise answer


def is_left_alone(breaker: CircuitBreaker) -> bool:
    try:
        breaker.check(A)
    except CircuitOpen:
        return True
    return False


@pytest.mark.parametrize(
    ("answer", "alone"),
    [
        (GONE, True),
        (ConnectTimeoutError(endpoint_url="x"), True),
        (said(500), True),
        (said(503), True),
        (None, False),
        (said(400), False),
        (said(403), False),
        (said(429), False),
        (ClientError({"Error": {"Code": "X"}}, "CreateThing"), False),
    ],
)
def test_no_answer_and_a_broken_one_have_a_target_left_alone(
    answer: BotoCoreError | ClientError | None, alone: bool
) -> None:
    breaker = CircuitBreaker(Clock())
    ask(breaker, answer)
    assert is_left_alone(breaker) is alone


@pytest.mark.parametrize("answer", [None, said(403)])
def test_any_answer_ends_it(answer: ClientError | None) -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    ask(breaker, GONE)
    clock.advance(seconds=100)
    assert breaker.is_long_silent(A)
    ask(breaker, answer)
    assert (is_left_alone(breaker), breaker.is_long_silent(A)) == (False, False)


def test_it_is_asked_again_after_some_seconds_and_after_a_minute_less_often() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    asked = []
    for second in range(180):
        if not is_left_alone(breaker):
            asked.append(second)
            ask(breaker, GONE)
        clock.advance(seconds=1)
    assert asked == [*range(0, 56, 5), 85, 115, 145, 175]


def test_one_target_s_silence_is_no_other_s() -> None:
    breaker = CircuitBreaker(Clock())
    ask(breaker, GONE, B)
    assert not is_left_alone(breaker)
    assert not breaker.is_long_silent(None)
