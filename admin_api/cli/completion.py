"""What a shell may offer for a word: states, roles, reasons for a wait, and the names of targets.

Targets are asked of the lobby that is meant; where it does not answer at once, nothing is offered and nothing said.
"""

import shlex
from collections.abc import Iterable
from typing import Any, Final

import typer

from lobby.names import State

ROLES: Final = ("admin", "operator", "technician", "viewer")
_PATIENCE: Final = 2.0


def starting(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.casefold().startswith(incomplete.casefold())]


def complete_role(incomplete: str) -> list[str]:
    return starting(ROLES, incomplete)


def complete_state(incomplete: str) -> list[str]:
    return starting(State, incomplete)


def complete_target(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Names, or account/Region where that is what was begun, or where a shell would take the name apart."""
    try:
        known = [(each["name"], f"{each['account']}/{each['region']}") for each in _targets(context)]
    except Exception:  # noqa: BLE001  # a shell that waits for words must get none of our troubles
        return []
    digits = incomplete[:1].isdigit()
    words = [(place, name) if digits or shlex.quote(name) != name else (name, place) for name, place in known]
    return [(word, told) for word, told in words if word.casefold().startswith(incomplete.casefold())]


def _targets(context: typer.Context) -> list[dict[str, Any]]:
    from admin_api.cli import documents, environment  # noqa: PLC0415  # most completions need none of it
    from admin_api.cli.command_context import CommandContext, Options  # noqa: PLC0415

    before = context.find_root().params
    said = {field: context.params.get(field) or before.get(field) for field in ("lobby", "url", "role")}
    options = Options(True, said["lobby"], said["url"], said["role"])
    desk = CommandContext(options, context.obj or environment.real())
    desk.answer_seconds = _PATIENCE
    found: list[dict[str, Any]] = desk.ask(documents.TARGETS)["targets"]
    return found
