"""Lists of claims: every form that one may have, and every way in which one may be wrong."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_api.cli.csv_claims import Defaults, Sheet, read_sheet
from admin_api.cli.target_lookup import Known, Register
from lobby.errors import InvalidInput, LobbyError
from lobby.names import Fingerprint, parse_target
from lobby.wire import encode_label

HERE, THERE = parse_target("111111111111", "eu-west-1"), parse_target("222222222222", "us-east-1")
REGISTER = Register((Known(HERE, "Here", ("default", "camera")), Known(THERE, "Over there", ("default",))))
ONE, TWO, THREE = (Fingerprint(f"{number:064x}") for number in (1, 2, 3))
TO_HERE = Defaults(target="Here")


def read(text: str | bytes, defaults: Defaults = TO_HERE, *, ignore_columns: bool = False) -> Sheet:
    content = text if isinstance(text, bytes) else text.encode()
    return read_sheet(content, REGISTER, defaults, ignore_columns=ignore_columns)


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
        "certid\n" + "\n".join(":".join(each[i : i + 2] for i in range(0, 64, 2)) for each in (ONE, TWO)),
    ],
)
def test_a_list_is_read_in_every_form_that_it_may_have(text: str) -> None:
    sheet = read(text)
    assert [(row.certid, row.wish.target) for row in sheet.rows] == [(ONE, HERE), (TWO, HERE)]
    assert not sheet.faults


def test_a_row_says_for_itself_what_the_defaults_do_not() -> None:
    config = '"{""every"": 5}"'
    sheet = read(
        f"certid,target,profile,config\n{ONE},,,\n{TWO},Over there,default,{config}\n{THREE},,,plain\n",
        Defaults("Here", "camera", "slow"),
    )
    assert [(row.wish.target, row.wish.profile, row.wish.config) for row in sheet.rows] == [
        (HERE, "camera", "slow"),
        (THERE, "default", {"every": 5}),
        (HERE, "camera", "plain"),
    ]


def test_a_line_is_counted_as_an_editor_counts_it() -> None:
    config = '"{\n  ""a"": 1\n}"'
    sheet = read(f"certid,config\n\n{ONE},{config}\n{TWO},\nzz,\n")
    assert [row.line for row in sheet.rows] == [3, 6]
    assert [fault.line for fault in sheet.faults] == [7]


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
        ("\u202e" + ONE + ",Here,,", "INVALID_FINGERPRINT"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named_and_the_others_stand(row: str, code: str) -> None:
    sheet = read(f"certid,target,profile,config\n{TWO},Here,,\n{row}\n{THREE},Here,,\n")
    assert [(fault.line, fault.code) for fault in sheet.faults] == [(3, code)]
    assert [row.certid for row in sheet.rows] == [TWO, THREE]
    assert str(sheet.faults[0]).startswith(f"line 3: {code}: got ")
    assert "\u202e" not in str(sheet.faults[0])


def test_without_a_target_of_its_own_or_for_all_a_row_names_none() -> None:
    sheet = read(f"certid,target\n{ONE},Here\n{TWO},\n", Defaults())
    assert [(fault.line, fault.code) for fault in sheet.faults] == [(3, "TARGET_MISSING")]


@pytest.mark.parametrize(
    ("defaults", "code"),
    [
        (Defaults(), "TARGET_MISSING"),
        (Defaults("Mars"), "UNKNOWN_TARGET"),
        (Defaults("Here", "submarine"), "UNKNOWN_PROFILE"),
        (Defaults("Here", None, "{"), "INVALID_CONFIG"),
    ],
)
def test_what_is_wrong_for_all_rows_is_said_once(defaults: Defaults, code: str) -> None:
    with pytest.raises(LobbyError, match=code):
        read(f"certid\n{ONE}\n{TWO}\n", defaults)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "an empty file"),
        ("\n \n", "an empty file"),
        ("certid\n", "without rows"),
        ("name\nx\n", "one of certid, fingerprint and label"),
        (f"{ONE}\n{TWO}\n", "one of certid, fingerprint and label"),
        (f"certid,certid\n{ONE},{ONE}\n", "column certid twice"),
        (f"certid,traget\n{ONE},Here\n", "'traget'"),
        (f"certid,\n{ONE},\n", "column ''"),
        (f'certid\n"{ONE}\n', "line 2"),
        (f'certid\n"{ONE}"x\n', "line 2"),
        (f"certid\n{ONE}\n".encode("utf-16"), "UTF-8"),
        (b"certid\n\xff\n", "UTF-8"),
        (f"certid\n{ONE}\0\n", "zero bytes"),
        (f"certid\n{'x' * 200_000}\n", "line 2"),
        (b"\x89PNG\r\n\x1a\n", "UTF-8"),
    ],
)
def test_what_is_no_such_list_is_refused_whole(content: str | bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match="UNREADABLE_FILE") as refused:
        read(content)
    assert says in str(refused.value)


def test_columns_of_other_names_may_be_passed_over_if_that_is_said() -> None:
    sheet = read(f"certid,serial,Customer\n{ONE},7,ACME\n", ignore_columns=True)
    assert [row.certid for row in sheet.rows] == [ONE]


def test_a_device_that_is_listed_twice_alike_is_sent_once_and_told() -> None:
    sheet = read(f"certid,target\n{ONE},Here\n{TWO},Here\n{ONE.upper()},{HERE}\n")
    assert [row.line for row in sheet.rows] == [2, 3]
    assert sheet.repeated == ((4, 2),)
    assert not sheet.faults


def test_a_device_that_is_listed_for_two_places_is_sent_nowhere() -> None:
    sheet = read(f"certid,target\n{ONE},Here\n{TWO},Here\n{ONE},Over there\n{ONE},Here\n")
    assert [row.certid for row in sheet.rows] == [TWO]
    assert [fault.line for fault in sheet.faults] == [2, 4]


def test_a_device_whose_columns_say_two_things_is_neither() -> None:
    (fault,) = read(f"certid,label\n{ONE},{encode_label(TWO)}\n").faults
    assert fault.code == "INVALID_ROW"


@given(
    st.lists(
        st.tuples(st.integers(0, 2**256 - 1), st.sampled_from(["Here", "Over there", ""])), min_size=1, max_size=30
    )
)
def test_every_sound_row_is_sent_once_and_every_line_is_accounted_for(rows: list[tuple[int, str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([("certid", "target"), *((f"{number:064x}", target) for number, target in rows)])
    sheet = read(out.getvalue())
    told = (
        [row.line for row in sheet.rows] + [fault.line for fault in sheet.faults] + [line for line, _ in sheet.repeated]
    )
    torn = {fault.line for fault in sheet.faults}
    assert set(told) == set(range(2, len(rows) + 2))
    assert len({row.certid for row in sheet.rows}) == len(sheet.rows)
    assert not torn & {row.line for row in sheet.rows}
