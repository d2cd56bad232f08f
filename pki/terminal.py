"""The common part of all commands: options, progress, passphrases, and the report of failures.

An expected failure is one line, ``error: CODE: got X, want Y``. Exit status: 2 for invalid input, 1 if the command
failed, 130 for Ctrl-C. Results go to stdout, everything else to stderr.
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

CaDirectory = Annotated[Path, typer.Argument(metavar="DIR", help="The CA's directory, as created by init.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(help=f"File whose first line is the passphrase of the CA's keys. [default: ${PASSPHRASE_VARIABLE}]"),
]
DevicesDirectory = Annotated[
    Path | None,
    typer.Option("--devices", metavar="PATH", help="The directory of the devices' files. [default: DIR/devices]"),
]
KEY_TYPE_HELP = "Type of key. EC keys are smaller and faster on a device."


class ReportingGroup(TyperGroup):
    """Run a command; report an expected failure as one line and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except InvalidInput as err:
            _fail(str(err), 2)
        except LobbyError as err:
            _fail(str(err), 1)
        except OSError as err:
            at = f" at {err.filename}" if err.filename else ""
            _fail(f"FILE_SYSTEM: got {err.strerror or err}{at}, want a readable and writable path with free space", 1)
        except KeyboardInterrupt:
            _fail("INTERRUPTED: got Ctrl-C; every file written is complete: run the command again to continue", 130)


def _fail(message: str, status: int) -> NoReturn:
    typer.echo(f"error: {_shown(' '.join(message.splitlines()))}", err=True)
    raise typer.Exit(status)


def print_result(text: str) -> None:
    """Print a result to stdout."""
    typer.echo(_shown(text))


def print_note(text: str) -> None:
    """Print additional information to stderr."""
    typer.echo(f"note: {_shown(text)}", err=True)


def _shown(text: str) -> str:
    """Return the text with escaped control characters, because certificates and answers can contain them."""
    return "".join(each if each.isprintable() or each in "\n\t" else ascii(each)[1:-1] for each in text)


def current_time() -> datetime:
    return datetime.now(UTC)


def read_passphrase(file: Path | None) -> bytes | None:
    """Return the passphrase of the CA's keys from `file` or the environment, or None.

    Raise `InvalidInput` INVALID_PASSPHRASE for an empty or overlong one.
    """
    if file is not None:
        lines = storage.read(file, "a passphrase file", 4096).splitlines()
        text, source = lines[0] if lines else b"", str(file)
    elif PASSPHRASE_VARIABLE in os.environ:
        text, source = os.environ[PASSPHRASE_VARIABLE].encode(), f"${PASSPHRASE_VARIABLE}"
    else:
        return None
    if not 1 <= len(text) <= 1023:
        raise InvalidInput("INVALID_PASSPHRASE", f"got a passphrase of {len(text)} bytes in {source}, want 1 to 1023")
    return text


def progress() -> Progress:
    """Return a progress bar on stderr that is removed at the end."""
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
