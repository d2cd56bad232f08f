"""Real awscrt over real mutual TLS: the device against scripted brokers."""

import gc
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import awscrt.mqtt
import pytest

from device.machine.plan import Endpoint
from device.storage import Storage
from lobby.wire import Reset, Route
from tests.functional.device import scripted_broker as scripts
from tests.functional.device.running_device import (
    SHORT_TIMING,
    RunningDevice,
    TlsSetup,
    endpoint_of,
    make_tls_setup,
)
from tests.functional.device.scripted_broker import Broker, Script, close_after_connect, serve
from tests.functional.device.tls_certificates import issue
from tests.unit.device.failing_disk import FailingCalls


@pytest.fixture
def tls(tmp_path: Path) -> TlsSetup:
    return make_tls_setup(tmp_path)


def route_to(port: int | None, generation: int = 1) -> bytes:
    return Route("127.0.0.1", "blue", port, generation).encode()


@contextmanager
def closed_port() -> Iterator[int]:
    """A local port that refuses connections: bound, so that no other process gets it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_a_device_onboards_after_a_closed_first_connection_on_the_current_port(tls: TlsSetup) -> None:
    with tls.broker(close_after_connect, serve(route_to(None)), serve()) as broker:
        with RunningDevice(tls.credentials, tls.state, Endpoint("localhost", broker.port)) as log:
            assert log.wait_for("arrived_at_target")["endpoint"] == f"127.0.0.1:{broker.port}"
            log.wait_for("alive_sent")
        broker.wait_for("disconnect", times=2)
        received = [kind for kind, _ in broker.received]
    assert "localhost" in broker.sni
    assert set(broker.protocols) == {"x-amzn-mqtt-ca"}  # as on every port but 8883
    assert received[:4] == ["connect", "connect", "subscribe", "$aws/rules/lobby"]
    assert received[4:] == ["disconnect", "connect", "subscribe", "app/sensor-1", "disconnect"]
    assert log.counts["refused"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "event"),
    [
        (scripts.never_connack, "timeout"),
        (scripts.never_suback, "connection_lost"),
        (scripts.never_puback, "connection_lost"),
        (scripts.refuse_connect, "refused"),
        (scripts.refuse_subscription, "connection_lost"),
    ],
)
def test_a_broker_that_does_not_answer_correctly_is_retried(tls: TlsSetup, script: Script, event: str) -> None:
    with tls.broker(script, serve(route_to(None)), serve()) as broker:
        with RunningDevice(
            tls.credentials, tls.state, endpoint_of(broker), timing=replace(SHORT_TIMING, answer_within=1)
        ) as log:
            log.wait_for("arrived_at_target")
        assert log.wait_for(event)["attempt"] == 1


@pytest.mark.slow
def test_after_a_lobby_without_a_tls_handshake_the_next_is_tried(tls: TlsSetup) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, tls.broker(serve()) as broker:
        lobbies = (Endpoint("127.0.0.1", silent.getsockname()[1]), endpoint_of(broker))
        with RunningDevice(tls.credentials, tls.state, *lobbies, timing=replace(SHORT_TIMING, answer_within=1)) as log:
            assert log.wait_for("hello_sent")["endpoint"] == str(endpoint_of(broker))
        assert log.counts["timeout"] == 1


def test_after_an_unreachable_lobby_the_next_is_tried(tls: TlsSetup) -> None:
    with closed_port() as unused_port, tls.broker(serve()) as broker:
        with RunningDevice(tls.credentials, tls.state, Endpoint("127.0.0.1", unused_port), endpoint_of(broker)) as log:
            assert log.wait_for("hello_sent")["endpoint"] == str(endpoint_of(broker))
        assert log.counts["unreachable"] == 1


@pytest.mark.slow
def test_a_server_of_another_ca_receives_nothing(tls: TlsSetup, tmp_path: Path) -> None:
    other_server = issue(tmp_path, "server-of-another-ca", issue(tmp_path, "other-ca"))
    with Broker(other_server, tls.ca, serve(route_to(None))) as broker:
        with RunningDevice(
            tls.credentials, tls.state, endpoint_of(broker), timing=replace(SHORT_TIMING, answer_within=1)
        ) as log:
            assert "CA" in log.wait_for("timeout")["detail"]
        assert broker.sni
        assert {kind for kind, _ in broker.received} <= {"lost"}


# awscrt drops a topic that is not UTF-8 with an exception that Python cannot raise anywhere.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_invalid_messages_are_ignored_and_the_route_after_them_is_followed(tls: TlsSetup) -> None:
    invalid = [b"", b"\xff\x00", b"{", b"[]", b"[" * 100_000, b"x" * 300_000, b'{"iotep": 1}', b'{"config": []}']
    other_topics = [(b"lobby/other", route_to(1)), (b"lobby/\xff\xfe", route_to(1)), (b"lobby/sensor-1/x", b"")]
    with (
        tls.broker(serve(*invalid, *other_topics, route_to(None)), serve()) as broker,
        RunningDevice(tls.credentials, tls.state, endpoint_of(broker)) as log,
    ):
        log.wait_for("arrived_at_target")
    assert log.counts["message_ignored"] >= len(invalid)
    assert log.counts["route_received"] == 1


def test_a_reset_in_the_target_returns_to_the_lobby_and_removes_the_route(tls: TlsSetup) -> None:
    with tls.broker(serve()) as lobby, tls.broker(serve(Reset().encode())) as target:
        tls.state.mkdir()
        Storage(tls.state).store(Route("127.0.0.1", "x", target.port, 3))
        with RunningDevice(tls.credentials, tls.state, endpoint_of(lobby)) as log:
            assert log.wait_for("hello_sent")["endpoint"] == str(endpoint_of(lobby))
        assert Storage(tls.state).load().route is None
        target.wait_for("disconnect")


def test_an_unreachable_target_is_retried_when_the_lobby_repeats_its_route(tls: TlsSetup) -> None:
    with closed_port() as port:
        route = route_to(port)
        with (
            tls.broker(serve(route)) as lobby,
            RunningDevice(tls.credentials, tls.state, endpoint_of(lobby)) as log,
        ):
            log.wait_for("fallback_to_lobby")
            log.wait_for("route_repeated")
            log.wait_for("fallback_to_lobby", times=2)
            assert Storage(tls.state).load().route == Route("127.0.0.1", "blue", port, 1)


def test_a_repaired_target_is_reached_although_the_lobby_is_unreachable(tls: TlsSetup) -> None:
    with closed_port() as unused_port, ExitStack() as until_target_repaired:
        port = until_target_repaired.enter_context(closed_port())
        tls.state.mkdir()
        Storage(tls.state).store(Route("127.0.0.1", "x", port, 1))
        with RunningDevice(tls.credentials, tls.state, Endpoint("127.0.0.1", unused_port)) as log:
            log.wait_for("fallback_to_lobby")
            until_target_repaired.close()
            with tls.broker(serve(), port=port):
                log.wait_for("arrived_at_target")


def test_a_lost_connection_is_replaced(tls: TlsSetup) -> None:
    with (
        tls.broker(serve(close_after=1), serve(close_after=1), serve()) as broker,
        RunningDevice(tls.credentials, tls.state, endpoint_of(broker)) as log,
    ):
        log.wait_for("connection_lost", times=2)
        log.wait_for("hello_sent", times=3)


@pytest.mark.slow
def test_a_lost_connection_is_freed(tls: TlsSetup) -> None:
    before = connection_count()  # of other tests in this process
    with (
        tls.broker(*[serve(close_after=1)] * 8, serve()) as broker,
        RunningDevice(tls.credentials, tls.state, endpoint_of(broker)) as log,
    ):
        log.wait_for("hello_sent", times=9)
        until = time.monotonic() + 10
        while (left := connection_count() - before) > 1:
            assert time.monotonic() < until, f"{left} connections still exist"
            time.sleep(0.1)


def connection_count() -> int:
    gc.collect()
    return sum(type(item) is awscrt.mqtt.Connection for item in gc.get_objects())


def test_a_stored_route_is_used_without_the_lobby(tls: TlsSetup) -> None:
    with tls.broker(serve(route_to(None)), serve()) as broker:
        with RunningDevice(tls.credentials, tls.state, endpoint_of(broker)) as log:
            log.wait_for("arrived_at_target")
        with (
            closed_port() as unused_port,
            RunningDevice(tls.credentials, tls.state, Endpoint("127.0.0.1", unused_port)) as log,
        ):
            log.wait_for("arrived_at_target")
    assert not log.counts["hello_sent"]


def test_with_a_full_disk_the_device_reaches_its_target(tls: TlsSetup) -> None:
    with (
        tls.broker(serve(route_to(None)), serve()) as broker,
        RunningDevice(
            tls.credentials, tls.state, endpoint_of(broker), calls=FailingCalls(["write"], "ENOSPC", 2).calls
        ) as log,
    ):
        log.wait_for("arrived_at_target")
        log.wait_for("route_stored")
    assert log.counts["route_not_stored"] == 1
    assert Storage(tls.state).load().route == Route("127.0.0.1", "blue", broker.port, 1)


def test_the_log_is_json_with_time_and_event(tls: TlsSetup) -> None:
    with tls.broker(serve()) as broker, RunningDevice(tls.credentials, tls.state, endpoint_of(broker)) as log:
        line = log.wait_for("connected")
    assert json.dumps(line)
    assert line["at"][-1] == "Z"
    assert len(line["at"]) == len("2026-01-01T00:00:00.000Z")
