"""Histories that are older than the notary are anchored once, if they are valid."""

import pytest

from lobby.domain.history.history_audit import Fault
from lobby.domain.transitions import ClaimRequest
from lobby.ledger import anchoring
from lobby.ledger.anchoring import AnchoringResult, anchor_all
from lobby.ledger.histories.anchor_runs import Run
from lobby.ledger.models import HistoryRow, LedgerRow
from lobby.ledger.store import Ledger
from lobby.names import parse_target_key
from tests.aws import Calls, Clock
from tests.functional.lobby.notary_fixture import NOTARY_BUCKET, ONE, OTHER, NotaryFixture, inserted, items

TARGET = parse_target_key("222222222222/eu-west-1")


@pytest.fixture
def notary(calls: Calls, ledger: Ledger, clock: Clock) -> NotaryFixture:
    """Two devices that are older than the notary."""
    with calls.uncounted():
        for certid in (ONE, OTHER):
            ledger.claim(certid, ClaimRequest(TARGET), "user:ann")
            ledger.revoke(certid, "lost", "user:ann")
        clock.advance(days=30)
        return NotaryFixture(ledger, clock)


def anchored(notary: NotaryFixture, ledger: Ledger) -> AnchoringResult:
    return anchor_all(ledger, notary.anchors, notary.histories.verify)


def test_entries_older_than_the_notary_are_anchored_once_and_then_verified(
    notary: NotaryFixture, ledger: Ledger, calls: Calls
) -> None:
    assert notary.verdict().fault is Fault.NOT_ANCHORED
    done = anchored(notary, ledger)
    assert (done.entries, done.devices, done.invalid) == (4, 2, {})
    assert done.lines() == ["entries anchored: 4, of 2 devices"]
    assert notary.verdict().ok
    calls.forget()
    assert anchored(notary, ledger).entries == 0
    assert "PutObject" not in calls.names()


def test_an_invalid_history_is_not_anchored_and_reported(notary: NotaryFixture, ledger: Ledger) -> None:
    HistoryRow(ONE, 1).update(actions=[HistoryRow.actor.set("user:mallory")])
    done = anchored(notary, ledger)
    assert (done.entries, list(done.invalid)) == (2, [ONE])
    assert "entry 1: ALTERED" in done.lines()[0]
    assert {key.split("/")[1] for key in notary.versions()} == {OTHER}


def test_an_entry_that_contradicts_an_anchor_is_not_anchored(notary: NotaryFixture, ledger: Ledger) -> None:
    notary.anchors.put(Run(ONE, 2, ("f" * 64,)))
    done = anchored(notary, ledger)
    assert (done.invalid[ONE].seq, done.invalid[ONE].fault) == (2, Fault.REPLACED)
    assert len(notary.anchors.of(ONE)) == 1


def test_entries_that_the_notary_has_anchored_are_not_anchored_again(notary: NotaryFixture, ledger: Ledger) -> None:
    notary.process(*inserted(items(ONE)[1:]))
    assert anchored(notary, ledger).entries == 3
    assert [anchor.seq for certid in (ONE, OTHER) for anchor in notary.anchors.of(certid)] == [1, 2, 1, 2]
    assert len(notary.versions()) == 3


def test_the_command_reports_what_it_did(
    notary: NotaryFixture, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert anchoring.main([NOTARY_BUCKET]) == 0
    assert capsys.readouterr().out == "entries anchored: 4, of 2 devices\n"
    LedgerRow(ONE).delete()
    assert anchoring.main([NOTARY_BUCKET]) == 1
    assert f"history is invalid: {ONE}: entry 2: ROW_MISSING" in capsys.readouterr().out
    assert anchoring.main([]) == 2
