"""The parts of the process that a command uses: variables, directories, clocks, randomness, the browser and the user's
answers.

`process_environment` is the only place that reads them; tests pass their own `Environment`.
"""

import os
import random
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import platformdirs
import typer

from admin_api.cli.lobby_location import PROJECT

REDIRECT_PORT: Final = 8976
"""The port of the sign-in's redirect URI. The user pool has it registered as a callback URL."""
SIGN_IN_SECONDS: Final = 300.0
"""How long a sign-in may take in the browser."""


@dataclass(frozen=True)
class Environment:
    """The process environment of one command.

    `clock` returns the time in UTC, `monotonic` and `sleep` are in seconds, `random` returns a number from 0 to 1.
    `make_secret` returns an unguessable text. `open_browser` returns whether it could open the address. `confirm` asks
    the user a yes-or-no question and is None if the command does not run in a terminal.
    """

    variables: Mapping[str, str]
    directory: Path
    project: Path
    config: Path
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    make_secret: Callable[[], str]
    open_browser: Callable[[str], bool]
    confirm: Callable[[str], bool] | None
    redirect_port: int = REDIRECT_PORT
    sign_in_seconds: float = SIGN_IN_SECONDS

    def timestamp(self) -> float:
        """Return the seconds since 1970."""
        return self.clock().timestamp()


def process_environment() -> Environment:
    """Return the environment of this process."""
    return Environment(
        variables=os.environ,
        directory=Path.cwd(),
        project=PROJECT,
        config=platformdirs.user_config_path("lobbyctl", appauthor=False),
        clock=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        sleep=time.sleep,
        random=random.random,
        make_secret=lambda: secrets.token_urlsafe(32),
        open_browser=_open_browser,
        confirm=_confirm if sys.stdin is not None and sys.stdin.isatty() else None,
    )


def _open_browser(address: str) -> bool:
    import webbrowser  # noqa: PLC0415  # only a sign-in needs it

    return webbrowser.open(address)


def _confirm(question: str) -> bool:
    return typer.confirm(question, err=True)
