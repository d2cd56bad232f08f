"""The endpoints of the accounts and Regions on this machine."""

import ipaddress
import json
import socket
from pathlib import Path

import pytest

from infra.local.layout import LOBBY, OTHER_REGIONS, TARGETS, Endpoint, Layout, own_address
from lobby.names import Target, parse_target

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
    assert layout.endpoint_address(TARGETS[0]) == f"0x7f000001:{layout.endpoint(TARGETS[0]).port}"


def test_an_endpoint_does_not_use_the_consoles_port() -> None:
    free = Layout(Path("/x"), own_addresses=False).endpoint(ELSEWHERE)
    taken = Layout(Path("/x"), own_addresses=False, console_port=free.port).endpoint(ELSEWHERE)
    assert taken.port == free.port + 1


def test_the_console_is_at_the_root_of_a_loopback_address() -> None:
    assert Layout(Path("/x"), console_port=4999).console_url == "http://127.0.0.1:4999/"


def test_an_endpoint_address_on_the_shared_port_is_a_name_without_a_port() -> None:
    assert Layout(Path("/x")).endpoint_address(TARGETS[0]) == "0x7f41e760"


def test_endpoints_are_the_same_in_every_run() -> None:
    assert [own_address(scope) for scope in TARGETS] == ["127.65.231.96", "127.117.227.176"]
    assert [Layout(Path("/x")).server_name(scope) for scope in TARGETS] == ["0x7f41e760", "0x7f75e3b0"]


@pytest.mark.parametrize("scope", [LOBBY, *TARGETS, ELSEWHERE])
def test_every_name_resolves_to_its_address_without_dns(scope: Target) -> None:
    layout = Layout(Path("/x"))
    name, address = layout.server_name(scope), layout.endpoint(scope).host
    assert {found[4][0] for found in socket.getaddrinfo(name, 1, socket.AF_INET)} == {address}
    with pytest.raises(ValueError, match="does not appear to be"):
        ipaddress.ip_address(name)  # not an address, so TLS libraries send it as SNI (RFC 6066, section 3)


def test_only_the_lobby_is_also_at_the_address_for_clients_without_sni() -> None:
    layout = Layout(Path("/x"), alpn_port=8443)
    hosts = {scope: {endpoint.host for endpoint in layout.listens_on(scope)} for scope in layout.scopes()}
    assert [scope for scope in layout.scopes() if "127.0.0.1" in hosts[scope]] == [LOBBY]
    assert {endpoint.port for scope in layout.scopes() for endpoint in layout.listens_on(scope)} == {8883, 8443}


@pytest.mark.parametrize(
    ("scope", "host", "server_name", "accepted"),
    [
        (TARGETS[0], "127.65.231.96", "0x7f41e760", True),
        (TARGETS[0], "127.65.231.96", "0X7F41E760", True),
        (TARGETS[0], "127.65.231.96", None, False),
        (TARGETS[0], "127.65.231.96", "", False),
        (TARGETS[0], "127.65.231.96", "localhost", False),
        (TARGETS[0], "127.65.231.96", "0x7f75e3b0", False),
        (LOBBY, own_address(LOBBY), None, False),
        (LOBBY, "127.0.0.1", None, True),
        (LOBBY, "127.0.0.1", "localhost", True),
    ],
)
def test_an_endpoint_needs_its_name_as_sni(scope: Target, host: str, server_name: str | None, accepted: bool) -> None:
    layout = Layout(Path("/x"))
    assert layout.accepts(scope, Endpoint(host, layout.mqtt_port), server_name) is accepted


def test_a_layout_of_an_earlier_version_keeps_addresses_that_devices_have_stored() -> None:
    written = json.loads(Layout(Path("/x")).to_json())
    del written["names"], written["alpn_port"]
    layout = Layout.from_json(json.dumps(written))
    assert [layout.endpoint_address(scope) for scope in (LOBBY, TARGETS[0])] == ["127.0.0.1", "127.65.231.96"]
    assert layout.accepts(TARGETS[0], layout.endpoint(TARGETS[0]), None)


def test_a_layout_is_read_as_it_was_written() -> None:
    layout = Layout(Path("/x/y"), gateway_port=1, mqtt_port=2, console_port=3, own_addresses=False)
    assert Layout.from_json(layout.to_json()) == layout


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"state_dir": 3}'], ids=["empty", "list", "nothing", "type"])
def test_a_malformed_layout_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Layout.from_json(text)


def test_a_lobby_with_several_regions_has_an_endpoint_in_each() -> None:
    layout = Layout(Path("/x"), other_regions=OTHER_REGIONS)
    assert [str(place) for place in layout.places()] == [
        "100000000001/us-east-1",
        "100000000001/eu-central-1",
        "100000000001/ap-northeast-1",
    ]
    assert len({layout.endpoint(scope) for scope in layout.scopes()}) == 5
    assert Layout.from_json(layout.to_json()) == layout
