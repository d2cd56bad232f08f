"""The ports of a local deployment are chosen once, stored, and used by one server each."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.errors import StartFailed
from infra.local.layout import Layout
from infra.local.ports import choose_layout, is_free


@pytest.fixture
def busy() -> Iterator[int]:
    """A port in use. The ports after it are probably free."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def ports(layout: Layout) -> tuple[int, int, int]:
    return layout.gateway_port, layout.mqtt_port, layout.console_port


def stored(state: Path) -> dict[str, int]:
    layout: dict[str, int] = json.loads((state / "layout.json").read_text())
    return layout


def test_chosen_ports_are_stored(tmp_path: Path) -> None:
    first = choose_layout(tmp_path / "new", 21_901, 21_902, 21_903)
    assert ports(first) == (21_901, 21_902, 21_903)
    assert choose_layout(tmp_path / "new") == first


def test_by_default_each_server_gets_a_free_port_of_its_own(tmp_path: Path) -> None:
    layout = choose_layout(tmp_path)
    assert len(set(ports(layout))) == 3
    assert all(is_free("127.0.0.1", port) for port in ports(layout))


@pytest.mark.parametrize("requested", [(4567, None, None), (None, 4567, None), (4567, 4568, None), (None, None, 4566)])
def test_a_port_requested_for_another_server_is_skipped(
    tmp_path: Path, requested: tuple[int | None, int | None, int | None]
) -> None:
    got = ports(choose_layout(tmp_path, *requested))
    assert len(set(got)) == 3
    assert all(port == expected for port, expected in zip(got, requested, strict=True) if expected)


def test_a_default_port_in_use_is_skipped(tmp_path: Path, busy: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.local.ports.CONSOLE_PORT", busy)
    assert choose_layout(tmp_path, 21_901, 21_902).console_port > busy


def test_a_port_requested_later_applies_to_that_start_only(tmp_path: Path) -> None:
    choose_layout(tmp_path, 21_901, 21_902, 21_903)
    assert ports(choose_layout(tmp_path, console_port=21_904)) == (21_901, 21_902, 21_904)
    assert ports(choose_layout(tmp_path)) == (21_901, 21_902, 21_903)


@pytest.mark.parametrize("requested", [None, 21_905])
def test_a_stored_layout_without_a_console_port_gets_one_and_keeps_the_rest(
    tmp_path: Path, requested: int | None
) -> None:
    choose_layout(tmp_path, 4567, 21_902, 21_903)
    old = stored(tmp_path)
    del old["console_port"]
    (tmp_path / "layout.json").write_text(json.dumps(old))
    layout = choose_layout(tmp_path, console_port=requested)
    assert layout.console_port == requested if requested else layout.console_port > 4567
    assert stored(tmp_path) == old | {"console_port": layout.console_port}
    assert choose_layout(tmp_path) == layout


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        ((21_901, 21_901, 21_903), "21901 for gateway and MQTT"),
        ((21_901, 21_902, 21_901), "21901 for gateway and console"),
        ((21_901, 21_902, 21_902), "21902 for MQTT and console"),
        ((21_901, 21_901, 21_901), "21901 for gateway and MQTT and console"),
    ],
    ids=str,
)
def test_two_servers_on_one_port_are_refused_and_nothing_is_stored(
    tmp_path: Path, requested: tuple[int, int, int], message: str
) -> None:
    with pytest.raises(StartFailed, match=f"PORT_TAKEN: got {message}, want a port for each"):
        choose_layout(tmp_path, *requested)
    assert not list(tmp_path.iterdir())


def test_a_request_for_a_stored_port_is_refused_and_the_layout_stays(tmp_path: Path) -> None:
    choose_layout(tmp_path, 21_901, 21_902, 21_903)
    before = stored(tmp_path)
    with pytest.raises(StartFailed, match="21903 for gateway and console"):
        choose_layout(tmp_path, gateway_port=21_903)
    assert stored(tmp_path) == before


def test_the_number_of_the_lobbys_regions_is_stored_and_can_grow(tmp_path: Path) -> None:
    assert choose_layout(tmp_path).other_regions == ()
    assert choose_layout(tmp_path, lobbies=2).other_regions == ("eu-central-1",)
    assert choose_layout(tmp_path).other_regions == ("eu-central-1",)
    assert len(choose_layout(tmp_path, lobbies=3).other_regions) == 2
    with pytest.raises(StartFailed, match="FEWER_REGIONS: got 1 Regions for a lobby that has 3"):
        choose_layout(tmp_path, lobbies=1)
