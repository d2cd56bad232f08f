"""Command line of the device client: ``run``, ``reset`` and ``show-qr``.

Exit codes: 0 if the command is done or the client was stopped by SIGTERM, SIGINT or SIGHUP; 2 for unusable settings or
credentials, or if the device can never be provisioned with them. After any other exit, `device.supervisor` starts the
client again. The command line uses argparse, because a bundle runs on machines that have only Python.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any, Final, NoReturn

from device import command_options
from device.claim_settings import load_claim_settings
from device.errors import StateDirError
from device.event_log import EventLog, utc_now
from device.identity_store import load_identity
from device.libraries import Libraries
from device.machine.plan import Timing
from device.options import Options
from device.runtime import STOPPED, UNUSABLE, Setup, run_client, uniform
from device.storage import Storage, lock
from device.supervisor import Supervisor
from lobby import __version__
from lobby.errors import LobbyError, MissingSettings
from lobby.names import Fingerprint, ThingName
from lobby.wire import MQTT_PORT

PROGRAM: Final = "lobby-device"
_RUN_HELP: Final = "Connect to the lobby, wait for a route, then serve in the target. Runs until it is stopped."
_RESET_HELP: Final = (
    "Delete the route. A running client returns to the lobby within two seconds, a stopped client at its next start."
)
_QR_HELP: Final = "Show the QR label in the terminal, and its code as text."


def main(prog_name: str = PROGRAM, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line. This is the entry point of the console script `lobby-device`."""
    parsed = vars(parser(prog_name).parse_args(arguments))
    command: Callable[[dict[str, Any]], int] = parsed.pop("command")
    options: Sequence[command_options.Option] = parsed.pop("options")
    try:
        code = command(command_options.values(options, parsed, os.environ))
    except LobbyError as error:
        sys.stderr.write(f"{error}\n")
        code = UNUSABLE
    raise SystemExit(code)


def parser(prog_name: str = PROGRAM) -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    root = argparse.ArgumentParser(
        prog_name, description="The reference device client of Device Lobby.", allow_abbrev=False
    )
    root.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = root.add_subparsers(metavar="COMMAND", required=True)
    for name, text, options, function in (
        ("run", _RUN_HELP, command_options.RUN, _run),
        ("reset", _RESET_HELP, command_options.RESET, _reset),
        ("show-qr", _QR_HELP, command_options.SHOW_QR, _show_qr),
    ):
        usage = f"{prog_name} {name} [OPTIONS]"
        command = commands.add_parser(name, help=text, description=text, usage=usage, allow_abbrev=False)
        command_options.add_options(command, options)
        command.set_defaults(command=function, options=options)
    return root


def _run(values: dict[str, Any]) -> int:
    options = _options(values)
    timing = Timing(**{each.name: values[each.name] for each in fields(Timing) if each.name in values})
    event_log = EventLog(values["log_format"], sys.stdout)
    load = partial(_load, options, timing, values["exit_on_arrival"], values["show_codes"])
    supervisor = Supervisor(partial(run_client, load, event_log), event_log.record, timing.retry, uniform)
    return supervisor.run()


def _load(options: Options, timing: Timing, exit_on_arrival: bool, show_codes: bool) -> Setup:
    if options.by_claim:
        return load_claim_settings(
            options, timing, _libraries(options), utc_now(), exit_on_arrival=exit_on_arrival, show_codes=show_codes
        )
    from device.settings import load_settings  # noqa: PLC0415  # needs libraries that a bundle does not have

    return load_settings(options, timing, exit_on_arrival=exit_on_arrival, show_codes=show_codes).setup


def _libraries(options: Options) -> Libraries:
    if options.portable:
        from device.portable.libraries import PortableLibraries  # noqa: PLC0415  # not installed with the extra `device`

        return PortableLibraries()
    from device.native import NativeLibraries  # noqa: PLC0415  # not in a bundle

    return NativeLibraries()


def _reset(values: dict[str, Any]) -> int:
    """Remove the route if no client is running. Otherwise request the reset from the client, because it may be about
    to write a route."""
    folder = _options(values).folder
    if folder is None:
        raise MissingSettings("MISSING_SETTINGS", "got no --state-dir (DEVICE_STATE_DIR) or --cert (DEVICE_CERT)")
    storage = Storage(folder)
    try:
        try:
            lock(folder)
        except StateDirError as error:
            if error.code != "STATE_DIR_IN_USE":
                raise
            storage.request_reset()
            sys.stdout.write(f"Requested a reset from the running client of {folder}\n")
        else:
            storage.forget()
            sys.stdout.write(f"Removed the route from {folder}\n")
    except OSError as error:
        raise StateDirError("STATE_DIR_UNUSABLE", f"got {error}, want a writable folder") from error
    return STOPPED


def _show_qr(values: dict[str, Any]) -> int:
    from device.label import terminal_label  # noqa: PLC0415  # needs a library that a bundle does not have

    thing, certid = _identity(_options(values))
    sys.stdout.write(terminal_label(certid, dark_terminal=not values["light_terminal"]) + f"{thing}\n")
    return STOPPED


def _identity(options: Options) -> tuple[ThingName, Fingerprint]:
    if options.by_claim:
        stored = load_identity(options.folder) if options.folder else None
        if stored is None:
            raise MissingSettings(
                "NOT_PROVISIONED", f"got {options.folder} without an identity, want a provisioned one"
            )
        return stored.thing, stored.certid
    if options.cert is None:
        raise MissingSettings("MISSING_SETTINGS", "got no --cert (DEVICE_CERT)")
    from device.identity import read_identity  # noqa: PLC0415  # needs a library that a bundle does not have

    identity = read_identity(options.cert)
    return identity.thing, identity.certid


def _options(values: dict[str, Any]) -> Options:
    known: dict[str, Any] = {each.name: values[each.name] for each in fields(Options) if each.name in values}
    lobbies = " ".join(values.get("lobby") or ()).replace(",", " ").split()
    defaults: dict[str, Any] = {"cert": None, "key": None, "ca": None, "port": MQTT_PORT}
    return Options(**{**defaults, **known, "lobby": tuple(lobbies)})
