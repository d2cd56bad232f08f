"""Which targets are not called, for how long, and what ends it."""

from contextlib import suppress

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from commissioner.errors import CircuitOpen
from commissioner.target_gateway.circuit_breaker import CircuitBreaker
from lobby.names import parse_target
from tests.aws import Clock

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
UNREACHABLE = EndpointConnectionError(endpoint_url="https://there")


def error(status: int) -> ClientError:
    answer = {"Error": {"Code": "X", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "CreateThing")  # type: ignore[arg-type]


def call(breaker: CircuitBreaker, answer: BotoCoreError | ClientError | None, target: object = A) -> None:
    with suppress(BotoCoreError, ClientError), breaker.recording(A if target is A else B):
        if answer:
            raise answer


def is_open(breaker: CircuitBreaker) -> bool:
    try:
        breaker.check(A)
    except CircuitOpen:
        return True
    return False


@pytest.mark.parametrize(
    ("answer", "opens"),
    [
        (UNREACHABLE, True),
        (ConnectTimeoutError(endpoint_url="x"), True),
        (error(500), True),
        (error(503), True),
        (None, False),
        (error(400), False),
        (error(403), False),
        (error(429), False),
        (ClientError({"Error": {"Code": "X"}}, "CreateThing"), False),
    ],
)
def test_no_answer_and_a_server_error_open_the_circuit(answer: BotoCoreError | ClientError | None, opens: bool) -> None:
    breaker = CircuitBreaker(Clock())
    call(breaker, answer)
    assert is_open(breaker) is opens


@pytest.mark.parametrize("answer", [None, error(403)])
def test_any_answer_closes_the_circuit(answer: ClientError | None) -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    call(breaker, UNREACHABLE)
    clock.advance(seconds=100)
    assert breaker.is_unreachable(A)
    call(breaker, answer)
    assert (is_open(breaker), breaker.is_unreachable(A)) == (False, False)


def test_the_target_is_called_every_5_seconds_and_after_a_minute_every_30() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    called = []
    for second in range(180):
        if not is_open(breaker):
            called.append(second)
            call(breaker, UNREACHABLE)
        clock.advance(seconds=1)
    assert called == [*range(0, 56, 5), 85, 115, 145, 175]


def test_targets_are_independent() -> None:
    breaker = CircuitBreaker(Clock())
    call(breaker, UNREACHABLE, B)
    assert not is_open(breaker)
    assert not breaker.is_unreachable(None)
