"""Totals of lists in the API and `lobbyctl`, CSV of lists, and completion of device names."""

import csv
import io
import json
from pathlib import Path

import pytest

from admin_api.cli.bulk.change_requests import ListedDevice
from admin_api.cli.bulk.results import change_results
from admin_api.cli.bulk.sender import RowOutcome
from admin_api.cli.render.csv_rows import CSV_COLUMNS, csv_cells
from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint
from lobby.text.spreadsheet import plain_cell
from tests.functional.admin_api.api_on_moto import HERE, Lobby, at
from tests.functional.admin_api.hostile_answers import data_for
from tests.functional.admin_api.lobby_over_http import JSON, LobbyServer, Terminal

TOTAL = "query($filter: DeviceFilter) { devices(filter: $filter, first: 1) { total nodes { certid } } }"


def claimed(lobby: Lobby, number: int) -> str:
    certid = lobby.waiting(number, f"sensor-{number}")
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:bob")
    return certid


@pytest.mark.parametrize(
    ("wanted", "total"),
    [
        (None, 4),
        ({}, 4),
        ({"state": "claimed"}, 3),
        ({"target": at(HERE)}, 3),
        ({"state": "inlobby", "target": at(HERE)}, 0),
        ({"namePrefix": "sensor-1"}, None),
        ({"state": "claimed", "namePrefix": "sensor"}, None),
        ({"reason": "TARGET_LIMIT"}, None),
    ],
)
def test_a_page_has_the_number_of_all_matching_devices_or_null(
    lobby: Lobby, wanted: dict[str, object] | None, total: int | None
) -> None:
    for number in (1, 2, 3):
        claimed(lobby, number)
    lobby.waiting(4)
    assert lobby.ask(TOTAL, {"filter": wanted}).data["devices"]["total"] == total


def test_a_list_that_is_cut_off_names_the_total(terminal: Terminal, lobby: Lobby) -> None:
    for number in (1, 2, 3):
        claimed(lobby, number)
    cut = terminal.run("devices", "list", "--limit", "2")
    assert "showing the first 2 of 3; use --all" in cut.stderr
    assert "showing" not in terminal.run("devices", "list", "--limit", "3").stderr
    uncounted = terminal.run("devices", "list", "--name", "sensor", "--limit", "2")
    assert "showing the first 2; use --all" in uncounted.stderr


def test_a_search_without_a_match_states_what_is_searched(terminal: Terminal, lobby: Lobby) -> None:
    claimed(lobby, 1)
    assert "no matching devices; --name and --fingerprint match the start" in (
        terminal.run("devices", "list", "--name", "ensor").stderr
    )


def test_a_list_as_csv_has_every_column_and_is_a_claim_list(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    certid = claimed(lobby, 1)
    result = terminal.run("devices", "list", "--csv")
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert tuple(row) == CSV_COLUMNS
    assert (row["certid"], row["devicename"], row["target"], row["devstate"]) == (
        certid,
        "sensor-1",
        str(HERE),
        "claimed",
    )
    path = tmp_path / "export.csv"
    path.write_text(result.stdout)
    assert terminal.run("claim", "--file", str(path)).exit_code == 0
    assert terminal.run("devices", "list", "--csv", "--json").exit_code == 2


def test_an_account_keeps_its_leading_zeros_and_no_cell_is_a_formula() -> None:
    device = {"certid": "ab" * 32, "targetaccount": "000000000012", "targetregion": "eu-west-1", "devicename": "=1+1"}
    cells = dict(zip(CSV_COLUMNS, csv_cells(device), strict=True))
    assert (cells["target"], cells["devicename"]) == ("000000000012/eu-west-1", "'=1+1")


@pytest.mark.parametrize("name", ["0012", "123456789012", "12E5", "1-2", "2026-01-02", "12:30", "MAR1", "TRUE"])
def test_a_spreadsheet_does_not_change_a_name(name: str) -> None:
    device = {"certid": "ab" * 32, "devicename": name, "expectedName": f"x{name}", "generation": 12}
    cells = dict(zip(CSV_COLUMNS, csv_cells(device), strict=True))
    assert (cells["devicename"], cells["expectedname"], cells["generation"]) == (f'="{name}"', f"x{name}", "12")
    assert plain_cell(cells["devicename"]) == name


@pytest.mark.parametrize(("text", "cell"), [("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("@x", "'@x"), ("a\nb", "a\ufffdb")])
def test_a_file_of_results_has_no_formula(text: str, cell: str, tmp_path: Path) -> None:
    row = ListedDevice(2, Fingerprint("ab" * 32))
    file = tmp_path / "results.csv"
    with change_results(file, append=False) as results:
        results.add([RowOutcome(row, "REFUSED", text)])
    [record] = csv.DictReader(io.StringIO(file.read_text()))
    assert (record["line"], record["ok"], record["message"]) == ("2", "no", cell)


def test_device_names_are_completed_and_kept_for_a_moment(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    for number in (1, 2):
        claimed(lobby, number)
    for command in (["release"], ["devices", "show"], ["history", "show"], ["claim"]):
        assert terminal.completions("lobbyctl", *command, "sens") == ["sensor-1", "sensor-2"]
    assert len(server.requests) == 1
    assert terminal.completions("lobbyctl", "release", "sensor-2") == ["sensor-2"]
    assert len(server.requests) == 2
    assert (terminal.environment.config / "completion.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("typed", ["", "s", "$(touch", "a" * 200])
def test_text_that_cannot_be_searched_is_not_completed(terminal: Terminal, server: LobbyServer, typed: str) -> None:
    assert terminal.completions("lobbyctl", "release", typed) == []
    assert server.requests == []


@pytest.mark.parametrize("content", ["", "[]", "{", '{"key": 1, "at": "x", "words": [[1]]}', '{"at": 1e400}'])
def test_a_damaged_cache_counts_as_empty(terminal: Terminal, lobby: Lobby, content: str) -> None:
    claimed(lobby, 1)
    terminal.environment.config.mkdir(parents=True)
    (terminal.environment.config / "completion.json").write_text(content)
    assert terminal.completions("lobbyctl", "release", "sens") == ["sensor-1"]


def test_names_that_a_shell_could_misread_are_not_offered(terminal: Terminal, server: LobbyServer) -> None:
    def with_names(_number: int) -> None:
        data = data_for(server.requests[-1]["query"], "x", 1, nulls=False)
        names = ["sensor-$(x)", "sensor-\x1b[2J", "sensor-\u202e", "other", "sensor-9"]
        data["devices"]["nodes"] = [data["devices"]["nodes"][0] | {"devicename": name} for name in names]
        server.canned = [(200, JSON, json.dumps({"data": data}))]

    server.before_request = with_names
    assert terminal.completions("lobbyctl", "release", "sens") == ["sensor-9"]
