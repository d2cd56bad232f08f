"""The command line: ``run`` the device, ``reset`` it to the factory's state, ``show-qr`` for whoever claims it.

Exit codes: 0 done or stopped by SIGTERM/SIGINT/SIGHUP, 2 for settings or credentials that cannot work. Of anything else
a client may die, the next one is started (`keeper`).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from device.errors import StateFault
from device.event_log import Chronicle
from device.identity import read_identity
from device.label import terminal_label
from device.machine.plan import Timing
from device.runtime import draw, live
from device.settings import Options, gather, state_dir
from device.storage import Storage, lock
from device.supervisor import Keeper
from lobby.errors import LobbyError, MissingSettings
from lobby.wire import MQTT_PORT

app = typer.Typer(help="The reference device client of Device Lobby.", no_args_is_help=True, add_completion=False)

_FIELD = Timing()
_KEY, _PATIENCE = "Key in a token (PKCS#11)", "Patience (seconds, unless said)"


class LogFormat(Enum):
    """How the log is written."""

    TEXT = "text"
    JSON = "json"


Cert = Annotated[
    Path | None, typer.Option(envvar="DEVICE_CERT", help="The device's certificate, PEM. Its CN is the thing name.")
]
StateDir = Annotated[
    Path | None,
    typer.Option(envvar="DEVICE_STATE_DIR", help="Folder that keeps the route. [default: beside the certificate]"),
]


def _setting(help_text: str, name: str, panel: str | None = None) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(help=help_text, envvar=f"DEVICE_{name}", rich_help_panel=panel)
    return option


@app.command()
def run(  # noqa: PLR0913, PLR0917 - typer reads the options off the signature
    cert: Cert = None,
    key: Annotated[Path | None, _setting("Its private key, PEM.", "KEY")] = None,
    ca: Annotated[Path | None, _setting("CA certificates of the MQTT servers, PEM.", "CA")] = None,
    lobby: Annotated[
        list[str] | None, _setting("A lobby, host or host:port. Give several to try in turn.", "LOBBY")
    ] = None,
    port: Annotated[int, _setting("MQTT port of lobbies that name none.", "PORT")] = MQTT_PORT,
    state_dir: StateDir = None,
    exit_on_arrival: Annotated[bool, _setting("End with 0 once in the target.", "EXIT_ON_ARRIVAL")] = False,
    show_codes: Annotated[
        bool, _setting("Show the code that proves somebody is here: in the log, and in a file.", "SHOW_CODES")
    ] = False,
    log_format: Annotated[LogFormat, _setting("One line per event.", "LOG_FORMAT")] = LogFormat.TEXT,
    pkcs11_lib: Annotated[Path | None, _setting("The token's library (.so).", "PKCS11_LIB", _KEY)] = None,
    pkcs11_pin: Annotated[
        str | None, _setting("The user PIN. Others on this machine can see it; prefer a file.", "PKCS11_PIN", _KEY)
    ] = None,
    pkcs11_pin_file: Annotated[Path | None, _setting("File with the user PIN.", "PKCS11_PIN_FILE", _KEY)] = None,
    pkcs11_token: Annotated[str | None, _setting("Label of the token.", "PKCS11_TOKEN", _KEY)] = None,
    pkcs11_label: Annotated[str | None, _setting("Label of the key.", "PKCS11_LABEL", _KEY)] = None,
    hello_every: Annotated[
        float, _setting("Between hellos in the lobby.", "HELLO_EVERY", _PATIENCE)
    ] = _FIELD.hello_every,
    alive_every: Annotated[
        float, _setting("Between reports in the target.", "ALIVE_EVERY", _PATIENCE)
    ] = _FIELD.alive_every,
    answer_within: Annotated[
        float, _setting("For each answer of a broker.", "ANSWER_WITHIN", _PATIENCE)
    ] = _FIELD.answer_within,
    settle_after: Annotated[
        float, _setting("Until a connection counts as sound.", "SETTLE_AFTER", _PATIENCE)
    ] = _FIELD.settle_after,
    retry_base: Annotated[
        float, _setting("Longest wait after one failure.", "RETRY_BASE", _PATIENCE)
    ] = _FIELD.retry_base,
    retry_cap: Annotated[float, _setting("Longest wait after any number.", "RETRY_CAP", _PATIENCE)] = _FIELD.retry_cap,
    fallback_attempts: Annotated[
        int, _setting("Failed attempts at the target before the lobby is asked.", "FALLBACK_ATTEMPTS", _PATIENCE)
    ] = _FIELD.fallback_attempts,
    fallback_seconds: Annotated[
        float, _setting("Or this long.", "FALLBACK_SECONDS", _PATIENCE)
    ] = _FIELD.fallback_seconds,
    revisit_base: Annotated[
        float, _setting("After a fallback, before the same route is tried again.", "REVISIT_BASE", _PATIENCE)
    ] = _FIELD.revisit_base,
    revisit_cap: Annotated[float, _setting("The longest of that.", "REVISIT_CAP", _PATIENCE)] = _FIELD.revisit_cap,
) -> None:
    """Connect to the lobby, wait for a route, serve in the target. Runs until it is stopped."""
    with _faults_told():
        options = Options(
            cert,
            key,
            ca,
            tuple(one for text in lobby or () for one in text.replace(",", " ").split()),
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
    chronicle = Chronicle(log_format.value, sys.stdout)
    settings = partial(gather, options, timing, exit_on_arrival=exit_on_arrival, show_codes=show_codes)
    raise typer.Exit(Keeper(partial(live, settings, chronicle), chronicle.record, timing.retry, draw).run())


@app.command()
def reset(cert: Cert = None, state_dir: StateDir = None) -> None:
    """Forget the route. A running client goes back to the lobby within a second or two; the next one starts there."""
    with _faults_told():
        storage = Storage(_state_dir(cert, state_dir))
        try:
            typer.echo(_reset(storage))
        except OSError as error:
            _give_up(f"STATE_DIR_UNUSABLE: {error}, want a folder to write to")


@app.command("show-qr")
def show_qr(
    cert: Cert = None,
    light_terminal: Annotated[bool, typer.Option(help="For dark letters on a light ground.")] = False,
) -> None:
    """Show the QR label in the terminal, and its code as text."""
    with _faults_told():
        if cert is None:
            raise MissingSettings("MISSING_SETTINGS", "got no --cert (DEVICE_CERT)")
        identity = read_identity(cert)
        typer.echo(terminal_label(identity.certid, dark_terminal=not light_terminal) + identity.thing)


def _reset(storage: Storage) -> str:
    """With no client running, done here and now; else it is asked to, as it alone knows what it is about to write."""
    try:
        lock(storage.folder)
    except StateFault as fault:
        if fault.code != "STATE_DIR_IN_USE":
            raise
        storage.ask_reset()
        return f"The client that runs on {storage.folder} was asked to go back to the lobby"
    storage.forget()
    return f"No route is kept in {storage.folder} any more"


def _state_dir(cert: Path | None, given: Path | None) -> Path:
    if given:
        return given
    if cert:
        return state_dir(cert, None)
    raise MissingSettings("MISSING_SETTINGS", "got no --state-dir (DEVICE_STATE_DIR) nor --cert (DEVICE_CERT)")


@contextmanager
def _faults_told() -> Iterator[None]:
    try:
        yield
    except LobbyError as error:
        _give_up(str(error))


def _give_up(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(2)
