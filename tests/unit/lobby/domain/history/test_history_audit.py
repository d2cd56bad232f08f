"""The history audit: tampering is detected and the first invalid entry is named."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobby.domain.device import GENESIS, Entry
from lobby.domain.history.history_audit import ANCHORED_WITHIN, Fault, Verdict
from lobby.domain.states import Event, State
from lobby.ledger.clock import timestamp
from lobby.names import parse_target_key
from tests.certificates import NOW
from tests.unit.lobby.domain.tampering import (
    CERTID,
    HOME,
    LONG_AGO,
    TAMPERED,
    Case,
    altered,
    anchors_of,
    chain,
    never_anchored,
    row_after,
    valid,
)


def test_a_valid_history_is_valid_and_counted() -> None:
    assert valid().verdict() == Verdict(entries=5, anchored=5, pending=0)
    assert valid().verdict().ok


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda each: each.__name__)
def test_tampering_is_detected_and_the_first_invalid_entry_is_named(tamper: Callable[[Case], None]) -> None:
    case = valid()
    tamper(case)
    verdict = case.verdict()
    assert not verdict.ok
    assert (verdict.seq, verdict.fault) == TAMPERED[tamper]
    assert verdict.message
    assert len(verdict.message) < 400


@pytest.mark.parametrize("kept", [0, 2, 4])
def test_recent_entries_without_an_anchor_are_pending(kept: int) -> None:
    entries = chain(age=ANCHORED_WITHIN / 2)
    case = Case([*entries], row_after(entries), anchors_of(entries[:kept]))
    assert case.verdict() == Verdict(entries=5, anchored=kept, pending=5 - kept)
    case.now += ANCHORED_WITHIN
    assert (case.verdict().seq, case.verdict().fault) == (kept + 1, Fault.NOT_ANCHORED)


def test_an_entry_with_a_future_time_needs_an_anchor() -> None:
    entries = chain(age=timedelta(days=-3650))
    assert Case([*entries], row_after(entries), []).verdict().fault is Fault.NOT_ANCHORED


@pytest.mark.parametrize("at", ["", "yesterday", "2026-11-22", "9999-99-99T00:00:00Z"])
def test_an_entry_with_an_invalid_time_needs_an_anchor(at: str) -> None:
    entry = replace(chain()[0], at=at).with_hash()
    assert Case([entry], row_after([entry]), []).verdict().fault is Fault.NOT_ANCHORED


def test_tampering_is_reported_before_a_missing_anchor() -> None:
    case = valid()
    never_anchored(case)
    altered(case)
    assert (case.verdict().seq, case.verdict().fault) == (3, Fault.ALTERED)


def test_a_released_expected_device_without_a_row_is_valid() -> None:
    first = Entry(
        CERTID, 1, timestamp(NOW - LONG_AGO), "user:ann", Event.CLAIM, None, State.EXPECTED, 1, None, str(HOME), GENESIS
    ).with_hash()
    gone = Entry(
        CERTID, 2, timestamp(NOW - LONG_AGO), "user:ann", Event.RELEASE, State.EXPECTED, None, 1, None, None, first.hash
    ).with_hash()
    assert Case([first, gone], None, anchors_of([first, gone])).verdict().ok


@pytest.mark.parametrize("event", [Event.RETIRE, Event.DEACTIVATE])
def test_a_cleared_target_is_not_compared_with_the_row_s_target(event: Event) -> None:
    entries = chain()
    old = parse_target_key("333333333333/eu-west-1")
    cleared = replace(
        entries[-1], seq=6, event=event, before=State.ARRIVED, target=str(old), prior=entries[-1].hash
    ).with_hash()
    row = replace(row_after([*entries, cleared]), target=HOME)
    assert Case([*entries, cleared], row, anchors_of([*entries, cleared])).verdict().ok


@given(st.lists(st.integers(0, 4), unique=True, max_size=4), st.integers(0, 5))
def test_removed_anchored_entries_are_detected_at_the_first(gone: list[int], row_of: int) -> None:
    """With any version in the row."""
    case = valid()
    kept = [entry for number, entry in enumerate(chain()) if number not in gone]
    case.entries = [*kept]
    case.row = row_after(chain()[:row_of]) if row_of else None
    verdict = case.verdict()
    if gone:
        assert (verdict.seq, verdict.fault) == (min(gone) + 1, Fault.MISSING)
    else:
        assert verdict.ok == (row_of == 5)
