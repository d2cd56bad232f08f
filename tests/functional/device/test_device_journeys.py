"""Real awscrt, real mutual TLS: the device against brokers that behave as brokers do."""

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
from tests.functional.device.paper import issue
from tests.functional.device.running_device import QUICK, RunningDevice
from tests.functional.device.scripted_broker import Broker, Script, hang_up, serve
from tests.functional.device.site import Site, at, make_site
from tests.unit.device.refusals import Refusals


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)


def route_to(port: int | None, generation: int = 1) -> bytes:
    return Route("127.0.0.1", "blue", port, generation).encode()


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port of this machine on which nothing answers: bound, so that nobody else gets it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_hung_up_on_at_first_then_routed_then_arrived_on_the_port_in_use(site: Site) -> None:
    with site.broker(hang_up, serve(route_to(None)), serve()) as broker:
        with RunningDevice(site.credentials, site.state, Endpoint("localhost", broker.port)) as log:
            assert log.wait_for("arrived_at_target")["endpoint"] == f"127.0.0.1:{broker.port}"
            log.wait_for("alive_sent")
        broker.wait_for("goodbye", times=2)
        told = [kind for kind, _ in broker.seen]
    assert "localhost" in broker.sni
    assert told[:4] == ["connect", "connect", "subscribe", "$aws/rules/lobby"]
    assert told[4:] == ["goodbye", "connect", "subscribe", "app/sensor-1", "goodbye"]
    assert log.counts["refused"] == 1


@pytest.mark.parametrize(
    ("script", "event"),
    [
        (scripts.never_connack, "silent"),
        (scripts.never_suback, "connection_lost"),
        (scripts.never_puback, "connection_lost"),
        (scripts.refuse_connect, "refused"),
        (scripts.refuse_subscription, "connection_lost"),
    ],
)
def test_a_broker_that_does_not_do_its_part_is_left_and_tried_again(site: Site, script: Script, event: str) -> None:
    with site.broker(script, serve(route_to(None)), serve()) as broker:
        with RunningDevice(site.credentials, site.state, at(broker), timing=replace(QUICK, answer_within=1)) as log:
            log.wait_for("arrived_at_target")
        assert log.wait_for(event)["attempt"] == 1


def test_a_port_that_accepts_and_never_speaks_tls_gives_way_to_the_next_lobby(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, site.broker(serve()) as broker:
        lobbies = (Endpoint("127.0.0.1", mute.getsockname()[1]), at(broker))
        with RunningDevice(site.credentials, site.state, *lobbies, timing=replace(QUICK, answer_within=1)) as log:
            assert log.wait_for("hello_sent")["endpoint"] == str(at(broker))
        assert log.counts["silent"] == 1


def test_a_lobby_that_is_not_there_gives_way_to_the_next(site: Site) -> None:
    with deaf_port() as gone, site.broker(serve()) as broker:
        with RunningDevice(site.credentials, site.state, Endpoint("127.0.0.1", gone), at(broker)) as log:
            assert log.wait_for("hello_sent")["endpoint"] == str(at(broker))
        assert log.counts["unreachable"] == 1


def test_a_server_of_another_ca_hears_nothing(site: Site, tmp_path: Path) -> None:
    stranger = issue(tmp_path, "server-of-a-stranger", issue(tmp_path, "other-ca"))
    with Broker(stranger, site.ca, serve(route_to(None))) as broker:
        with RunningDevice(site.credentials, site.state, at(broker), timing=replace(QUICK, answer_within=1)) as log:
            assert "CA" in log.wait_for("silent")["detail"]
        assert broker.sni
        assert {kind for kind, _ in broker.seen} <= {"lost"}


# awscrt itself drops a topic that is no UTF-8, through an exception that Python cannot raise anywhere.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_garbage_is_ignored_and_the_route_after_it_followed(site: Site) -> None:
    garbage = [b"", b"\xff\x00", b"{", b"[]", b"[" * 100_000, b"x" * 300_000, b'{"iotep": 1}', b'{"config": []}']
    strange = [(b"lobby/other", route_to(1)), (b"lobby/\xff\xfe", route_to(1)), (b"lobby/sensor-1/x", b"")]
    with (
        site.broker(serve(*garbage, *strange, route_to(None)), serve()) as broker,
        RunningDevice(site.credentials, site.state, at(broker)) as log,
    ):
        log.wait_for("arrived_at_target")
    assert log.counts["message_ignored"] >= len(garbage)
    assert log.counts["route_received"] == 1


def test_a_reset_in_the_target_leads_back_to_the_lobby_and_is_remembered(site: Site) -> None:
    with site.broker(serve()) as lobby, site.broker(serve(Reset().encode())) as target:
        site.state.mkdir()
        Storage(site.state).store(Route("127.0.0.1", "x", target.port, 3))
        with RunningDevice(site.credentials, site.state, at(lobby)) as log:
            assert log.wait_for("hello_sent")["endpoint"] == str(at(lobby))
        assert Storage(site.state).load().route is None
        target.wait_for("goodbye")


def test_an_unreachable_target_is_given_up_for_the_lobby_and_tried_again_when_the_lobby_repeats_it(site: Site) -> None:
    with deaf_port() as port:
        route = route_to(port)
        with (
            site.broker(serve(route)) as lobby,
            RunningDevice(site.credentials, site.state, at(lobby)) as log,
        ):
            log.wait_for("fallback_to_lobby")
            log.wait_for("route_repeated")
            log.wait_for("fallback_to_lobby", times=2)
            assert Storage(site.state).load().route == Route("127.0.0.1", "blue", port, 1)


def test_a_target_that_comes_back_is_found_although_the_lobby_is_gone(site: Site) -> None:
    with deaf_port() as gone, ExitStack() as until_repaired:
        port = until_repaired.enter_context(deaf_port())
        site.state.mkdir()
        Storage(site.state).store(Route("127.0.0.1", "x", port, 1))
        with RunningDevice(site.credentials, site.state, Endpoint("127.0.0.1", gone)) as log:
            log.wait_for("fallback_to_lobby")
            until_repaired.close()
            with site.broker(serve(), port=port):
                log.wait_for("arrived_at_target")


def test_a_lost_connection_is_made_again(site: Site) -> None:
    with (
        site.broker(serve(hang_up_after=1), serve(hang_up_after=1), serve()) as broker,
        RunningDevice(site.credentials, site.state, at(broker)) as log,
    ):
        log.wait_for("connection_lost", times=2)
        log.wait_for("hello_sent", times=3)


def test_a_connection_that_was_lost_leaves_nothing_behind(site: Site) -> None:
    with (
        site.broker(*[serve(hang_up_after=1)] * 8, serve()) as broker,
        RunningDevice(site.credentials, site.state, at(broker)) as log,
    ):
        log.wait_for("hello_sent", times=9)
        until = time.monotonic() + 10
        while (left := connections_left()) > 1:
            assert time.monotonic() < until, f"{left} connections are still held"
            time.sleep(0.1)


def connections_left() -> int:
    gc.collect()
    return sum(type(one) is awscrt.mqtt.Connection for one in gc.get_objects())


def test_a_stored_route_is_taken_up_again_without_the_lobby(site: Site) -> None:
    with site.broker(serve(route_to(None)), serve()) as broker:
        with RunningDevice(site.credentials, site.state, at(broker)) as log:
            log.wait_for("arrived_at_target")
        with deaf_port() as gone, RunningDevice(site.credentials, site.state, Endpoint("127.0.0.1", gone)) as log:
            log.wait_for("arrived_at_target")
    assert not log.counts["hello_sent"]


def test_a_full_disk_does_not_keep_the_device_from_its_target(site: Site) -> None:
    with (
        site.broker(serve(route_to(None)), serve()) as broker,
        RunningDevice(site.credentials, site.state, at(broker), calls=Refusals(["write"], "ENOSPC", 2).calls) as log,
    ):
        log.wait_for("arrived_at_target")
        log.wait_for("route_stored")
    assert log.counts["route_not_stored"] == 1
    assert Storage(site.state).load().route == Route("127.0.0.1", "blue", broker.port, 1)


def test_the_log_is_json_with_time_and_event(site: Site) -> None:
    with site.broker(serve()) as broker, RunningDevice(site.credentials, site.state, at(broker)) as log:
        line = log.wait_for("connected")
    assert json.dumps(line)
    assert line["at"][-1] == "Z"
    assert len(line["at"]) == len("2026-01-01T00:00:00.000Z")
