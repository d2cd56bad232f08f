"""The names of a run: all are validated before the first is used."""

from pathlib import Path

import pytest

from lobby.errors import InvalidInput
from pki.devices import naming
from pki.errors import StorageError


def test_numbered_names_have_a_fixed_width() -> None:
    few, many = naming.numbered("s-", 2), naming.numbered("s-", 12)
    assert [order.name for order in few] == ["s-000001", "s-000002"]
    assert many[:2] == few
    assert naming.numbered("s-", 1, start=41, digits=2)[0].name == "s-41"


@pytest.mark.parametrize(
    ("prefix", "count", "start", "digits", "code"),
    [
        ("s-", 0, 1, 6, "INVALID_COUNT"),
        ("s-", -5, 1, 6, "INVALID_COUNT"),
        ("s-", 1_000_001, 1, 9, "INVALID_COUNT"),
        ("s-", 10, 0, 1, ""),
        ("s-", 10, 1, 1, "INVALID_COUNT"),
        ("s-", 1, -1, 6, "INVALID_COUNT"),
        ("s-", 1, 1, 0, "INVALID_COUNT"),
        ("s-", 1, 1, 19, "INVALID_COUNT"),
        ("a/", 1, 1, 6, "INVALID_THING_NAME"),
        ("x" * 60, 1, 1, 6, "INVALID_THING_NAME"),
    ],
)
def test_numbers_out_of_range_are_rejected(prefix: str, count: int, start: int, digits: int, code: str) -> None:
    if not code:
        assert len(naming.numbered(prefix, count, start, digits)) == count
        return
    with pytest.raises(InvalidInput) as refusal:
        naming.numbered(prefix, count, start, digits)
    assert refusal.value.code == code


def test_a_file_of_names_may_have_a_bom_comments_and_spaces(tmp_path: Path) -> None:
    path = tmp_path / "names"
    path.write_bytes(b"\xef\xbb\xbf# line 4\r\nsensor-1\r\n\r\n  sensor-2  \r\n")
    assert [order.name for order in naming.from_file(path)] == ["sensor-1", "sensor-2"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig"])
def test_a_file_of_names_is_read_as_an_editor_of_windows_saves_it(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "names"
    path.write_bytes("sensor-1\r\nsensor-2\r\n".encode(encoding))
    assert [order.name for order in naming.from_file(path)] == ["sensor-1", "sensor-2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\n2-Jan\n", "line 2.*a date"),
        (b"8949123456789010000\n", "line 1.*rounded"),
        (b"PK\x03\x04", "INVALID_NAMES_FILE.*a workbook"),
        ("sensor-\u00fc\n".encode("latin-1"), "INVALID_NAMES_FILE.*want UTF-8"),
    ],
    ids=["a date", "a rounded number", "a workbook", "a code page"],
)
def test_a_file_of_names_that_a_spreadsheet_has_damaged_is_rejected(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "names"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=message):
        naming.from_file(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no name"),
        (b"# only\n\n", "no name"),
        (b"a\nb c\n", "line 2"),
        (b"a\nb\na\n", "DUPLICATE_NAME"),
        (b"a\nA\n", "DUPLICATE_NAME"),
        (b"\xff\xfe", "UTF-8"),
    ],
    ids=["empty", "comments", "invalid line", "duplicate", "duplicate in another case", "not text"],
)
def test_an_invalid_file_of_names_is_rejected(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "names"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=message):
        naming.from_file(path)


def test_a_missing_file_is_reported_with_its_path(tmp_path: Path) -> None:
    for read in (naming.from_file, lambda path: naming.from_requests([path])):
        with pytest.raises(StorageError, match="nowhere"):
            read(tmp_path / "nowhere")
