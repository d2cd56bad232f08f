"""The options of `lobby-device`: one table, and the order in which values are looked up. A value is taken from the
command line, else from the environment variable (`DEVICE_` and the option's name), else from the settings file (JSON),
else from the default. A value of the wrong type is an error, and so is an unknown name in the settings file. Relative
paths in the settings file start at its folder.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from device.input_files import read_file
from device.machine.plan import Timing
from lobby import strict_json
from lobby.errors import InvalidInput
from lobby.names import shown
from lobby.wire import MQTT_PORT

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")
_CLAIM: Final = "Provisioning by claim, for a device without a certificate"
_TOKEN: Final = "Key in a token (PKCS#11)"  # noqa: S105  # a heading
_TIMING: Final = "Timing (seconds, unless stated otherwise)"
_DEFAULTS: Final = Timing()
_METAVARS: Final[Mapping[Callable[[str], Any], str]] = {Path: "PATH", int: "NUMBER", float: "SECONDS"}
Value = Any
"""What `Option.parse` returns."""


def _flag(text: str) -> bool:
    if text.lower() in _TRUE + _FALSE:
        return text.lower() in _TRUE
    raise ValueError(f"want one of {', '.join(filter(None, _TRUE + _FALSE))}")


def _log_format(text: str) -> str:
    if text in ("text", "json"):
        return text
    raise ValueError("want text or json")


@dataclass(frozen=True)
class Option:
    """One option. `parse` reads its text; a flag is given without a value on the command line."""

    name: str
    help: str
    parse: Callable[[str], Value] = str
    default: Value = None
    panel: str | None = None
    several: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return f"DEVICE_{self.name.upper()}"


def _timing(name: str, help_text: str, parse: Callable[[str], Value] = float) -> Option:
    return Option(name, help_text, parse, getattr(_DEFAULTS, name), _TIMING)


CERT: Final = Option(
    "cert", "The device's certificate, also with its chain and key in one file (PEM). Its CN is the thing name.", Path
)
STATE_DIR: Final = Option(
    "state_dir", "Folder for the route and a provisioned identity. Default: next to the certificate.", Path
)
SETTINGS: Final = Option("settings", "Settings file (JSON) with options by their names.", Path)
CLAIM: Final = (
    Option("claim_cert", "The claim certificate of an enrolment (PEM), instead of --cert.", Path, panel=_CLAIM),
    Option("claim_key", "The private key of the claim certificate (PEM).", Path, panel=_CLAIM),
    Option("serial", "The device's serial number, which becomes its thing name.", panel=_CLAIM),
    Option("template", "The lobby's provisioning template.", panel=_CLAIM),
    Option("aws_keys", "Let AWS IoT create the key, instead of the device.", _flag, False, _CLAIM),
    Option("portable", "Use Python's ssl, paho-mqtt and ecdsa only, as a bundle does.", _flag, False, _CLAIM),
)
RUN: Final = (
    CERT,
    Option("key", "The private key (PEM), if it is not in the certificate's file.", Path),
    Option("ca", "CA certificates of the MQTT servers (PEM).", Path),
    Option("lobby", "A lobby as host or host:port. Repeat to try several in turn.", several=True),
    Option("port", "MQTT port of lobbies given without a port.", int, MQTT_PORT),
    STATE_DIR,
    SETTINGS,
    Option("exit_on_arrival", "Exit with code 0 once connected to the target.", _flag, False),
    Option("renew", "Renew the certificate if the lobby asks. The state folder must be durable.", _flag, True),
    Option("show_codes", "Show presence codes, in the log and in a file of the state folder.", _flag, False),
    Option("log_format", "Log format, one line per event: text or json.", _log_format, "text"),
    *CLAIM,
    Option("pkcs11_lib", "The token's library (.so).", Path, panel=_TOKEN),
    Option("pkcs11_pin", "The user PIN. Other users of this machine can see it; prefer a file.", panel=_TOKEN),
    Option("pkcs11_pin_file", "File with the user PIN.", Path, panel=_TOKEN),
    Option("pkcs11_token", "Label of the token.", panel=_TOKEN),
    Option("pkcs11_label", "Label of the key.", panel=_TOKEN),
    _timing("hello_every", "First interval of hellos in the lobby. It grows with time."),
    _timing("alive_every", "Interval of reports in the target."),
    _timing("answer_within", "Time limit for each answer of a broker."),
    _timing("settle_after", "Time until a connection counts as stable."),
    _timing("retry_base", "Longest wait after the first failure."),
    _timing("retry_cap", "Longest wait after any number of failures."),
    _timing("fallback_seconds", "Time in which the target does not answer before the fallback."),
    _timing("fallback_refused_seconds", "Time without a stable connection to a target that refuses it."),
    _timing("fallback_attempts", "Consecutive failures at the target before the fallback in any case (count).", int),
    _timing("revisit_base", "Longest wait before the same route is retried after the first fallback."),
    _timing("revisit_cap", "Longest such wait after any number of fallbacks."),
    _timing("standby_base", "Longest wait in the standby before a lobby and the target are tried the first time."),
    _timing("standby_cap", "Longest such wait after any number of visits to the standby."),
    _timing("denied_base", "Longest wait after the first denial of provisioning."),
    _timing("denied_cap", "Longest wait after any number of denials."),
    _timing("renewal_base", "Longest wait before a request for a new certificate is repeated the first time."),
    _timing("renewal_cap", "Longest wait before any repetition."),
    _timing("renewal_for", "Longest time in the lobby for a renewal."),
)
RESET: Final = (CERT, STATE_DIR, SETTINGS, *CLAIM)
SHOW_QR: Final = (
    CERT,
    STATE_DIR,
    SETTINGS,
    *CLAIM,
    Option("light_terminal", "For dark text on a light background.", _flag, False),
)


def add_options(parser: argparse.ArgumentParser, options: Sequence[Option]) -> None:
    groups: dict[str | None, Any] = {None: parser}
    for option in options:
        if option.panel not in groups:
            groups[option.panel] = parser.add_argument_group(option.panel)
        action: dict[str, Any] = {"metavar": _METAVARS.get(option.parse, "TEXT")}
        if option.parse is _flag:
            action = {"action": argparse.BooleanOptionalAction}
        elif option.several:
            action["action"] = "append"
        groups[option.panel].add_argument(option.flag, dest=option.name, default=None, help=_help(option), **action)


def _help(option: Option) -> str:
    default = f"{option.default:g}" if isinstance(option.default, float) else str(option.default or "")
    return f"{option.help} [{option.variable}{default and f', default: {default}'}]"


def values(options: Sequence[Option], given: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Value]:
    """Return the value of each option. Raise `InvalidInput` INVALID_SETTING or UNREADABLE_SETTINGS."""
    path = given.get(SETTINGS.name) or variables.get(SETTINGS.variable)
    in_file = _read(Path(path)) if path else {}
    folder = Path(path).parent if path else Path()
    return {option.name: _value(option, given, variables, in_file, folder) for option in options}


def _value(
    option: Option, given: Mapping[str, Any], variables: Mapping[str, str], in_file: Mapping[str, str], folder: Path
) -> Value:
    entered = given.get(option.name)
    if entered is not None:
        return entered if isinstance(entered, bool | list) else _parsed(option, entered, option.flag)
    if option.variable in variables:
        text, source = variables[option.variable], option.variable
    elif option.name in in_file:
        text, source = in_file[option.name], f"{option.name} in the settings file"
        text = str(folder / text) if option.parse is Path else text
    else:
        return option.default
    return [text] if option.several else _parsed(option, text, source)


def _parsed(option: Option, text: str, source: str) -> Value:
    try:
        return option.parse(text) if text or option.parse is _flag else option.default
    except ValueError as error:
        raise InvalidInput("INVALID_SETTING", f"got {source} {shown(text)} ({error})") from None


def _read(path: Path) -> dict[str, str]:
    """Return the settings of a file as text, in the form of the command line."""
    try:
        body = strict_json.loads(read_file(path))
    except ValueError as error:
        raise InvalidInput("UNREADABLE_SETTINGS", f"got {path} ({error}), want a JSON object") from None
    known = {option.name for option in RUN}
    if not isinstance(body, dict) or (unknown := sorted(set(body) - known)):
        got = f"the settings {', '.join(map(shown, unknown))}" if isinstance(body, dict) else "no object"
        raise InvalidInput("UNREADABLE_SETTINGS", f"got {got} in {path}, want names of options, such as lobby")
    return {name: _text(value) for name, value in body.items()}


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
