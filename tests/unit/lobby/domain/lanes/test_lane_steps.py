"""The next step of a lane's worker in each state."""

from dataclasses import replace

import pytest

from lobby.domain.lanes.lane_steps import Action, WorkerState, next_step

IDLE = WorkerState(now=0, ends_at=20, slot_at=0, ready=0, running=0, limit=8, drained=True, urgent_limit=10)


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (replace(IDLE, ready=1), Action.START),
        (replace(IDLE, ready=1, slot_at=0.1), Action.WAIT),
        (replace(IDLE, ready=1, running=8), Action.WAIT),
        (replace(IDLE, drained=False), Action.READ),
        (replace(IDLE, drained=False, running=3), Action.READ),
        (replace(IDLE, running=1), Action.WAIT),
        (replace(IDLE, retry_at=5), Action.WAIT),
        (replace(IDLE, retry_at=25), Action.END),
        (IDLE, Action.END),
        (replace(IDLE, ready=5, now=20), Action.END),
        (replace(IDLE, ready=5, now=20, running=1), Action.WAIT),
        (replace(IDLE, ready=5, stopped=True), Action.END),
        (replace(IDLE, stopped=True, running=1), Action.WAIT),
        (replace(IDLE, urgent=1, slot_at=0.4, urgent_at=-0.1), Action.START_URGENT),
        (replace(IDLE, urgent=1, slot_at=0.6, urgent_at=0.1), Action.WAIT),
        (replace(IDLE, urgent=1, ready=1, running=8), Action.START_URGENT),
        (replace(IDLE, urgent=1, ready=1, running=10), Action.WAIT),
        (replace(IDLE, urgent=1, drained=False, running=10), Action.WAIT),
        (replace(IDLE, urgent=1, stopped=True), Action.END),
        (replace(IDLE, recovered=1, slot_at=9), Action.START_RECOVERED),
        (replace(IDLE, recovered=1, ready=1), Action.START_RECOVERED),
        (replace(IDLE, recovered=1, running=8), Action.WAIT),
        (replace(IDLE, recovered=1, drained=False, running=8), Action.WAIT),
        (replace(IDLE, recovered=1, urgent=1), Action.START_URGENT),
        (replace(IDLE, recovered=1, now=20), Action.END),
    ],
    ids=str,
)
def test_the_next_step_follows_from_the_situation(state: WorkerState, action: Action) -> None:
    step = next_step(state)
    assert step.action is action
    assert step.seconds > 0 or action is not Action.WAIT
