"""What all commands share at the terminal: options with one meaning, progress, passphrases, and how failures show.

An expected failure is one line, ``error: CODE: got X, want Y``, and the exit status says whose turn it is: 2 for a
value to correct, 1 for work that could not be done, 130 for Ctrl-C. Results go to stdout, all else to stderr.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from lobby.errors import InvalidInput, LobbyError
from pki import storage

PASSPHRASE_VARIABLE = "PKI_PASSPHRASE"  # noqa: S105  # the variable's name

CaDirectory = Annotated[Path, typer.Argument(metavar="DIR", help="The CA's directory, as made by init.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(help=f"File whose first line is the CA keys' passphrase; else ${PASSPHRASE_VARIABLE}."),
]
DevicesDirectory = Annotated[
    Path | None, typer.Option("--devices", metavar="PATH", help="Where the devices' files are; else DIR/devices.")
]
KeyTypeHelp = "Kind of key. EC is smaller and faster on a device."


class ReportingGroup(TyperGroup):
    """Runs a command and turns expected failures into one line and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except InvalidInput as err:
            _fail(str(err), 2)
        except LobbyError as err:
            _fail(str(err), 1)
        except OSError as err:
            _fail(f"FILE_SYSTEM: got {err.strerror or err} at {err.filename}, want to read or write there", 1)
        except KeyboardInterrupt:
            _fail("INTERRUPTED: got Ctrl-C; what is written is whole: run the same again to go on", 130)


def _fail(message: str, status: int) -> NoReturn:
    typer.echo(f"error: {' '.join(message.splitlines())}", err=True)
    raise typer.Exit(status)


def say(text: str) -> None:
    """A result, for people and for scripts."""
    typer.echo(text)


def note(text: str) -> None:
    """Something worth knowing that is no result."""
    typer.echo(f"note: {text}", err=True)


def current_time() -> datetime:
    return datetime.now(UTC)


def read_passphrase(file: Path | None) -> bytes | None:
    """The CA keys' passphrase from its file or the environment. An empty one is refused: it would protect nothing."""
    if file is not None:
        lines = storage.read(file, "a passphrase file", 4096).splitlines()
        text, source = lines[0] if lines else b"", str(file)
    elif PASSPHRASE_VARIABLE in os.environ:
        text, source = os.environ[PASSPHRASE_VARIABLE].encode(), f"${PASSPHRASE_VARIABLE}"
    else:
        return None
    if not 1 <= len(text) <= 1023:
        raise InvalidInput("INVALID_PASSPHRASE", f"got {len(text)} bytes in {source}, want 1 to 1023")
    return text


def progress() -> Progress:
    """A bar on stderr that leaves nothing behind: the summary says what came of it."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
