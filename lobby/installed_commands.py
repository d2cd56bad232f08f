"""The entry points of the installed commands: `lobbyctl`, `lobby-device`, `lobby-pki` and `lobby-verify`.

The wheel contains all commands, and each extra installs the packages of one. If packages of a command are missing, the
message names the extra to install instead of a traceback. Imports nothing outside the standard library except the
version.
"""

import sys
from importlib import import_module
from typing import Final

from lobby import __version__

PACKAGES_MISSING: Final = 2
"""The exit status, as for a wrong option."""
_OWN: Final = frozenset({"admin_api", "device", "lobby", "pki"})
"""The packages of the wheel. If one of their modules is missing, the wheel is broken, and no extra can fix that."""


def lobbyctl() -> None:
    """Run `lobbyctl`."""
    _run("lobbyctl", "admin_api.cli.app", "cli")


def lobby_device() -> None:
    """Run `lobby-device`."""
    _run("lobby-device", "device.cli", "device")


def lobby_pki() -> None:
    """Run `lobby-pki`."""
    _run("lobby-pki", "pki.cli", "pki")


def lobby_verify() -> None:
    """Run `lobby-verify`. Its module also works without this project, so only the installed command has a version."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"lobby-verify {__version__}\n")
        return
    _run("lobby-verify", "lobby.verify_history", "verify")


def _run(command: str, module: str, extra: str) -> None:
    try:
        sys.exit(import_module(module).main())
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or package in _OWN:
            raise
        sys.stderr.write(
            f"{command}: got no package {package!r}, want the packages of the extra {extra!r}:"
            f" pip install 'device-lobby[{extra}]', or in a checkout pip install '.[{extra}]'\n"
        )
        raise SystemExit(PACKAGES_MISSING) from None
