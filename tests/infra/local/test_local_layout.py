"""The endpoints of the accounts and Regions on this machine."""

import ipaddress
from pathlib import Path

import pytest

from infra.local.layout import LOBBY, TARGETS, Layout, own_address
from lobby.names import parse_target

ELSEWHERE = parse_target("000000000000", "me-central-1")


def test_every_endpoint_is_a_loopback_address_of_its_own_on_one_port() -> None:
    layout = Layout(Path("/x"), mqtt_port=8999)
    endpoints = [layout.endpoint(scope) for scope in (*layout.scopes(), ELSEWHERE)]
    assert len({endpoint.host for endpoint in endpoints}) == 4
    assert {endpoint.port for endpoint in endpoints} == {8999}
    assert all(ipaddress.ip_address(endpoint.host).is_loopback for endpoint in endpoints)


def test_with_one_address_every_endpoint_has_a_port_of_its_own() -> None:
    layout = Layout(Path("/x"), own_addresses=False)
    endpoints = [layout.endpoint(scope) for scope in (*layout.scopes(), ELSEWHERE)]
    assert {endpoint.host for endpoint in endpoints} == {"127.0.0.1"}
    assert len({endpoint.port for endpoint in endpoints} | {layout.gateway_port, layout.console_port}) == 6
    assert layout.endpoint_address(TARGETS[0]) == f"127.0.0.1:{layout.endpoint(TARGETS[0]).port}"


def test_an_endpoint_does_not_use_the_consoles_port() -> None:
    free = Layout(Path("/x"), own_addresses=False).endpoint(ELSEWHERE)
    taken = Layout(Path("/x"), own_addresses=False, console_port=free.port).endpoint(ELSEWHERE)
    assert taken.port == free.port + 1


def test_the_console_is_at_the_root_of_a_loopback_address() -> None:
    assert Layout(Path("/x"), console_port=4999).console_url == "http://127.0.0.1:4999/"


def test_an_endpoint_address_on_the_shared_port_has_no_port() -> None:
    assert Layout(Path("/x")).endpoint_address(TARGETS[0]) == own_address(TARGETS[0])


def test_endpoints_are_the_same_in_every_run() -> None:
    assert [own_address(scope) for scope in TARGETS] == ["127.65.231.96", "127.117.227.176"]
    assert Layout(Path("/x")).endpoint(LOBBY).host == "127.0.0.1"


def test_a_layout_is_read_as_it_was_written() -> None:
    layout = Layout(Path("/x/y"), gateway_port=1, mqtt_port=2, console_port=3, own_addresses=False)
    assert Layout.from_json(layout.to_json()) == layout


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"state_dir": 3}'], ids=["empty", "list", "nothing", "type"])
def test_a_malformed_layout_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Layout.from_json(text)
