"""Which settings of targets and enrolments a Region that has become home has only in part: the row without the last
entry of its history, or the entry without the row.

Replication copies items one by one. A setting of which the new home has neither the row nor the entry is not found: the
other Region has to answer for that, and then DynamoDB replicates it. Webhooks have no history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lobby.domain.enrolments.enrolment import Enrolment, EnrolmentEntry, EnrolmentEvent, EnrolmentState
from lobby.domain.regions.replication import Gap
from lobby.domain.targets.target import RegisteredTarget, TargetEntry, TargetEvent


class SettingKind(StrEnum):
    TARGET = "target"
    ENROLMENT = "enrolment"


@dataclass(frozen=True)
class SettingFinding:
    """A target (account/Region) or an enrolment whose row and history differ."""

    kind: SettingKind
    name: str
    gap: Gap
    message: str


_ARCHIVED: Final[Mapping[TargetEvent, bool]] = {
    TargetEvent.REGISTERED: False,
    TargetEvent.ARCHIVED: True,
    TargetEvent.RESTORED: False,
}
_EVACUATED: Final[Mapping[TargetEvent, bool]] = {
    TargetEvent.REGISTERED: False,
    TargetEvent.EVACUATED: True,
    TargetEvent.RETURNED: False,
}
_STATES: Final[Mapping[EnrolmentEvent, EnrolmentState]] = {
    EnrolmentEvent.CREATED: EnrolmentState.ACTIVE,
    EnrolmentEvent.PAUSED: EnrolmentState.PAUSED,
    EnrolmentEvent.RESUMED: EnrolmentState.ACTIVE,
    EnrolmentEvent.REVOKED: EnrolmentState.REVOKED,
}


def target_finding(row: RegisteredTarget, entries: Sequence[TargetEntry]) -> SettingFinding | None:
    """Compare a target with its history, oldest entry first. A target of an early version has no history."""
    if not entries:
        return None
    events = [each.event for each in entries]
    facts = {
        "archived": (row.archivedat is not None, _last(events, _ARCHIVED)),
        "evacuated": (row.evacuated_at is not None, _last(events, _EVACUATED)),
    }
    wrong = [
        f"{name}: {_yes(is_so)} (by the history: {_yes(expected)})"
        for name, (is_so, expected) in facts.items()
        if expected is not None and is_so is not expected
    ]
    if events[-1] is TargetEvent.REMOVED:
        wrong.append("not removed (by the history: removed)")
    if not wrong:
        return None
    return SettingFinding(SettingKind.TARGET, str(row.target), Gap.ENTRY_DIFFERS, f"got {'; '.join(wrong)}")


def enrolment_finding(row: Enrolment, entries: Sequence[EnrolmentEntry]) -> SettingFinding | None:
    """Compare an enrolment with its history, oldest entry first."""
    known = [each for each in entries if each.event in _STATES]
    if not known:
        message = "got a row without the entry of its creation"
        return SettingFinding(SettingKind.ENROLMENT, row.name, Gap.ENTRY_MISSING, message)
    last = known[-1]
    is_created_paused = last.event is EnrolmentEvent.CREATED and last.detail == "paused"
    expected = EnrolmentState.PAUSED if is_created_paused else _STATES[last.event]
    if row.state is expected:
        return None
    message = f"got state {row.state.value} (by the history: {expected.value})"
    return SettingFinding(SettingKind.ENROLMENT, row.name, Gap.ENTRY_DIFFERS, message)


def _last(events: Sequence[TargetEvent], meanings: Mapping[TargetEvent, bool]) -> bool | None:
    """Return what the last event that has a meaning states; None if there is none."""
    return next((meanings[each] for each in reversed(events) if each in meanings), None)


def _yes(value: bool | None) -> str:
    return "yes" if value else "no"
