"""What `lobbyctl targets drill` says if it cannot return the devices: whether they stay depends on what was sent."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from admin_api.cli.commands import drills
from admin_api.cli.errors import Unreachable
from lobby.names import parse_target


@pytest.mark.parametrize(
    ("sent", "text"), [(True, "It is unknown whether the devices return"), (False, "The devices do not return")]
)
def test_a_return_that_was_certainly_not_sent_is_not_called_unknown(sent: bool, text: str) -> None:
    notes: list[str] = []

    def execute(*_document: object, **_values: object) -> None:
        raise Unreachable("NO_CONNECTION", "got no connection", sent=sent)

    context = SimpleNamespace(execute=execute, screen=SimpleNamespace(note=notes.append))
    with pytest.raises(Unreachable):
        drills._return(cast(Any, context), parse_target("1" * 12, "eu-west-1"), "drill-1")
    assert [each.split(".")[0] for each in notes] == [text]
    assert "lobbyctl targets return 111111111111/eu-west-1" in notes[0]
