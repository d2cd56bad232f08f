"""Shell completion of states, roles and targets.

Targets are requested from the lobby. If it does not answer within two seconds, nothing is offered and no error shown.
"""

import shlex
from collections.abc import Iterable
from typing import Any, Final

import typer

from lobby.names import State

ROLES: Final = ("admin", "operator", "technician", "viewer")
_RESPONSE_SECONDS: Final = 2.0


def starting(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.casefold().startswith(incomplete.casefold())]


def complete_role(incomplete: str) -> list[str]:
    return starting(ROLES, incomplete)


def complete_state(incomplete: str) -> list[str]:
    return starting(State, incomplete)


def complete_target(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Offer names; account/Region if a digit was typed, or if the shell would split the name."""
    try:
        offered = [each for each in _targets(context) if each["archivedAt"] is None]
        targets = [(each["name"], f"{each['account']}/{each['region']}") for each in offered]
    except Exception:  # noqa: BLE001  # a shell that waits for completions must not show errors
        return []
    by_key = incomplete[:1].isdigit()
    words = [(key, name) if by_key or shlex.quote(name) != name else (name, key) for name, key in targets]
    return [(word, text) for word, text in words if word.casefold().startswith(incomplete.casefold())]


def _targets(click_context: typer.Context) -> list[dict[str, Any]]:
    from admin_api.cli import documents, environment  # noqa: PLC0415  # most completions need neither
    from admin_api.cli.command_context import CommandContext, Options  # noqa: PLC0415

    before = click_context.find_root().params
    given = {name: click_context.params.get(name) or before.get(name) for name in ("lobby", "url", "role")}
    options = Options(True, given["lobby"], given["url"], given["role"])
    context = CommandContext(options, click_context.obj or environment.process_environment())
    context.response_seconds = _RESPONSE_SECONDS
    targets: list[dict[str, Any]] = context.execute(documents.TARGETS)["targets"]
    return targets
