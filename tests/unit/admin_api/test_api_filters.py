"""The validation of filters and their conversion to the ledger's format."""

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_api.graphql.filters import DeviceFilter, filter_of, fingerprint_prefix_of, timestamp_of
from admin_api.graphql.renewals import Status
from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.ledger.lists.listing import Filter
from lobby.names import RenewalStatus

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


@pytest.mark.parametrize(
    ("text", "stored"),
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
def test_a_time_is_converted_to_the_ledger_format(text: str, stored: str) -> None:
    assert timestamp_of(text) == stored


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
def test_a_malformed_time_is_rejected(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"INVALID_TIME: got .*want ISO 8601, UTC, such as") as refused:
        timestamp_of(text)
    assert len(refused.value.message) < 250


@given(st.text() | st.datetimes().map(lambda time: time.isoformat() + "Z"))
def test_every_accepted_time_has_the_ledger_format(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        assert TIMESTAMP.fullmatch(timestamp_of(text))


@pytest.mark.parametrize(
    ("text", "stored"),
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
def test_a_fingerprint_prefix_is_accepted_in_common_notations(text: str, stored: str) -> None:
    assert fingerprint_prefix_of(text) == stored


@pytest.mark.parametrize(
    "text", ["", "abc", "a:b:c", "xyzw", "DL1:ABCD", "a" * 65, "ab" * 500, "٣٣٣٣", "ab12\x00", "ab12;", "\ud800" * 4]
)
def test_a_malformed_fingerprint_prefix_is_rejected(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"INVALID_PREFIX: got .*want the first 4 to 64 hex digits"):
        fingerprint_prefix_of(text)


@pytest.mark.parametrize("reason", ["", "expired", "EXPIRED ", "A-B", "_A", "9A", "A" * 65, "A\n", "É", "%"])
def test_a_malformed_reason_is_rejected(reason: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_REASON"):
        filter_of(DeviceFilter(reason=reason))


@pytest.mark.parametrize("more", [{}, {"reason": "EXPIRED"}, {"name_prefix": "pump"}, {"fingerprint_prefix": "ab12"}])
def test_a_time_requires_a_state_or_a_target(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"INVALID_FILTER: got enteredBefore .* want it with state or target"):
        filter_of(DeviceFilter(entered_before="2026-11-22T07:42:28Z", **more))


def test_omitted_and_null_fields_do_not_filter() -> None:
    nothing = DeviceFilter(
        state=None,
        target=None,
        name_prefix=None,
        fingerprint_prefix=None,
        reason=None,
        entered_before=None,
        renewal=None,
    )
    assert filter_of(DeviceFilter()) == filter_of(nothing) == Filter()


def test_every_given_field_filters() -> None:
    argument = DeviceFilter(
        state="failed",
        name_prefix="pump",
        fingerprint_prefix="AB12",
        reason="EXPIRED",
        entered_before="2026-11-22T07:42:28Z",
        renewal=Status.OVERDUE,
    )
    assert filter_of(argument) == Filter(
        state=State.FAILED,
        name_prefix="pump",
        fingerprint_prefix="ab12",
        reason="EXPIRED",
        entered_before="2026-11-22T07:42:28.000Z",
        renewal=RenewalStatus.OVERDUE,
    )
