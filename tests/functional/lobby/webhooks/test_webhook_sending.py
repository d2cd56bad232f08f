"""Sending to a real receiver over TLS: which connections are made, and how every kind of failure ends."""

import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lobby.domain.events.webhook import Result
from lobby.webhooks.sending import Outcome, Sender
from lobby.webhooks.urls import Loopback
from tests.webhook_receiver import Answer, Receiver, receiving

BODY, HEADERS = b'{"type":"test"}', {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,a"}


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with receiving(tmp_path) as running:
        yield running


@pytest.fixture
def sender(receiver: Receiver) -> Sender:
    return Sender(Loopback(receiver.roots), timeout=5)


def result(outcome: Outcome) -> tuple[Result, int | None]:
    return outcome.result, outcome.status


def test_a_request_has_the_body_and_headers(receiver: Receiver, sender: Sender) -> None:
    assert result(sender.send(f"{receiver.url}?token=a%20b", BODY, HEADERS)) == (Result.DELIVERED, 204)
    [request] = receiver.requests
    assert (request.path, request.body) == ("/hook?token=a%20b", BODY)
    assert HEADERS.items() <= request.headers.items()
    assert request.headers["host"] == f"localhost:{receiver.port}"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Result.DELIVERED),
        (299, Result.DELIVERED),
        (301, Result.REDIRECTED),
        (307, Result.REDIRECTED),
        (400, Result.REJECTED),
        (404, Result.REJECTED),
        (410, Result.GONE),
        (500, Result.REJECTED),
    ],
)
def test_only_a_status_2xx_is_a_delivery(receiver: Receiver, sender: Sender, status: int, expected: Result) -> None:
    receiver.answer = lambda _request: Answer(status, {"Location": receiver.url})
    assert result(sender.send(receiver.url, BODY, HEADERS)) == (expected, status)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("header", "seconds"), [("60", 60), ("0", 0), ("-1", None), ("soon", None), ("9" * 30, None), ("1.5", None)]
)
def test_the_wait_that_a_receiver_asks_for_is_read(
    receiver: Receiver, sender: Sender, header: str, seconds: int | None
) -> None:
    receiver.answer = lambda _request: Answer(503, {"Retry-After": header})
    assert sender.send(receiver.url, BODY, HEADERS).retry_after == seconds


@pytest.mark.parametrize("raw", [b"", b"not HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n"])
def test_a_response_that_is_not_http_is_a_failure(receiver: Receiver, sender: Sender, raw: bytes) -> None:
    receiver.answer = lambda _request: Answer(raw=raw)
    expected = Result.BAD_RESPONSE if raw else Result.CONNECTION_FAILED
    assert sender.send(receiver.url, BODY, HEADERS).result is expected


def test_a_silent_receiver_fails_within_the_time_limit(receiver: Receiver) -> None:
    released = threading.Event()
    receiver.answer = lambda _request: Answer(block=released)
    outcome = Sender(Loopback(receiver.roots), timeout=0.5).send(receiver.url, BODY, HEADERS)
    released.set()
    assert (outcome.result, outcome.milliseconds < 5000) == (Result.TIMEOUT, True)


def test_a_receiver_that_sends_one_byte_at_a_time_fails_within_the_time_limit(receiver: Receiver) -> None:
    """Each byte restarts a socket's timeout, but not the time of the request."""
    ended = threading.Event()
    receiver.answer = lambda _request: Answer(trickle=ended)
    outcome = Sender(Loopback(receiver.roots), timeout=0.5).send(receiver.url, BODY, HEADERS)
    ended.set()
    assert outcome.result is Result.TIMEOUT


def test_a_certificate_of_another_authority_is_refused(receiver: Receiver, tmp_path: Path) -> None:
    outcome = Sender(Loopback(tmp_path / "none.pem"), timeout=5).send(receiver.url, BODY, HEADERS)
    assert outcome.result is Result.TLS_FAILED
    assert receiver.requests == []


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    with receiving(tmp_path, "other.example.com") as other:
        assert Sender(Loopback(other.roots), timeout=5).send(other.url, BODY, HEADERS).result is Result.TLS_FAILED
        assert other.requests == []


def test_a_closed_port_is_a_failure(receiver: Receiver, sender: Sender) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"https://localhost:{free.getsockname()[1]}/"
        assert sender.send(url, BODY, HEADERS).result is Result.CONNECTION_FAILED


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.1", "1.1.1.1"],
        ["1.1.1.1", "::1"],
        ["::ffff:127.0.0.1"],
        ["fe80::1%eth0"],
        ["fd00:ec2::254"],
    ],
    ids=str,
)
def test_a_name_with_an_address_that_is_not_public_gets_no_connection(
    addresses: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_connection(*_: object, **__: object) -> None:
        raise AssertionError("got a connection, want none")

    monkeypatch.setattr(socket, "create_connection", no_connection)
    sender = Sender(None, lambda _host, _port: addresses)
    assert sender.send("https://example.com/", BODY, HEADERS).result is Result.ADDRESS_NOT_PUBLIC


def test_the_connection_goes_to_the_checked_address_and_the_name_is_resolved_once(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that resolves to another address a moment later (DNS rebinding) gains nothing."""
    connections: list[tuple[str, int]] = []
    answers = iter([["1.1.1.1"], ["127.0.0.1"]])

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connections.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    sender = Sender(None, lambda _host, _port: next(answers))
    assert sender.send("https://rebinding.example.com/", BODY, HEADERS).result is Result.CONNECTION_FAILED
    assert connections == [("1.1.1.1", 443)]
    assert receiver.requests == []


@pytest.mark.parametrize("failure", [socket.gaierror(), UnicodeError()], ids=repr)
def test_a_name_that_does_not_resolve_is_a_failure(failure: Exception) -> None:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        raise failure

    assert Sender(None, resolve).send("https://example.com/", BODY, HEADERS).result is Result.NAME_NOT_RESOLVED
    assert Sender(None, lambda *_: []).send("https://example.com/", BODY, HEADERS).result is Result.NAME_NOT_RESOLVED


def test_a_receiver_on_this_machine_needs_the_permission(receiver: Receiver) -> None:
    assert Sender().send(receiver.url, BODY, HEADERS).result is Result.INVALID_URL
    assert receiver.requests == []


def test_a_permitted_local_name_that_resolves_elsewhere_is_refused(receiver: Receiver) -> None:
    sender = Sender(Loopback(receiver.roots), lambda _host, _port: ["1.1.1.1"])
    assert sender.send(receiver.url, BODY, HEADERS).result is Result.ADDRESS_NOT_PUBLIC


def test_with_the_permission_other_names_are_checked_as_before(receiver: Receiver) -> None:
    sender = Sender(Loopback(receiver.roots), lambda _host, _port: ["127.0.0.1"])
    assert sender.send("https://example.com/", BODY, HEADERS).result is Result.ADDRESS_NOT_PUBLIC
