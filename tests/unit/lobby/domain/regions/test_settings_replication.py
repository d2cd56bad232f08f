"""Settings of targets and enrolments whose row and history differ after a promotion."""

from dataclasses import replace

import pytest

from lobby.domain.enrolments.enrolment import Door, Enrolment, EnrolmentEntry, EnrolmentEvent, EnrolmentState, Match
from lobby.domain.regions.replication import Gap
from lobby.domain.regions.settings_replication import enrolment_finding, target_finding
from lobby.domain.targets.target import RegisteredTarget, TargetEntry, TargetEvent
from lobby.names import EnrolmentName, parse_target

AT = "2026-11-30T10:00:00.000Z"
TARGET = RegisteredTarget(parse_target("1" * 12, "eu-west-1"), "Plant", "e" * 32, ("default",), "user:ann", AT)
PUMPS = Enrolment(EnrolmentName("pumps"), Door.TOKEN, Match(), "user:ann", AT)
E, T, S = EnrolmentEvent, TargetEvent, EnrolmentState


@pytest.mark.parametrize(
    ("row", "events", "message"),
    [
        (TARGET, [], None),
        (TARGET, [T.REGISTERED, T.CHANGED], None),
        (replace(TARGET, archivedat=AT), [T.REGISTERED, T.ARCHIVED, T.CHANGED], None),
        (TARGET, [T.REGISTERED, T.ARCHIVED, T.RESTORED], None),
        (TARGET, [T.CHANGED], None),
        (replace(TARGET, archivedat=AT), [T.REGISTERED], "got archived: yes (by the history: no)"),
        (TARGET, [T.REGISTERED, T.ARCHIVED], "got archived: no (by the history: yes)"),
        (TARGET, [T.REGISTERED, T.EVACUATED], "got evacuated: no (by the history: yes)"),
        (replace(TARGET, evacuated_at=AT), [T.EVACUATED, T.RETURNED], "got evacuated: yes (by the history: no)"),
        (TARGET, [T.REGISTERED, T.REMOVED], "got not removed (by the history: removed)"),
    ],
)
def test_a_target_is_compared_with_its_history(
    row: RegisteredTarget, events: list[TargetEvent], message: str | None
) -> None:
    found = target_finding(row, [TargetEntry(AT, "user:ann", each, "") for each in events])
    assert (found.message if found else None) == message
    assert found is None or (found.gap, found.name) == (Gap.ENTRY_DIFFERS, "111111111111/eu-west-1")


@pytest.mark.parametrize(
    ("state", "events", "gap"),
    [
        (S.ACTIVE, [E.CREATED], None),
        (S.ACTIVE, [E.CREATED, E.PAUSED, E.RESUMED, E.TOKEN_CREATED], None),
        (S.REVOKED, [E.CREATED, E.REVOKED], None),
        (S.ACTIVE, [E.CREATED, E.REVOKED], Gap.ENTRY_DIFFERS),
        (S.PAUSED, [E.CREATED], Gap.ENTRY_DIFFERS),
        (S.ACTIVE, [E.TOKEN_CREATED], Gap.ENTRY_MISSING),
    ],
)
def test_an_enrolment_is_compared_with_its_history(
    state: EnrolmentState, events: list[EnrolmentEvent], gap: Gap | None
) -> None:
    entries = [EnrolmentEntry(AT, "user:ann", each) for each in events]
    found = enrolment_finding(replace(PUMPS, state=state), entries)
    assert (found.gap if found else None) == gap


def test_an_enrolment_that_was_created_paused_is_complete() -> None:
    created = EnrolmentEntry(AT, "user:ann", E.CREATED, "paused")
    assert enrolment_finding(replace(PUMPS, state=S.PAUSED), [created]) is None
    assert enrolment_finding(PUMPS, [created]) is not None
