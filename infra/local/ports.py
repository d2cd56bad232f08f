"""Chooses the ports of a local deployment, once: devices remember where they were sent, and browsers their bookmarks.

A port that is not asked for is the default one, or the next that is free. What was chosen is kept in the state
directory and used from then on; a port that is asked for later counts for that start only. Refuses two servers on one
port.
"""

import socket
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

from infra.local.errors import StartFailed
from infra.local.layout import CONSOLE_PORT, GATEWAY_HOST, GATEWAY_PORT, MQTT_PORT, Layout, own_address

KEPT: Final = "layout.json"
_TRIED: Final = 100


def choose_layout(
    state_dir: Path, gateway_port: int | None = None, mqtt_port: int | None = None, console_port: int | None = None
) -> Layout:
    """The layout kept in `state_dir`, or a new one, which is then kept. Raises `StartFailed` PORT_TAKEN."""
    kept = state_dir.resolve() / KEPT
    given = {port for port in (gateway_port, mqtt_port, console_port) if port}
    if kept.exists():
        before = replace(Layout.from_json(kept.read_text()), state_dir=kept.parent)
    else:
        before = _new(kept.parent, gateway_port, mqtt_port, given)
    layout = before if before.console_port else _with_console(before, console_port, given)
    asked = replace(
        layout,
        gateway_port=gateway_port or layout.gateway_port,
        mqtt_port=mqtt_port or layout.mqtt_port,
        console_port=console_port or layout.console_port,
    )
    _apart(asked)
    if layout is not before:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(layout.to_json())
    return asked


def has_own_addresses() -> bool:
    """Whether any 127.x address can be bound here, as on Linux, or only 127.0.0.1, as on macOS."""
    return is_free(own_address(Layout(Path()).targets[0]), 0)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _new(state_dir: Path, gateway_port: int | None, mqtt_port: int | None, given: Collection[int]) -> Layout:
    """Without a console's port yet."""
    layout = Layout(state_dir, console_port=0, own_addresses=has_own_addresses())
    gateway = gateway_port or _free_port([GATEWAY_HOST], GATEWAY_PORT, given)
    hosts = sorted({layout.endpoint(scope).host for scope in layout.scopes()})
    mqtt = mqtt_port or _free_port(hosts, MQTT_PORT, {*given, gateway})
    return replace(layout, gateway_port=gateway, mqtt_port=mqtt)


def _with_console(layout: Layout, console_port: int | None, given: Collection[int]) -> Layout:
    taken = {*given, layout.gateway_port, layout.mqtt_port}
    return replace(layout, console_port=console_port or _free_port([GATEWAY_HOST], CONSOLE_PORT, taken))


def _apart(layout: Layout) -> None:
    ports = {"gateway": layout.gateway_port, "MQTT": layout.mqtt_port, "console": layout.console_port}
    port, times = Counter(ports.values()).most_common(1)[0]
    if times > 1:
        raise StartFailed("PORT_TAKEN", f"got {port} for {' and '.join(_named(ports, port))}, want a port for each")


def _named(ports: dict[str, int], port: int) -> list[str]:
    return [name for name, its in ports.items() if its == port]


def _free_port(hosts: list[str], first: int, taken: Collection[int]) -> int:
    for port in range(first, first + _TRIED):
        if port not in taken and all(is_free(host, port) for host in hosts):
            return port
    wanted = f"want one on {', '.join(hosts)}"
    raise StartFailed("PORT_TAKEN", f"got no free port from {first} to {first + _TRIED - 1}, {wanted}")
