"""Makes a function into a command: gives it the options that every command has, a desk, and an end for its failures.

The options can be said before the command or after it. What a command raises as `LobbyError` is told in one line, and
becomes its exit status by the table in `exits`.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from admin_api.cli import environment
from admin_api.cli.command_context import CommandContext, Options
from admin_api.cli.completion import complete_role
from admin_api.cli.exits import Status, status_of
from lobby.errors import LobbyError

_PANEL: Final = "With every command"
Json = Annotated[
    bool,
    typer.Option("--json", help="For programs: one JSON object a line, failures included.", rich_help_panel=_PANEL),
]
Lobby = Annotated[
    Path | None,
    typer.Option(
        "--lobby",
        metavar="PATH",
        rich_help_panel=_PANEL,
        help="A local deployment's lobby.json. [env: LOBBYCTL_LOBBY; else .local/lobby.json here or above]",
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        rich_help_panel=_PANEL,
        help="A lobby that you are signed in to. [env: LOBBYCTL_URL; else the last one, where no lobby.json is]",
    ),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="ROLE",
        rich_help_panel=_PANEL,
        autocompletion=complete_role,
        help="Locally: the role to sign in as. [default: operator]",
    ),
]
_SHARED: Final[dict[str, Any]] = {"as_json": Json, "lobby": Lobby, "url": Url, "role": As}
_DEFAULTS: Final[dict[str, Any]] = {"as_json": False, "lobby": None, "url": None, "role": None}
F = TypeVar("F", bound=Callable[..., Any])


def everywhere(
    context: typer.Context, as_json: Json = False, lobby: Lobby = None, url: Url = None, role: As = None
) -> None:
    """The root's callback: the options, said before the command."""
    context.meta["lobbyctl"] = {"as_json": as_json, "lobby": lobby, "url": url, "role": role}


def command(app: typer.Typer, name: str) -> Callable[[F], F]:
    """Registers a function whose first parameter is the desk; the others are its own arguments and options."""

    def register(function: F) -> F:
        own = list(inspect.signature(function).parameters.values())[1:]
        app.command(name)(_wrapped(function, own))
        return function

    return register


def _wrapped(function: Callable[..., Any], own: list[inspect.Parameter]) -> Callable[..., None]:
    def run(**given: Any) -> None:
        context: typer.Context = given.pop("context")
        said = {field: given.pop(field) for field in _SHARED}
        desk = CommandContext(_options(context, said), context.obj or environment.real())
        try:
            status = function(desk, **given)
        except LobbyError as error:
            status = status_of(error.code)
            desk.screen.fail(error, status)
        except BrokenPipeError:
            raise
        except OSError as fault:
            status = Status.REFUSED
            what = f"got {fault.strerror or fault} at {fault.filename}, want to read or write there"
            desk.screen.fail(LobbyError("FILE_SYSTEM", what), status)
        except KeyboardInterrupt:
            status = Status.INTERRUPTED
            desk.screen.fail(LobbyError("INTERRUPTED", "stopped by Ctrl-C; what was done stays done"), status)
        raise typer.Exit(status or Status.DONE)

    keyword = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter(field, keyword, default=_DEFAULTS[field], annotation=kind) for field, kind in _SHARED.items()
    ]
    context = inspect.Parameter("context", keyword, annotation=typer.Context)
    parameters = [context, *(each.replace(kind=keyword) for each in own), *shared]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__doc__, run.__name__ = function.__doc__, function.__name__
    return run


def _options(context: typer.Context, said: dict[str, Any]) -> Options:
    before: dict[str, Any] = context.meta.get("lobbyctl", _DEFAULTS)
    both = {field: said[field] or before[field] for field in _SHARED}
    return Options(**both)
