"""An operator who carries out the commands of a runbook as written, on the local cloud."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from infra.local.lobby_file import NAME
from infra.local.synthesis import ROOT
from lobby.names import Target
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment
from tests.runbooks import run_aws

_PROGRAMS: Final = {"lobbyctl": "admin_api.cli", "lobby-pki": "pki"}
_OF_AWS: Final = re.compile(r" --(profile|region) \S+")
_AT: Final = re.compile(r"regions (list|check|without)\b")
_ASKS: Final = re.compile(r"regions (promote|without)\b")


class Operator:
    """Carries out commands in a directory, with the placeholders filled in. `at`: the Region whose API is used."""

    def __init__(self, deployed: Deployment, directory: Path, **words: str) -> None:
        self._deployed, self._directory, self._words = deployed, directory, words
        self.at: Target | None = None
        (directory / ".local").symlink_to(deployed.state)

    def __call__(self, command: str) -> str:
        """Return the output. The local cloud needs `--as` and `--local` in addition, and no profile and Region."""
        for word, value in self._words.items():
            command = command.replace(word, value)
        if command.startswith("aws "):
            session = self._deployed.local.emulator.session(self._deployed.lobby.account, self._deployed.lobby.region)
            return str(run_aws(command, session))
        program, _, rest = command.partition(" ")
        if program in _PROGRAMS:
            words, redirect, file = rest.partition(" > ")
            words += self._more(words) if program == "lobbyctl" else " --local"
            words = _OF_AWS.sub("", words) + (" --yes" if _OF_AWS.search(words) else "")
            command = f"{sys.executable} -P -m {_PROGRAMS[program]} {words}{redirect}{file}"
        command = command.replace(" python -m ", f" {sys.executable} -P -m ")
        done = subprocess.run(
            ["/bin/bash", "-c", command],
            cwd=self._directory,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=4 * TIMEOUT_SECONDS,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def _more(self, words: str) -> str:
        at = f" --at {self.at.region}" if self.at and _AT.match(words) else ""
        return f" --as admin{at}" + (" --yes" if _ASKS.match(words) else "")

    def _environment(self) -> dict[str, str]:
        """Return the environment, with the credentials of the lobby's account."""
        deployed = self._deployed
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(self._directory),
            "LOBBYCTL_LOBBY": str(deployed.state / NAME),
            "AWS_ENDPOINT_URL": deployed.layout.endpoint_url,
            "AWS_ACCESS_KEY_ID": deployed.lobby.account,
            "AWS_SECRET_ACCESS_KEY": deployed.emulator.secret,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
