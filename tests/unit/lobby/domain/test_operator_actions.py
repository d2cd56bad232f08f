"""The table of operator actions that the console's tests use matches the state table."""

import json
from pathlib import Path

from lobby.domain.states import State, allowed_events

TABLE = Path(__file__).parents[3] / "events" / "operator_actions.json"


def test_the_shared_table_lists_the_allowed_events_of_each_state() -> None:
    shared = json.loads(TABLE.read_text())["actions"]
    assert shared == {
        state or "absent": list(allowed_events(state, unfinished=True, suspected=True)) for state in (None, *State)
    }
