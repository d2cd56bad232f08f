"""The text of a target's last work, as its record stores it."""

import pytest

from lobby.domain.change_requests import ChangeOperation
from lobby.domain.shadows.shadow_choices import ShadowChoice
from lobby.domain.standby.standby_rules import Work, parse_work

AT = "2026-12-01T05:00:00.000Z"


@pytest.mark.parametrize("actor", ["user:ann", "user:a|b", "user:50%", "user:%7C|%25", "user:Zoë"])
@pytest.mark.parametrize("more", [{}, {"share": 0.05}, {"shadows": ShadowChoice.MIGRATE}])
def test_names_and_reasons_can_contain_bars(actor: str, more: dict[str, object]) -> None:
    operation = ChangeOperation.RETURN if "shadows" in more else ChangeOperation.DRILL
    work = Work(operation, AT, actor, "Region | down", **more)  # type: ignore[arg-type]
    assert parse_work(str(work)) == work


def test_the_text_of_other_names_is_as_before() -> None:
    assert str(Work(ChangeOperation.EVACUATE, AT, "user:ann", "x")) == f"evacuate|{AT}|user:ann||x"
