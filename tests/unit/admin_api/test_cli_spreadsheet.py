"""Spreadsheet files: every form in which they are saved is read, and what is no list is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_api.cli.spreadsheet import check_number, plain_cell, read_sheet
from lobby.errors import InvalidInput

LINES = ((1, ("certid", "target")), (2, ("ab", "Here")), (3, ("cd", "")))
TEXT = "certid,target\r\nab,Here\r\ncd,\r\n"
UMLAUT = "certid,target\nab,München\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.replace("\r\n", "\r").encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode("utf-16"),
        TEXT.replace(",", "|").encode(),
        b"certid,target,,\r\nab,Here,,\r\ncd,,,\r\n",
        b'"certid","target"\n"ab", "Here"\n"cd",""\n',
    ],
)
def test_a_file_is_read_in_every_form_that_spreadsheets_save(content: bytes) -> None:
    assert read_sheet(content).lines == LINES


@pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\n', "SEP=;\r"])
def test_a_separator_line_is_not_the_header_but_counts_as_a_line(first: str) -> None:
    assert read_sheet(f"{first}certid;target\nab;a,b,c\n".encode()).lines == (
        (2, ("certid", "target")),
        (3, ("ab", "a,b,c")),
    )


def test_separators_inside_quotes_do_not_choose_the_separator() -> None:
    assert read_sheet(b'"a;b;c",target\n1,2\n').lines[0][1] == ("a;b;c", "target")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_the_encoding_of_unicode_is_certain(encoding: str) -> None:
    sheet = read_sheet(UMLAUT.encode(encoding))
    assert sheet.certain
    assert sheet.lines[1][1] == ("ab", "München")


def test_a_code_page_is_read_but_not_certain() -> None:
    sheet = read_sheet(UMLAUT.encode("cp1252"))
    assert not sheet.certain
    assert sheet.lines[1][1] == ("ab", "München")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="0012"', "0012"),
        ('="say ""hi"""', 'say "hi"'),
        ("'=1+1", "=1+1"),
        ("'0012", "0012"),
        ("  text ", "text"),
        ("'text", "'text"),
        ("=1+1", "=1+1"),
        ("", ""),
    ],
)
def test_the_notations_that_protect_a_cell_are_removed(cell: str, text: str) -> None:
    assert plain_cell(cell) == text


@pytest.mark.parametrize("text", ["1.23457E+11", "1,23457E+11", "1E+15", "-2.5e-7", "3E10"])
def test_a_number_that_has_lost_its_digits_is_reported(text: str) -> None:
    with pytest.raises(InvalidInput, match="a spreadsheet has shortened, want the digits") as refused:
        check_number(text, "certid")
    assert refused.value.code == "DAMAGED_NUMBER"


@pytest.mark.parametrize(
    "text", ["", "123456789012", "ab1e10", "111111111111/eu-west-1", "1E", "E10", "0" * 60 + "0e12"]
)
def test_other_text_is_no_damaged_number(text: str) -> None:
    check_number(text, "certid")


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"PK\x03\x04\x14\x00rest", "a workbook or archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "a workbook"),
        (b"%PDF-1.7", "a PDF file"),
        (b"\x89PNG\r\n", "a picture"),
        (b"\xff\xd8\xff\xe0", "a picture"),
        (b"certid\n\x00\x01", "zero bytes"),
        (b"\xff\xfea\x00b", "bytes that are not UTF-16-LE"),
        (b'certid\n"unclosed', "line 2: "),
    ],
)
def test_a_file_that_is_no_list_is_named(content: bytes, got: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_sheet(content)
    assert refused.value.code == "UNREADABLE_FILE"
    assert refused.value.message.startswith(f"got {got}")
    assert ", want a CSV file" in refused.value.message


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_rejected(content: bytes) -> None:
    try:
        sheet = read_sheet(content)
    except InvalidInput as refused:
        assert refused.code == "UNREADABLE_FILE"  # noqa: PT017  # both are answers
    else:
        assert all(any(cell.strip() for cell in cells) for _, cells in sheet.lines)
