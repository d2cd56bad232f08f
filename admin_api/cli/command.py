"""The `command` decorator: register a function as a subcommand with the common options and error handling. Also the
arguments that several subcommands share.

The common options are accepted before or after the subcommand. A `LobbyError` that the function raises is printed on
one line and sets the exit status by the table in `exits`.
"""

import inspect
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, get_type_hints

import typer

from admin_api.cli import environment
from admin_api.cli.command_context import CommandContext, Options
from admin_api.cli.completion import complete_device, complete_role, complete_target
from admin_api.cli.exits import Status, status_of
from lobby.errors import LobbyError

_PANEL: Final = "Common options"
_META_KEY: Final = "lobbyctl"
Json = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object per line, errors included.", rich_help_panel=_PANEL),
]
Lobby = Annotated[
    Path | None,
    typer.Option(
        "--lobby",
        metavar="PATH",
        rich_help_panel=_PANEL,
        help="The lobby.json of a local deployment. [env: LOBBYCTL_LOBBY; default: the nearest .local/lobby.json]",
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        rich_help_panel=_PANEL,
        help="Address of the lobby's console. [env: LOBBYCTL_URL; default: the last sign-in]",
    ),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="ROLE",
        rich_help_panel=_PANEL,
        autocompletion=complete_role,
        help="The role to sign in with; local deployments only. [default: operator]",
    ),
]
_COMMON: Final[dict[str, Any]] = {"as_json": Json, "lobby": Lobby, "url": Url, "role": As}
_DEFAULTS: Final[dict[str, Any]] = {"as_json": False, "lobby": None, "url": None, "role": None}

DEVICE_HELP: Final = "Fingerprint, its first digits, label code, or name."
TARGET_HELP: Final = "Target as account/Region or name; optional if there is only one."
DeviceArgument = Annotated[str, typer.Argument(metavar="DEVICE", help=DEVICE_HELP, autocompletion=complete_device)]
TargetFilter = Annotated[
    str | None,
    typer.Option("--target", "-t", help="Target as account/Region or name.", autocompletion=complete_target),
]
F = TypeVar("F", bound=Callable[..., Any])


def store_options(click_context: typer.Context, **options: Any) -> None:
    """Store the common options given before the subcommand."""
    click_context.meta[_META_KEY] = options


def command(app: typer.Typer, name: str) -> Callable[[F], F]:
    """Register a function whose first parameter is the `CommandContext`; the others are its arguments and options."""

    def register(function: F) -> F:
        parameters = list(inspect.signature(function).parameters.values())[1:]
        app.command(name)(_wrap(function, parameters))
        return function

    return register


class OptionGroup:
    """The base of frozen dataclasses whose fields are options that several commands share. A command with a parameter
    of such a type has the fields as its options, and gets one value of the type."""


def _wrap(function: Callable[..., Any], own: list[inspect.Parameter]) -> Callable[..., None]:
    groups = {each.name: each.annotation for each in own if _is_group(each.annotation)}

    def run(**arguments: Any) -> None:
        click_context: typer.Context = arguments.pop("click_context")
        options = _options(click_context, {name: arguments.pop(name) for name in _COMMON})
        for name, group in groups.items():
            arguments[name] = group(**{each.name: arguments.pop(each.name) for each in fields(group)})
        context = CommandContext(options, click_context.obj or environment.process_environment())
        raise typer.Exit(_run(function, context, arguments))

    keyword = inspect.Parameter.KEYWORD_ONLY
    common = [
        inspect.Parameter(name, keyword, default=_DEFAULTS[name], annotation=option) for name, option in _COMMON.items()
    ]
    click_context = inspect.Parameter("click_context", keyword, annotation=typer.Context)
    expanded = [option for each in own for option in (_options_of(each.annotation) if each.name in groups else [each])]
    parameters = [click_context, *(each.replace(kind=keyword) for each in expanded), *common]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__doc__, run.__name__ = function.__doc__, function.__name__
    return run


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, OptionGroup)


def _options_of(group: Any) -> list[inspect.Parameter]:
    annotations = get_type_hints(group, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(each.name, keyword, default=each.default, annotation=annotations[each.name])
        for each in fields(group)
    ]


def _run(function: Callable[..., Any], context: CommandContext, arguments: dict[str, Any]) -> Status:
    """Call the command and return its exit status."""
    try:
        return function(context, **arguments) or Status.DONE
    except LobbyError as error:
        failure, status = error, status_of(error.code)
    except BrokenPipeError:
        raise
    except OSError as error:
        failure, status = _file_system_error(error), Status.REFUSED
    except KeyboardInterrupt:
        failure, status = LobbyError("INTERRUPTED", "completed changes are kept"), Status.INTERRUPTED
    context.screen.fail(failure, status)
    return status


def _file_system_error(error: OSError) -> LobbyError:
    return LobbyError("FILE_SYSTEM", f"cannot read or write {error.filename}: {error.strerror or error}")


def _options(click_context: typer.Context, after: dict[str, Any]) -> Options:
    """Merge the options given before and after the subcommand."""
    before: dict[str, Any] = click_context.meta.get(_META_KEY, _DEFAULTS)
    return Options(**{name: after[name] or before[name] for name in _COMMON})
