"""Real awscrt over real mutual TLS: a device goes to its standby while nothing else listens, and comes back."""

import socket
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from device.machine.plan import Endpoint
from device.storage import Storage
from lobby.wire import Route, StandbyEndpoint
from tests.functional.device.running_device import LOOPBACK, SHORT_TIMING, RunningDevice, TlsSetup, make_tls_setup
from tests.functional.device.scripted_broker import serve

TIMING = replace(SHORT_TIMING, standby_base=0.6, standby_cap=0.6)


@pytest.fixture
def tls(tmp_path: Path) -> TlsSetup:
    return make_tls_setup(tmp_path)


def reserved(stack: ExitStack) -> tuple[socket.socket, int]:
    """Return a port on which nothing listens, and the socket that keeps it until it is closed."""
    kept = stack.enter_context(socket.socket())
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind((LOOPBACK, 0))
    return kept, kept.getsockname()[1]


@pytest.mark.slow
@pytest.mark.parametrize("first_to_answer", ["lobby", "target"])
def test_a_device_works_in_its_standby_until_the_lobby_or_its_target_answers(
    tls: TlsSetup, first_to_answer: str
) -> None:
    with ExitStack() as stack:
        (lobby_socket, lobby_port), (target_socket, target_port) = reserved(stack), reserved(stack)
        standby = stack.enter_context(tls.broker(serve()))
        route = Route(LOOPBACK, "blue", target_port, 1, StandbyEndpoint(LOOPBACK, standby.port))
        tls.state.mkdir()
        Storage(tls.state).store(route)
        answering = stack.enter_context(ExitStack())
        log = stack.enter_context(
            RunningDevice(tls.credentials, tls.state, Endpoint(LOOPBACK, lobby_port), timing=TIMING)
        )
        assert log.wait_for("arrived_at_standby")["endpoint"] == f"{LOOPBACK}:{standby.port}"
        log.wait_for("leaving_standby")
        log.wait_for("arrived_at_standby", times=2)
        standby.wait_for("app/sensor-1", times=2)
        if first_to_answer == "lobby":
            lobby_socket.close()
            answering.enter_context(tls.broker(serve(route.encode()), port=lobby_port))
            log.wait_for("hello_sent")
        target_socket.close()
        answering.enter_context(tls.broker(serve(), port=target_port))
        assert log.wait_for("arrived_at_target")["endpoint"] == f"{LOOPBACK}:{target_port}"
        assert Storage(tls.state).load().route == route


def test_a_standby_from_the_lobby_is_stored_and_used_later(tls: TlsSetup) -> None:
    with ExitStack() as stack:
        _, target_port = reserved(stack)
        standby = StandbyEndpoint(LOOPBACK, 1)
        route = Route(LOOPBACK, "blue", target_port, 1)
        lobby = stack.enter_context(tls.broker(serve(replace(route, standby=standby).encode())))
        tls.state.mkdir()
        Storage(tls.state).store(route)
        log = stack.enter_context(
            RunningDevice(tls.credentials, tls.state, Endpoint(LOOPBACK, lobby.port), timing=SHORT_TIMING)
        )
        log.wait_for("standby_received")
        log.wait_for("route_stored")
        assert Storage(tls.state).load().route == replace(route, standby=standby)
