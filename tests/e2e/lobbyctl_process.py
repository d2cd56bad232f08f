"""`lobbyctl` as a separate process, with its own directory and configuration."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from infra.local.lobby_file import NAME
from infra.local.synthesis import ROOT
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment


class Lobbyctl:
    """Runs the command in its own directory, with its own configuration."""

    def __init__(self, deployed: Deployment, directory: Path) -> None:
        self._directory = directory
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "XDG_CONFIG_HOME": str(directory / "config"),
            "PYTHONPATH": str(ROOT),
            "LOBBYCTL_LOBBY": str(deployed.state / NAME),
        }

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-P", "-m", "admin_api.cli", *arguments]
        return subprocess.Popen(
            command,
            cwd=self._directory,
            env=self.environment | environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        with self.start(*arguments, **environment) as process:
            out, err = process.communicate(timeout=4 * TIMEOUT_SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def records(self, *arguments: str, status: int = 0, **environment: str) -> list[dict[str, Any]]:
        result = self("--json", *arguments, **environment)
        assert result.returncode == status, result.stdout + result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]
