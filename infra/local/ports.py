"""Chooses the ports of a local deployment once, because devices store endpoints and browsers store bookmarks.

A port that is not requested is the default port or the next free one. The ports are stored in the state directory and
used for every later start; a port that is requested later applies only to that start. Refuses the same port for two
servers. The number of the lobby's Regions is also stored; it can only grow.
"""

import socket
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

from infra.local.errors import StartFailed
from infra.local.layout import (
    ALPN_PORT,
    CONSOLE_PORT,
    GATEWAY_HOST,
    GATEWAY_PORT,
    MQTT_PORT,
    OTHER_REGIONS,
    Layout,
    own_address,
)

LAYOUT_FILE: Final = "layout.json"
_ATTEMPTS: Final = 100


def choose_layout(
    state_dir: Path,
    gateway_port: int | None = None,
    mqtt_port: int | None = None,
    console_port: int | None = None,
    lobbies: int | None = None,
) -> Layout:
    """Return the layout stored in `state_dir`, or store a new one. `lobbies` is the number of the lobby's Regions
    (None: as stored in the state). Raise `StartFailed` PORT_TAKEN or FEWER_REGIONS."""
    path = state_dir.resolve() / LAYOUT_FILE
    requested = {port for port in (gateway_port, mqtt_port, console_port) if port}
    if path.exists():
        stored = replace(Layout.from_json(path.read_text()), state_dir=path.parent)
    else:
        stored = _new(path.parent, gateway_port, mqtt_port, requested)
    layout = stored if stored.console_port else _with_console(stored, console_port, requested)
    layout = layout if layout.alpn_port else _with_alpn(layout, requested)
    layout = _with_regions(layout, lobbies)
    current = replace(
        layout,
        gateway_port=gateway_port or layout.gateway_port,
        mqtt_port=mqtt_port or layout.mqtt_port,
        console_port=console_port or layout.console_port,
    )
    _check_distinct(current)
    if layout is not stored:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(layout.to_json())
    return current


def has_own_addresses() -> bool:
    """Return whether any 127.x address can be bound (Linux) or only 127.0.0.1 (macOS)."""
    return is_free(own_address(Layout(Path()).targets[0]), 0)


def is_free(host: str, port: int) -> bool:
    """Return whether a server can listen on this address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _new(state_dir: Path, gateway_port: int | None, mqtt_port: int | None, requested: Collection[int]) -> Layout:
    """Return a new layout without a port for the console."""
    layout = Layout(state_dir, console_port=0, own_addresses=has_own_addresses())
    gateway = gateway_port or _free_port([GATEWAY_HOST], GATEWAY_PORT, requested)
    mqtt = mqtt_port or _free_port(_hosts(layout), MQTT_PORT, {*requested, gateway})
    return replace(layout, gateway_port=gateway, mqtt_port=mqtt)


def _with_console(layout: Layout, console_port: int | None, requested: Collection[int]) -> Layout:
    taken = {*requested, layout.gateway_port, layout.mqtt_port}
    return replace(layout, console_port=console_port or _free_port([GATEWAY_HOST], CONSOLE_PORT, taken))


def _with_alpn(layout: Layout, requested: Collection[int]) -> Layout:
    """Add a port that needs ALPN. If an MQTT port is requested, search near it, because several deployments use the
    same addresses."""
    taken = {*requested, layout.gateway_port, layout.mqtt_port, layout.console_port}
    first = ALPN_PORT if layout.mqtt_port == MQTT_PORT else layout.mqtt_port + 100
    return replace(layout, alpn_port=_free_port(_hosts(layout), first, taken))


def _with_regions(layout: Layout, lobbies: int | None) -> Layout:
    current = 1 + len(layout.other_regions)
    if lobbies is None or lobbies == current:
        return layout
    if lobbies < current:
        raise StartFailed(
            "FEWER_REGIONS", f"got {lobbies} Regions for a lobby that has {current}, want as many or more"
        )
    return replace(layout, other_regions=OTHER_REGIONS[: lobbies - 1])


def _hosts(layout: Layout) -> list[str]:
    return sorted({endpoint.host for scope in layout.scopes() for endpoint in layout.listens_on(scope)})


def _check_distinct(layout: Layout) -> None:
    ports = {
        "gateway": layout.gateway_port,
        "MQTT": layout.mqtt_port,
        "console": layout.console_port,
        "MQTT with ALPN": layout.alpn_port,
    }
    port, count = Counter(ports.values()).most_common(1)[0]
    if count > 1:
        names = " and ".join(name for name, each in ports.items() if each == port)
        raise StartFailed("PORT_TAKEN", f"got {port} for {names}, want a port for each")


def _free_port(hosts: list[str], first: int, taken: Collection[int]) -> int:
    for port in range(first, first + _ATTEMPTS):
        if port not in taken and all(is_free(host, port) for host in hosts):
            return port
    expected = f"want one on {', '.join(hosts)}"
    raise StartFailed("PORT_TAKEN", f"got no free port from {first} to {first + _ATTEMPTS - 1}, {expected}")
