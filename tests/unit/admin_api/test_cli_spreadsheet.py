"""Spreadsheet files: every format of saved lists is read, and other files are named in errors. The console's reader has
the same test vectors."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_api.cli.api.target_lookup import TargetLookup
from admin_api.cli.inputs.csv_claims import Defaults, read_claim_list
from admin_api.cli.inputs.serial_files import read_serials
from lobby.errors import InvalidInput
from lobby.text.damaged_numbers import check_number
from lobby.text.spreadsheet import plain_cell, read_sheet

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "events" / "spreadsheet_vectors.json").read_text())
TARGETS = TargetLookup.of(VECTORS["targets"])


def named(vectors: list[dict[str, Any]], key: str = "name") -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "vector", vectors, ids=[str(index) + " " + each[key] for index, each in enumerate(vectors)]
    )


@named(VECTORS["sheets"])
def test_a_file_is_read_in_every_form_that_spreadsheets_save(vector: dict[str, Any]) -> None:
    sheet = read_sheet(base64.b64decode(vector["content"]))
    assert [[number, list(cells)] for number, cells in sheet.lines] == vector["lines"]
    assert sheet.certain is vector["certain"]


@pytest.mark.parametrize(("cell", "text"), VECTORS["cells"])
def test_the_notations_that_protect_a_cell_are_removed(cell: str, text: str) -> None:
    assert plain_cell(cell) == text


@pytest.mark.parametrize("text", VECTORS["damaged"])
def test_a_number_that_a_spreadsheet_has_damaged_is_reported(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"a spreadsheet.*, want the digits") as refused:
        check_number(text, "certid")
    assert refused.value.code == "DAMAGED_NUMBER"


@pytest.mark.parametrize("text", VECTORS["undamaged"])
def test_other_text_is_no_damaged_number(text: str) -> None:
    check_number(text, "certid")


@named(VECTORS["rejected"], "got")
def test_a_file_that_is_no_list_is_named(vector: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_sheet(base64.b64decode(vector["content"]))
    assert refused.value.code == "UNREADABLE_FILE"
    assert refused.value.message.startswith(f"got {vector['got']}")
    assert ", want a CSV file" in refused.value.message


@named(VECTORS["claims"])
def test_a_claim_list_is_read_as_the_console_reads_it(vector: dict[str, Any]) -> None:
    content = base64.b64decode(vector["base64"]) if "base64" in vector else vector["content"].encode()
    claims = read_claim_list(content, TARGETS, Defaults(vector["target"]))
    assert [
        {
            "line": row.line,
            "certid": row.certid,
            "target": str(row.request.target),
            "profile": row.request.profile,
            "config": row.request.config,
        }
        for row in claims.rows
    ] == vector["rows"]
    assert [[error.line, error.code] for error in claims.errors] == vector["errors"]
    assert [list(pair) for pair in claims.duplicates] == vector["duplicates"]


@named(VECTORS["no_claims"], "got")
def test_a_file_that_is_no_claim_list_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="UNREADABLE_FILE") as refused:
        read_claim_list(vector["content"].encode(), TARGETS, Defaults("Here"))
    assert refused.value.message.startswith(f"got {vector['got']}")


@pytest.mark.parametrize(
    ("cell", "damage"),
    [
        ("1.23457E+11", "shortened"),
        ("12345678901234500000", "rounded"),
        ("#N/A", "an error"),
        ("300.000.003", "formatted"),
    ],
)
def test_a_serial_number_that_a_spreadsheet_has_damaged_stops_the_list(cell: str, damage: str, tmp_path: Path) -> None:
    file = tmp_path / "serials.csv"
    file.write_text(f"serial;sku\n3E10;\n{cell};\n")
    with pytest.raises(InvalidInput, match=f"line 3: got '{re.escape(cell)}', .*{damage}") as refused:
        read_serials(file)
    assert refused.value.code == "BAD_ROWS"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_rejected(content: bytes) -> None:
    try:
        sheet = read_sheet(content)
    except InvalidInput as refused:
        assert refused.code == "UNREADABLE_FILE"  # noqa: PT017  # both are answers
    else:
        assert all(any(cell.strip() for cell in cells) for _, cells in sheet.lines)
