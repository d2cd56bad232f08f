"""Command line of the device client: ``run``, ``reset`` and ``show-qr``.

Exit codes: 0 if the command is done or the client was stopped by SIGTERM, SIGINT or SIGHUP; 2 for unusable settings
or credentials. After any other end, `device.supervisor` starts the client again.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from device.errors import StateDirError
from device.event_log import EventLog
from device.identity import read_identity
from device.label import terminal_label
from device.machine.plan import Timing
from device.runtime import run_client, uniform
from device.settings import Options, load_settings, state_dir
from device.storage import Storage, lock
from device.supervisor import Supervisor
from lobby import __version__
from lobby.errors import LobbyError, MissingSettings
from lobby.wire import MQTT_PORT

app = typer.Typer(help="The reference device client of Device Lobby.", no_args_is_help=True, add_completion=False)

_DEFAULTS = Timing()
_KEY, _TIMING = "Key in a token (PKCS#11)", "Timing (seconds, unless stated otherwise)"


class LogFormat(Enum):
    """Format of the event log."""

    TEXT = "text"
    JSON = "json"


Cert = Annotated[
    Path | None,
    typer.Option(
        envvar="DEVICE_CERT",
        help="The device's certificate, also with its chain and key in one file (PEM). Its CN is the thing name.",
    ),
]
StateDir = Annotated[
    Path | None,
    typer.Option(envvar="DEVICE_STATE_DIR", help="Folder for the route. Default: beside the certificate."),
]


def main(prog_name: str = "lobby-device") -> None:
    """Run the command line. This is the entry point of the console script `lobby-device`."""
    app(prog_name=prog_name)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"lobby-device {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def _setting(help_text: str, name: str, panel: str | None = None) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(help=help_text, envvar=f"DEVICE_{name}", rich_help_panel=panel)
    return option


@app.command()
def run(  # noqa: PLR0913, PLR0917 - typer reads the options from the signature
    cert: Cert = None,
    key: Annotated[
        Path | None, _setting("The private key (PEM), if it is not in the certificate's file.", "KEY")
    ] = None,
    ca: Annotated[Path | None, _setting("CA certificates of the MQTT servers (PEM).", "CA")] = None,
    lobby: Annotated[
        list[str] | None, _setting("A lobby as host or host:port. Repeat to try several in turn.", "LOBBY")
    ] = None,
    port: Annotated[int, _setting("MQTT port of lobbies given without a port.", "PORT")] = MQTT_PORT,
    state_dir: StateDir = None,
    exit_on_arrival: Annotated[
        bool, _setting("Exit with code 0 once connected to the target.", "EXIT_ON_ARRIVAL")
    ] = False,
    show_codes: Annotated[
        bool, _setting("Show presence codes, in the log and in a file of the state folder.", "SHOW_CODES")
    ] = False,
    log_format: Annotated[LogFormat, _setting("Log format, one line per event.", "LOG_FORMAT")] = LogFormat.TEXT,
    pkcs11_lib: Annotated[Path | None, _setting("The token's library (.so).", "PKCS11_LIB", _KEY)] = None,
    pkcs11_pin: Annotated[
        str | None,
        _setting("The user PIN. Other users of this machine can see it; prefer a file.", "PKCS11_PIN", _KEY),
    ] = None,
    pkcs11_pin_file: Annotated[Path | None, _setting("File with the user PIN.", "PKCS11_PIN_FILE", _KEY)] = None,
    pkcs11_token: Annotated[str | None, _setting("Label of the token.", "PKCS11_TOKEN", _KEY)] = None,
    pkcs11_label: Annotated[str | None, _setting("Label of the key.", "PKCS11_LABEL", _KEY)] = None,
    hello_every: Annotated[
        float, _setting("First interval of hellos in the lobby; they become rarer.", "HELLO_EVERY", _TIMING)
    ] = _DEFAULTS.hello_every,
    alive_every: Annotated[
        float, _setting("Interval of reports in the target.", "ALIVE_EVERY", _TIMING)
    ] = _DEFAULTS.alive_every,
    answer_within: Annotated[
        float, _setting("Time limit for each answer of a broker.", "ANSWER_WITHIN", _TIMING)
    ] = _DEFAULTS.answer_within,
    settle_after: Annotated[
        float, _setting("Time until a connection counts as stable.", "SETTLE_AFTER", _TIMING)
    ] = _DEFAULTS.settle_after,
    retry_base: Annotated[
        float, _setting("Longest wait after the first failure.", "RETRY_BASE", _TIMING)
    ] = _DEFAULTS.retry_base,
    retry_cap: Annotated[
        float, _setting("Longest wait after any number of failures.", "RETRY_CAP", _TIMING)
    ] = _DEFAULTS.retry_cap,
    fallback_attempts: Annotated[
        int, _setting("Failures at the target, in a row, before the fallback (count).", "FALLBACK_ATTEMPTS", _TIMING)
    ] = _DEFAULTS.fallback_attempts,
    fallback_seconds: Annotated[
        float,
        _setting("Time without a stable connection to the target before the fallback.", "FALLBACK_SECONDS", _TIMING),
    ] = _DEFAULTS.fallback_seconds,
    revisit_base: Annotated[
        float,
        _setting("Longest wait before the same route is retried after the first fallback.", "REVISIT_BASE", _TIMING),
    ] = _DEFAULTS.revisit_base,
    revisit_cap: Annotated[
        float, _setting("Longest such wait after any number of fallbacks.", "REVISIT_CAP", _TIMING)
    ] = _DEFAULTS.revisit_cap,
) -> None:
    """Connect to the lobby, wait for a route, then serve in the target. Runs until it is stopped."""
    with _errors_reported():
        options = Options(
            cert,
            key,
            ca,
            tuple(endpoint for text in lobby or () for endpoint in text.replace(",", " ").split()),
            port,
            state_dir,
            pkcs11_lib,
            pkcs11_pin,
            pkcs11_pin_file,
            pkcs11_token,
            pkcs11_label,
        )
        timing = Timing(
            hello_every,
            alive_every,
            answer_within,
            settle_after,
            retry_base,
            retry_cap,
            fallback_attempts,
            fallback_seconds,
            revisit_base,
            revisit_cap,
        )
    event_log = EventLog(log_format.value, sys.stdout)
    settings = partial(load_settings, options, timing, exit_on_arrival=exit_on_arrival, show_codes=show_codes)
    supervisor = Supervisor(partial(run_client, settings, event_log), event_log.record, timing.retry, uniform)
    raise typer.Exit(supervisor.run())


@app.command()
def reset(cert: Cert = None, state_dir: StateDir = None) -> None:
    """Forget the route. A running client returns to the lobby within two seconds, any other at its next start."""
    with _errors_reported():
        storage = Storage(_state_dir(cert, state_dir))
        try:
            typer.echo(_reset(storage))
        except OSError as error:
            _fail(f"STATE_DIR_UNUSABLE: got {error}, want a writable folder")


@app.command("show-qr")
def show_qr(
    cert: Cert = None,
    light_terminal: Annotated[bool, typer.Option(help="For a terminal with dark text on a light background.")] = False,
) -> None:
    """Show the QR label in the terminal, and its code as text."""
    with _errors_reported():
        if cert is None:
            raise MissingSettings("MISSING_SETTINGS", "got no --cert (DEVICE_CERT)")
        identity = read_identity(cert)
        typer.echo(terminal_label(identity.certid, dark_terminal=not light_terminal) + identity.thing)


def _reset(storage: Storage) -> str:
    """Remove the route if no client is running. Otherwise request the reset from the client, because it may be about
    to write a route."""
    try:
        lock(storage.folder)
    except StateDirError as error:
        if error.code != "STATE_DIR_IN_USE":
            raise
        storage.request_reset()
        return f"Requested a reset from the running client of {storage.folder}"
    storage.forget()
    return f"Removed the route from {storage.folder}"


def _state_dir(cert: Path | None, option: Path | None) -> Path:
    if option:
        return option
    if cert:
        return state_dir(cert, None)
    raise MissingSettings("MISSING_SETTINGS", "got no --state-dir (DEVICE_STATE_DIR) or --cert (DEVICE_CERT)")


@contextmanager
def _errors_reported() -> Iterator[None]:
    try:
        yield
    except LobbyError as error:
        _fail(str(error))


def _fail(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(2)
