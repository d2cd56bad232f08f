"""Shell completion of states, roles, targets and devices.

The targets and devices come from the lobby. If it does not answer within two seconds, the shell gets no completions and
shows no error. Devices are cached for half a minute, because a shell asks again for each key press.
"""

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import typer

from lobby.errors import InvalidInput
from lobby.names import State, parse_thing_name

if TYPE_CHECKING:
    from admin_api.cli.command_context import CommandContext

ROLES: Final = ("admin", "operator", "technician", "viewer")
_RESPONSE_SECONDS: Final = 2.0
MIN_NAME: Final = 2
"""The shortest start of a name that the lobby can search."""
_MAX_DEVICES: Final = 50


def starting(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.casefold().startswith(incomplete.casefold())]


def complete_role(incomplete: str) -> list[str]:
    return starting(ROLES, incomplete)


def complete_state(incomplete: str) -> list[str]:
    return starting(State, incomplete)


def complete_target(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Offer names. Offer account/Region instead if a digit was typed, or if the shell would split the name."""
    try:
        offered = [each for each in _targets(context) if each["archivedAt"] is None]
        targets = [(each["name"], f"{each['account']}/{each['region']}") for each in offered]
    except Exception:  # noqa: BLE001  # a shell that waits for completions must not show errors
        return []
    by_key = incomplete[:1].isdigit()
    words = [(key, name) if by_key or shlex.quote(name) != name else (name, key) for name, key in targets]
    return [(word, text) for word, text in words if word.casefold().startswith(incomplete.casefold())]


def complete_device(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Offer the names that start with two typed characters or more, with the devices' states."""
    try:
        from admin_api.cli.completion_cache import CompletionCache  # noqa: PLC0415  # most completions do not need it

        command = _context(context)
        if not is_thing_name(incomplete) or len(incomplete) < MIN_NAME:
            return []
        cache = CompletionCache(command.environment.config, command.environment.timestamp)
        key = f"{command.lobby.graphql_url} {command.options.role} {incomplete}"
        words = cache.get(key)
        if words is None:
            found = command.first_devices({"namePrefix": incomplete}, _MAX_DEVICES)
            words = [(str(each["devicename"] or each["expectedName"]), str(each["devstate"])) for each in found]
            cache.put(key, words)
    except Exception:  # noqa: BLE001  # a shell that waits for completions must not show errors
        return []
    return [(name, state) for name, state in words if is_thing_name(name) and name.startswith(incomplete)]


def is_thing_name(text: str) -> bool:
    """Return whether `text` is safe in a shell's list of completions."""
    try:
        return parse_thing_name(text) == text
    except InvalidInput:
        return False


def _targets(click_context: typer.Context) -> list[dict[str, Any]]:
    from admin_api.cli.documents import devices as documents  # noqa: PLC0415  # most completions do not need it

    targets: list[dict[str, Any]] = _context(click_context).execute(documents.TARGETS)["targets"]
    return targets


def _context(click_context: typer.Context) -> "CommandContext":
    from admin_api.cli import environment  # noqa: PLC0415  # most completions need neither
    from admin_api.cli.command_context import CommandContext, Options  # noqa: PLC0415

    before = click_context.find_root().params
    given = {name: click_context.params.get(name) or before.get(name) for name in ("lobby", "url", "role")}
    options = Options(True, given["lobby"], given["url"], given["role"])
    context = CommandContext(options, click_context.obj or environment.process_environment())
    context.response_seconds = _RESPONSE_SECONDS
    return context
