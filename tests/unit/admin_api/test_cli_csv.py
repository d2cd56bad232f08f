"""Claim lists: the accepted formats, and how invalid lists and rows are reported."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_api.cli.api.target_lookup import RegisteredTarget, TargetLookup
from admin_api.cli.inputs.csv_claims import ClaimList, Defaults, read_claim_list
from lobby.errors import InvalidInput, LobbyError
from lobby.names import Fingerprint, parse_target
from lobby.text.label import encode_label

HERE, THERE = parse_target("111111111111", "eu-west-1"), parse_target("222222222222", "us-east-1")
TARGETS = TargetLookup(
    (RegisteredTarget(HERE, "Here", ("default", "camera")), RegisteredTarget(THERE, "Over there", ("default",)))
)
ONE, TWO, THREE = (Fingerprint(f"{number:064x}") for number in (1, 2, 3))
TO_HERE = Defaults(target="Here")


def read(text: str | bytes, defaults: Defaults = TO_HERE, *, ignore_columns: bool = False) -> ClaimList:
    content = text if isinstance(text, bytes) else text.encode()
    return read_claim_list(content, TARGETS, defaults, ignore_columns=ignore_columns)


@pytest.mark.parametrize(
    "text",
    [
        f"certid\n{ONE}\n{TWO}\n",
        f"certid\n{ONE}\n{TWO}",
        f"\ufeffcertid\r\n{ONE}\r\n{TWO}\r\n",
        f"fingerprint\n{ONE.upper()}\n{TWO}\n",
        f" Label ,target\n{encode_label(ONE)},\n{encode_label(TWO).lower()},here\n",
        f"fingerprint,thing_name,not_after\n{ONE},a,2036-11-22T00:00:00Z\n{TWO},b,2036-11-22T00:00:00Z\n",
        f"certid;target;config\n{ONE};;\n{TWO};Here;\n",
        f"target\tcertid\nHere\t{ONE}\n{HERE}\t{TWO}\n",
        f'"certid", "target"\n"{ONE}", "Here"\n"{TWO}", ""\n',
        f"\n\ncertid\n\n{ONE}\n,\n".replace(",\n", "") + f"\n{TWO}\n\n",
        f"certid,label\n{ONE},\n,{encode_label(TWO)}\n",
        f"certid,label\n{ONE},{encode_label(ONE)}\n{TWO},\n",
        f"sep=;\ncertid;target\n{ONE};\n{TWO};Here\n",
        f'certid,target\n"=""{ONE}""",\n\'{TWO},="Here"\n'.replace("'", ""),
        f"certid,devicename,devstate,targetaccount,targetregion\n{ONE},a,inlobby,,\n{TWO},b,inlobby,111111111111,eu-west-1\n",
        f"fingerprint,thing_name,not_after,serial_number,sku,batch\n{ONE},a,,S1,X,7\n{TWO},b,,S2,X,7\n",
        f"certid,target,,\n{ONE},,,\n{TWO},,,\n",
        "certid\n" + "\n".join(":".join(each[i : i + 2] for i in range(0, 64, 2)) for each in (ONE, TWO)),
    ],
)
def test_a_list_is_read_in_every_accepted_format(text: str) -> None:
    claims = read(text)
    assert [(row.certid, row.request.target) for row in claims.rows] == [(ONE, HERE), (TWO, HERE)]
    assert not claims.errors


def test_the_values_of_a_row_override_the_defaults() -> None:
    config = '"{""every"": 5}"'
    claims = read(
        f"certid,target,profile,config\n{ONE},,,\n{TWO},Over there,default,{config}\n{THREE},,,plain\n",
        Defaults("Here", "camera", "slow"),
    )
    assert [(row.request.target, row.request.profile, row.request.config) for row in claims.rows] == [
        (HERE, "camera", "slow"),
        (THERE, "default", {"every": 5}),
        (HERE, "camera", "plain"),
    ]


def test_lines_are_counted_as_in_an_editor() -> None:
    config = '"{\n  ""a"": 1\n}"'
    claims = read(f"certid,config\n\n{ONE},{config}\n{TWO},\nzz,\n")
    assert [row.line for row in claims.rows] == [3, 6]
    assert [error.line for error in claims.errors] == [7]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("zz,Here,,", "INVALID_FINGERPRINT"),
        (",Here,,", "INVALID_FINGERPRINT"),
        (f"{ONE[:-1]},Here,,", "INVALID_FINGERPRINT"),
        (f"{ONE}0,Here,,", "INVALID_FINGERPRINT"),
        (f"{encode_label(ONE)[:-1]}A,Here,,", "INVALID_LABEL"),
        (f"{ONE},Mars,,", "UNKNOWN_TARGET"),
        (f"{ONE},333333333333/eu-west-1,,", "UNKNOWN_TARGET"),
        (f"{ONE},1/eu-west-1,,", "INVALID_ACCOUNT"),
        (f"{ONE},111111111111/mars,,", "INVALID_REGION"),
        (f"{ONE},Over there,camera,", "UNKNOWN_PROFILE"),
        (f"{ONE},Here,../x,", "INVALID_PROFILE"),
        (f"{ONE},Here,,{{", "INVALID_CONFIG"),
        (f'{ONE},Here,,"[1, 2]"', "INVALID_CONFIG"),
        (f'{ONE},Here,,"{{""n"": Infinity}}"', "INVALID_CONFIG"),
        (f"{ONE},Here,,factory reset", "INVALID_CONFIG"),
        (f"{ONE},Here,,{'x' * 8200}", "INVALID_CONFIG"),
        (f"{ONE},Here,{'[' * 3}", "INVALID_ROW"),
        (f"{ONE}", "INVALID_ROW"),
        (f"{ONE},Here,,,extra", "INVALID_ROW"),
        ("=cmd|'/c calc'!A0,Here,,", "INVALID_FINGERPRINT"),
        ("\u202e" + ONE[1:] + ",Here,,", "INVALID_FINGERPRINT"),
    ],
)
def test_an_invalid_row_is_reported_and_the_others_are_kept(row: str, code: str) -> None:
    claims = read(f"certid,target,profile,config\n{TWO},Here,,\n{row}\n{THREE},Here,,\n")
    assert [(error.line, error.code) for error in claims.errors] == [(3, code)]
    assert [row.certid for row in claims.rows] == [TWO, THREE]
    assert str(claims.errors[0]).startswith(f"line 3: {code}: got ")
    assert "\u202e" not in str(claims.errors[0])


def test_a_row_needs_a_target_if_there_is_no_default() -> None:
    claims = read(f"certid,target\n{ONE},Here\n{TWO},\n", Defaults())
    assert [(error.line, error.code) for error in claims.errors] == [(3, "TARGET_MISSING")]


@pytest.mark.parametrize(
    ("defaults", "code"),
    [
        (Defaults(), "TARGET_MISSING"),
        (Defaults("Mars"), "UNKNOWN_TARGET"),
        (Defaults("Here", "submarine"), "UNKNOWN_PROFILE"),
        (Defaults("Here", None, "{"), "INVALID_CONFIG"),
    ],
)
def test_an_invalid_default_is_reported_once(defaults: Defaults, code: str) -> None:
    with pytest.raises(LobbyError, match=code):
        read(f"certid\n{ONE}\n{TWO}\n", defaults)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "an empty file"),
        ("\n \n", "an empty file"),
        ("certid\n", "without rows"),
        ("name\nx\n", "one of certid, fingerprint and label"),
        (f"{ONE}\n{TWO}\n", "one of certid, fingerprint and label"),
        (f"certid,certid\n{ONE},{ONE}\n", "column certid twice"),
        (f"certid,traget\n{ONE},Here\n", "'traget'"),
        (f"certid,,target\n{ONE},,Here\n", "column ''"),
        (f'certid\n"{ONE}\n', "line 2"),
        (f'certid\n"{ONE}"x\n', "line 2"),
        (b"PK\x03\x04", "UTF-8"),
        (f"certid\n{ONE}\0\n", "zero bytes"),
        (f"certid\n{'x' * 200_000}\n", "line 2"),
        (b"\x89PNG\r\n\x1a\n", "UTF-8"),
    ],
)
def test_a_file_that_is_not_a_claim_list_is_refused(content: str | bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match="UNREADABLE_FILE") as refused:
        read(content)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("row", "code", "message"),
    [
        ("1.23457E+11,Here,,", "DAMAGED_NUMBER", "a spreadsheet has shortened"),
        (f"{ONE},1.11111E+11,,", "DAMAGED_NUMBER", "format the column target as text"),
        (f"{ONE},,11111111111,eu-west-1", "DAMAGED_NUMBER", "with 11 digits, want 12"),
        (f"{ONE},,1.11111E+11,eu-west-1", "DAMAGED_NUMBER", "a spreadsheet has shortened"),
    ],
)
def test_a_value_that_a_spreadsheet_has_damaged_is_reported_as_such(row: str, code: str, message: str) -> None:
    (error,) = read(f"certid,target,targetaccount,targetregion\n{row}\n").errors
    assert error.code == code
    assert message in error.message


def test_text_in_an_unknown_encoding_is_not_sent() -> None:
    content = f"certid,target,config,sku\n{ONE},Here,München,a\n{TWO},Here,,Gerät\n".encode("cp1252")
    claims = read(content)
    assert [(error.line, error.code) for error in claims.errors] == [(2, "INVALID_ENCODING")]
    assert [row.certid for row in claims.rows] == [TWO]


def test_the_names_of_a_manifest_are_the_expected_names() -> None:
    claims = read(f"fingerprint,thing_name\n{ONE},sensor-1\n{TWO},\n{THREE},no name\n")
    assert [row.expected_name for row in claims.rows] == ["sensor-1", None]
    assert [(error.line, error.code) for error in claims.errors] == [(4, "INVALID_THING_NAME")]


def test_unknown_columns_can_be_ignored() -> None:
    claims = read(f"certid,serial,Customer\n{ONE},7,ACME\n", ignore_columns=True)
    assert [row.certid for row in claims.rows] == [ONE]


def test_a_duplicate_row_is_sent_once_and_reported() -> None:
    claims = read(f"certid,target\n{ONE},Here\n{TWO},Here\n{ONE.upper()},{HERE}\n")
    assert [row.line for row in claims.rows] == [2, 3]
    assert claims.duplicates == ((4, 2),)
    assert not claims.errors


def test_a_device_with_conflicting_rows_is_not_sent() -> None:
    claims = read(f"certid,target\n{ONE},Here\n{TWO},Here\n{ONE},Over there\n{ONE},Here\n")
    assert [row.certid for row in claims.rows] == [TWO]
    assert [error.line for error in claims.errors] == [2, 4]


def test_a_row_with_two_different_devices_is_invalid() -> None:
    (error,) = read(f"certid,label\n{ONE},{encode_label(TWO)}\n").errors
    assert error.code == "INVALID_ROW"


@given(
    st.lists(
        st.tuples(st.integers(0, 2**256 - 1), st.sampled_from(["Here", "Over there", ""])), min_size=1, max_size=30
    )
)
def test_every_valid_device_is_sent_once_and_every_line_is_accounted_for(rows: list[tuple[int, str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([("certid", "target"), *((f"{number:064x}", target) for number, target in rows)])
    claims = read(out.getvalue())
    lines = (
        [row.line for row in claims.rows]
        + [error.line for error in claims.errors]
        + [line for line, _ in claims.duplicates]
    )
    invalid = {error.line for error in claims.errors}
    assert set(lines) == set(range(2, len(rows) + 2))
    assert len({row.certid for row in claims.rows}) == len(claims.rows)
    assert not invalid & {row.line for row in claims.rows}
