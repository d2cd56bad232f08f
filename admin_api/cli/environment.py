"""What a command finds around it: the environment, the places, the clocks, the person. Made in one place; tests hand in
their own."""

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
"""Where a browser comes back to: registered with the user pool as a callback."""
SIGN_IN_SECONDS: Final = 300.0
"""How long somebody has to sign in."""


@dataclass(frozen=True)
class Environment:
    """`clock` gives the time, `ticks` seconds that only grow, `pause` waits. `confirm` asks a person yes or no; it is
    None where nobody is there to ask. `browse` opens an address and says whether it could."""

    environment: Mapping[str, str]
    directory: Path
    project: Path
    config: Path
    clock: Callable[[], datetime]
    ticks: Callable[[], float]
    pause: Callable[[float], None]
    draw: Callable[[], float]
    secret: Callable[[], str]
    browse: Callable[[str], bool]
    confirm: Callable[[str], bool] | None
    redirect_port: int = REDIRECT_PORT
    sign_in_seconds: float = SIGN_IN_SECONDS


def real() -> Environment:
    """Those of this process."""
    return Environment(
        environment=os.environ,
        directory=Path.cwd(),
        project=PROJECT,
        config=platformdirs.user_config_path("lobbyctl", appauthor=False),
        clock=lambda: datetime.now(UTC),
        ticks=time.monotonic,
        pause=time.sleep,
        draw=random.random,
        secret=lambda: secrets.token_urlsafe(32),
        browse=_browse,
        confirm=_ask if sys.stdin is not None and sys.stdin.isatty() else None,
    )


def _browse(address: str) -> bool:
    import webbrowser  # noqa: PLC0415  # needed once, at a sign-in

    return webbrowser.open(address)


def _ask(question: str) -> bool:
    return typer.confirm(question, err=True)
