"""Every call, every crash, in brief: each call of these stories with its answer lost, and with the process killed.

Whatever was cut off is delivered again, at once and late by turns, and ends as if nothing had happened. The whole
matrix (every story, every fault, both paces) is `python -m tests.simulation.faults`.
"""

import pytest

from tests.simulation.faults.ground import Ground
from tests.simulation.faults.layer import Fault, FaultLayer
from tests.simulation.faults.matrix import DONE_AGAIN, SURVIVED, Trials
from tests.simulation.faults.stories import STORIES, Story

BRIEFLY = (
    "a good certificate knocks and says hello",
    "hello while waiting",
    "hello once it has arrived",
    "refused: REVOKED_BY_ISSUER",
    "refused: NAME_TAKEN",
    "claim of a waiting device",
    "retry after a failure",
    "move to another target",
    "release",
    "release before it was seen",
    "ban of an arrived device",
    "a refused device may knock again",
    "a target is registered",
)
TOLD = {story.name: story for story in STORIES}


@pytest.mark.parametrize("story", [TOLD[name] for name in BRIEFLY], ids=lambda story: story.name)
def test_a_call_that_is_cut_off_or_left_unanswered_changes_nothing(
    layer: FaultLayer, ground: Ground, story: Story
) -> None:
    trials = Trials(layer, ground, story)
    for number in range(1, len(trials.calls) + 1):
        for fault, late in ((Fault.KILLED, number % 2 == 0), (Fault.TIMED_OUT, number % 2 == 1)):
            cell = trials.cell(number, fault, [late])
            assert cell.said in ((SURVIVED, DONE_AGAIN) if story.again else (SURVIVED,)), (cell.call, fault, cell.lost)
