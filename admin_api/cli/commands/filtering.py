"""Options that select devices, for lists and for changes: state, target, name, fingerprint, reason, age, renewal.

This module converts them to the API's `DeviceFilter`, so they have the same meaning in every command. It rejects an age
without a state or target, because the lobby has no index for it.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Final, Protocol

import typer

from admin_api.cli.command_context import CommandContext
from admin_api.cli.completion import complete_state
from admin_api.cli.errors import usage_error
from lobby.errors import InvalidInput
from lobby.names import RenewalStatus, State, shown

_UNITS: Final = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"([0-9]{1,6})(s|min|m|h|d)")
StateFilter = Annotated[
    str | None, typer.Option("--state", "-s", metavar="STATE", help=", ".join(State), autocompletion=complete_state)
]
NameFilter = Annotated[str | None, typer.Option("--name", help="Start of the name, at least 2 characters.")]
FingerprintFilter = Annotated[
    str | None, typer.Option("--fingerprint", help="Start of the fingerprint, at least 4 digits.")
]
ReasonFilter = Annotated[
    str | None, typer.Option("--reason", help="Reason code of a failure or refusal, such as CRL_STALE.")
]
OlderThan = Annotated[
    str | None,
    typer.Option(
        "--older-than",
        metavar="DURATION",
        help="In the same state for longer than this, such as 90s, 15min, 2h or 3d; requires a state or target.",
    ),
]
RenewalFilter = Annotated[
    RenewalStatus | None,
    typer.Option("--renewal", help="Devices whose certificate is due for renewal, or overdue."),
]


class FilterOptions(Protocol):
    """The values of these options; None if an option is not given."""

    @property
    def state(self) -> str | None: ...

    @property
    def name(self) -> str | None: ...

    @property
    def fingerprint(self) -> str | None: ...

    @property
    def reason(self) -> str | None: ...

    @property
    def older_than(self) -> str | None: ...

    @property
    def renewal(self) -> RenewalStatus | None: ...


def device_filter(context: CommandContext, options: FilterOptions, target: str | None) -> dict[str, Any]:
    """Return the API's `DeviceFilter`. Raise `InvalidInput` or `NotFound` UNKNOWN_TARGET."""
    fields = {
        "state": checked_state(options.state),
        "namePrefix": options.name,
        "fingerprintPrefix": options.fingerprint,
        "reason": options.reason,
        "enteredBefore": _entered_before(context, options.older_than, bool(options.state or target)),
        "renewal": options.renewal.name if options.renewal else None,
    }
    return {key: value for key, value in fields.items() if value is not None} | target_filter(context, target)


def target_filter(context: CommandContext, name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    target = context.targets.find(name).target
    return {"target": {"account": target.account, "region": target.region}}


def checked_state(name: str | None) -> str | None:
    if name is not None and name not in list(State):
        raise usage_error(f"got {shown(name)}, want one of: {', '.join(State)}", "INVALID_STATE")
    return name


def _entered_before(context: CommandContext, duration: str | None, selective: bool) -> str | None:
    """Return the latest time at which a device may have entered its state, in ISO 8601."""
    if duration is None:
        return None
    if not selective:
        raise usage_error("got --older-than alone, want a state or target with it")
    time = context.now() - timedelta(seconds=parse_duration(duration))
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_duration(text: str) -> int:
    """Return the seconds of a duration such as ``90s``, ``15min``, ``2h`` or ``3d``.

    Raise `InvalidInput` INVALID_DURATION."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise InvalidInput("INVALID_DURATION", f"got {shown(text)}, want a number and s, min, h or d, such as 2h")
    return int(match[1]) * _UNITS[match[2]]
