"""What a caller may filter by: each value's rule, and the one form in which the ledger gets it."""

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_api.graphql.filters import DeviceFilter, filter_of, fingerprint_prefix_of, timestamp_of
from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.ledger.listing import Filter

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2026-11-22T07:42:28Z", "2026-11-22T07:42:28.000Z"),
        ("2026-11-22T07:42:28.5Z", "2026-11-22T07:42:28.500Z"),
        ("2026-11-22T07:42:28.123456Z", "2026-11-22T07:42:28.123Z"),
        ("2026-11-22T07:42:28+00:00", "2026-11-22T07:42:28.000Z"),
        ("2026-11-22T07:42Z", "2026-11-22T07:42:00.000Z"),
        ("20261122T074228Z", "2026-11-22T07:42:28.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_is_brought_into_the_form_that_the_ledger_compares(text: str, kept: str) -> None:
    assert timestamp_of(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "now",
        "yesterday",
        "0",
        "1763797348",
        "2026-11-22",
        "2026-11-22T07:42:28",
        "2026-11-22T07:42:28+01:00",
        "2026-11-22T07:42:28-00:01",
        "2026-13-01T00:00:00Z",
        "2026-11-22T25:00:00Z",
        "2026-11-22T07:42:28ZZ",
        "2026-11-22T07:42:28Z\n",
        "٢٠٢٦-11-22T07:42:28Z",
        "\ud800",
        "2026-11-22T07:42:28Z; DROP",
        "9" * 5000,
    ],
)
def test_a_moment_that_is_none_is_refused_with_the_rule(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"INVALID_TIME: got .*want ISO 8601, UTC, such as") as refused:
        timestamp_of(text)
    assert len(refused.value.message) < 250


@given(st.text() | st.datetimes().map(lambda moment: moment.isoformat() + "Z"))
def test_whatever_is_taken_for_a_moment_has_one_form_and_sorts_as_text(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        assert STAMP.fullmatch(timestamp_of(text))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ab12", "ab12"),
        ("AB12", "ab12"),
        ("AB:12:F", "ab12f"),
        ("ab12 cd34", "ab12cd34"),
        ("AB-12", "ab12"),
        (" ab12 ", "ab12"),
        ("3F2A 91BC 07D4", "3f2a91bc07d4"),
        ("a" * 64, "a" * 64),
        (":".join(["ab"] * 32), "ab" * 32),
    ],
)
def test_the_beginning_of_a_fingerprint_is_taken_as_people_write_it(text: str, kept: str) -> None:
    assert fingerprint_prefix_of(text) == kept


@pytest.mark.parametrize(
    "text", ["", "abc", "a:b:c", "xyzw", "DL1:ABCD", "a" * 65, "ab" * 500, "٣٣٣٣", "ab12\x00", "ab12;", "\ud800" * 4]
)
def test_what_no_fingerprint_begins_with_is_refused_with_the_rule(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"INVALID_PREFIX: got .*want the first 4 to 64 hex digits"):
        fingerprint_prefix_of(text)


@pytest.mark.parametrize("reason", ["", "expired", "EXPIRED ", "A-B", "_A", "9A", "A" * 65, "A\n", "É", "%"])
def test_a_reason_that_is_no_code_is_refused(reason: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_REASON"):
        filter_of(DeviceFilter(reason=reason))


@pytest.mark.parametrize("more", [{}, {"reason": "EXPIRED"}, {"name_prefix": "pump"}, {"fingerprint_prefix": "ab12"}])
def test_a_moment_goes_with_a_state_or_a_target(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"INVALID_FILTER: got enteredBefore .* want it with state or target"):
        filter_of(DeviceFilter(entered_before="2026-11-22T07:42:28Z", **more))


def test_what_is_not_given_and_what_is_null_ask_for_nothing() -> None:
    nothing = DeviceFilter(
        state=None, target=None, name_prefix=None, fingerprint_prefix=None, reason=None, entered_before=None
    )
    assert filter_of(DeviceFilter()) == filter_of(nothing) == Filter()


def test_everything_that_is_given_is_asked_for() -> None:
    wanted = DeviceFilter(
        state="failed",
        name_prefix="pump",
        fingerprint_prefix="AB12",
        reason="EXPIRED",
        entered_before="2026-11-22T07:42:28Z",
    )
    assert filter_of(wanted) == Filter(
        state=State.FAILED,
        name_prefix="pump",
        fingerprint_prefix="ab12",
        reason="EXPIRED",
        entered_before="2026-11-22T07:42:28.000Z",
    )
