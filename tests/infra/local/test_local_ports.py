"""The ports of a local deployment: chosen once, kept, and one server each."""

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
    """A port that somebody listens on, whose next ones are free for all we know."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def ports(layout: Layout) -> tuple[int, int, int]:
    return layout.gateway_port, layout.mqtt_port, layout.console_port


def kept(state: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((state / "layout.json").read_text())
    return found


def test_ports_that_were_chosen_are_kept(tmp_path: Path) -> None:
    first = choose_layout(tmp_path / "new", 21_901, 21_902, 21_903)
    assert ports(first) == (21_901, 21_902, 21_903)
    assert choose_layout(tmp_path / "new") == first


def test_without_a_wish_each_server_gets_a_free_port_of_its_own(tmp_path: Path) -> None:
    layout = choose_layout(tmp_path)
    assert len(set(ports(layout))) == 3
    assert all(is_free("127.0.0.1", port) for port in ports(layout))


@pytest.mark.parametrize("wish", [(4567, None, None), (None, 4567, None), (4567, 4568, None), (None, None, 4566)])
def test_a_port_that_another_server_is_to_have_is_passed_over(
    tmp_path: Path, wish: tuple[int | None, int | None, int | None]
) -> None:
    got = ports(choose_layout(tmp_path, *wish))
    assert len(set(got)) == 3
    assert all(port == asked for port, asked in zip(got, wish, strict=True) if asked)


def test_a_busy_default_port_is_passed_over(tmp_path: Path, busy: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.local.ports.CONSOLE_PORT", busy)
    assert choose_layout(tmp_path, 21_901, 21_902).console_port > busy


def test_a_port_asked_for_later_counts_for_that_start_only(tmp_path: Path) -> None:
    choose_layout(tmp_path, 21_901, 21_902, 21_903)
    assert ports(choose_layout(tmp_path, console_port=21_904)) == (21_901, 21_902, 21_904)
    assert ports(choose_layout(tmp_path)) == (21_901, 21_902, 21_903)


@pytest.mark.parametrize("wish", [None, 21_905])
def test_a_layout_from_before_there_was_a_console_gets_its_port_and_keeps_the_rest(
    tmp_path: Path, wish: int | None
) -> None:
    choose_layout(tmp_path, 4567, 21_902, 21_903)
    old = kept(tmp_path)
    del old["console_port"]
    (tmp_path / "layout.json").write_text(json.dumps(old))
    layout = choose_layout(tmp_path, console_port=wish)
    assert layout.console_port == wish if wish else layout.console_port > 4567
    assert kept(tmp_path) == old | {"console_port": layout.console_port}
    assert choose_layout(tmp_path) == layout


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ((21_901, 21_901, 21_903), "21901 for gateway and MQTT"),
        ((21_901, 21_902, 21_901), "21901 for gateway and console"),
        ((21_901, 21_902, 21_902), "21902 for MQTT and console"),
        ((21_901, 21_901, 21_901), "21901 for gateway and MQTT and console"),
    ],
    ids=str,
)
def test_two_servers_on_one_port_are_refused_and_nothing_is_kept(
    tmp_path: Path, wish: tuple[int, int, int], said: str
) -> None:
    with pytest.raises(StartFailed, match=f"PORT_TAKEN: got {said}, want a port for each"):
        choose_layout(tmp_path, *wish)
    assert not list(tmp_path.iterdir())


def test_a_wish_that_meets_a_kept_port_is_refused_and_what_is_kept_stays(tmp_path: Path) -> None:
    choose_layout(tmp_path, 21_901, 21_902, 21_903)
    before = kept(tmp_path)
    with pytest.raises(StartFailed, match="21903 for gateway and console"):
        choose_layout(tmp_path, gateway_port=21_903)
    assert kept(tmp_path) == before
