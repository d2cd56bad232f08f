"""Where the reconciler keeps the state of each target's comparison, in the table of scheduled Lambdas' progress."""

from collections.abc import Iterable
from typing import Final

from lobby.domain.targets.comparison_state import ComparisonState
from lobby.ledger.progress import read_progress, save_progress
from lobby.ledger.round_rows import RoundRow
from lobby.names import Target

_PREFIX: Final = "reconciler/"


def read_state(target: Target) -> ComparisonState:
    return ComparisonState.decode(read_progress(_PREFIX + str(target)))


def save_state(target: Target, state: ComparisonState) -> None:
    save_progress(_PREFIX + str(target), state.encode())


def read_states(targets: Iterable[Target]) -> dict[Target, ComparisonState]:
    """Return the states of targets, with a call for each hundred. A target that was never compared has an empty one."""
    names = {_PREFIX + str(target): target for target in targets}
    states = {target: ComparisonState() for target in names.values()}
    for row in RoundRow.batch_get(list(names)):
        states[names[row.name]] = ComparisonState.decode(row.progress)
    return states
